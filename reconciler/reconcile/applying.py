"""The second half of a round: all plans are carried out, or what is under way is waited for; the record is written.

A guard that refuses one plan stops all of them before this begins.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import assert_never

import structlog

from reconciler.apply.driver import carry_out
from reconciler.apply.job import Finished, Job
from reconciler.apply.keeper import RecordKeeper
from reconciler.apply.machine import Progress
from reconciler.apply.options import ApplyOptions, Stop
from reconciler.clock import Clock, iso_timestamp
from reconciler.errors import StalePlan
from reconciler.live.client import Connection
from reconciler.model.command import record_command
from reconciler.model.fleet import Suspension, suspended_text
from reconciler.plan.change import Origin
from reconciler.plan.decide import make_plan
from reconciler.plan.intent import Intent
from reconciler.plan.plan import Plan, Unhealthy
from reconciler.plan.reviewed import NOTHING_STANDS, what_stands
from reconciler.problem import Problem
from reconciler.reconcile.ground import Ground, Offline, Site
from reconciler.reconcile.planning import Planned, PlanRequest
from reconciler.results import ErrorDetail, ReportDocument, Result, TargetReport, summarize

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Applied:
    """The results of all targets' plans, and what kept one from being carried out whole."""

    reports: tuple[TargetReport, ...]
    errors: tuple[Problem, ...]

    def document(self, earlier: Sequence[Problem] = ()) -> ReportDocument:
        """As it is told; with what went wrong before."""
        return ReportDocument(errors=(*earlier, *self.errors), targets=self.reports)


async def apply_all(
    ground: Ground,
    planned: Planned,
    request: PlanRequest,
    options: ApplyOptions,
    clock: Clock,
    stop: Stop,
    *,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    on_ended: Callable[[Applied], None] = lambda _applied: None,
) -> Applied:
    """Carry out all plans side by side, deletes last of all; the record is written before, and after.

    What is suspended is left, and told so: as if it were no part of the run. Returns the results so far even where it
    is cancelled. Raises GitError where the record can't be written, or pushed, before the first request: then nothing
    was sent. Where targets go apart, `on_ended` is told of those that have ended while others haven't, once their
    record is written, the first time as all begin; the others come back.
    """
    connections = {site.head.target.name: _connection(site) for site in ground.sites}
    plans = planned.to_apply
    keeper = RecordKeeper(ground.checkout, plans, planned.readings, clock)
    left_out = tuple(site.head.target.name for site in ground.left_out)
    whole = options._replace(all_read=not planned.errors, left_out=left_out)
    keeper.write_ahead(deletes=whole.may_delete)
    jobs = [_job(plan, planned, request, plan.taken_over) for plan in plans]
    ends = _Ends(planned, keeper)
    finished = await carry_out(
        jobs,
        connections,
        whole,
        clock=clock,
        stop=stop,
        on_progress=on_progress,
        on_ended=lambda some: on_ended(ends.of(some)),
    )
    return ends.of(finished)


async def wait_all(
    ground: Ground,
    planned: Planned,
    options: ApplyOptions,
    clock: Clock,
    stop: Stop,
    *,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
) -> Applied:
    """Wait until what is declared and in transition has settled; nothing is sent, and nothing is recorded."""
    connections = {site.head.target.name: _connection(site) for site in ground.sites}
    nothing = [make_plan(reading, Intent(), saved=()) for reading in planned.readings.values()]
    jobs = [_job(plan, planned, PlanRequest(Intent())) for plan in nothing]
    finished = await carry_out(jobs, connections, options, clock=clock, stop=stop, on_progress=on_progress)
    return Applied(tuple(one.report for one in finished), ())


class _Ends:
    """How plans ended, some after others: each is recorded and told once, suspended ones with the first."""

    def __init__(self, planned: Planned, keeper: RecordKeeper) -> None:
        self._plans = planned.plans
        self._keeper = keeper
        self._suspended = {
            plan.target: _left_alone(plan, why)
            for plan in planned.plans
            for why in [planned.suspension(plan)]
            if why is not None
        }

    def of(self, finished: Sequence[Finished]) -> Applied:
        """What has ended now, in the plans' order."""
        errors = self._keeper.write_after(finished)
        suspended, self._suspended = self._suspended, {}
        reports = {**suspended, **{one.report.target: one.report for one in finished}}
        ended = [plan for plan in self._plans if plan.target in reports]
        errors += [_blocked(p, cluster) for p in ended if p.target not in suspended for cluster in p.blocked]
        return Applied(tuple(reports[plan.target] for plan in ended), tuple(errors))


def _left_alone(plan: Plan, suspension: Suspension) -> TargetReport:
    """The report of a target that is suspended: each of its changes is left."""
    why = ErrorDetail(kind="suspended", message=suspended_text(suspension))
    log.info("target.suspended", target=plan.target, until=iso_timestamp(suspension.until), reason=suspension.reason)
    results = tuple(
        Result(
            action=change.action,
            name=change.name,
            cause=change.cause,
            source=change.source,
            fields=change.fields,
            risks=change.risks,
            outcome="left",
            error=why,
        )
        for change in plan.changes
    )
    return TargetReport(
        target=plan.target,
        endpoint=plan.endpoint,
        revision=plan.revision,
        digest=plan.digest,
        summary=summarize(results),
        results=results,
        warnings=plan.warnings,
    )


def _connection(site: Site) -> Connection:
    if isinstance(site, Offline):
        raise StalePlan("a plan that was made offline can't be applied", remedy="make one that reads what is live")
    return site.connection


def _job(plan: Plan, planned: Planned, request: PlanRequest, taken_over: tuple[str, ...] = ()) -> Job:
    reading, listing = planned.readings[plan.target], planned.listings[plan.target]
    record = reading.evidence.record
    reviewed = request.reviewed
    saved = request.saved[plan.target] if request.saved is not None else None
    return Job(
        plan=plan,
        head=reading.head,
        listing=listing,
        saved=what_stands(saved, plan, reading.live, listing.unreadable) if saved is not None else NOTHING_STANDS,
        lines=record.lines if record is not None else {},
        reviewed={c.name: reviewed.shows(plan, c) for c in plan.changes} if reviewed is not None else None,
        successors={
            half.name: successor for half, successor in planned.moves.successors.items() if half.target == plan.target
        },
        standing=_settled(planned),
        taken_over=taken_over,
    )


def _settled(planned: Planned) -> frozenset[Origin]:
    """What the records know to stand, in any target."""
    return frozenset(
        Origin(target=target, name=name)
        for target, reading in planned.readings.items()
        if reading.evidence.record is not None
        for name, line in reading.evidence.record.lines.items()
        if line.settled
    )


def _blocked(plan: Plan, cluster: Unhealthy) -> Problem:
    name, source = cluster.name, cluster.source
    match cluster.replace_needs:
        case None:
            remedy = f"--replace={name} deletes it and creates it again, as declared"
        case "adopt":
            remedy = f"it isn't owned: --replace={name} --adopt={name} deletes it and creates it again, as declared"
        case "forget":
            forget = record_command("forget", name, folder=plan.folder, target=plan.target)
            remedy = (
                "another of that name is recorded as settled, so --replace doesn't delete it: "
                f"if that is gone, `{forget}`, and plan again"
            )
        case unreachable:
            assert_never(unreachable)
    message = f"it is {cluster.status}, was never Active, and takes no update"
    file, line = (source.file, source.line) if source is not None else (None, None)
    return Problem("never-active", message, remedy, plan.target, name, file, line)
