"""Writes the record around a run: before the first request, and at its end, whatever that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import structlog

from reconciler.apply.job import Finished
from reconciler.apply.recording import after, ahead
from reconciler.clock import Clock
from reconciler.errors import GitError
from reconciler.evidence.checkout import Checkout
from reconciler.evidence.record import ABOUT_TO_APPLY
from reconciler.model.record import Record
from reconciler.plan.change import Delete
from reconciler.plan.decide import Reading
from reconciler.plan.plan import Plan
from reconciler.problem import Problem
from reconciler.results import TargetReport

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WrittenAhead:
    """One target's record as it was, and as it was written ahead."""

    before: Record
    ahead: Record


class RecordKeeper:
    """Keeps the records of a run's targets; without git there is none to keep."""

    def __init__(
        self, checkout: Checkout | None, plans: Sequence[Plan], readings: Mapping[str, Reading], clock: Clock
    ) -> None:
        self._checkout = checkout
        self._plans = {plan.target: plan for plan in plans}
        self._readings = readings
        self._clock = clock
        self._kept: dict[str, WrittenAhead] = {}

    def write_ahead(self, *, deletes: bool = True) -> None:
        """Say what is about to be sent, so that a run that is killed is known; and learn whether it can be said.

        Without `deletes` none of these is about to be. Raises GitError where it can't be written, or pushed: the
        records are then as they were.
        """
        checkout = self._checkout
        if checkout is None:
            return
        sent = self._plans if deletes else {target: _without_deletes(plan) for target, plan in self._plans.items()}
        try:
            for target, plan in sent.items():
                before = self._record(target)
                reading = self._readings[target]
                told = ahead(before, plan, reading.head, reading.live, now=self._clock.now())
                words = f"{target}: {ABOUT_TO_APPLY} {len(plan.sends)}"
                self._kept[target] = WrittenAhead(before, checkout.records.write(told, words) if plan.sends else before)
            if any(plan.sends for plan in sent.values()):
                checkout.push_records([kept.ahead for kept in self._kept.values()])
        except GitError:
            for target, kept in self._kept.items():
                as_it_was = kept.ahead._replace(lines=kept.before.lines)
                checkout.records.write(as_it_was, f"{target}: nothing was sent, since this can't be recorded")
            raise

    def write_after(self, finished: Sequence[Finished]) -> list[Problem]:
        """Say how it ended. What can't be said is an error of the run, and keeps nothing else from being said."""
        problems: list[Problem] = []
        checkout = self._checkout
        for one in finished if checkout is not None else ():
            target = one.report.target
            kept, plan, reading = self._kept[target], self._plans[target], self._readings[target]
            astray = reading.evidence.astray
            told = after(kept.before, kept.ahead, one, plan, reading.head, now=self._clock.now(), astray=astray)
            try:
                if checkout is not None:
                    checkout.push_records([checkout.records.write(told, f"{target}: {_counted(one.report)}")])
            except GitError as error:
                log.error("record.unwritten", target=target, error=error.message)
                problems += [replace(problem, target=target) for problem in error.problems()]
        return problems

    def _record(self, target: str) -> Record:
        """The target's record, or the one that it begins."""
        reading = self._readings[target]
        return reading.evidence.record or Record(target, reading.endpoint, reading.head.target.api_key_env)


def _without_deletes(plan: Plan) -> Plan:
    return plan.model_copy(update={"changes": tuple(one for one in plan.changes if not isinstance(one, Delete))})


def _counted(report: TargetReport) -> str:
    """`3 applied, 1 failed`."""
    counts = report.summary.model_dump()
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count) or "nothing to do"
