"""One target's share of a run, as it is handed in and as it comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from reconciler.model.cluster import FieldValue, LiveCluster, Values
from reconciler.model.fleet import Head
from reconciler.model.record import Line
from reconciler.plan.change import Change, Origin
from reconciler.plan.plan import Plan
from reconciler.plan.reviewed import Standing
from reconciler.results import TargetReport

Held: TypeAlias = Mapping[str, FieldValue | None]
"""What the service holds in the place of what was sent, by path; None where it holds nothing."""


class AccountListing(Protocol):
    """A whole list of an account's clusters; `unreadable` are those whose entry makes no sense, by name."""

    @property
    def clusters(self) -> tuple[LiveCluster, ...]:
        """Those that can be read, in any order."""
        ...

    @property
    def unreadable(self) -> Mapping[str, str]:
        """The others, with the reason."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be carried out, and what it is held against.

    `plan` is what is done: each of its changes ends as one thing. `listing` is the list that it was made on. `saved`
    are changes of a saved plan that it no longer has: done already, or stale. `lines` are the record's, `reviewed` says
    of a change, by name, whether somebody has seen it. `successors` are the other halves of moves and renames, by the
    name that is deleted; `standing` are those of them that another target's record has as settled. `taken_over` are
    clusters that the record gets as they are.
    """

    plan: Plan
    head: Head
    listing: AccountListing
    saved: Standing = field(default_factory=lambda: Standing((), ()))
    lines: Mapping[str, Line] = field(default_factory=dict)
    reviewed: Mapping[str, bool] | None = None
    successors: Mapping[str, Origin] = field(default_factory=dict)
    standing: frozenset[Origin] = frozenset()
    taken_over: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """The target's name."""
        return self.head.target.name

    @property
    def changes(self) -> tuple[Change, ...]:
        """All that ends in a result, by name."""
        stale = tuple(change for change, _ in self.saved.stale)
        return tuple(sorted((*self.plan.changes, *self.saved.done, *stale), key=lambda change: change.name))


@dataclass(frozen=True, slots=True)
class Ending:
    """What the record has to know of one change.

    `sent`: a request left. `refused`: definitely, so that nothing can have taken effect. `settled`: it was seen as
    sent, `Active` and without errors, save what is `kept`; or gone, for a delete. `kept`: in these paths the service
    held another value than the one that was sent, in every list since it took the request; or, of a create that wasn't
    seen settled, in its answer. `stands`: what was as sent of a cluster that was seen `Active`, and not as sent in all;
    None where it wasn't seen so.
    """

    name: str
    sent: bool = False
    refused: bool = False
    settled: bool = False
    kept: Held = field(default_factory=dict)
    stands: Values | None = None


@dataclass(frozen=True, slots=True)
class Finished:
    """One target's share, carried out as far as it went.

    `endings` are the changes', by name. `settled` are declared clusters without a change that were seen settled, each
    with what the service keeps in it. `listed` are the names of the last complete list.
    """

    report: TargetReport
    endings: tuple[Ending, ...]
    settled: Mapping[str, Held]
    listed: frozenset[str]
