"""When one target is listed next: from a second on, later and later, and when somebody's time is over."""

from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.apply.options import ApplyOptions
from reconciler.apply.protocol import ItemState, ListClusters, Unsettled, Waiting

FIRST_POLL_SECONDS: Final = 1.0
LONGEST_POLL_SECONDS: Final = 30.0
POLL_GROWTH: Final = 1.5
LEAST_BUDGET_SECONDS: Final = 1.0
APART_BUDGET_SECONDS: Final = 5.0
"""Of a fresh list, where no target waits for another: the deletes of all do for this one."""


class Polls:
    """One target's looks: one at a time, for all that is watched."""

    def __init__(self, target: str, options: ApplyOptions) -> None:
        self._target = target
        self._options = options
        self._seconds = FIRST_POLL_SECONDS
        self._due: float | None = None
        self._announced: float | None = None
        self._deadline = float("inf")
        self._fresh_from: float | None = None

    @property
    def fresh(self) -> bool:
        """Whether there was a list as new as was wanted."""
        return self._fresh_from is None

    def want(self, at: float, *, later: bool = False) -> None:
        """Ask for a list that is as new as this moment, or as the next regular look."""
        self._fresh_from = self._due = at + (self._seconds if later else 0.0)

    def want_no_more(self) -> None:
        """Nobody needs a fresh list."""
        self._fresh_from = None

    def watch(self, state: Waiting | Unsettled, at: float) -> None:
        """Something else is watched: what was just taken is looked at soon."""
        taken = isinstance(state, Unsettled)
        end = state.since + self._options.timeout_seconds
        first = min(at + (FIRST_POLL_SECONDS if taken else self._seconds), end)
        self._due = first if self._due is None or self._due <= at else min(self._due, first)
        self._seconds = FIRST_POLL_SECONDS * POLL_GROWTH if taken else self._seconds
        self._deadline = min(self._deadline, end)

    def looked(self, asked: float | None) -> None:
        """A look is over; `asked`: since when its list counts, None where there was none."""
        self._announced = None
        if asked is not None and self._fresh_from is not None and asked >= self._fresh_from:
            self._fresh_from = None

    def plan(self, states: Sequence[ItemState], at: float) -> None:
        """After a look, the next; `states` are what is watched."""
        timeout, patience = self._options.timeout_seconds, self._options.patience_seconds
        since = [state.since for state in states if isinstance(state, Waiting | Unsettled)]
        self._deadline = min((moment + timeout for moment in since), default=float("inf"))
        ends = [self._deadline, *(moment + patience for state in states for moment in _contradicted(state))]
        self._due = min([at + self._seconds, *(moment for moment in ends if moment > at)])
        self._seconds = min(self._seconds * POLL_GROWTH, LONGEST_POLL_SECONDS)

    def next(self, at: float, *, watching: bool) -> list[ListClusters]:
        """The look that is due, where that is another than was announced."""
        due = self._due if watching or self._fresh_from is not None else None
        if due == self._announced:
            return []
        self._announced = due
        left = self._deadline - (due if due is not None else at)
        if self._options.apart and self._fresh_from is not None:
            left = min(left, APART_BUDGET_SECONDS)
        return [ListClusters(self._target, due, min(max(LEAST_BUDGET_SECONDS, left), self._options.timeout_seconds))]


def _contradicted(state: ItemState) -> Iterator[float]:
    """The moments since which the list has said otherwise."""
    moments: tuple[float | None, ...] = ()
    if isinstance(state, Unsettled):
        moments = (state.other_since, state.errors_since, state.missing_since)
    elif isinstance(state, Waiting):
        moments = (state.missing_since,)
    return (moment for moment in moments if moment is not None)
