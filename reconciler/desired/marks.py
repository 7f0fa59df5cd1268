"""Where everything in a document stands: noted in passing, and put together when somebody asks.

Hardly anybody does, and there may be hundreds of thousands of places. So the reader keeps two lists and what the
document looks like without its values; documents that look alike share the rest.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

Key: TypeAlias = str | int
KeyPath: TypeAlias = tuple[Key, ...]
Position: TypeAlias = tuple[int, int]
"""Line and column, from 1."""

MAPPING: Final = 0
SEQUENCE: Final = 1
ITEM: Final = 2
END: Final = 3

Shape: TypeAlias = tuple[Key, ...]
"""A document from its first event to its last, without its scalars: `MAPPING` or `SEQUENCE`, what is in it, `END`.

Of a mapping's entries the key, and after it, where the value is no scalar, that; of a sequence's items `ITEM` for each
scalar. An alias is a scalar.
"""


class Order(NamedTuple):
    """Which of a document's values stands at a path, and which of its keys: by number, from 0, as they were met.

    Of a key that is there twice the first. What an alias stands for is at no path.
    """

    values: Mapping[KeyPath, int]
    keys: Mapping[KeyPath, int]

    def nearest(self, path: KeyPath) -> int:
        """The value at a path, or the nearest thing around it."""
        while path not in self.values:
            path = path[:-1]
        return self.values[path]


class Marks(NamedTuple):
    """Libyaml's marks of a document's values, and of its keys, each as they were met."""

    shape: Shape
    values: list[Any]
    keys: list[Any]

    def place(self, path: KeyPath) -> Position:
        """Where a value stands, or the nearest thing around it."""
        return position_of(self.values[order_of(self.shape).nearest(path)])

    def place_of_key(self, path: KeyPath) -> Position:
        """Where a mapping's key stands, or the nearest thing around it."""
        number = order_of(self.shape).keys.get(path)
        return position_of(self.keys[number]) if number is not None else self.place(path)


def position_of(mark: Any) -> Position:
    """A mark of libyaml, as people count."""
    return mark.line + 1, mark.column + 1


@lru_cache(maxsize=64)  # a large one takes a megabyte
def order_of(shape: Shape) -> Order:
    """What a shape comes to; manifests have few."""
    values, keys = list[KeyPath](), list[KeyPath]()
    around: list[tuple[KeyPath, int | None]] = []
    here: KeyPath = ()
    items: int | None = None  # how many came before, in a sequence
    for token in shape or (ITEM,):
        if token == END:
            here, items = around.pop()
            continue
        if isinstance(token, str):
            keys.append((*here, token))
            values.append(keys[-1])
            continue
        path = () if not around else keys[-1] if items is None else (*here, items)
        if items is not None or not around:
            values.append(path)
        if items is not None:
            items += 1
        if token != ITEM:
            around.append((here, items))
            here, items = path, None if token == MAPPING else 0
    return Order(_first(values), _first(keys))


def _first(paths: list[KeyPath]) -> dict[KeyPath, int]:
    return {path: number for number, path in reversed([*enumerate(paths)])}
