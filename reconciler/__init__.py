"""Keeps Momento Valkey clusters as git says they should be.

The folders are the pipeline: `desired` and `live` are read, `plan` compares them, `apply` carries the plan out, and
`report` and `forge` tell. The names of `__all__` are for other programs, and promised; each is imported when it is
asked for, so that what isn't used costs nothing.
"""

__version__ = "0.1.0"  # a constant: importlib.metadata would cost more than all of click

_MODULES = {
    "Access": "api",
    "ApplyOptions": "apply.options",
    "Create": "plan.change",
    "Declaration": "model.declaration",
    "Delete": "plan.change",
    "FieldChange": "plan.change",
    "Fleet": "model.fleet",
    "Intent": "plan.intent",
    "InvalidManifests": "errors",
    "Plan": "plan.plan",
    "PlanDocument": "plan.document",
    "Problem": "problem",
    "ReconcilerError": "errors",
    "Refused": "errors",
    "ReportDocument": "results",
    "Result": "results",
    "StalePlan": "errors",
    "Target": "model.fleet",
    "TargetReport": "results",
    "Update": "plan.change",
    "apply_plan": "api",
    "load_fleet": "api",
    "make_plan": "api",
}
"""Where each name is defined; `__init__.pyi` says the same to type checkers."""

__all__ = ["__version__", *_MODULES]  # noqa: PLE0604  # texts, all of them


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'reconciler' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(f"reconciler.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
