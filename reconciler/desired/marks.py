"""Where everything in a file stands: read in a second pass, once somebody asks, since nearly nobody does.

The first pass (`yaml`) has read by then what is asked about: it is whole, its keys are plain, and it has an end.
"""

from collections.abc import Callable, Collection, Iterator
from typing import Any, Final

from yaml._yaml import Mark
from yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from reconciler.desired.events import Key, KeyPath, Position, events_of, position_of

_START: Final[Position] = (1, 1)
_ROOT: Final = 0
"""A document is taken for a sequence of one."""


class Marks:
    """Where the contents of one mapping or sequence stand, by key or index; of a key that is there twice the first."""

    __slots__ = ("inside", "keys", "values")

    def __init__(self) -> None:
        self.keys: dict[Key, Mark] = {}
        self.values: dict[Key, Mark] = {}
        self.inside: dict[Key, Marks] = {}


class FileMarks:
    """The marks of a file's documents, empty ones included, as far as they were asked for."""

    __slots__ = ("_read", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._read: tuple[list[Marks], Iterator[Marks]] | None = None

    def of(self, number: int) -> Marks:
        """Those of one document, from 0."""
        read, rest = self._read = self._read or ([], _documents(self._text))
        while len(read) <= number:
            read.append(next(rest))
        return read[number]


class Where:
    """Where the contents of one document stand."""

    __slots__ = ("_file", "_number")

    def __init__(self, file: FileMarks, number: int) -> None:
        self._file = file
        self._number = number

    def keys(self, path: KeyPath) -> Collection[Key]:
        """The keys or indices that stand in a mapping or sequence; none of what an alias stands for."""
        marks: Marks | None = self._file.of(self._number)
        for key in (_ROOT, *path):
            marks = marks.inside.get(key) if marks else None
        return marks.values.keys() if marks else ()

    def place(self, path: KeyPath) -> Position:
        """Where a value stands, or the nearest thing around it."""
        marks, position = self._file.of(self._number), _START
        for key in (_ROOT, *path):
            if key not in marks.values:
                break
            position = position_of(marks.values[key])
            if key not in marks.inside:
                break
            marks = marks.inside[key]
        return position

    def place_of_key(self, path: KeyPath) -> Position:
        """Where a mapping's key stands, or the nearest thing around it."""
        marks = self._file.of(self._number)
        for key in (_ROOT, *path[:-1]):
            if key not in marks.inside:
                return self.place(path)
            marks = marks.inside[key]
        return position_of(marks.keys[path[-1]]) if path and path[-1] in marks.keys else self.place(path)


def _documents(text: str) -> Iterator[Marks]:
    get_event = events_of(text)
    while (event := get_event()) is not None:
        if type(event) is DocumentStartEvent:
            yield _marks(get_event)


def _marks(get_event: Callable[[], Any]) -> Marks:
    """Of one document, up to its end."""
    marks, around = Marks(), list[tuple[Marks, Key]]()
    at: Key | None = _ROOT  # where the next value stands; None where its key comes first
    while (kind := type(event := get_event())) is not DocumentEndEvent:
        if kind is MappingEndEvent or kind is SequenceEndEvent:
            marks, at = around.pop()
        elif at is None:
            at = str(event.value)
            marks.keys.setdefault(at, event.start_mark)
            continue
        else:
            marks.values.setdefault(at, event.start_mark)
            if kind is MappingStartEvent or kind is SequenceStartEvent:
                around.append((marks, at))
                marks, at = marks.inside.setdefault(at, Marks()), None if kind is MappingStartEvent else 0
                continue
        at = at + 1 if isinstance(at, int) else None
    return marks
