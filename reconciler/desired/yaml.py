"""YAML from libyaml's events, in one pass and without recursion: values, and nothing that surprises.

A loader that first builds a tree can be made to crash or to eat the machine's memory by a small file; events can be
counted as they come. Where libyaml and YAML 1.2 count lines differently, the lines are those of 1.2, of git and of
every editor.
"""

import re
from codecs import BOM_UTF8
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from typing import Any, Final, NamedTuple

import yaml
from yaml._yaml import CParser
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

from reconciler.desired.marks import END, ITEM, MAPPING, SEQUENCE, Key, KeyPath, Marks, Position, order_of, position_of
from reconciler.desired.scalars import OLD_BOOLEANS, STARTS, plain_value
from reconciler.desired.stand_ins import readable, restored
from reconciler.model.text import printable

DEEPEST: Final = 32
MOST_NODES: Final = 10_000
LARGEST_FILE: Final = 16 * 1024 * 1024
"""Bytes."""
MOST_DOCUMENTS: Final = 20_000
"""Of one file, empty ones included: more than anybody reads; each cluster takes up to two kilobytes of memory."""


class Flaw(NamedTuple):
    """Something wrong in a document that can be read on; also what `Unreadable` carries."""

    message: str
    remedy: str
    position: Position


@dataclass(slots=True)
class Document:
    """One document: its value, where everything stands, and the flaws met on the way.

    `words` are the plain scalars that are booleans to YAML 1.1 alone, as they were written: their value is already the
    boolean. `nulls` are the paths of all nulls.
    """

    value: object
    marks: Marks
    words: dict[KeyPath, str]
    nulls: list[KeyPath]
    flaws: list[Flaw]

    @property
    def position(self) -> Position:
        """Where it begins."""
        return position_of(self.marks.values[0])

    def has(self, path: KeyPath) -> bool:
        """Whether something stands at a path of keys, be it null or through an alias."""
        holder = self.value_at(path[:-1])
        return isinstance(holder, dict) and path[-1] in holder

    def value_at(self, path: KeyPath) -> object:
        """The value at a path of keys; None where there is none."""
        value = self.value
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value


class Unreadable(Exception):
    """A file can't be read any further."""

    def __init__(self, message: str, remedy: str, position: Position = (1, 1)) -> None:
        super().__init__(message)
        self.flaw = Flaw(message, remedy, position)


def read_documents(data: bytes) -> Iterator[Document]:
    """The documents of a file, one after the other; empty ones are passed over. Raises Unreadable."""
    if len(data) > LARGEST_FILE:
        raise Unreadable(f"the file is larger than {LARGEST_FILE >> 20} MiB", "split it: many clusters, many files")
    get_event = _events(_text(data))
    count = 0
    try:
        while (event := get_event()) is not None:
            if type(event) is DocumentStartEvent:
                if count == MOST_DOCUMENTS:
                    message = f"more than {MOST_DOCUMENTS} documents in one file"
                    raise Unreadable(message, "split it: many clusters, many files", position_of(event.start_mark))
                document = _Builder(get_event).build()
                count += 1
                if document is not None:
                    yield document
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise Unreadable(f"invalid YAML: {error.problem or error.context}", _LOOK, where) from error
    except yaml.YAMLError as error:
        raise Unreadable(f"invalid YAML: {error}".splitlines()[0], _LOOK) from error


def lines(data: bytes) -> Iterator[str]:
    """The lines of a file, as YAML 1.2, git and editors count them; one at a time, since there may be millions."""
    text = TextIOWrapper(BytesIO(data), encoding="utf-8-sig", errors="replace", newline="")
    for line in text:
        yield line.rstrip("\r\n")
    if BOM_UTF8.startswith(data) or data.endswith((b"\n", b"\r")):
        yield ""


_LOOK = "look at the indentation, colons and quotes here and in the line before"

_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef\ufeff\ufffe\uffff]")


def _text(data: bytes) -> str:
    try:
        text = data.decode().removeprefix("\ufeff")  # as utf-8-sig does, whose errors don't count the mark's bytes
    except UnicodeDecodeError as error:
        raise Unreadable("the file is not UTF-8", "save it as UTF-8", _end_of(data[: error.start])) from error
    bad = _NOT_TEXT.search(text)
    if bad:
        what = "a byte order mark" if bad[0] == "\ufeff" else f"a control character, {bad[0]!r},"
        raise Unreadable(f"there is {what} here", "take it out", _end_of(text[: bad.start()].encode()))
    return text


def _end_of(data: bytes) -> Position:
    number, last = deque(enumerate(lines(data), start=1), maxlen=1)[0]
    return number, len(last) + 1


def _events(text: str) -> Callable[[], Any]:
    given = readable(text)
    get_event: Callable[[], Any] = CParser(given).get_event
    return get_event if given == text else _restoring(get_event)


def _restoring(get_event: Callable[[], Any]) -> Callable[[], Any]:
    def restoring() -> Any:
        event = get_event()
        if type(event) is ScalarEvent:
            event.value = restored(event.value, event.style)
        return event

    return restoring


class _Builder:
    """Builds one document from the events between its start and its end; holds what has been counted."""

    def __init__(self, get_event: Callable[[], Any]) -> None:
        self._get_event = get_event
        self._anchors: dict[str, tuple[object, int]] = {}
        self._nodes = 0
        self._value: object = None
        self._words: dict[KeyPath, str] = {}
        self._nulls: list[KeyPath] = []
        self._repeats_keys = False
        self._shape: list[Key] = []
        self._value_marks: list[Any] = []
        self._key_marks: list[Any] = []
        # The innermost open mapping or sequence, the key in it whose value comes next, and those around it.
        self._items: dict[str, object] | list[object] | None = None
        self._key: str | None = None
        self._stack: list[_Outer] = []

    def build(self) -> Document | None:
        """The document; None for an empty one."""
        get_event = self._get_event
        while True:
            event = get_event()
            if type(self._items) is dict:
                event = self._take_entries(event, self._items)
            kind = type(event)
            if kind is ScalarEvent:
                self._put(self._scalar(event), event)
            elif kind is MappingStartEvent:
                self._open(event, {})
            elif kind is SequenceStartEvent:
                self._open(event, [])
            elif kind is MappingEndEvent or kind is SequenceEndEvent:
                self._close()
            elif kind is AliasEvent:
                self._take_alias(event)
            elif kind is DocumentEndEvent:
                return None if self._value is None else self._document()

    def _take_entries(self, event: Any, items: dict[str, object]) -> Any:
        """Take entries of the open mapping for as long as their values are scalars: nearly all events are theirs.

        What comes back is the first event that is none of this: the mapping's end, or the value of the last key.
        """
        get_event, shape = self._get_event, self._shape
        kind: type = type(event)
        while kind is ScalarEvent:
            self._key = key = event.value
            if event.tag is not None or (key == "<<" and not event.style):
                raise self._unreadable_key(event)
            if key in items:
                self._repeats_keys = True
            shape.append(key)
            self._key_marks.append(event.start_mark)
            event = get_event()
            kind = type(event)
            if kind is not ScalarEvent:
                break
            items.setdefault(key, self._scalar(event))
            self._value_marks.append(event.start_mark)
            self._key = None
            event = get_event()
            kind = type(event)
        return event

    def _scalar(self, event: Any) -> object:
        value = event.value
        if event.tag is not None:
            raise _tagged(event)
        if event.implicit[0] and value[:1] in STARTS:
            value = self._plain(value)
        self._count(1, event)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        return value

    def _plain(self, text: str) -> object:
        if text in OLD_BOOLEANS:
            self._words[self._path()] = text
            return OLD_BOOLEANS[text]
        value = plain_value(text)
        if value is None:
            self._nulls.append(self._path())
        return value

    def _take_alias(self, event: Any) -> None:
        if self._awaits_key:
            raise self._unreadable_key(event)
        if event.anchor not in self._anchors:
            message = f"*{printable(event.anchor, 80)} refers to no anchor that is complete before it"
            raise Unreadable(message, "write the value out here", position_of(event.start_mark))
        value, size = self._anchors[event.anchor]
        self._count(size, event)
        self._put(value, event)

    def _open(self, event: Any, items: "dict[str, object] | list[object]") -> None:
        if self._awaits_key:
            raise self._unreadable_key(event)
        if event.tag is not None:
            raise _tagged(event)
        if len(self._stack) >= DEEPEST:
            message, remedy = f"nested deeper than {DEEPEST} levels", "a manifest needs four"
            raise Unreadable(message, remedy, position_of(event.start_mark))
        self._count(1, event)
        at = self._at
        self._put(items, event, MAPPING if type(items) is dict else SEQUENCE)
        self._stack.append(_Outer(self._items, at, event.anchor, self._nodes))
        self._items = items

    def _close(self) -> None:
        outer = self._stack.pop()
        self._shape.append(END)
        if outer.anchor:
            self._anchors[outer.anchor] = (self._items, self._nodes - outer.nodes + 1)
        self._items, self._key = outer.items, None

    def _put(self, value: object, event: Any, token: int = ITEM) -> None:
        items = self._items
        self._value_marks.append(event.start_mark)
        if token != ITEM or type(items) is list:
            self._shape.append(token)
        if type(items) is dict:
            if self._key is not None:
                items.setdefault(self._key, value)
            self._key = None
        elif type(items) is list:
            items.append(value)
        else:
            self._value = value

    def _count(self, nodes: int, event: Any) -> None:
        self._nodes += nodes
        if self._nodes > MOST_NODES:
            message = f"more than {MOST_NODES} nodes in one document"
            remedy = "split it: one cluster, one document (an alias counts as all that it stands for)"
            raise Unreadable(message, remedy, position_of(event.start_mark))

    @property
    def _awaits_key(self) -> bool:
        return self._key is None and type(self._items) is dict

    @property
    def _at(self) -> Key | None:
        """Where in the open mapping or sequence the next value stands."""
        return self._key if type(self._items) is not list else len(self._items)

    def _path(self) -> KeyPath:
        return tuple(key for key in (*(outer.at for outer in self._stack), self._at) if key is not None)

    def _document(self) -> Document:
        marks = Marks(tuple(self._shape), self._value_marks, self._key_marks)
        flaws = [*_repeated_keys(marks)] if self._repeats_keys else []
        return Document(self._value, marks, self._words, self._nulls, flaws)

    def _unreadable_key(self, event: Any) -> Unreadable:
        position = position_of(event.start_mark)
        if getattr(event, "value", None) == "<<":
            return Unreadable("merge keys (<<) are not read", "write the fields out in each document", position)
        return Unreadable("a key must be a plain string", "write it without tag, alias, brackets or braces", position)


class _Outer(NamedTuple):
    """What is open around the innermost mapping or sequence; `at` is where in it the inner one stands."""

    items: "dict[str, object] | list[object] | None"
    at: Key | None
    anchor: str | None
    nodes: int


def _repeated_keys(marks: Marks) -> Iterator[Flaw]:
    keys = [token for token in marks.shape if isinstance(token, str)]
    for first, again in order_of(marks.shape).repeated:
        line, _ = position_of(marks.keys[first])
        message = f'duplicate key "{printable(keys[again], 80)}": first in line {line}'
        yield Flaw(message, "keep one", position_of(marks.keys[again]))


def _tagged(event: Any) -> Unreadable:
    message = f"explicit tags ({printable(event.tag, 80)}) are not read"
    return Unreadable(message, "take the tag out; quote a string", position_of(event.start_mark))
