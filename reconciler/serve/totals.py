"""What is counted since the process began: rounds, their durations, changes, requests; by keys of closed lists."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from http import HTTPStatus
from itertools import accumulate
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar

from reconciler.errors import EXIT_FAILED, EXIT_OK, EXIT_REFUSED, EXIT_STALE, EXIT_USAGE
from reconciler.results import Result

Key = TypeVar("Key", bound=Hashable)

RoundResult: TypeAlias = Literal["ok", "failed", "refused", "stale", "interrupted"]

_RESULTS: Final[Mapping[int, RoundResult]] = {
    EXIT_OK: "ok",
    EXIT_FAILED: "failed",
    EXIT_USAGE: "failed",
    EXIT_REFUSED: "refused",
    EXIT_STALE: "stale",
}

BUCKETS: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 7200.0)
"""Seconds of a round: from a plan of a small fleet to an apply that waits until the default `--timeout`."""

_METHODS: Final = frozenset({"GET", "PUT", "DELETE"})
_STATUSES: Final = frozenset(HTTPStatus)


class Durations(NamedTuple):
    """How long rounds took: how many up to each bucket, and beyond the last; their sum in seconds."""

    counts: tuple[int, ...] = (0,) * (len(BUCKETS) + 1)
    total: float = 0.0

    def with_one(self, seconds: float) -> "Durations":
        """One more."""
        slot = bisect_left(BUCKETS, seconds)
        counts = tuple(count + (position == slot) for position, count in enumerate(self.counts))
        return Durations(counts, self.total + seconds)

    @property
    def up_to(self) -> tuple[int, ...]:
        """How many took no longer than each bucket; the last is all."""
        return tuple(accumulate(self.counts))


class Totals(NamedTuple):
    """`changes` by action and outcome, `requests` by method and status."""

    rounds: Mapping[RoundResult, int] = {}
    durations: Durations = Durations()
    changes: Mapping[tuple[str, str], int] = {}
    requests: Mapping[tuple[str, str], int] = {}

    def with_round(self, exit_code: int, seconds: float) -> "Totals":
        """One more round."""
        rounds = _more(self.rounds, [result_of(exit_code)])
        return self._replace(rounds=rounds, durations=self.durations.with_one(seconds))

    def with_changes(self, results: Iterable[Result]) -> "Totals":
        """Some more changes that have ended."""
        return self._replace(changes=_more(self.changes, [(one.action, one.outcome) for one in results]))

    def with_request(self, method: str, status: int | None) -> "Totals":
        """One more request, and the status of its answer, None where none came."""
        key = (method if method in _METHODS else "other", _code(status))
        return self._replace(requests=_more(self.requests, [key]))


def result_of(exit_code: int) -> RoundResult:
    """A round's exit code in a word."""
    return _RESULTS.get(exit_code, "interrupted")


def _more(counts: Mapping[Key, int], keys: Iterable[Key]) -> Mapping[Key, int]:
    return {**counts, **{key: counts.get(key, 0) + more for key, more in Counter(keys).items()}}


def _code(status: int | None) -> str:
    """A status as a label: whatever a service answers, there are only so many."""
    if status is None:
        return "none"
    return str(status) if status in _STATUSES else "other"
