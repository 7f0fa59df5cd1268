"""Manifests with their keys in one order, and all that is written around them: bytes in, bytes out.

Lines are moved and never written anew, so that comments, quotes and blank lines stay as somebody wrote them. A comment
above a key goes with it, and so does one that is indented below it; what a document begins with stays its beginning.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import tee, zip_longest
from typing import Any, Final, NamedTuple, TypeAlias

from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from reconciler.desired.defaults import UNKNOWN_DEFAULTS
from reconciler.desired.manifests import parse_documents
from reconciler.desired.stand_ins import readable
from reconciler.desired.yaml import Unreadable, read_documents
from reconciler.errors import InvalidManifests
from reconciler.model.cluster import FIELDS, Placement
from reconciler.model.declaration import Lifecycle

Path: TypeAlias = tuple[str | None, ...]
"""Where something stands in a document; None is any entry of a list."""

_ORDERS: Final[Mapping[Path, tuple[str, ...]]] = {
    (): ("name", *FIELDS, "lifecycle"),
    ("lifecycle",): tuple(Lifecycle.model_fields),
    ("shard_placements", None): tuple(Placement.model_fields),
}
"""The keys of each mapping of a manifest, by where it stands."""

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_COMMENT: Final = re.compile(r"( *)#")
_LEAD: Final = re.compile(r" *(?:- +)?")
"""What may stand before a mapping's first key in its line."""


def formatted(data: bytes, file: str) -> bytes:
    """The same manifests in order: they load to the same, and what is in order already comes back as it is.

    A mapping in braces stays as it is, and so does a file whose aliases would come before their anchors. Raises
    InvalidManifests for what doesn't load.
    """
    documents, again = tee(read_documents(data))
    problems = parse_documents(documents, data, file, UNKNOWN_DEFAULTS).problems
    if problems:
        raise InvalidManifests(problems)
    values = [document.value for document in again]
    astray = {bool(path) for value in values for path in _out_of_order(value)}
    new = text = data.decode("utf-8-sig")
    for inner in sorted(astray, reverse=True):
        new = _ordered(new, inner=inner)
    if new == text or not _says(new, values):
        return data
    return data[: len(data) - len(text.encode())] + new.encode()


class _Entry(NamedTuple):
    """A key of a block mapping: where it starts, and where the last thing of its value ends."""

    key: str
    start: int
    end: int


class _Moved(NamedTuple):
    """What comes in the place of a stretch of text."""

    start: int
    end: int
    lines: str


class _Block(NamedTuple):
    """A mapping that is written in lines, and where it stands in its document."""

    path: Path
    entries: list[_Entry]


def _out_of_order(manifest: object) -> Iterator[Path]:
    """Where mappings stand whose keys are not in order, as far as their values tell: nearly all files have none."""
    for path, order in _ORDERS.items():
        for mapping in _mappings(manifest, path):
            if [*mapping] != [key for key in order if key in mapping]:
                yield path


def _mappings(value: object, path: Path) -> Iterator[dict[str, object]]:
    """The mappings at a path."""
    match path, value:
        case (), dict():
            yield value
        case (None, *rest), list():
            for entry in value:
                yield from _mappings(entry, tuple(rest))
        case (str(key), *rest), dict():
            yield from _mappings(value.get(key), tuple(rest))


def _ordered(text: str, *, inner: bool) -> str:
    """With the mappings inside documents in order, or the documents themselves."""
    pieces, at = list[str](), 0
    for block in sorted(_blocks(text), key=lambda block: block.entries[0].start):
        rank = _ORDERS[block.path].index
        wanted = sorted(block.entries, key=lambda entry: rank(entry.key))
        if bool(block.path) is inner and wanted != block.entries:
            moved = _moved(text, block.entries, wanted, is_document=not inner)
            pieces += [text[at : moved.start], moved.lines]
            at = moved.end
    return "".join((*pieces, text[at:]))


def _blocks(text: str) -> Iterator[_Block]:
    """The block mappings whose keys have an order, each as soon as it ends."""
    parser = CParser(readable(text))
    scanner = _Scanner()
    try:
        while (event := parser.get_event()) is not None:
            ended = scanner.take(event)
            if ended is not None and ended.entries and ended.path in _ORDERS:
                yield ended
    finally:
        parser.dispose()


class _Scanner:
    """Finds where entries start and end, event by event."""

    def __init__(self) -> None:
        self._stack: list[_Open] = []

    def take(self, event: Any) -> _Block | None:
        """One event more; the block mapping that it ends, if it does."""
        match event:
            case MappingStartEvent() | SequenceStartEvent():
                self._open(event)
            case MappingEndEvent() | SequenceEndEvent():
                return self._close(event)
            case ScalarEvent() | AliasEvent() if self._stack:
                self._take(event)
        return None

    def _take(self, event: Any) -> None:
        """A key, or a value that holds no other."""
        if self._stack[-1].awaits_key:
            self._stack[-1].key = (event.value, event.start_mark.index)
        else:
            self._put(event.end_mark.index)

    def _open(self, event: Any) -> None:
        is_mapping = type(event) is MappingStartEvent
        path = (*self._stack[-1].path, self._stack[-1].key[0]) if self._stack else ()
        self._stack.append(_Open(path, is_mapping=is_mapping, in_lines=not event.flow_style))

    def _close(self, event: Any) -> _Block | None:
        ended = self._stack.pop()
        self._put(max((entry.end for entry in ended.entries), default=0) if ended.in_lines else event.end_mark.index)
        return _Block(ended.path, ended.entries) if ended.is_mapping and ended.in_lines else None

    def _put(self, end: int) -> None:
        """A value, or an entry of a list, has ended there."""
        if self._stack:
            holder = self._stack[-1]
            holder.entries.append(_Entry(holder.key[0] or "", holder.key[1], end))
            holder.key = _NO_KEY


_NO_KEY: Final[tuple[str | None, int]] = (None, 0)


class _Open:
    """A mapping or sequence whose end hasn't come; `key` is what its next value belongs to, and where that starts."""

    def __init__(self, path: Path, *, is_mapping: bool, in_lines: bool) -> None:
        self.path = path
        self.is_mapping = is_mapping
        self.in_lines = in_lines
        self.entries: list[_Entry] = []
        self.key = _NO_KEY

    @property
    def awaits_key(self) -> bool:
        """Whether what comes next is a key."""
        return self.is_mapping and self.key is _NO_KEY


def _moved(text: str, entries: Sequence[_Entry], wanted: Sequence[_Entry], *, is_document: bool) -> _Moved:
    """The lines of each entry in the wanted order; none where keys don't begin their lines."""
    column = entries[0].start - _line_start(text, entries[0].start)
    lead = text[entries[0].start - column : entries[0].start]
    indents = [text[_line_start(text, entry.start) : entry.start] for entry in entries[1:]]
    if not _LEAD.fullmatch(lead) or any(indent != " " * column for indent in indents):
        return _Moved(entries[0].start, entries[0].start, "")
    ends = [_end_of_lines(text, entry.end, column) for entry in entries]
    starts = [_start_of_lines(text, entries[0].start, is_document=is_document), *ends[:-1]]
    above = {e.start: text[s : _line_start(text, e.start)] for e, s in zip(entries, starts, strict=True)}
    lines = {e.start: _ended(text[e.start : end], text) for e, end in zip(entries, ends, strict=True)}
    first, *others = wanted
    blank, comments = _without_blanks(above[first.start])
    above[entries[0].start] = blank + above[entries[0].start]  # what was first had none above it, nor has what is now
    dash = lead.rstrip().removesuffix("-") if lead.strip() else None
    pieces = [comments if dash is None else re.sub(r"(?m)^ +", dash, comments), lead, lines[first.start]]
    for entry in others:
        pieces += [above[entry.start], " " * column, lines[entry.start]]
    return _Moved(starts[0], ends[-1], "".join(pieces))


def _without_blanks(lines: str) -> tuple[str, str]:
    """The blank lines that these begin with, and the others."""
    at = 0
    while at < len(lines) and not lines[at : (following := _next_line(lines, at))].strip():
        at = following
    return lines[:at], lines[at:]


def _end_of_lines(text: str, end: int, column: int) -> int:
    """Where an entry's lines end: with that of its value, and with comments that are indented below its key."""
    at = end if end and text[end - 1] in "\r\n" else _next_line(text, end)
    found = at
    while at < len(text):
        line = text[at : (following := _next_line(text, at))]
        comment = _COMMENT.match(line)
        if comment is not None and len(comment[1]) > column:
            found = following
        elif line.strip():
            break
        at = following
    return found


def _start_of_lines(text: str, key: int, *, is_document: bool) -> int:
    """Where the first entry's lines start: comments right above it are its own, but for those that begin a document."""
    own = at = _line_start(text, key)
    if text[at:key].strip():  # after a dash: what is above is the list's
        return at
    is_apart = False
    while at > 0:
        line = text[(before := _line_start(text, at - 1)) : at]
        if _COMMENT.match(line) is None:
            is_apart = not line.strip()
            break
        own = at = before
    begins = is_document and not (is_apart and _has_comment_above(text, at))
    return _line_start(text, key) if begins else own


def _has_comment_above(text: str, at: int) -> bool:
    while at > 0:
        line = text[(before := _line_start(text, at - 1)) : at]
        if line.strip():
            return _COMMENT.match(line) is not None
        at = before
    return False


def _line_start(text: str, at: int) -> int:
    """Where the line starts that holds the character at a position."""
    if at > 0 and text[at - 1 : at + 1] == "\r\n":
        at -= 1
    start = text.rfind("\n", 0, at) + 1
    return max(start, text.rfind("\r", start, at) + 1)  # not from the text's beginning: most have none


def _next_line(text: str, at: int) -> int:
    found = _LINE.match(text, at)
    return found.end() if found else len(text)


def _ended(lines: str, text: str) -> str:
    """With an end of its last line, such as the text's first line has."""
    if lines.endswith(("\r", "\n")):
        return lines
    found = re.search(r"\r\n|\r|\n", text)
    return lines + (found[0] if found else "\n")


def _says(text: str, values: Sequence[object]) -> bool:
    """Whether a file's documents have these values."""
    try:
        said = (document.value for document in read_documents(text.encode()))
        return all(one == other for one, other in zip_longest(said, values))  # no document says None
    except Unreadable:
        return False
