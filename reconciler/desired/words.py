"""What is wrong with a value, and what to write instead: the words for each of pydantic's kinds of errors."""

import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema

from reconciler.desired.marks import KeyPath
from reconciler.desired.scalars import Odd
from reconciler.model.text import closest, did_you_mean, printable

SYNONYMS: Final = {
    "availability_zones": "shard_placements",
    "az": "availability_zone",
    "azs": "shard_placements",
    "cluster_name": "name",
    "deletion_protection": "prevent_destroy",
    "ignore": "ignore_changes",
    "index": "shard_index",
    "instance": "node_instance_type",
    "instance_type": "node_instance_type",
    "multi_az": "enforce_shard_multi_az",
    "node_type": "node_instance_type",
    "nodes": "shard_count",
    "placement": "shard_placements",
    "placements": "shard_placements",
    "protect": "prevent_destroy",
    "replica_count": "replication_factor",
    "replica_zones": "replica_availability_zones",
    "replicas": "replication_factor",
    "shard": "shard_index",
    "shards": "shard_count",
    "type": "node_instance_type",
    "zone": "availability_zone",
    "zones": "shard_placements",
}
"""What others call a field, or what is near to it, by what it is here."""

_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "a string",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of keys and values",
    "model_type": "a mapping of keys and values",
    "model_attributes_type": "a mapping of keys and values",
}
_LONGEST_SHOWN = 60
_LONGEST_PATH = 120


class ReadAs(NamedTuple):
    """An annotation: the model that a field is read as, where that is made from a list and has no name for mypy."""

    model: type[BaseModel]

    def __get_pydantic_core_schema__(self, _source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler(self.model)


def dotted(path: Iterable[str | int]) -> str:
    """`shard_placements[0].availability_zone`: here the number is the position in the list."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")


def named(path: Iterable[str | int]) -> str:
    """The same in one line that steers nothing, cut: its keys are whatever somebody wrote."""
    return printable(dotted(path), _LONGEST_PATH) or "the document"


def reason_words(detail: Any, path: KeyPath, model: type[BaseModel], word: str | None) -> tuple[str, str]:
    """Message and remedy of one of pydantic's errors; `word` is how a boolean was written that YAML 1.1 alone has."""
    kind: str = detail["type"]
    name, value = named(path), detail.get("input")
    if kind == "missing":
        return f"{name} is missing", "add it: the API requires it"
    if kind == "extra_forbidden":
        key = str(path[-1])
        return f"unknown key {quoted(key)}", meant(key, _known_keys(model, path[:-1]))
    if isinstance(value, Odd):
        return _odd(name, value, kind)
    if word is not None:
        return f"{name} is {word}, which YAML reads as a boolean", f'write "{word}" in quotes'
    if kind in _EXPECTED:
        return f"{name} is {_described(value)}, not {_EXPECTED[kind]}", _instead(kind, value)
    return _constraint(kind, name, value, detail.get("ctx") or {})


def meant(key: str, known: list[str]) -> str:
    """What somebody means who writes a key that isn't there."""
    key = _as_we_write(key)
    synonym = SYNONYMS.get(key)
    return f"did you mean {synonym}?" if synonym in known else did_you_mean(key, known)


def meant_path(path: KeyPath, model: type[BaseModel]) -> KeyPath | None:
    """The path that `meant` names for an unknown key at this one; None where it names none."""
    known, key = _known_keys(model, path[:-1]), _as_we_write(str(path[-1]))
    synonym = SYNONYMS.get(key)
    found = synonym if synonym in known else closest(key, known)
    return None if found is None else (*path[:-1], found)


def _as_we_write(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key[:_LONGEST_SHOWN]).replace("-", "_").lower()


def quoted(value: object) -> str:
    """A string from outside, in quotes, in one line, cut."""
    return f'"{printable(str(value), _LONGEST_SHOWN)}"'


def _instead(kind: str, value: object) -> str:
    if isinstance(value, str) and kind == "int_type" and value.lstrip("-").isdecimal():
        return f"write {printable(value, _LONGEST_SHOWN)} without quotes"
    if kind == "string_type" and isinstance(value, int | float):
        return f'write "{str(value).lower() if isinstance(value, bool) else value}" in quotes'
    return f"write {_EXPECTED[kind]}"


def _constraint(kind: str, name: str, value: object, limits: dict[str, Any]) -> tuple[str, str]:
    match kind:
        case "greater_than_equal":
            return f"{name} is {value}", f"it must be at least {limits['ge']}"
        case "greater_than":
            return f"{name} is {value}", f"it must be more than {limits['gt']}"
        case "less_than_equal":
            return f"{name} is {value}", f"it must be at most {limits['le']}"
        case "string_too_short":
            return f"{name} is empty", "give it a value, or leave it out where it may be left out"
        case "too_short":
            return f"{name} is empty", "give it at least one entry"
        case "string_too_long":
            return f"{name} has {len(str(value))} characters", f"it must have at most {limits['max_length']}"
        case "string_pattern_mismatch" if name.endswith("api_key_env"):
            return f"{name} is {quoted(value)}", "only a variable whose name starts with MOMENTO_ is read: rename it"
        case "string_pattern_mismatch":
            return f"{name} {quoted(value)} is not URL-safe", "use A-Z a-z 0-9 . _ ~ - and not . or .. alone"
        case "literal_error":
            return f"{name} is {quoted(value)}", meant(str(value), re.findall("'([^']*)'", limits["expected"]))
    return f"{name} is wrong: {kind}", "see the documentation of manifests"


def _odd(name: str, odd: Odd, kind: str) -> tuple[str, str]:
    said = f"{name} is {quoted(odd.text)}, {odd.reading}"
    if kind not in {"int_type", "float_type"}:
        return said, f"write {quoted(odd.text)} in quotes"
    return said, f"write {odd.instead}" if odd.instead is not None else "write a plain decimal number"


def _described(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return f"{str(value).lower()}, a boolean"
        case int() | float():
            return f"{value}, a number"
        case str():
            return f"{quoted(value)}, a string"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _known_keys(model: type[BaseModel], path: KeyPath) -> list[str]:
    """The keys of the model that the path leads to."""
    for key in path:
        if isinstance(key, str) and key in model.model_fields:
            field = model.model_fields[key]
            read_as = next((data.model for data in field.metadata if isinstance(data, ReadAs)), None)
            model = read_as or _model_inside(field.annotation) or model
    return list(model.model_fields)


def _model_inside(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = getattr(annotation, "__args__", ())
    return next((found for found in map(_model_inside, inner) if found), None)
