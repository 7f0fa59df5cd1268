"""The JSON Schemas of a manifest and of the fleet file, as an editor reads them.

They take whatever the loader takes, and refuse what a schema can: unknown keys, other types, null, values out of range.
What fields are to each other is the loader's to say.
"""

from typing import Any

from reconciler.desired.fleet_file import FleetFile, GuardLimits
from reconciler.model.declaration import DEFAULTABLE, Manifest
from reconciler.model.schema import schema_of


def manifest_schema() -> dict[str, Any]:
    """Of one document. It requires no field that a fleet file's defaults may give."""
    schema = schema_of(Manifest, "A Momento Valkey cluster", mode="validation", nullable=())
    return {**schema, "required": [key for key in schema["required"] if key not in DEFAULTABLE]}


def fleet_schema() -> dict[str, Any]:
    """Of `fleet.yaml`: a guard's limit alone may be null."""
    return schema_of(FleetFile, "A fleet of Momento Valkey clusters", mode="validation", nullable=(GuardLimits,))
