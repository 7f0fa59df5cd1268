"""GitHub's own description of the operations that we use: what the fake answers and what we ask are held against it."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from jsonschema_rs import Draft4Validator

OPERATIONS: dict[str, Any] = json.loads(Path(__file__).with_name("github-openapi.json").read_text())["operations"]
BY_FORMAT = {"uri": "https://forge.example/x", "date-time": "2027-01-15T08:00:00Z", "email": "x@example.com"}
BY_TYPE: dict[str, Any] = {"integer": 0, "number": 0, "boolean": False, "string": "", "null": None}


def operation(method: str, path: str) -> dict[str, Any]:
    """The operation that GitHub would take this for."""
    for name, found in OPERATIONS.items():
        pattern = re.sub(r"\{\w+\}", "[^/]+", name)
        if re.fullmatch(pattern, f"{method} {path}"):
            return dict(found, name=name)
    raise AssertionError(f"GitHub has no {method} {path}")


def check_request(method: str, path: str, query: str, body: bytes) -> None:
    """Assert that GitHub knows this path, each parameter and each field."""
    known = operation(method, path)
    assert set(parse_qs(query, strict_parsing=bool(query))) <= set(known["query"]), query
    if "request" in known:
        _validator(known["name"], "request").validate(json.loads(body))
    else:
        assert not body


def check_answer(method: str, path: str, status: int, value: object) -> None:
    """Assert that GitHub answers like this where it does as asked."""
    known = operation(method, path)
    assert status == known["status"]
    _validator(known["name"], "response").validate(value)


def least(method: str, path: str) -> dict[str, Any]:
    """The least that GitHub answers: every required field, at its dullest. Of a list, one entry."""
    schema = operation(method, path)["response"]
    value = _least(schema["items"] if schema.get("type") == "array" else schema)
    assert isinstance(value, dict)
    return value


@cache
def _validator(name: str, part: str) -> Draft4Validator:
    return Draft4Validator(OPERATIONS[name][part])


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
