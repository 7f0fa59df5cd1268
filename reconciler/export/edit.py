"""A manifest that stands, with other values in it: only their own characters change, so comments and order stay.

Where a value stands is read off libyaml's marks. (A library that parses and writes whole documents would lay them out
anew: lines broken and indented otherwise are changes that somebody has to review.) What can't be done by exchanging
values in place isn't done: the loader reads the new text, and says whether it declares what it should, and all else as
before.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
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


def brought_up_to_date(
    data: bytes,
    declaration: Declaration,
    live: LiveCluster,
    defaults: Defaults,
    region: str | None,
    *,
    placements: bool,
) -> bytes:
    """A file in which a declared cluster has its live values, as far as its manifest manages them.

    `placements`: a manifest without any gets those that are live. Raises NotEdited.
    """
    text = data.decode("utf-8-sig")
    edits = sorted(_edits(_Text(text), declaration, live, placements=placements), key=lambda edit: edit.start)
    for edit in reversed(edits):  # so that of two in one place the first stands first
        text = text[: edit.start] + edit.text + text[edit.end :]
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    edited = mark + text.encode()
    _verify(data, edited, declaration, live, defaults, region)
    return edited


class _Edit(NamedTuple):
    """Characters from start to end that become a text."""

    start: int
    end: int
    text: str


class _Text:
    """The text of a file, and where its lines begin and end."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.line_break = "\r\n" if "\r\n" in text else "\n"

    def mapping_of(self, name: str) -> yaml.MappingNode:
        """The document that declares a cluster."""
        for node in yaml.compose_all(readable(self.text), yaml.CSafeLoader):
            if isinstance(node, yaml.MappingNode) and _values(node).get("name", node).value == name:
                return node
        raise NotEdited("its name stands in no document as it is")

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
            raise NotEdited("a value that is to go stands in the middle of a line")
        after = len(self.line_break) if self.text.startswith(self.line_break, last) else 0
        return _Edit(first, last + after, "")


def _edits(text: _Text, declaration: Declaration, live: LiveCluster, *, placements: bool) -> Iterator[_Edit]:
    node = text.mapping_of(declaration.name)
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
        raise NotEdited(f"{key} is to go, and stands between brackets")
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
                raise NotEdited("a shard that is to go stands between brackets")
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


def _span(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.index, node.end_mark.index


def _verify(
    data: bytes, edited: bytes, declaration: Declaration, live: LiveCluster, defaults: Defaults, region: str | None
) -> None:
    """Raise NotEdited where the new text doesn't declare what is live, or where anything else in it is another."""
    before, after = (parse_manifests(each, "-", defaults, region) for each in (data, edited))
    if after.problems:
        raise NotEdited(after.problems[0].message)
    others = [
        [(one.name, one.lifecycle, None if one.name == declaration.name else one.values) for one in parsed.declarations]
        for parsed in (before, after)
    ]
    (new,) = (one for one in after.declarations if one.name == declaration.name)
    if others[0] != others[1] or not new.managed.items() <= live.values.items():
        raise NotEdited("more would change than what differs")
