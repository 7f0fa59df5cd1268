"""Where each value of a declaration stands.

Most are never asked, and there may be hundreds of thousands: so a position is kept as one number, and a `Place` is made
when somebody asks.
"""

from array import array
from collections.abc import Iterator, Mapping
from functools import lru_cache

from reconciler.desired.defaults import Defaults
from reconciler.desired.marks import Marks, Shape, order_of
from reconciler.desired.words import dotted
from reconciler.model.cluster import Placement
from reconciler.model.declaration import Manifest
from reconciler.model.view import path_of
from reconciler.problem import Place

_COLUMNS = 1 << 25
"""More than a line can have: a file's most bytes are fewer."""


class Places(Mapping[str, Place]):
    """By path, the number being the shard's index; a default's is in the fleet file."""

    __slots__ = ("_defaults", "_file", "_positions", "_shape", "_shards")

    def __init__(self, file: str, marks: Marks, manifest: Manifest, defaults: Defaults) -> None:
        self._file = file
        self._shape = _shared(marks.shape)
        self._positions = array("q", [mark.line * _COLUMNS + mark.column for mark in marks.values])
        self._shards = tuple(placement.shard_index for placement in manifest.shard_placements or ())
        self._defaults = defaults

    def __getitem__(self, path: str) -> Place:
        number = _numbers(self._shape, self._shards).get(path)
        if number is None:
            return self._defaulted()[path]
        line, column = divmod(self._positions[number], _COLUMNS)
        return Place(self._file, line + 1, column + 1)

    def __iter__(self) -> Iterator[str]:
        return iter({**_numbers(self._shape, self._shards), **self._defaulted()})

    def __len__(self) -> int:
        return len([*iter(self)])

    def _defaulted(self) -> dict[str, Place]:
        return {dotted(path): place for path, place in self._defaults.places.items()}


@lru_cache(maxsize=1 << 10)
def _shared(shape: Shape) -> Shape:
    """The same shape; of equal ones, one."""
    return shape


@lru_cache(maxsize=256)  # a large one takes half a megabyte
def _numbers(shape: Shape, shards: tuple[int, ...]) -> Mapping[str, int]:
    """Which of a manifest's values stands at a path; its placements are those of these shards, in this order."""
    order = order_of(shape)
    keys = {dotted(path): order.values[path] for path in order.keys if not any(isinstance(key, int) for key in path)}
    placements = {
        path_of("shard_placements", shard, key): order.nearest(("shard_placements", number, key))
        for number, shard in enumerate(shards)
        for key in Placement.model_fields
    }
    return {**keys, **placements}
