"""One round of `run`: read, plan, perhaps apply; lines on stdout, and events for whoever watches."""

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass

import structlog

from reconciler.apply.options import ApplyOptions, Stop
from reconciler.cli import exits
from reconciler.cli.console import Console
from reconciler.cli.telling import leave_document, tell_plans, tell_reports
from reconciler.clock import Clock
from reconciler.errors import GitError, ReconcilerError, first_exit
from reconciler.loop.steps import Ended, Joined, PutAside, Round, Step
from reconciler.model.record import Record
from reconciler.problem import Problem
from reconciler.reconcile.applying import Applied, apply_all
from reconciler.reconcile.ground import Ground
from reconciler.reconcile.listing import Patience
from reconciler.reconcile.planning import Planned, PlanRequest, plan_all, refuse_stale_heads
from reconciler.report.invocation import Invocation
from reconciler.results import ReportDocument
from reconciler.serve.events import (
    LAST_APPLIED,
    Event,
    Recorded,
    RoundApplied,
    RoundPlanned,
    RoundProgressed,
    TargetPlanned,
)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rounds:
    """What each round is made with; `apply_options` are None where it only plans.

    `patience` is None where all targets wait for each.
    """

    console: Console
    opened: Callable[[], AbstractContextManager[Ground]]
    request: PlanRequest
    invocation: Invocation
    apply_options: ApplyOptions | None
    clock: Clock
    stop: Stop
    tell: Callable[[Event], None]
    patience: Patience | None = None

    async def one(self, asked: Round, step: Callable[[Step], None]) -> None:
        """Do a round, and tell its steps.

        There is a line on stdout for all that ends at once, and for one that fails, too; the loop logs why, and goes
        on.
        """
        try:
            with self.opened() as ground:
                await self._one(asked, ground, step)
        except ReconcilerError as error:
            leave_document(self.console, error.problems(), error.exit_code)
            raise

    async def _one(self, asked: Round, whole: Ground, step: Callable[[Step], None]) -> None:
        ground = whole.without(asked.without)
        step(Joined(whole.selected))
        if not ground.sites:
            return  # they are gone from the fleet
        if self.apply_options is not None:
            refuse_stale_heads(ground, self.request.intent)
        patience = self.patience and self.patience._replace(seconds=None) if asked.patient else self.patience
        planned = await plan_all(ground, self.request, patience)
        if planned.late:
            ground = ground.without(planned.late)
            log.warning("targets.put_aside", targets=planned.late)
            step(PutAside(planned.late))
        if not ground.sites:
            return  # the stop came first
        self.tell(_planned(asked.number, ground, planned, self.clock.now()))
        if self.apply_options is None or planned.refused:
            codes = exits.of_targets(
                ground.names, {p.target: exits.of_plans([p], ()) for p in planned.plans}, planned.errors
            )
            tell_plans(self.console, planned.document(), first_exit(codes.values()), invocation=self.invocation)
            step(Ended(codes))
        else:
            await self._apply(asked, ground, planned, self.apply_options, step)

    async def _apply(
        self, asked: Round, ground: Ground, planned: Planned, options: ApplyOptions, step: Callable[[Step], None]
    ) -> None:
        parts = _Parts(ground, planned)

        def ended(applied: Applied) -> None:
            names, problems = parts.with_planning(applied)
            if not names:
                return
            self.tell(RoundApplied(applied.reports, applied.errors, _records_after(ground, names)))
            own = {one.target: exits.of_reports([one], (), apart=options.apart) for one in applied.reports}
            codes = exits.of_targets(names, own, problems)
            document = ReportDocument(errors=problems, targets=applied.reports)
            tell_reports(self.console, document, first_exit(codes.values()), invocation=self.invocation)
            held = frozenset(one.target for one in applied.reports if exits.waits_for_others(one))
            step(Ended(codes, held))

        applied = await apply_all(
            ground,
            planned,
            self.request,
            options,
            self.clock,
            Stop(self.stop.requested, asked.moved),
            on_progress=lambda progress: self.tell(RoundProgressed(self.clock.now(), asked.number, progress)),
            on_ended=ended,
        )
        ended(applied)


class _Parts:
    """Which targets end together; those that couldn't be planned, with the first, since they have ended before."""

    def __init__(self, ground: Ground, planned: Planned) -> None:
        self._unplanned = [name for name in ground.names if name not in planned.readings]
        self._problems = planned.errors

    def with_planning(self, applied: Applied) -> tuple[list[str], tuple[Problem, ...]]:
        """The targets, and all that is wrong with them."""
        names = [*self._unplanned, *(report.target for report in applied.reports)]
        self._unplanned = []
        return names, (*(problem for problem in self._problems if problem.target in names), *applied.errors)


def _planned(number: int, ground: Ground, planned: Planned, at: float) -> RoundPlanned:
    return RoundPlanned(
        at,
        number,
        ground.selected,
        tuple(
            TargetPlanned(
                plan,
                tuple(planned.readings[plan.target].head.declarations),
                planned.suspension(plan),
                _recorded(ground, planned.readings[plan.target].evidence.record),
            )
            for plan in planned.plans
        ),
        planned.errors,
        planned.left_behind,
    )


def _recorded(ground: Ground, record: Record | None) -> Recorded | None:
    if ground.checkout is None or record is None:
        return None
    return Recorded(record, ground.checkout.records.applies(record, LAST_APPLIED))


def _records_after(ground: Ground, names: Collection[str]) -> Mapping[str, Recorded]:
    """These targets' records as they stand; one that can't be read is told by the next round."""
    found: dict[str, Recorded] = {}
    if ground.checkout is None:
        return found
    targets = [site.head.target for site in ground.sites if site.head.target.name in names]
    with suppress(GitError):
        records = ground.checkout.records_of(targets, ground.endpoints)
        for target, record in records.items():
            with suppress(GitError):
                recorded = _recorded(ground, record)
                found |= {target: recorded} if recorded is not None else {}
    return found
