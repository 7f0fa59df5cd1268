"""Where each value of a declaration stands: in its manifest, or, as a default, in the fleet file."""

from collections.abc import Iterator, Mapping

from reconciler.desired.defaults import Defaults
from reconciler.desired.events import KeyPath
from reconciler.desired.marks import Where
from reconciler.desired.words import dotted
from reconciler.model.cluster import Placement
from reconciler.model.declaration import Manifest
from reconciler.model.view import path_of, split
from reconciler.problem import Place


class Places(Mapping[str, Place]):
    """By path, the number being the shard's index; a default's is in the fleet file."""

    __slots__ = ("_defaults", "_file", "_shards", "_where")

    def __init__(self, file: str, where: Where, manifest: Manifest, defaults: Defaults) -> None:
        self._file = file
        self._where = where
        self._shards = tuple(placement.shard_index for placement in manifest.shard_placements or ())
        self._defaults = defaults

    def __getitem__(self, path: str) -> Place:
        own = self._own(path)
        return Place(self._file, *self._where.place(own)) if own else self._defaulted()[path]

    def __iter__(self) -> Iterator[str]:
        fields = [(key,) for key in self._where.keys(())]
        lifecycle = [("lifecycle", key) for key in self._where.keys(("lifecycle",))]
        placed = [path_of("shard_placements", shard, key) for shard in self._shards for key in Placement.model_fields]
        return iter(dict.fromkeys((*map(dotted, (*fields, *lifecycle)), *placed, *self._defaulted())))

    def __len__(self) -> int:
        return len([*iter(self)])

    def _own(self, path: str) -> KeyPath:
        """Where it is in the document; empty where it isn't there."""
        if "]." in path:
            field, shard, key = split(path)
            return (field, self._shards.index(shard), key) if shard in self._shards else ()
        *around, last = path.split(".")
        return (*around, last) if last in self._where.keys((*around,)) else ()

    def _defaulted(self) -> dict[str, Place]:
        return {dotted(path): place for path, place in self._defaults.places.items()}
