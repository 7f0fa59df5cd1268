"""The loop at one moment, as a frozen picture: what each target's last rounds did, what is under way, what comes next.

Pure, and made anew with each event (`transition`): who reads one while the loop goes on reads one moment.
"""

from collections.abc import Collection, Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

from reconciler.apply.machine import Progress
from reconciler.apply.ongoing import EndedChange, Ongoing
from reconciler.loop.events import Due
from reconciler.model.evidence import LeftBehind
from reconciler.model.fleet import Suspension
from reconciler.model.record import Apply, Line
from reconciler.plan.change import Change
from reconciler.plan.plan import Plan, Settling, Unhealthy
from reconciler.problem import Problem
from reconciler.results import Result, TargetReport
from reconciler.serve.events import LeaseAwaited, Recorded, RoundProgressed
from reconciler.serve.totals import RoundResult, Totals, result_of

Condition: TypeAlias = Literal[
    "unknown", "failed", "refused", "stale", "unhealthy", "drifted", "pending", "settling", "in-sync"
]
"""How a target stands, the worst that is true of it: nobody has looked; its last round failed, was refused, or stale;
a declared cluster has errors; somebody else changed one; git asks for more; one is under way; nothing of that."""

OVERDUE_SECONDS: Final = 60.0
"""How much later than it was to begin a round may begin; a loop that hangs is later than any machine that is busy."""


class LastRound(NamedTuple):
    """A target's last round that ended."""

    began_at: float
    seconds: float
    exit_code: int

    @property
    def result(self) -> RoundResult:
        """In a word."""
        return result_of(self.exit_code)


class Outstanding(NamedTuple):
    """A change that isn't done, and how it ended in the last round, where that applied."""

    change: Change
    result: Result | None


class TargetPicture(NamedTuple):
    """One target. `report` is how `plan` was carried out, None where it wasn't.

    `problems` are its own, of the last round, which is `looked_in` where that came to look at it.
    """

    name: str
    plan: Plan | None = None
    planned_at: float | None = None
    report: TargetReport | None = None
    problems: tuple[Problem, ...] = ()
    looked_in: int | None = None
    declared: tuple[str, ...] = ()
    suspension: Suspension | None = None
    recorded: Recorded | None = None
    last_round: LastRound | None = None
    last_success_at: float | None = None
    due: Due | None = None

    @property
    def outstanding(self) -> tuple[Outstanding, ...]:
        """The changes that the plan shows and that aren't done, by name."""
        ended = {result.name: result for result in self.report.results} if self.report is not None else {}
        every = [Outstanding(change, ended.get(change.name)) for change in (self.plan.changes if self.plan else ())]
        return tuple(one for one in every if one.result is None or one.result.outcome != "applied")

    @property
    def settling(self) -> tuple[Settling, ...]:
        """What is as declared and not `Active` yet."""
        settled = {one.name for one in (self.report.settling if self.report else ()) if one.outcome == "settled"}
        return tuple(one for one in (self.plan.settling if self.plan else ()) if one.name not in settled)

    @property
    def unhealthy(self) -> tuple[Unhealthy, ...]:
        """What has errors, and was not mended since."""
        mended = {one.name for one in (self.report.results if self.report else ()) if one.outcome == "applied"}
        return tuple(one for one in (self.plan.unhealthy if self.plan else ()) if one.name not in mended)

    @property
    def in_sync(self) -> tuple[str, ...]:
        """What is declared and stands as declared, by name."""
        if self.plan is None:
            return ()
        otherwise = {one.change.name for one in self.outstanding}
        otherwise |= {one.name for one in self.settling} | {one.name for one in self.unhealthy}
        return tuple(name for name in self.declared if name not in otherwise)

    @property
    def condition(self) -> Condition:
        """The worst that is true of it: in its first round, as soon as that has planned."""
        result = self.last_round.result if self.last_round is not None else None
        if self.plan is None and result is None:
            return "unknown"
        if self.plan is None or result in {"failed", "interrupted"}:
            return "failed"
        if self.plan.violations and self.suspension is None:
            return "refused"
        if result == "stale":
            return "stale"
        if self.unhealthy:
            return "unhealthy"
        causes = {one.change.cause for one in self.outstanding}
        if causes & {"drift", "conflict", "adoption"}:
            return "drifted"
        if causes:
            return "pending"
        return "settling" if self.settling else "in-sync"

    @property
    def last_applies(self) -> tuple[Apply, ...]:
        """The last applies that the record tells of, the newest first."""
        return self.recorded.applies if self.recorded is not None else ()

    def last_applied(self, most: int) -> tuple[Line, ...]:
        """The lines of the record that were written last, the newest first."""
        lines = self.recorded.record.lines.values() if self.recorded is not None else ()
        return tuple(sorted(lines, key=lambda line: (-line.at, line.name))[:most])


class UnderWay(NamedTuple):
    """A round that is under way, and its targets that haven't ended; `progressed` is there once it applies."""

    began_at: float
    targets: frozenset[str]
    progressed: RoundProgressed | None = None

    @property
    def progress(self) -> Progress | None:
        """How far its plans are carried out."""
        return self.progressed.progress if self.progressed is not None else None


class FailedRound(NamedTuple):
    """A round that failed as a whole, and the targets that have ended none since; none where no fleet was read yet."""

    round: int
    at: float
    targets: frozenset[str]
    problems: tuple[Problem, ...]

    def still_of(self, targets: Collection[str]) -> "FailedRound | None":
        """As far as it is these targets'; None where it is none's any more."""
        left = self.targets.intersection(targets)
        return self._replace(targets=left) if left else None


class Picture(NamedTuple):
    """The loop, `targets` by name in the fleet's order. `failed_rounds` are the oldest first, one of a target at most.

    `applies`: whether it applies its plans. `longest_round_seconds`: what takes longer hangs. `lease` is there while
    another replica holds it: the rounds are that one's. `under_way` are rounds by number; no target is in two of them.
    `scheduled_at` is when the next one was last said to begin.
    """

    applies: bool
    longest_round_seconds: float
    targets: Mapping[str, TargetPicture] = {}
    failed_rounds: tuple[FailedRound, ...] = ()
    left_behind: tuple[LeftBehind, ...] = ()
    lease: LeaseAwaited | None = None
    under_way: Mapping[int, UnderWay] = {}
    scheduled_at: float | None = None
    totals: Totals = Totals()

    def round_of(self, target: str) -> UnderWay | None:
        """The round that a target is in; None where it is in none."""
        return next((one for one in self.under_way.values() if target in one.targets), None)

    def targets_of(self, one: UnderWay | FailedRound) -> tuple[str, ...]:
        """A round's, in the fleet's order; those that are gone from it since, and are still seen to, last."""
        gone = sorted(one.targets - self.targets.keys())
        return (*(name for name in self.targets if name in one.targets), *gone)

    @property
    def next_at(self) -> float | None:
        """When the next round begins, of targets that are in none; None where all are in one."""
        if not self.targets:
            return self.scheduled_at if not self.under_way else None
        idle = (target.due for target in self.targets.values() if self.round_of(target.name) is None)
        return min((due.at for due in idle if due is not None), default=None)

    def ongoing(self, target: str) -> tuple[tuple[Ongoing, float], ...]:
        """What is under way in a target, cluster by cluster, and since when, the oldest first."""
        under_way = self.round_of(target)
        progressed = under_way.progressed if under_way is not None else None
        if progressed is None:
            return ()
        return tuple((one, progressed.at - one.seconds) for one in progressed.progress.ongoing if one.target == target)

    def changes_ended(self, target: str) -> tuple[EndedChange, ...]:
        """What has ended of the apply that is under way, by name."""
        under_way = self.round_of(target)
        progress = under_way.progress if under_way is not None else None
        return tuple(one for one in progress.changes_ended if one.target == target) if progress is not None else ()

    def unready(self, now: float) -> tuple[str, ...]:
        """What keeps it from being ready, each in a few words; empty where it is.

        Who waits for the lease is, as long as it sees that another replica holds it: it goes on where that one ends.
        """
        if self.lease is not None:
            unseen_seconds = now - self.lease.at
            return () if unseen_seconds <= self.lease.seconds else ("the lease can't be read",)
        unseen = sum(target.condition == "unknown" for target in self.targets.values())
        reasons = []
        if not self.targets:
            reasons.append("no round has planned a fleet that can be read")
        if unseen:
            reasons.append(f"{unseen} of {len(self.targets)} targets were not looked at yet")
        if any(now - one.began_at > self.longest_round_seconds for one in self.under_way.values()):
            reasons.append("a round takes longer than any should")
        if (next_at := self.next_at) is not None and now - next_at > OVERDUE_SECONDS:
            reasons.append("a round is overdue")
        return tuple(reasons)
