"""The JSON Schemas of the documents that programs read: plans and reports, exactly as they are written."""

from typing import Any, Final

from reconciler.model.schema import schema_of
from reconciler.plan.change import Create, Delete, Update
from reconciler.plan.document import PlanDocument
from reconciler.plan.plan import Plan
from reconciler.results import ReportDocument

_DIGESTED: Final = (Plan, Create, Update, Delete)
"""What `dump_plans` writes a digest into."""

_DIGEST: Final = {
    "description": "What is done, as a hash: `--expect` compares it.",
    "type": "string",
    "pattern": "^sha256:[0-9a-f]{64}$",
}


def plan_schema() -> dict[str, Any]:
    """Of what `plan`, `drift` and `--out` write."""
    schema = schema_of(PlanDocument, "A plan of reconciler", mode="serialization")
    digested = {model.__name__: _with_digest(schema["definitions"][model.__name__]) for model in _DIGESTED}
    return {**schema, "definitions": {**schema["definitions"], **digested}}


def report_schema() -> dict[str, Any]:
    """Of what `apply` and `wait` write."""
    return schema_of(ReportDocument, "A report of reconciler", mode="serialization")


def _with_digest(schema: dict[str, Any]) -> dict[str, Any]:
    properties = {**schema["properties"], "digest": _DIGEST}
    return {**schema, "properties": properties, "required": [*schema["required"], "digest"]}
