"""YAML from libyaml's events, in one pass and without recursion: values, positions, and nothing that surprises.

A loader that first builds a tree can be made to crash or to eat the machine's memory by a small file; events can be
counted as they come. Scalars that YAML 1.1 and 1.2 read differently are kept as `Odd`: no field takes one.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import yaml
from yaml._yaml import CParser, Mark
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from reconciler.errors import Problem
from reconciler.model.text import printable

DEEPEST: Final = 32
MOST_NODES: Final = 10_000
LARGEST_FILE: Final = 16 * 1024 * 1024
"""Bytes."""

Key: TypeAlias = str | int
Path: TypeAlias = tuple[Key, ...]
Position: TypeAlias = tuple[int, int]
"""Line and column, from 1."""


@dataclass(frozen=True, slots=True)
class Odd:
    """A plain scalar that isn't what it seems; `reading` says what it is taken for, `instead` what to write."""

    text: str
    reading: str
    instead: str | None = None


class Marks:
    """Where the contents of one mapping or sequence stand: libyaml's marks, by key or index."""

    __slots__ = ("inside", "keys", "values")

    def __init__(self) -> None:
        self.keys: dict[Key, Mark] = {}
        self.values: dict[Key, Mark] = {}
        self.inside: dict[Key, Marks] = {}


@dataclass(slots=True)
class Document:
    """One document: its value, where everything stands, and the problems met on the way.

    `words` are the plain scalars that are booleans to YAML 1.1 alone, as they were written: their value is already the
    boolean. `nulls` are the paths of all nulls.
    """

    value: object
    position: Position
    marks: Marks
    words: dict[Path, str]
    nulls: list[Path]
    problems: list[Problem]

    def place(self, path: Path) -> Position:
        """Where a value stands, or the nearest thing around it."""
        marks, position = self.marks, self.position
        for key in path:
            if key not in marks.values:
                break
            position = _position(marks.values[key])
            if key not in marks.inside:
                break
            marks = marks.inside[key]
        return position

    def place_of_key(self, path: Path) -> Position:
        """Where a mapping's key stands, or the nearest thing around it."""
        marks = self.marks
        for key in path[:-1]:
            if key not in marks.inside:
                return self.place(path)
            marks = marks.inside[key]
        return _position(marks.keys[path[-1]]) if path and path[-1] in marks.keys else self.place(path)


class Unreadable(Exception):
    """A file can't be read any further."""

    def __init__(self, message: str, remedy: str, position: Position = (1, 1)) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.position = position


def read_documents(data: bytes) -> Iterator[Document]:
    """The documents of a file, one after the other; empty ones are passed over. Raises Unreadable."""
    if len(data) > LARGEST_FILE:
        raise Unreadable(f"the file is larger than {LARGEST_FILE >> 20} MiB", "split it: many clusters, many files")
    parser = CParser(_text(data))
    try:
        while (event := parser.get_event()) is not None:
            if type(event) is DocumentStartEvent:
                document = _Builder(parser.get_event).build()
                if document is not None:
                    yield document
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise Unreadable(f"this is no YAML: {error.problem or error.context}", _LOOK, where) from error
    except yaml.YAMLError as error:
        raise Unreadable(f"this is no YAML: {error}".splitlines()[0], _LOOK) from error
    finally:
        parser.dispose()


_LOOK = "look at the indentation, colons and quotes here and in the line before"


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8", errors="replace")
        position = (before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise Unreadable("the file is not UTF-8", "save it as UTF-8", position) from error
    bad = _CONTROL.search(text)
    if bad:
        start = bad.start()
        position = (text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start))
        raise Unreadable(f"a control character, {bad[0]!r}, stands here", "take it out", position)
    return text


_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")


class _Builder:
    """Builds one document from the events between its start and its end; holds what has been counted."""

    def __init__(self, get_event: Callable[[], Any]) -> None:
        self._get_event = get_event
        self._anchors: dict[str, tuple[object, int]] = {}
        self._nodes = 0
        self._document = Document(None, (1, 1), Marks(), {}, [], [])
        # The innermost open mapping or sequence, its marks, and those around it.
        self._items: dict[str, object] | list[object] | None = None
        self._marks = self._document.marks
        self._key: str | None = None
        self._stack: list[_Outer] = []

    def build(self) -> Document | None:
        """The document; None for an empty one."""
        get_event = self._get_event
        while True:
            event = get_event()
            kind = type(event)
            if kind is ScalarEvent:
                if self._key is None and type(self._items) is dict:
                    self._take_key(event)
                else:
                    self._take_scalar(event)
            elif kind is MappingStartEvent:
                self._open(event, {})
            elif kind is SequenceStartEvent:
                self._open(event, [])
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                self._close()
            elif kind is AliasEvent:
                self._take_alias(event)
            elif kind is DocumentEndEvent:
                return None if self._document.value is None else self._document

    def _take_key(self, event: Any) -> None:
        key = event.value
        if event.tag is not None or (key == "<<" and not event.style):
            raise self._unreadable_key(event)
        marks = self._marks
        if key in marks.keys:
            message = f"{printable(key, 80)} stands twice: first in line {marks.keys[key].line + 1}"
            problem = Problem("manifest", message, "keep one", None, None, None, *_position(event.start_mark))
            self._document.problems.append(problem)
        else:
            marks.keys[key] = event.start_mark
        self._key = key

    def _take_scalar(self, event: Any) -> None:
        value = event.value
        if event.tag is not None:
            raise _tagged(event)
        if event.implicit[0] and (not value or value in _SPECIAL or value[0] in _NUMBER_STARTS):
            value = self._plain(value)
        self._count(1, event)
        self._put(value, event.start_mark)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)

    def _plain(self, text: str) -> object:
        if text in _OLD_BOOLEANS:
            self._document.words[self._path()] = text
            return _OLD_BOOLEANS[text]
        value = _SPECIAL[text] if text in _SPECIAL else _number(text)
        if value is None:
            self._document.nulls.append(self._path())
        return value

    def _take_alias(self, event: Any) -> None:
        if self._key is None and type(self._items) is dict:
            raise self._unreadable_key(event)
        if event.anchor not in self._anchors:
            message = f"*{printable(event.anchor, 80)} refers to no anchor that is complete before it"
            raise Unreadable(message, "write the value out here", _position(event.start_mark))
        value, size = self._anchors[event.anchor]
        self._count(size, event)
        self._put(value, event.start_mark)

    def _open(self, event: Any, items: "dict[str, object] | list[object]") -> None:
        if self._key is None and type(self._items) is dict:
            raise self._unreadable_key(event)
        if event.tag is not None:
            raise _tagged(event)
        if len(self._stack) >= DEEPEST:
            message, remedy = f"nested deeper than {DEEPEST} levels", "a manifest needs four"
            raise Unreadable(message, remedy, _position(event.start_mark))
        self._count(1, event)
        at, marks = self._key if type(self._items) is not list else len(self._items), Marks()
        if self._stack and at is not None:
            self._marks.inside.setdefault(at, marks)
        self._put(items, event.start_mark)
        self._stack.append(_Outer(self._items, self._marks, at, event.anchor, self._nodes))
        self._items, self._marks = items, marks if self._stack[1:] else self._document.marks

    def _close(self) -> None:
        outer = self._stack.pop()
        if outer.anchor:
            self._anchors[outer.anchor] = (self._items, self._nodes - outer.nodes + 1)
        self._items, self._marks, self._key = outer.items, outer.marks, None

    def _put(self, value: object, mark: Mark) -> None:
        items = self._items
        if type(items) is dict:
            if self._key is not None:
                items.setdefault(self._key, value)
                self._marks.values.setdefault(self._key, mark)
            self._key = None
        elif type(items) is list:
            self._marks.values[len(items)] = mark
            items.append(value)
        else:
            self._document.value, self._document.position = value, _position(mark)

    def _count(self, nodes: int, event: Any) -> None:
        self._nodes += nodes
        if self._nodes > MOST_NODES:
            message = f"more than {MOST_NODES} nodes in one document"
            remedy = "split it: one cluster, one document (an alias counts as all that it stands for)"
            raise Unreadable(message, remedy, _position(event.start_mark))

    def _path(self) -> Path:
        here = self._key if type(self._items) is not list else len(self._items)
        return tuple(key for key in (*(outer.at for outer in self._stack), here) if key is not None)

    def _unreadable_key(self, event: Any) -> Unreadable:
        position = _position(event.start_mark)
        if getattr(event, "value", None) == "<<":
            return Unreadable("merge keys (<<) are not read", "write the fields out in each document", position)
        return Unreadable("a key must be plain text", "write it without tag, alias, brackets or braces", position)


class _Outer(NamedTuple):
    """What is open around the innermost mapping or sequence; `at` is where in it the inner one stands."""

    items: "dict[str, object] | list[object] | None"
    marks: Marks
    at: Key | None
    anchor: str | None
    nodes: int


def _tagged(event: Any) -> Unreadable:
    message = f"explicit tags ({printable(event.tag, 80)}) are not read"
    return Unreadable(message, "take the tag out; quote a text", _position(event.start_mark))


def _position(mark: Mark) -> Position:
    return mark.line + 1, mark.column + 1


_OLD_BOOLEANS = {
    **dict.fromkeys(("yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("no", "No", "NO", "off", "Off", "OFF"), False),
}
_SPECIAL: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **_OLD_BOOLEANS,
}
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FRACTION = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_ODD = (
    (re.compile(r"[-+]?0[0-9]*[89][0-9]*"), "a text to YAML 1.1, a decimal number to 1.2"),
    (re.compile(r"[-+]?[0-9]+"), "an octal number to YAML 1.1, a decimal one to 1.2"),
    (re.compile(r"[-+]?0o[0-7]+"), "an octal number to YAML 1.2, a text to 1.1"),
    (re.compile(r"[-+]?0[xb][0-9a-fA-F_]+"), "a number that isn't written in decimals"),
    (re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?"), "a number to YAML 1.1, a text to 1.2"),
    (
        re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"),
        "a number that isn't written in plain decimals",
    ),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), "no finite number"),
    (
        re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"),
        "a number to the base of 60 to YAML 1.1, a text to 1.2",
    ),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?"), "a date to YAML 1.1, a text to 1.2"),
)
_NUMBER_STARTS = frozenset("0123456789+-.")


def _number(text: str) -> object:
    """The value of a plain scalar that starts like a number."""
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _FRACTION.fullmatch(text):
        return float(text)
    reading = next((reading for pattern, reading in _ODD if pattern.fullmatch(text)), None)
    return text if reading is None else Odd(text, reading, _decimal(text))


def _decimal(text: str) -> str | None:
    """What a whole number would be in plain decimals, where that is beyond doubt."""
    if len(text) > 18:
        return None
    try:
        value = float(text) if "e" in text.lower() and "x" not in text.lower() else int(text.replace("_", ""), 0)
    except (ValueError, OverflowError):
        return None
    return str(int(value)) if value == value // 1 and abs(value) < 1e15 else None
