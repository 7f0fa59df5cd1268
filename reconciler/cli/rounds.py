"""One round of `run`: read, plan, perhaps apply; a line on stdout, and events for whoever watches."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from reconciler.apply.options import ApplyOptions, Stop
from reconciler.cli import exits
from reconciler.cli.console import Console
from reconciler.cli.telling import leave_document, tell_plans, tell_reports
from reconciler.clock import Clock
from reconciler.errors import GitError, ReconcilerError, first_exit
from reconciler.model.record import Record
from reconciler.reconcile.applying import apply_all
from reconciler.reconcile.ground import Ground
from reconciler.reconcile.planning import Planned, PlanRequest, plan_all, refuse_stale_heads
from reconciler.report.invocation import Invocation
from reconciler.serve.events import (
    LAST_APPLIED,
    Event,
    Recorded,
    RoundApplied,
    RoundPlanned,
    RoundProgressed,
    TargetPlanned,
)


@dataclass(frozen=True, slots=True)
class Rounds:
    """What each round is made with; `apply_options` are None where it only plans."""

    console: Console
    sites: Callable[[], Ground]
    request: PlanRequest
    invocation: Invocation
    apply_options: ApplyOptions | None
    clock: Clock
    stop: Stop
    tell: Callable[[Event], None]

    async def one(self, waiting: frozenset[str]) -> Mapping[str, int]:
        """A round of all targets but those that are waiting: the exit code of each.

        One that fails has a line, too; the loop logs why, and goes on.
        """
        try:
            return await self._one(waiting)
        except ReconcilerError as error:
            leave_document(self.console, error.problems(), error.exit_code)
            raise

    async def _one(self, waiting: frozenset[str]) -> Mapping[str, int]:
        ground = self.sites().without(waiting)
        if self.apply_options is not None:
            refuse_stale_heads(ground, self.request.intent)
        planned = await plan_all(ground, self.request)
        self.tell(_planned(ground, planned, self.clock.now()))
        names = [site.head.target.name for site in ground.sites]
        if self.apply_options is None or planned.refused:
            codes = exits.of_targets(names, {p.target: exits.of_plans([p], ()) for p in planned.plans}, planned.errors)
            tell_plans(self.console, planned.document(), first_exit(codes.values()), invocation=self.invocation)
            return codes
        applied = await apply_all(
            ground,
            planned,
            self.request,
            self.apply_options,
            self.clock,
            self.stop,
            on_progress=lambda progress: self.tell(RoundProgressed(self.clock.now(), progress)),
        )
        self.tell(RoundApplied(applied.reports, applied.errors, _records_after(ground)))
        codes = exits.of_targets(
            names, {r.target: exits.of_reports([r], ()) for r in applied.reports}, planned.errors + applied.errors
        )
        code = first_exit(codes.values())
        tell_reports(self.console, applied.document(planned.errors), code, invocation=self.invocation)
        return codes


def _planned(ground: Ground, planned: Planned, at: float) -> RoundPlanned:
    return RoundPlanned(
        at,
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


def _records_after(ground: Ground) -> Mapping[str, Recorded]:
    """The targets' records as they stand; one that can't be read is told by the next round."""
    found: dict[str, Recorded] = {}
    if ground.checkout is None:
        return found
    for target in (site.head.target for site in ground.sites):
        with suppress(GitError):
            recorded = _recorded(ground, ground.checkout.record_of(target, ground.endpoints))
            found |= {target.name: recorded} if recorded is not None else {}
    return found
