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

    What an alias stands for is at no path, nor is what a key has that is there twice, the second time. `repeated` are
    such keys: the number of the first in that mapping, and its own.
    """

    values: Mapping[KeyPath, int]
    keys: Mapping[KeyPath, int]
    repeated: tuple[tuple[int, int], ...]

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
    values, keys = list[KeyPath | None](), list[KeyPath | None]()
    repeated: list[tuple[int, int]] = []
    around: list[tuple[KeyPath | None, int | None, dict[str, int]]] = []
    here: KeyPath | None = ()  # of what is open; None for what has no place
    items: int | None = None  # how many came before, in a sequence
    met: dict[str, int] = {}  # in a mapping
    for token in shape or (ITEM,):
        if token == END:
            here, items, met = around.pop()
        elif isinstance(token, str):
            number = len(keys)
            first = met.setdefault(token, number)
            if first != number:
                repeated.append((first, number))
            keys.append((*here, token) if here is not None and first == number else None)
            values.append(keys[-1])
        else:
            if items is None and around:
                path = keys[-1]
            else:
                path = () if not around or items is None else None if here is None else (*here, items)
                values.append(path)
                items = items + 1 if items is not None else None
            if token != ITEM:
                around.append((here, items, met))
                here, items, met = path, 0 if token == SEQUENCE else None, {}
    return Order(_numbers(values), _numbers(keys), tuple(repeated))


def _numbers(paths: list[KeyPath | None]) -> dict[KeyPath, int]:
    return {path: number for number, path in enumerate(paths) if path is not None}
