"""A word for each entry of the program's closed lists, and where the documents explain it; a test misses none.

No other module of this room words a cause, a risk, an outcome or a reason.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, TypeAlias

from reconciler.plan.change import Cause, LeftReason, Risk
from reconciler.plan.plan import Ownership

if TYPE_CHECKING:
    from reconciler.results import Outcome, SettlingOutcome

_PAGE = "causes-and-record.md"

Topic: TypeAlias = Cause | Literal["retry", "left", "plain"]
"""What a change is read under: the cause that says most, or why it is shown at all; `plain` where no cause is known."""


class Word(NamedTuple):
    """`text` stands within a sentence, `title` above a list; `anchor` is where the documents explain it."""

    text: str
    anchor: str
    title: str = ""


TOPICS: Final[Mapping[Topic, Word]] = {
    "revision": Word("this change", f"{_PAGE}#revision", "This change"),
    "conflict": Word("conflict", f"{_PAGE}#conflict", "Conflict: would overwrite a change that nobody reviewed"),
    "adoption": Word("adoption", f"{_PAGE}#adoption", "Adoption: made by somebody else, and would be changed"),
    "plain": Word("would be done", f"{_PAGE}#causes", "Would be done"),
    "pending": Word("merged before", f"{_PAGE}#pending", "Merged before, not applied yet"),
    "retry": Word("tried again", f"{_PAGE}#retry", "Tried again: the last update failed"),
    "drift": Word("drift", f"{_PAGE}#drift", "Drift: changed outside git, would be reverted"),
    "left": Word("left as it is", f"{_PAGE}#left", "Left as it is: shown, and not carried out"),
}
"""In the order of a page."""

RISKS: Final[Mapping[Risk, Word]] = {
    "data-loss": Word("its data is lost", f"{_PAGE}#risks"),
    "resharding": Word("its slots move between shards", f"{_PAGE}#risks"),
    "node-replacement": Word("all its nodes are replaced", f"{_PAGE}#risks"),
    "fewer-replicas": Word("fewer copies of its data", f"{_PAGE}#risks"),
    "no-failover": Word("no replica takes over when a node fails", f"{_PAGE}#risks"),
    "zone-move": Word("a shard changes its zone: the service may refuse", f"{_PAGE}#risks"),
    "placement-only": Word("only placements change: the service may refuse", f"{_PAGE}#risks"),
}

LEFT: Final[Mapping[LeftReason, Word]] = {
    "on-drift-report": Word("on_drift is report", f"{_PAGE}#left"),
    "max-drift-fraction": Word("more of the fleet has drifted than max_drift_fraction allows", f"{_PAGE}#left"),
    "unreviewed": Word("no reviewed plan shows it", f"{_PAGE}#left"),
}

OWNERSHIP: Final[Mapping[Ownership, Word]] = {
    "owned": Word("ours: --prune deletes it", f"{_PAGE}#ownership"),
    "released": Word("released by on_remove: keep", f"{_PAGE}#ownership"),
    "not-ours": Word("made by somebody else", f"{_PAGE}#ownership"),
    "unknown": Word("whose it is, only a record can tell", f"{_PAGE}#ownership"),
}

OUTCOMES: "Final[Mapping[Outcome, Word]]" = {
    "failed": Word("failed", f"{_PAGE}#failed", "Failed"),
    "unknown": Word("unknown", f"{_PAGE}#unknown", "Unknown: sent, and what became of it was not seen"),
    "stale": Word("stale", f"{_PAGE}#stale", "Stale: not sent, it has changed since the plan"),
    "skipped": Word("skipped", f"{_PAGE}#skipped", "Skipped: not sent"),
    "left": Word("left", f"{_PAGE}#left", "Left as it is"),
    "applied": Word("applied", f"{_PAGE}#applied", "Applied"),
}
"""Worst first."""

SETTLING: "Final[Mapping[SettlingOutcome, Word]]" = {
    "failed": Word("didn't settle", f"{_PAGE}#settling"),
    "unknown": Word("not seen settled", f"{_PAGE}#settling"),
    "settled": Word("settled", f"{_PAGE}#settling"),
}
"""Worst first."""

WAITS: Final[Mapping[Literal["active", "gone"], Word]] = {
    "active": Word("waits until it is Active", f"{_PAGE}#settling"),
    "gone": Word("waits until the old cluster of this name is gone", f"{_PAGE}#settling"),
}

RECORD: Final = Word("No record", f"{_PAGE}#record")
DELETES: Final = Word("to delete", f"{_PAGE}#deletes")
GUARDS: Final = Word("refused", f"{_PAGE}#guards")
MOVES: Final = Word("a new, empty cluster; data doesn't come along", f"{_PAGE}#moves")
TAKEN_OVER: Final = Word("takes over", f"{_PAGE}#taken-over")
KEPT: Final = Word("the service keeps", f"{_PAGE}#kept")
LEFT_BEHIND: Final = Word("left behind", f"{_PAGE}#left-behind")
UNHEALTHY: Final = Word("unhealthy", f"{_PAGE}#unhealthy")
UNMANAGED: Final = Word("not declared, left alone", f"{_PAGE}#ownership")
UNPRICED: Final = Word("no price", "manifests.md#prices")
SETTLES: Final = Word("settling", f"{_PAGE}#settling")
EVERY_WORD: Final[tuple[Word, ...]] = (
    *TOPICS.values(), *RISKS.values(), *LEFT.values(), *OWNERSHIP.values(), *OUTCOMES.values(), *SETTLING.values(),
    *WAITS.values(), RECORD, DELETES, GUARDS, MOVES, TAKEN_OVER, KEPT, LEFT_BEHIND, UNHEALTHY, UNMANAGED, UNPRICED,
    SETTLES,
)  # fmt: skip
"""What the documents have to explain: a test there holds their anchors against these."""
