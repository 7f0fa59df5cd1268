"""What a forge says of the operations that we use: what its fake answers and what we ask are held against it."""

import json
import re
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from jsonschema_rs import Draft4Validator

BY_FORMAT = {"uri": "https://forge.example/x", "date-time": "2027-01-15T08:00:00Z", "email": "x@example.com"}
BY_TYPE: dict[str, Any] = {"integer": 0, "number": 0, "boolean": False, "string": "", "null": None}


class Description:
    """A file beside this one; its `source` says whose words it goes by, of which version.

    An operation has the names of its `query`, `values` where a name takes but a few, its `request`, and how it answers
    where it does as asked. What several have in common stands under `entities`.
    """

    def __init__(self, file: str) -> None:
        self._file = file

    def check_request(self, method: str, path: str, query: str, body: bytes) -> None:
        """Assert that the forge knows this path, each parameter and each field."""
        known = self._operation(method, path)
        given = parse_qs(query, strict_parsing=bool(query))
        assert set(given) <= set(known["query"]), query
        for name, few in known.get("values", {}).items():
            assert set(given.get(name, ())) <= set(few), query
        if "request" in known:
            known["validate"]["request"].validate(json.loads(body))
        else:
            assert not body

    def check_answer(self, method: str, path: str, status: int, value: object) -> None:
        """Assert that the forge answers like this where it does as asked."""
        known = self._operation(method, path)
        assert status == known["status"]
        known["validate"]["response"].validate(value)

    def least(self, method: str, path: str) -> dict[str, Any]:
        """The least that it answers: every required field, at its dullest. Of a list, one entry."""
        schema = self._operation(method, path)["response"]
        value = _least(schema["items"] if schema.get("type") == "array" else schema)
        assert isinstance(value, dict)
        return value

    def _operation(self, method: str, path: str) -> dict[str, Any]:
        """The operation that the forge would take this for."""
        for name, found in self._operations.items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", name), f"{method} {path}"):
                assert isinstance(found, dict)
                return found
        raise AssertionError(f"there is no {method} {path}")

    @cached_property
    def _operations(self) -> dict[str, Any]:
        document = json.loads(Path(__file__).with_name(self._file).read_text())
        operations: dict[str, Any] = _resolved(document["operations"], document.get("entities", {}))
        for one in operations.values():
            one["validate"] = {part: Draft4Validator(one[part]) for part in ("request", "response") if part in one}
        return operations


def _resolved(value: Any, entities: dict[str, Any]) -> Any:
    """Schemas with what they name in its place."""
    match value:
        case {"$ref": name}:
            return _resolved(entities[name], entities)
        case dict():
            return {key: _resolved(part, entities) for key, part in value.items()}
    return value


def _least(schema: dict[str, Any]) -> Any:
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return _least(schema[union][0])
    if "allOf" in schema:
        return {key: value for part in schema["allOf"] for key, value in _least(part).items()}
    if "enum" in schema:
        return schema["enum"][0]
    kinds = schema.get("type", "object")
    if "null" in kinds and kinds != "null":
        return None
    kind = kinds if isinstance(kinds, str) else kinds[0]
    if kind == "object":
        return {key: _least(schema.get("properties", {}).get(key, {})) for key in schema.get("required", ())}
    return [] if kind == "array" else BY_FORMAT.get(schema.get("format", ""), BY_TYPE[kind])
