"""Where each value of a declaration stands.

Most are never asked, and there may be hundreds of thousands: so a position is kept as one number, the paths once for
all declarations that have the same, and a `Place` is made when somebody asks.
"""

from array import array
from collections.abc import Iterator, Mapping
from functools import lru_cache

from reconciler.desired.defaults import Defaults
from reconciler.desired.words import dotted
from reconciler.desired.yaml import Document, KeyPath
from reconciler.model.cluster import Placement
from reconciler.model.declaration import Manifest
from reconciler.model.view import path_of
from reconciler.problem import Place

_COLUMNS = 1 << 25
"""More than a line can have: a file's most bytes are fewer."""

_PLACED = tuple(Placement.model_fields)


class Places(Mapping[str, Place]):
    """By path, the number being the shard's index; a default's is in the fleet file."""

    __slots__ = ("_defaults", "_file", "_paths", "_positions")

    def __init__(self, file: str, document: Document, manifest: Manifest, defaults: Defaults) -> None:
        self._file = file
        self._defaults = defaults
        paths, positions = _positions(document, manifest)
        self._paths = _shared(tuple(paths))
        self._positions = array("q", positions)

    def __getitem__(self, path: str) -> Place:
        if path in self._paths:
            return Place(self._file, *divmod(self._positions[self._paths.index(path)], _COLUMNS))
        return self._defaulted()[path]

    def __iter__(self) -> Iterator[str]:
        return iter({**dict.fromkeys(self._paths), **self._defaulted()})

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _defaulted(self) -> dict[str, Place]:
        return {dotted(path): place for path, place in self._defaults.places.items()}


@lru_cache(maxsize=1 << 10)
def _shared(paths: tuple[str, ...]) -> tuple[str, ...]:
    """The same paths; of equal ones, one."""
    return paths


def _positions(document: Document, manifest: Manifest) -> tuple[list[str], list[int]]:
    values, inside = document.marks.values, document.marks.inside
    paths = [*map(str, values)]
    positions = [(mark.line + 1) * _COLUMNS + mark.column + 1 for mark in values.values()]
    if "lifecycle" in inside:
        for key in inside["lifecycle"].values:
            paths.append(f"lifecycle.{key}")
            positions.append(_position(document, ("lifecycle", key)))
    for number, placement in enumerate(manifest.shard_placements or ()):
        for key in _PLACED:
            paths.append(path_of("shard_placements", placement.shard_index, key))
            positions.append(_position(document, ("shard_placements", number, key)))
    return paths, positions


def _position(document: Document, path: KeyPath) -> int:
    line, column = document.place(path)
    return line * _COLUMNS + column
