"""Where each value of a declaration stands.

Most are never asked, so a position is kept as one number, and a `Place` is made of it when somebody asks. (Ten thousand
declarations with objects for each of their values would be walked by every garbage collection of the run.)
"""

from collections.abc import Iterator, Mapping

from reconciler.desired.defaults import Defaults
from reconciler.desired.words import dotted
from reconciler.desired.yaml import Document, KeyPath
from reconciler.model.declaration import Manifest
from reconciler.model.view import path_of
from reconciler.problem import Place

_COLUMNS = 1 << 25
"""More than a line can have: a file's most bytes are fewer."""


class Places(Mapping[str, Place]):
    """By path, the number being the shard's index; a default's is in the fleet file."""

    __slots__ = ("_defaults", "_file", "_positions")

    def __init__(self, file: str, document: Document, manifest: Manifest, defaults: Defaults) -> None:
        self._file = file
        self._defaults = defaults
        self._positions = _positions(document, manifest)

    def __getitem__(self, path: str) -> Place:
        if path in self._positions:
            return Place(self._file, *divmod(self._positions[path], _COLUMNS))
        return self._defaulted()[path]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._positions, **self._defaulted()})

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _defaulted(self) -> dict[str, Place]:
        return {dotted(path): place for path, place in self._defaults.places.items()}


def _positions(document: Document, manifest: Manifest) -> dict[str, int]:
    positions = {str(key): (mark.line + 1) * _COLUMNS + mark.column + 1 for key, mark in document.marks.values.items()}
    if "lifecycle" in document.marks.inside:
        for key in document.marks.inside["lifecycle"].values:
            positions[f"lifecycle.{key}"] = _position(document, ("lifecycle", key))
    for number, placement in enumerate(manifest.shard_placements or ()):
        for key in type(placement).model_fields:
            path = path_of("shard_placements", placement.shard_index, key)
            positions[path] = _position(document, ("shard_placements", number, key))
    return positions


def _position(document: Document, path: KeyPath) -> int:
    line, column = document.place(path)
    return line * _COLUMNS + column
