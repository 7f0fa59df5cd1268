"""Keeps Momento Valkey clusters as git says they should be.

The folders are the pipeline: `desired` and `live` are read, `plan` compares them, `apply` carries the plan out, and
`report` and `forge` tell. Nothing is re-exported here: import a name from the module that defines it.
"""

__version__ = "0.1.0"  # a constant: importlib.metadata would cost more than all of click
