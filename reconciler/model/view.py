"""Configurations by path, both ways: the normal form in which two of them are compared, recorded and digested.

Placements go by their shard's index; replica zones have no order, so they are sorted with duplicates kept. Which fields
there are, and what each may hold, is read off `Configuration`.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from operator import itemgetter
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
    values: dict[str, FieldValue] = {}
    for field in FIELDS:
        value = given[field]
        if type(value) is tuple:
            values |= _by_path(field, value)
        elif value is not None:
            values[field] = value
    return values


def live_cluster(entry: object) -> LiveCluster:
    """One entry of the list. Null is missing; a field that PUT requires must be there.

    Raises ValueError, its text harmless and naming the field alone, for an entry that makes no sense.
    """
    if not isinstance(entry, dict):
        raise ValueError("it is not an object")  # noqa: TRY004
    name, status = _checked(entry.get("name"), str, "name"), _checked(entry.get("status"), str, "status")
    values: dict[str, FieldValue] = {}
    for field, kind in _FIELDS:
        value = entry.get(field)
        if kind is tuple and value is not None:
            values |= _by_path(field, [_live_placement(field, item) for item in _checked(value, list, field)])
        elif value is not None or field in _REQUIRED:
            values[field] = _shared(_checked(value, kind, field))
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


def _by_path(field: str, placements: Iterable[Placement | Mapping[str, Any]]) -> dict[str, FieldValue]:
    values: dict[str, FieldValue] = {}
    for shard, placed in sorted(map(_placed, placements), key=itemgetter(0)):
        values.update(zip(_paths_of(field, shard), placed, strict=True))
    return values


def _placed(placement: Placement | Mapping[str, Any]) -> tuple[int, list[FieldValue]]:
    """The shard's index, and the values of its other keys, in their order."""
    given = vars(placement) if isinstance(placement, Placement) else placement
    return given[_INDEX], [
        tuple(map(_shared, sorted(given.get(key) or ()))) if kind is tuple else _shared(given[key])
        for key, kind in _PLACED_KINDS
    ]


@lru_cache(maxsize=1 << 14)
def _paths_of(field: str, shard: int) -> tuple[str, ...]:
    return tuple(path_of(field, shard, key) for key in _PLACED)


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
_FIELDS: Final = tuple((field, _KINDS[field]) for field in FIELDS)
_PLACED_KINDS: Final = tuple((key, _KINDS[key]) for key in _PLACED)
_REQUIRED: Final = frozenset(key for key, field in Configuration.model_fields.items() if field.is_required())


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
    if type(value) is str and not value.isascii() and _HALF.search(value):
        raise ValueError(f"{field}: it holds half a character, or bytes that are not text")
    return value


def _shared(value: Any) -> Any:
    """The same value; of equal short texts, such as types, zones and statuses, the same object: they are few."""
    return intern(value) if type(value) is str and len(value) < _SHORT else value
