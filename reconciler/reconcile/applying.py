"""The second half of a round: all plans are carried out, or what is under way is waited for; the record is written.

A guard that refuses one plan stops all of them before this begins.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from reconciler.apply.driver import carry_out
from reconciler.apply.job import Job
from reconciler.apply.keeper import RecordKeeper
from reconciler.apply.machine import Progress
from reconciler.apply.options import ApplyOptions, Stop
from reconciler.clock import Clock
from reconciler.errors import Problem, StalePlan
from reconciler.live.client import Connection
from reconciler.plan.change import Origin
from reconciler.plan.decide import make_plan
from reconciler.plan.intent import Intent
from reconciler.plan.plan import Plan, Unhealthy
from reconciler.plan.reviewed import NOTHING_STANDS, what_stands
from reconciler.reconcile.ground import Ground, Offline, Site
from reconciler.reconcile.planning import Planned, PlanRequest
from reconciler.results import ReportDocument, TargetReport


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
) -> Applied:
    """Carry out all plans side by side, deletes last of all; the record is written before, and after.

    Returns the results so far even where it is cancelled. Raises GitError where the record can't be written, or pushed,
    before the first request: then nothing was sent.
    """
    connections = {site.head.target.name: _connection(site) for site in ground.sites}
    keeper = RecordKeeper(ground.checkout, planned.plans, planned.readings, clock)
    keeper.write_ahead()
    jobs = [_job(plan, planned, request) for plan in planned.plans]
    whole = replace(options, all_read=not planned.errors)
    finished = await carry_out(jobs, connections, whole, clock=clock, stop=stop, on_progress=on_progress)
    errors = keeper.write_after(finished)
    errors += [_blocked(plan.target, cluster) for plan in planned.plans for cluster in plan.blocked]
    return Applied(tuple(one.report for one in finished), tuple(errors))


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


def _connection(site: Site) -> Connection:
    if isinstance(site, Offline):
        raise StalePlan("a plan that was made offline can't be applied", remedy="make one that reads what is live")
    return site.connection


def _job(plan: Plan, planned: Planned, request: PlanRequest) -> Job:
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


def _blocked(target: str, cluster: Unhealthy) -> Problem:
    name = cluster.name
    match cluster.replace_needs:
        case None:
            remedy = f"--replace={name} deletes it and makes it anew, as declared"
        case "adopt":
            remedy = f"it isn't owned: --replace={name} --adopt={name} deletes it and makes it anew, as declared"
        case "forget":
            remedy = (
                "another of that name is recorded as settled, so --replace doesn't delete it: "
                f"if that is gone, `reconciler record forget {name}`, and plan again"
            )
        case unreachable:
            assert_never(unreachable)
    message = f"it is {cluster.status}, was never Active, and takes no update"
    return Problem("never-active", message, remedy, target, name)
