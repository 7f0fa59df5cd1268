"""The pieces that the page is made of: moments, tones, and what stands in a group of clusters, as data."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from reconciler.clock import format_duration, iso_timestamp
from reconciler.report.fields import FieldText

Tone: TypeAlias = Literal["good", "work", "warn", "bad", "idle"]
"""What a colour means; the word beside it says it, too."""

_OPEN_GROUPS: Final = 12
"""What is shown of a section without being asked for: more is a wall of its own."""


class Moment(NamedTuple):
    """A moment as people say it, `2m ago`, and as machines write it."""

    said: str
    iso: str


class Group(NamedTuple):
    """One change, or several that are alike: what is done, to which clusters and fields, and what there is to say.

    `place` is the manifest's, of one change.
    """

    title: str
    names: tuple[str, ...]
    fields: tuple[FieldText, ...] = ()
    notes: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    error: str = ""
    place: str = ""


class Section(NamedTuple):
    """What stands under one heading, `key` its own in the target. `more` are the groups that are folded away."""

    key: str
    title: str
    tone: Tone
    clusters: int
    groups: tuple[Group, ...]
    more: tuple[Group, ...] = ()


class Fold(NamedTuple):
    """A list of names or lines that is folded away until somebody wants it; `key` is its own in the target."""

    key: str
    title: str
    names: tuple[str, ...]


def section_of(key: str, heading: str, tone: Tone, groups: Sequence[Group]) -> Section:
    """Groups under a heading, the first of them unfolded."""
    clusters = sum(len(group.names) for group in groups)
    return Section(key, heading, tone, clusters, tuple(groups[:_OPEN_GROUPS]), tuple(groups[_OPEN_GROUPS:]))


def moment(at: float, now: float) -> Moment:
    """A moment, as it is told at another."""
    ahead = round(at - now)
    said = (
        "now" if abs(ahead) < 1 else f"in {format_duration(ahead)}" if ahead > 0 else f"{format_duration(-ahead)} ago"
    )
    return Moment(said, f"{iso_timestamp(at)[:19]}Z")
