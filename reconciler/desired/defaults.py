"""What a fleet file gives for many manifests: values under each of theirs, and the places where they stand."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from reconciler.desired.marks import KeyPath
from reconciler.desired.yaml import Document
from reconciler.problem import Place


class Defaults(NamedTuple):
    """`values` as they are written; what is wrong with one by itself is told in the fleet file, once.

    `places` are by path: a field, or a field and a key inside it. `known` is false where the fleet file couldn't be
    read: then nobody can say what a manifest lacks.
    """

    values: Mapping[str, object] = MappingProxyType({})
    places: Mapping[KeyPath, Place] = MappingProxyType({})
    known: bool = True

    def over(self, others: "Defaults") -> "Defaults":
        """These where they say something, the others where they don't."""
        return Defaults(merged(self.values, others.values), {**others.places, **self.places})

    def place(self, path: KeyPath, document: Document) -> Place | None:
        """Where the value of a path stands, if it is a default and not the manifest's own."""
        for depth in (2, 1):
            if path[:depth] in self.places and not document.has(path[:depth]):
                return self.places[path[:depth]]
        return None


NO_DEFAULTS: Final = Defaults()
UNKNOWN_DEFAULTS: Final = Defaults(known=False)


def merged(own: Mapping[str, object], defaults: Mapping[str, object]) -> dict[str, object]:
    """One's own values over the defaults; where both are mappings, key by key."""
    found = {**defaults, **own}
    for key in own.keys() & defaults.keys():
        mine, theirs = own[key], defaults[key]
        if isinstance(mine, dict) and isinstance(theirs, dict):
            found[key] = {**theirs, **mine}
    return found


def read_defaults(path: KeyPath, document: Document, file: str) -> Defaults:
    """The defaults that stand at a path of a fleet file."""
    values = document.value_at(path)
    if not isinstance(values, dict):
        return NO_DEFAULTS
    keys: list[KeyPath] = [(key,) for key in values]
    keys += [(key, inner) for key, value in values.items() if isinstance(value, dict) for inner in value]
    return Defaults(values, {key: Place(file, *document.marks.place((*path, *key))) for key in keys})
