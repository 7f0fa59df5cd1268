"""Configurations by path, both ways: the normal form in which two of them are compared, recorded and digested.

Placements go by their shard's index; replica zones have no order, so they are sorted with duplicates kept. Which fields
there are, and what each may hold, is read off `Configuration`.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from sys import intern
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin

from reconciler.model.cluster import FIELDS, Configuration, FieldValue, LiveCluster, Placement, Values, error_texts

_HALF: Final = re.compile("[\ud800-\udfff]")
"""What JSON can write, and nothing else can: neither a file, nor a terminal, nor a request."""

_SHORT: Final = 32
"""Characters of a text that many clusters may have."""

_INDEX, *_PLACED = Placement.model_fields
_RANK: Final = {field: rank for rank, field in enumerate((*FIELDS, *_PLACED))}


def values_of(configuration: Configuration) -> Values:
    """All that a configuration says."""
    given = vars(configuration)
    return _by_path((field, given[field]) for field in FIELDS)


def live_cluster(entry: object) -> LiveCluster:
    """One entry of the list. Null is missing; a field that PUT requires must be there.

    Raises ValueError, its text harmless and naming the field alone, for an entry that makes no sense.
    """
    if not isinstance(entry, dict):
        raise ValueError("it is not an object")  # noqa: TRY004
    name, status = (_checked(entry.get(key), str, key) for key in ("name", "status"))
    values = _by_path((field, _live_value(field, entry.get(field))) for field in FIELDS)
    return LiveCluster(name, _shared(status), error_texts(entry.get("errors")), values)


def body_of(values: Values) -> dict[str, Any]:
    """The JSON that PUT takes: `values_of` turned round."""
    body: dict[str, Any] = {}
    placements: dict[tuple[str, int], dict[str, Any]] = {}
    for path in ordered(values):
        field, shard, key = split(path)
        value = values[path]
        told: object = list(value) if isinstance(value, tuple) else value
        if shard is None:
            body[field] = told
            continue
        if (field, shard) not in placements:
            placements[field, shard] = {_INDEX: shard}
            body.setdefault(field, []).append(placements[field, shard])
        placements[field, shard][key] = told
    return body


@lru_cache(maxsize=1 << 15)  # clusters have the same few: each is held once
def path_of(field: str, shard: int, key: str) -> str:
    """`shard_placements[0].availability_zone`: the number is the shard's index."""
    return f"{field}[{shard}].{key}"


def split(path: str) -> tuple[str, int | None, str]:
    """Field, shard's index and key of a path; no index and no key for a field of its own."""
    field, _, rest = path.partition("[")
    shard, _, key = rest.partition("].")
    return field, int(shard) if shard else None, key


def field_of(path: str) -> str:
    """The field that a path belongs to: what `ignore_changes` names."""
    return path.partition("[")[0]


def ordered(paths: Iterable[str]) -> list[str]:
    """In the order of the API's document, placements by shard."""
    return sorted(paths, key=_rank)


def _rank(path: str) -> tuple[int, int, int]:
    field, shard, key = split(path)
    return _RANK[field], -1 if shard is None else shard, _RANK.get(key, -1)


def _by_path(fields: Iterable[tuple[str, Any]]) -> dict[str, FieldValue]:
    values: dict[str, FieldValue] = {}
    for field, value in fields:
        if isinstance(value, tuple):
            for shard, placed in sorted((_by_key(placement) for placement in value), key=lambda found: found[0]):
                values |= {path_of(field, shard, key): item for key, item in placed.items()}
        elif value is not None:
            values[field] = value
    return values


def _by_key(placement: Placement | Mapping[str, Any]) -> tuple[int, dict[str, FieldValue]]:
    given = vars(placement) if isinstance(placement, Placement) else placement
    return given[_INDEX], {
        key: tuple(map(_shared, sorted(given.get(key) or ()))) if _KINDS[key] is tuple else _shared(given[key])
        for key in _PLACED
    }


def _plain(annotation: Any) -> type:
    """What JSON a field holds: `str`, `int`, `bool`, or `tuple` for an array."""
    inner = [a for a in get_args(annotation) if a is not type(None)]
    if get_origin(annotation) in {Union, UnionType}:
        return _plain(inner[0])
    if hasattr(annotation, "__metadata__"):
        return _plain(annotation.__origin__)
    kind = get_origin(annotation) or annotation
    return kind if isinstance(kind, type) else str


_KINDS: Final[dict[str, type]] = {
    key: _plain(field.annotation) for model in (Configuration, Placement) for key, field in model.model_fields.items()
}
_REQUIRED: Final = frozenset(key for key, field in Configuration.model_fields.items() if field.is_required())


def _live_value(field: str, value: Any) -> Any:
    kind = _KINDS[field]
    if type(value) is kind and kind is not str:
        return value
    if value is None and field not in _REQUIRED:
        return None
    if kind is not tuple:
        return _shared(_checked(value, kind, field))
    return tuple(_live_placement(field, item) for item in _checked(value, list, field))


def _live_placement(field: str, value: object) -> Mapping[str, Any]:
    placement: Mapping[str, Any] = _checked(value, dict, field)
    for key in (_INDEX, *_PLACED):
        if _KINDS[key] is not tuple:
            _checked(placement.get(key), _KINDS[key], key)
        elif placement.get(key) is not None:
            for text in _checked(placement[key], list, key):
                _checked(text, str, key)
    return placement


def _checked(value: Any, kind: type, field: str) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{field}: {'missing' if value is None else 'of another type than documented'}")
    if isinstance(value, str) and not value.isascii() and _HALF.search(value):
        raise ValueError(f"{field}: it holds half a character, or bytes that are not text")
    return value


def _shared(value: Any) -> Any:
    """The same value; of equal short texts, such as types, zones and statuses, the same object: they are few."""
    return intern(value) if isinstance(value, str) and len(value) < _SHORT else value
