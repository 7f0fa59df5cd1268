"""The published schemas, compiled by a validator that knows nothing of pydantic."""

from typing import Any

from jsonschema_rs import Draft7Validator

from reconciler.desired.schema import fleet_schema, manifest_schema
from reconciler.report.schema import plan_schema, report_schema

SCHEMAS: dict[str, dict[str, Any]] = {
    "manifest": manifest_schema(),
    "fleet": fleet_schema(),
    "plan": plan_schema(),
    "report": report_schema(),
}
VALIDATORS = {name: Draft7Validator(schema) for name, schema in SCHEMAS.items()}


def wrong(name: str, document: object) -> list[str]:
    """What a document breaks of a schema: nothing, if it is as published."""
    return [f"{list(error.instance_path)}: {error.message}" for error in VALIDATORS[name].iter_errors(document)]
