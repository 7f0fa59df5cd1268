"""A page of blocks that fits: what matters least is left out first, in whole blocks, and the page says what is missing.

Each block has a rank: what has a lower one is kept longer. A block that holds others is their heading, and stands where
any of them does.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

ALWAYS = -1
"""The rank of a headline: it goes only where there is no room for it at all."""
SHORT = 0
"""The rank of every short form."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Whole lines of Markdown; a blank line sets them apart where `text` begins with one.

    `short` stands in where there is no room for `text`. `counted` is what a page that leaves it out calls it, as a
    plural or after a number ("to update", "warnings"); empty for what isn't worth a word. `end` closes what `text`
    opened, after all that is `inside`. A block with something inside has no rank of its own.
    """

    text: str
    rank: int = ALWAYS
    counted: str = ""
    short: str | None = None
    inside: Sequence["Block"] = ()
    end: str = ""

    def __str__(self) -> str:
        return f"{self.text}{''.join(map(str, self.inside))}{self.end}"


def page(lead: Sequence[Block], blocks: Sequence[Block], *, limit: int | None, rest: str) -> str:
    """All blocks in their order; or as much of them as `limit` bytes of UTF-8 hold, with a notice after the lead.

    `rest` is where the reader finds what is missing.
    """
    whole = "".join(map(str, (*lead, *blocks))).lstrip("\n")
    if limit is None or _size(whole) <= limit:
        return whole
    everything = _Fitting((*lead, *blocks))
    room = limit - _size(everything.largest_notice(rest))
    if room < 0:
        return ""
    everything.fit(room)
    notice = _notice(everything.missing(), everything.shortened(), rest)
    return f"{everything.shown(lead)}{notice}{everything.shown(blocks)}".lstrip("\n")


class _Fitting:
    """Which blocks stand in which form, while room is handed out."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._all = list(_walk(blocks, ()))
        self._forms: dict[Block, str] = {}

    def fit(self, room: int) -> None:
        """Take what ranks first; what doesn't fit is passed over, so that one giant costs no other its place."""
        steps = [(SHORT, above, block, block.short) for above, block in self._all if block.short is not None]
        steps += [(block.rank, above, block, block.text) for above, block in self._all if not block.inside]
        for _, above, block, form in sorted(steps, key=lambda step: step[0]):
            opened = [heading for heading in above if heading not in self._forms]
            cost = _size(form) - _size(self._forms.get(block, ""))
            cost += sum(_size(heading.text) + _size(heading.end) for heading in opened)
            if cost <= room:
                room -= cost
                self._forms.update({heading: heading.text for heading in opened})
                self._forms[block] = form

    def shown(self, blocks: Iterable[Block]) -> str:
        """What was taken of them."""
        return "".join(
            f"{self._forms[block]}{self.shown(block.inside)}{block.end}" for block in blocks if block in self._forms
        )

    def missing(self) -> Counter[str]:
        """How many of each sort are not shown at all."""
        return Counter(block.counted for _, block in self._all if block.counted and block not in self._forms)

    def shortened(self) -> Counter[str]:
        """How many of each sort stand in their short form."""
        return Counter(block.counted for _, block in self._all if block.short and self._forms.get(block) == block.short)

    def largest_notice(self, rest: str) -> str:
        """No notice will be larger: by this its room is known before it is written."""
        every = Counter(block.counted for _, block in self._all if block.counted)
        return _notice(every, Counter(block.counted for _, block in self._all if block.short), rest)


def _walk(blocks: Iterable[Block], above: tuple[Block, ...]) -> Iterator[tuple[tuple[Block, ...], Block]]:
    for block in blocks:
        yield above, block
        yield from _walk(block.inside, (*above, block))


def _notice(missing: Counter[str], shortened: Counter[str], rest: str) -> str:
    told = [
        f" {said}: {_counts(found)}." for said, found in (("Not shown", missing), ("Only named", shortened)) if found
    ]
    return f"\n> [!IMPORTANT]\n> **Cut to fit.**{''.join(told)} All of it is in {rest}.\n"


def _counts(found: Counter[str]) -> str:
    return ", ".join(f"{count} {kind.removesuffix('s') if count == 1 else kind}" for kind, count in found.items())


def _size(text: str) -> int:
    return len(text.encode())
