"""A manifest that stands, with other values in it: only their own characters change, so comments and order stay.

Where a value stands is read off libyaml's marks. (A library that parses and writes whole documents would lay them out
anew: lines broken and indented otherwise are changes that somebody has to review.) What can't be done by exchanging
values in place isn't done: the loader reads the new text, and says whether it declares what it should, and all else as
before.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

import yaml

from reconciler.desired.defaults import Defaults
from reconciler.desired.manifests import parse_manifests
from reconciler.desired.stand_ins import readable
from reconciler.export.manifest_text import entry, zones_text
from reconciler.export.quoting import block, one_line
from reconciler.model.cluster import FIELDS, LiveCluster, Values
from reconciler.model.declaration import Declaration
from reconciler.model.view import body_of, field_of

_PLACEMENTS: Final = "shard_placements"
_INDEX: Final = "shard_index"


class NotEdited(Exception):
    """A manifest can't be changed in place; its text says why."""


class EditedFile:
    """A file of manifests, and its documents brought up to date one by one; `defaults` and `region` are its target's.

    Each document is a piece of its own, so that a file of many clusters isn't read anew for each.
    """

    def __init__(self, data: bytes, defaults: Defaults, region: str | None) -> None:
        text = data.decode("utf-8-sig")
        self._mark = "\ufeff" if data.startswith(b"\xef\xbb\xbf") else ""
        self._pieces = _documents(text)
        self._by_name = {_name_of(piece): number for number, piece in enumerate(self._pieces)}
        self._defaults = defaults
        self._region = region

    @property
    def text(self) -> str:
        """The file as it is now."""
        return self._mark + "".join(self._pieces)

    def bring_up_to_date(self, declaration: Declaration, live: LiveCluster, *, placements: bool) -> None:
        """Give a declared cluster its live values, as far as its manifest manages them.

        `placements`: a manifest without any gets those that are live. Raises NotEdited, and then all is as before.
        """
        number = self._by_name.get(declaration.name)
        if number is None:
            raise NotEdited("it is not there any more")
        text = self._pieces[number]
        edits = sorted(_edits(_Text(text), declaration, live, placements=placements), key=lambda edit: edit.start)
        for edit in reversed(edits):  # so that of two in one place the first stands first
            text = text[: edit.start] + edit.text + text[edit.end :]
        self._verify(text, declaration, live)
        self._pieces[number] = text

    def _verify(self, text: str, declaration: Declaration, live: LiveCluster) -> None:
        """Raise NotEdited where a document doesn't declare what is live, or is another in what isn't compared."""
        parsed = parse_manifests(text.encode(), "-", self._defaults, self._region)
        if parsed.problems:
            raise NotEdited(parsed.problems[0].message)
        (new,) = parsed.declarations
        same = (new.name, new.lifecycle) == (declaration.name, declaration.lifecycle)
        if not same or not new.managed.items() <= live.values.items():
            raise NotEdited("more would change than what differs")


def _documents(text: str) -> list[str]:
    """The documents of a file, each with what stands around it; together they are the text."""
    events = yaml.parse(readable(text), yaml.CSafeLoader)
    starts = [_span(event)[0] for event in events if isinstance(event, yaml.DocumentStartEvent)]
    bounds = [0, *starts[1:], len(text)]
    return [text[start:end] for start, end in pairwise(bounds)]


def _name_of(text: str) -> str:
    """The cluster that a document declares."""
    node = yaml.compose(readable(text), yaml.CSafeLoader)
    return str(_values(node)["name"].value) if isinstance(node, yaml.MappingNode) else ""


class _Edit(NamedTuple):
    """Characters from start to end that become a text."""

    start: int
    end: int
    text: str


class _Text:
    """The text of a document, and where its lines begin and end."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.line_break = "\r\n" if "\r\n" in text else "\n"

    @property
    def mapping(self) -> yaml.MappingNode:
        """The manifest, with its marks."""
        node = yaml.compose(readable(self.text), yaml.CSafeLoader)
        if not isinstance(node, yaml.MappingNode):
            raise NotEdited("it is not a mapping")
        return node

    def end_of(self, node: yaml.Node) -> int:
        """Where the last character of a value ends; libyaml's own mark of a block is where the next thing begins."""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            last: Any = node.value[-1]
            return self.end_of(last[1] if isinstance(last, tuple) else last)
        start, end = _span(node)
        return start + len(self.text[start:end].rstrip())

    def line_start(self, index: int) -> int:
        """Where the line of a character begins."""
        return max(self.text.rfind("\n", 0, index), self.text.rfind("\r", 0, index)) + 1

    def line_end(self, index: int) -> int:
        """Where the line of a character ends, before its break."""
        breaks = (self.text.find("\n", index), self.text.find("\r", index))
        return min((found for found in breaks if found >= 0), default=len(self.text))

    def lines(self, start: int, end: int) -> _Edit:
        """The whole lines of some characters, taken out. Raises NotEdited where something stands before them."""
        first, last = self.line_start(start), self.line_end(end)
        if self.text[first:start].strip("- \t"):
            raise NotEdited("a value to be removed is in the middle of a line")
        after = len(self.line_break) if self.text.startswith(self.line_break, last) else 0
        return _Edit(first, last + after, "")


def _edits(text: _Text, declaration: Declaration, live: LiveCluster, *, placements: bool) -> Iterator[_Edit]:
    node = text.mapping
    body = body_of(live.values)
    for key in FIELDS:
        if key != _PLACEMENTS and key in declaration.managed and declaration.managed[key] != body.get(key):
            yield _field(text, node, key, body.get(key))
    placed = _values(node).get(_PLACEMENTS)
    if placed is not None:
        yield from _placed(text, node, placed, declaration.managed, live.values)
    elif placements and _PLACEMENTS in body:
        yield _inserted(text, node, _PLACEMENTS, body[_PLACEMENTS])


def _field(text: _Text, mapping: yaml.MappingNode, key: str, value: str | int | bool | None) -> _Edit:  # noqa: FBT001
    """A field with another value, or none; one that was a default is written."""
    node = _own(text, mapping, key)
    if node is None:
        if value is None:
            raise NotEdited(f"{key} is a default of the fleet file, and the cluster has none")
        return _inserted(text, mapping, key, value)
    if value is None:
        return _removed(text, mapping, key)
    return _replaced(text, node, value, mapping)


def _replaced(text: _Text, node: yaml.Node, value: str | int | bool, mapping: yaml.MappingNode) -> _Edit:  # noqa: FBT001
    if mapping.flow_style:
        written = one_line(value, inside_brackets=True)
    else:
        written = block(value, mapping.start_mark.column + 2).replace("\n", text.line_break)
    return _Edit(_span(node)[0], text.end_of(node), written)


def _inserted(text: _Text, mapping: yaml.MappingNode, key: str, value: Any) -> _Edit:
    """An entry behind the last of those that a person would have written before it."""
    order = ("name", *FIELDS)
    before = (_own(text, mapping, known) for known in order[: order.index(key)])
    end = max(text.end_of(node) for node in before if node is not None)
    if mapping.flow_style:
        if isinstance(value, list):
            raise NotEdited(f"{key} doesn't fit between its brackets")
        return _Edit(end, end, f", {key}: {one_line(value, inside_brackets=True)}")
    end = text.line_end(end)
    lines = entry(key, value).removesuffix("\n").split("\n")
    column = mapping.start_mark.column
    written = "".join(f"{text.line_break}{' ' * column if line else ''}{line}" for line in lines)
    return _Edit(end, end, written)


def _removed(text: _Text, mapping: yaml.MappingNode, key: str) -> _Edit:
    if mapping.flow_style:
        raise NotEdited(f"{key} is to be removed, and is between brackets")
    (key_node,) = (node for node, _ in mapping.value if node.value == key)
    return text.lines(_span(key_node)[0], text.end_of(_values(mapping)[key]))


def _placed(
    text: _Text, mapping: yaml.MappingNode, placed: yaml.Node, managed: Values, live: Values
) -> Iterator[_Edit]:
    """The zones of the shards that a manifest names; a shard that is placed no more is taken out."""
    if not any(field_of(path) == _PLACEMENTS and live.get(path) != value for path, value in managed.items()):
        return
    shards = {int(_values(item)[_INDEX].value): item for item in placed.value}
    gone = [shard for shard in shards if not any(path.startswith(f"{_PLACEMENTS}[{shard}].") for path in live)]
    if len(gone) == len(shards):
        yield _removed(text, mapping, _PLACEMENTS)
        return
    for shard, item in shards.items():
        if shard in gone:
            if isinstance(placed, yaml.CollectionNode) and placed.flow_style:
                raise NotEdited("a shard to be removed is between brackets")
            yield text.lines(_span(item)[0], text.end_of(item))
            continue
        for key, node in _values(item).items():
            value = live.get(f"{_PLACEMENTS}[{shard}].{key}")
            if key == _INDEX or managed.get(f"{_PLACEMENTS}[{shard}].{key}") == value:
                continue
            yield (
                _zones(text, node, value)
                if isinstance(value, tuple)
                else _Edit(*_span(node), one_line(_text(value), inside_brackets=True))
            )


def _zones(text: _Text, node: yaml.Node, zones: Sequence[str]) -> _Edit:
    """Replica zones: those that stay keep their place, for their order has no meaning."""
    left = Counter(zones)
    kept: list[str | None] = []
    for item in node.value:
        stays = left[item.value] > 0
        left[item.value] -= stays
        kept.append(item.value if stays else None)
    new = iter(left.elements())
    written = [zone for zone in (zone if zone is not None else next(new, None) for zone in kept) if zone is not None]
    written += new
    if isinstance(node, yaml.CollectionNode) and node.flow_style:
        return _Edit(*_span(node), zones_text(written))
    if not written:
        return _Edit(_span(node)[0], text.end_of(node), "[]")
    dash = f"{text.line_break}{' ' * node.start_mark.column}- "
    return _Edit(_span(node)[0], text.end_of(node), "- " + dash.join(map(one_line, written)))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise NotEdited("a shard is placed in part")
    return value


def _values(node: yaml.Node) -> dict[str, yaml.Node]:
    """A mapping's values by key."""
    return {key.value: value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}


def _own(text: _Text, mapping: yaml.MappingNode, key: str) -> yaml.Node | None:
    """A key's value, if there is one. Raises NotEdited where its characters may be another's, too.

    To libyaml's composer an alias is its anchor's node, at the anchor's place.
    """
    node = _values(mapping).get(key)
    if node is not None and text.text.startswith("&", _span(node)[0]):
        raise NotEdited(f"{key} stands behind an anchor or an alias")
    return node


def _span(node: Any) -> tuple[int, int]:
    """Where a node, or an event, starts and ends."""
    return node.start_mark.index, node.end_mark.index
