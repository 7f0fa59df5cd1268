"""Pictures of a loop in every condition; `say` has the last word on each text from outside."""

from collections.abc import Sequence

from reconciler.apply.machine import Progress
from reconciler.apply.ongoing import EndedChange, Ongoing
from reconciler.loop.events import Due, RoundBegun, RoundEnded, RoundScheduled, TargetsEnded
from reconciler.model.fleet import Suspension
from reconciler.model.record import Apply, Line, Record
from reconciler.plan.plan import Nodes, Plan, Summary
from reconciler.problem import Problem
from reconciler.results import ErrorDetail, Result, TargetReport, summarize
from reconciler.serve.events import (
    Event,
    LeaseAwaited,
    Recorded,
    RoundApplied,
    RoundPlanned,
    RoundProgressed,
    TargetPlanned,
)
from reconciler.serve.picture import Picture
from reconciler.serve.transition import after
from tests.report.everything import (
    EARLIER,
    HEAD,
    Say,
    a_plan,
    a_report,
    as_it_is,
    explained,
    field,
    in_sync,
    left_behind,
    planned,
    the_problems,
    update,
)

NOW = 1_800_000_000.0
APPLYING = Picture(applies=True, longest_round_seconds=900)


def picture_of(*events: Event, applies: bool = True) -> Picture:
    """What these events make of an empty picture."""
    picture = Picture(applies, 900)
    for event in events:
        picture = after(picture, event)
    return picture


def recorded(target: str, names: Sequence[str], say: Say = as_it_is) -> Recorded:
    """A record whose first names were applied last, by two applies."""
    lines = {
        say(name): Line(say(name), EARLIER, NOW - 3600 * (number + 1), say(f"manifests/{name}.yaml"), 1, "created")
        for number, name in enumerate(names)
    }
    applies = (
        Apply(NOW - 3600, say("1 applied"), EARLIER, say("https://ci.example.com/runs/7")),
        Apply(NOW - 7200, say("3 applied, 1 failed"), None, ""),
    )
    return Recorded(Record(target, "https://api.cache.example.com", "MOMENTO_API_KEY", lines=lines), applies)


def target_planned(
    plan: Plan, declared: int, say: Say = as_it_is, suspension: Suspension | None = None
) -> TargetPlanned:
    """A plan of a target with so many clusters besides those that it changes."""
    names = tuple(f"{('carts', 'orders', 'sessions', 'search', 'prices')[n % 5]}-{n:04}" for n in range(declared))
    changed = tuple(change.name for change in plan.changes if change.action != "delete")
    return TargetPlanned(plan, tuple(map(say, names)) + changed, suspension, recorded(plan.target, names[:4], say))


def a_round(*targets: TargetPlanned, codes: Sequence[int] = (), problems: Sequence[Problem] = ()) -> list[Event]:
    """A round that only planned, which ended two minutes ago."""
    named = [*(one.plan.target for one in targets), *(one.target for one in problems if one.target is not None)]
    names = list(dict.fromkeys(named))
    ended = dict(zip(names, codes or [int(bool(problems))] * len(names), strict=True))
    due = {name: Due(NOW + (180 if not code else 420), int(bool(code))) for name, code in ended.items()}
    return [
        RoundBegun(NOW - 121.2, 1, frozenset(names)),
        RoundPlanned(NOW - 121, 1, tuple(names), targets, tuple(problems)),
        TargetsEnded(NOW - 120, 1, 1.2, ended),
        RoundEnded(NOW - 120, 1, 1.2, max(ended.values(), default=0)),
        RoundScheduled(NOW - 120, NOW + 180, due),
    ]


def all_in_sync(clusters: int = 8) -> Picture:
    """Two targets, nothing to do."""
    us = in_sync("us-east-1", clusters).model_copy(
        update={"endpoint": "https://api.cache.cell-us-east-1-1.prod.a.momentohq.com"}
    )
    return picture_of(*a_round(target_planned(us, clusters), target_planned(in_sync(count=5), 5)))


def drifted(say: Say = as_it_is) -> Picture:
    """Drift that would be reverted, and some that is left; what is pending; a target that is suspended."""
    us = planned(
        update("carts", field("shard_count", 9, 4, "drift", recorded=4), say=say, cause="drift", risks=("resharding",)),
        update(
            "orders",
            field("replication_factor", 2, 1, "drift", recorded=1, left="on-drift-report"),
            say=say,
            cause="drift",
            left="on-drift-report",
        ),
        update(
            "sessions",
            field("description", say("Sessions"), say("All sessions"), "pending", commit=EARLIER),
            say=say,
            cause="pending",
        ),
    )
    us = us.model_copy(update={"summary": us.summary.model_copy(update={"unchanged": 7})})
    eu = in_sync("eu-west-1", 5)
    why = Suspension(say("failover test, ask the cache team"), NOW + 7200)
    return picture_of(*a_round(target_planned(us, 7, say), target_planned(eu, 5, say, why)), applies=False)


def half_failed(say: Say = as_it_is) -> Picture:
    """One target can't be read and was seen before; another's apply failed in part; a third is still under way."""
    us, ap = a_plan(say).model_copy(update={"target": "us-east-1"}), in_sync("ap-south-1", 12)
    seen = a_round(target_planned(us, 12, say), target_planned(in_sync("eu-west-1", 5), 5), target_planned(ap, 12))
    problem = Problem(
        "unreachable",
        say("GET /cluster: no connection: timed out; 9 attempts in 60s"),
        say("is this the endpoint? check --endpoint, --region or the fleet file"),
        "eu-west-1",
    )
    ended = {"us-east-1": 1, "eu-west-1": 1, "ap-south-1": 0}
    return picture_of(
        *seen,
        RoundBegun(NOW - 65, 2, frozenset(ended)),
        RoundPlanned(NOW - 60, 2, tuple(ended), (target_planned(us, 12, say), target_planned(ap, 12)), (problem,)),
        RoundApplied((a_report(say).model_copy(update={"target": "us-east-1"}),), the_problems(say)[3:4]),
        TargetsEnded(NOW - 30, 2, 35, ended),
        RoundEnded(NOW - 30, 2, 35, 1),
        RoundScheduled(
            NOW - 30,
            NOW + 270,
            {"us-east-1": Due(NOW + 570, 1), "eu-west-1": Due(NOW + 570, 3), "ap-south-1": Due(NOW + 270)},
        ),
        RoundBegun(NOW - 9, 3, frozenset({"ap-south-1"})),
        RoundBegun(NOW - 4, 4, frozenset({"us-east-1"})),
        RoundProgressed(NOW, 3, Progress(10, 3, 1, 2, 192, ongoing(say))),
    )


def ongoing(say: Say = as_it_is, target: str = "ap-south-1") -> tuple[Ongoing, ...]:
    """A change that is refused as busy, one that settles, one whose answer hasn't come; what is only awaited."""
    return (
        Ongoing(target, say("busy"), "update", "waiting", 192.0, say("Updating"), say("409: it is being updated")),
        Ongoing(target, say("again"), "create", "settling", 191.0, say("Creating")),
        Ongoing(target, say("gone"), "delete", "sending", 2.0),
        Ongoing(target, say("slow"), None, "settling", 60.0, say("Creating")),
    )


def ended(say: Say = as_it_is, target: str = "us-east-1") -> tuple[EndedChange, ...]:
    """Thirty changes that were applied, in another target, and one that failed."""
    failed = EndedChange(target, say("orders"), "update", "failed", say("PUT /cluster/orders: 400: no such type"))
    return (*(EndedChange("eu-west-1", f"cart-{n:03}", "update", "applied") for n in range(40, 70)), failed)


def applying(say: Say = as_it_is) -> Picture:
    """An apply under way, of what a plan of each sort asks for, and of a hundred alike."""
    alike = [
        update(f"cart-{n:03}", field("node_instance_type", "m6g.large", "r6g.large", "revision"), cause="revision")
        for n in range(100)
    ]
    us, eu = (
        a_plan(say).model_copy(update={"target": "us-east-1"}),
        planned(*alike).model_copy(update={"target": "eu-west-1"}),
    )
    settling = [Ongoing("eu-west-1", f"cart-{n:03}", "update", "settling", 600.0 - n, "Updating") for n in range(40)]
    under_way = (*settling, *ongoing(say, "us-east-1"))
    return picture_of(
        RoundBegun(NOW - 700, 1, frozenset({"us-east-1", "eu-west-1"})),
        RoundPlanned(
            NOW - 699, 1, ("us-east-1", "eu-west-1"), (target_planned(us, 12, say), target_planned(eu, 3, say))
        ),
        RoundProgressed(NOW, 1, Progress(110, 31, 1, len(under_way), 600, under_way, ended(say))),
    )


def a_thousand() -> Picture:
    """A large fleet: most in sync, many alike, some that differ each in its own way, a few that failed."""
    alike = [
        update(
            f"cart-{n:03}",
            field("node_instance_type", "m6g.large", "r6g.large", "revision"),
            cause="revision",
            risks=("node-replacement",),
        )
        for n in range(120)
    ]
    odd = [
        update(f"odd-{n:03}", field("shard_count", n + 4, 4, "drift", recorded=4), cause="drift", risks=("resharding",))
        for n in range(1, 45)
    ]
    plan = planned(*alike, *odd, summary=Summary(update=164, unchanged=836), nodes=Nodes(before=6012, after=6012))
    return picture_of(*a_round(target_planned(plan, 836), target_planned(in_sync("eu-west-1", 240), 240)))


def everything(say: Say = as_it_is) -> Picture:
    """Each text from outside in each place where one can stand."""
    full = explained(say)
    first = a_round(
        target_planned(full, 2, say, Suspension(say("because"), NOW + 60)),
        target_planned(a_plan(say).model_copy(update={"target": say("another")}), 2, say),
        problems=the_problems(say),
    )
    begun = RoundPlanned(
        NOW - 5, 2, (full.target,), (target_planned(full, 1, say),), the_problems(say), left_behind(say)
    )
    more = RoundApplied((a_report(say),), the_problems(say))
    again = RoundProgressed(NOW, 3, Progress(4, 0, 0, 4, 192, ongoing(say, full.target), ended(say, full.target)))
    full_only = frozenset({full.target})
    over = RoundEnded(NOW, 2, 6, 1, full_only, the_problems(say))
    return picture_of(
        *first, RoundBegun(NOW - 6, 2, full_only), begun, more, over, RoundBegun(NOW - 3, 3, full_only), again
    )


def waiting_for_the_lease(say: Say = as_it_is) -> Picture:
    """Another replica holds it."""
    return picture_of(LeaseAwaited(NOW - 2, say("reconciler-7d9f_20270115T080000"), 90))


def suspended_apply() -> Picture:
    """An apply that left a suspended target alone."""
    plan = planned(update("carts", field("shard_count", 9, 4, "drift", recorded=4), cause="drift"))
    why = ErrorDetail(
        kind="suspended", message="suspended until 2027-01-15T10:00:00Z, nothing is applied to it: because"
    )
    results = tuple(
        Result(action="update", name=c.name, cause=c.cause, source=c.source, fields=c.fields, outcome="left", error=why)
        for c in plan.changes
    )
    report = TargetReport(
        target=plan.target,
        endpoint=plan.endpoint,
        revision=HEAD,
        digest="sha256:0",
        summary=summarize(results),
        results=results,
    )
    begun, planned_round, *rest = a_round(target_planned(plan, 3, suspension=Suspension("because", NOW + 7200)))
    return picture_of(begun, planned_round, RoundApplied((report,)), *rest)
