"""A document held against a model: typed values, or every problem with its position, its reason and its remedy."""

import re
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from reconciler.desired.yaml import Document, Odd, Path
from reconciler.errors import Problem
from reconciler.model.text import did_you_mean, printable

M = TypeVar("M", bound=BaseModel)

_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping of keys and values",
    "model_type": "a mapping of keys and values",
    "model_attributes_type": "a mapping of keys and values",
}
_LONGEST_SHOWN = 60
_NULL = "give it a value, or leave it out"


def validated(
    model: type[M],
    document: Document,
    file: str,
    cluster: str | None,
    *,
    may_be_null: Callable[[Path], bool] = lambda _path: False,
) -> tuple[M | None, list[Problem]]:
    """The document as the model, or None with its problems.

    A null is a problem even where a field may be left out: whoever writes one means something that can't be guessed.
    `may_be_null` names the exceptions.
    """
    told = [path for path in document.nulls if not may_be_null(path)]
    nulls = [
        problem_at(document, path, f"{dotted(path) or 'the document'} is null", _NULL, file=file, cluster=cluster)
        for path in told
    ]
    try:
        valid = model.model_validate(document.value)
    except ValidationError as error:
        reasons = [reason for reason in error.errors(include_url=False) if reason["loc"] not in told]
        return None, nulls + [_problem(reason, model, document, file, cluster) for reason in reasons]
    return (None, nulls) if nulls else (valid, [])


def problem_at(
    document: Document,
    path: Path,
    message: str,
    remedy: str,
    *,
    file: str,
    cluster: str | None = None,
    at_key: bool = False,
) -> Problem:
    """A problem at a value of the document, or at its key."""
    line, column = document.place_of_key(path) if at_key else document.place(path)
    return Problem("manifest", message, remedy, None, cluster, file, line, column)


def dotted(path: Iterable[str | int]) -> str:
    """`shard_placements[0].availability_zone`: here the number is the position in the list."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")


def _problem(reason: Any, model: type[BaseModel], document: Document, file: str, cluster: str | None) -> Problem:
    path: Path = tuple(key for key in reason["loc"] if key != "[key]")
    kind: str = reason["type"]
    message, remedy = _words(kind, reason, path, model, document)
    return problem_at(
        document,
        path,
        message,
        remedy,
        file=file,
        cluster=cluster,
        at_key=kind == "extra_forbidden" or "[key]" in reason["loc"],
    )


def _words(kind: str, reason: Any, path: Path, model: type[BaseModel], document: Document) -> tuple[str, str]:
    name, value = printable(dotted(path), 120), reason.get("input")
    if kind == "missing":
        return f"{name} is missing", "add it: the API requires it"
    if kind == "extra_forbidden":
        key = str(path[-1])
        return f"unknown key {_shown(key)}", did_you_mean(key, _known_keys(model, path[:-1]))
    if isinstance(value, Odd):
        return _odd(name, value, kind)
    if path in document.words:
        word = document.words[path]
        return f"{name} is {word}, which YAML reads as a boolean", f'write "{word}" in quotes'
    if kind in _EXPECTED:
        quoted = isinstance(value, str) and kind == "int_type" and value.lstrip("-").isdecimal()
        remedy = f"write {value} without quotes" if quoted else f"write {_EXPECTED[kind]}"
        if kind == "string_type" and isinstance(value, int | float):
            remedy = f'write "{str(value).lower() if isinstance(value, bool) else value}" in quotes'
        return f"{name or 'the document'} is {_described(value)}, not {_EXPECTED[kind]}", remedy
    return _constraint(kind, name, value, reason.get("ctx") or {})


def _constraint(kind: str, name: str, value: object, limits: dict[str, Any]) -> tuple[str, str]:
    match kind:
        case "greater_than_equal":
            return f"{name} is {value}", f"the least is {limits['ge']}"
        case "greater_than":
            return f"{name} is {value}", f"it must be more than {limits['gt']}"
        case "less_than_equal":
            return f"{name} is {value}", f"the most is {limits['le']}"
        case "string_too_short":
            return f"{name} is empty", "give it a value, or leave it out where it may be left out"
        case "string_too_long":
            return f"{name} has {len(str(value))} characters", f"the most is {limits['max_length']}"
        case "value_error":
            return f"{name}: {limits['error']}", "write it so"
        case "string_pattern_mismatch" if name.endswith("api_key_env"):
            return f"{name} {_shown(value)} is no variable's name", "use A-Z a-z 0-9 _ and begin with no digit"
        case "string_pattern_mismatch":
            return f"{name} {_shown(value)} is not URL-safe", "use A-Z a-z 0-9 . _ ~ - and not . or .. alone"
        case "literal_error":
            return f"{name} is {_shown(value)}", did_you_mean(str(value), re.findall("'([^']*)'", limits["expected"]))
    return f"{name} is wrong: {kind}", "see the documentation of manifests"


def _odd(name: str, odd: Odd, kind: str) -> tuple[str, str]:
    said = f"{name} is {_shown(odd.text)}, {odd.reading}"
    if kind in {"int_type", "float_type"} and odd.instead is not None:
        return said, f"write {odd.instead}"
    return said, "write a plain decimal number" if kind in {
        "int_type",
        "float_type",
    } else f'write "{odd.text}" in quotes'


def _described(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return f"{str(value).lower()}, a boolean"
        case int() | float():
            return f"{value}, a number"
        case str():
            return f"{_shown(value)}, a text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def _shown(value: object) -> str:
    return f'"{printable(str(value), _LONGEST_SHOWN)}"'


def _known_keys(model: type[BaseModel], path: Path) -> list[str]:
    """The keys of the model that the path leads to."""
    for key in path:
        if isinstance(key, str) and key in model.model_fields:
            model = _model_inside(model.model_fields[key].annotation) or model
    return list(model.model_fields)


def _model_inside(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = getattr(annotation, "__args__", ())
    return next((found for found in map(_model_inside, inner) if found), None)
