"""Plans, reports and errors with a line of every kind; `say` has the last word on each text from outside."""

from collections.abc import Callable

from reconciler.model.cluster import FieldValue
from reconciler.model.evidence import Base, LeftBehind
from reconciler.plan.change import (
    Cause,
    Change,
    Create,
    Delete,
    DeleteRequest,
    FieldChange,
    LeftReason,
    Origin,
    PutRequest,
    Risk,
    Source,
    Update,
)
from reconciler.plan.document import PlanDocument
from reconciler.plan.plan import (
    Kept,
    Nodes,
    Plan,
    RecordAt,
    Settling,
    Summary,
    Unhealthy,
    Unmanaged,
    Violation,
)
from reconciler.problem import Problem
from reconciler.results import ErrorDetail, ReportDocument, ResultSummary, SettlingResult, TargetReport, summarize
from reconciler.results import Result as Ended

Say = Callable[[str], str]

HEAD = "0f9e4c6de0a38a1159aa65914e5dbd3f1c94dd4d"
BASE = "4ca6a63f0e9d8c7b4ca6a63f0e9d8c7b4ca6a63f"
EARLIER = "159aa65914e5dbd3f1c94dd4d0f9e4c6de0a38a1"
RECORD = RecordAt(commit="77c0ffee77c0ffee", revision=EARLIER)
BODY: dict[str, FieldValue] = {
    "node_instance_type": "m6g.large",
    "shard_count": 2,
    "replication_factor": 1,
    "enforce_shard_multi_az": True,
}


def as_it_is(text: str) -> str:
    return text


def document(*plans: Plan, errors: tuple[Problem, ...] = (), left_behind: tuple[LeftBehind, ...] = ()) -> PlanDocument:
    """Plans as they are rendered."""
    return PlanDocument(targets=plans, errors=errors, left_behind=left_behind)


def reported(*reports: TargetReport, errors: tuple[Problem, ...] = ()) -> ReportDocument:
    """Reports as they are rendered."""
    return ReportDocument(targets=reports, errors=errors)


def planned(*changes: Change, target: str = "us-east-1", **more: object) -> Plan:
    """A plan that is judged against another base, of these changes; the counts are theirs."""
    count = [change.action for change in changes if change.left is None].count
    plan = Plan(
        target=target,
        endpoint="https://api.cache.example.com",
        revision=HEAD,
        dirty=False,
        base=Base(commit=BASE, reason="the merge base with main"),
        record=RECORD,
        summary=Summary(
            create=count("create"),
            update=count("update"),
            delete=count("delete"),
            left=sum(change.left is not None for change in changes),
            unchanged=11,
        ),
        nodes=Nodes(before=48, after=48),
        changes=tuple(sorted(changes, key=lambda change: change.name)),
    )
    return plan.model_copy(update=more)


def no_git(plan: Plan) -> Plan:
    """The same plan, where no git is at hand."""
    return plan.model_copy(update={"base": None, "revision": None, "dirty": None, "record": None})


def a_plan(say: Say = as_it_is) -> Plan:
    """Without git: deletes, creates, updates, more clusters than are listed, and all that can be said besides."""
    plan = planned(
        create("again", say=say, waits=True),
        update(
            "busy",
            field("replication_factor", 1, 0, line=5),
            field("enforce_shard_multi_az", before=True, after=False, line=6),
            field("shard_placements[0].replica_availability_zones", (say("us-east-1b"), say("us-east-1c")), (), line=9),
            say=say,
            waits=True,
            risks=("fewer-replicas", "no-failover"),
        ),
        delete("gone", Source(file=say("manifests/gone.yaml"), line=7, commit="4ca6a63"), say=say),
        create("new", say=say),
        update(
            "orders",
            field("description", say(""), say('Orders: "all" of them'), line=2),
            field("node_instance_type", say("m6g.large"), say("r6g.large"), line=3),
            say=say,
            risks=("node-replacement",),
        ),
        delete("stray", None, say=say),
    )
    return no_git(plan).model_copy(
        update={
            "target": say("us-east-1"),
            "endpoint": say("https://api.cache.example.com"),
            "nodes": Nodes(before=53, after=49),
            "summary": Summary(create=2, update=2, delete=2, unchanged=5, unmanaged=22, unhealthy=2),
            "unmanaged": tuple(
                Unmanaged(name=say(f"other-{number:02}"), ownership="unknown") for number in range(1, 23)
            ),
            "unhealthy": (
                Unhealthy(
                    name=say("broken"),
                    status=say("CreationFailed"),
                    errors=(say("NoCapacity"), say("Try later")),
                    blocked=True,
                    source=Source(file=say("manifests/broken.yaml"), line=1),
                ),
                Unhealthy(name=say("other-01"), status="UpdateFailed", errors=()),
            ),
            "warnings": (say("main has moved on: this branch doesn't hold its last 2 commits"),),
        }
    )


def explained(say: Say = as_it_is) -> Plan:
    """Every cause at once, a change that brings others along, a rename, a retry, what is left; a guard refuses."""
    plan = planned(
        update(
            "contested",
            field("shard_count", 5, 3, "conflict", recorded=2),
            say=say,
            cause="conflict",
            risks=("resharding",),
        ),
        update("foreign", field("description", say("Theirs"), say("Ours"), "adoption"), say=say, cause="adoption"),
        delete("gone", Source(file=say("manifests/gone.yaml"), line=7), say=say, cause="revision"),
        create("late", say=say, cause="pending"),
        update("later", field("shard_count", 1, 2, "pending", commit=EARLIER), say=say, cause="pending"),
        update(
            "loose",
            field("shard_count", 9, 4, "drift", recorded=4, left="on-drift-report"),
            say=say,
            cause="drift",
            left="on-drift-report",
        ),
        create("new-name", say=say, cause="revision", moved_from=Origin(target=say("us-east-1"), name=say("old-name"))),
        delete("old-name", Source(file=say("manifests/old-name.yaml"), line=1), say=say, cause="revision"),
        update(
            "orders",
            field("node_instance_type", say("m6g.large"), say("r6g.large"), "revision", line=3),
            field("shard_count", 4, 2, "drift", line=4, recorded=2),
            field("replication_factor", 1, 2, "pending", line=5, commit=EARLIER),
            say=say,
            cause="drift",
            risks=("node-replacement",),
        ),
        update("retried", say=say, cause="pending"),
        create("vanished", say=say, cause="drift"),
        update("wandered", field("shard_count", 9, 2, "drift", recorded=2), say=say, cause="drift"),
    )
    return plan.model_copy(
        update={
            "target": say("us-east-1"),
            "endpoint": say("https://api.cache.example.com"),
            "base": Base(commit=BASE, reason=say("before this push to main")),
            "nodes": Nodes(before=53, after=49),
            "summary": plan.summary.model_copy(
                update={"unchanged": 3, "settling": 1, "taken_over": 2, "unmanaged": 3, "unhealthy": 1}
            ),
            "taken_over": (say("brought"), say("bought")),
            "settling": (Settling(name=say("warming"), status=say("Updating")),),
            "kept": (Kept(name=say("mute"), path="description", sent=say("Mute"), kept=None),),
            "unmanaged": (
                Unmanaged(name=say("freed"), ownership="released"),
                Unmanaged(name=say("old"), ownership="owned", removed_by=EARLIER),
                Unmanaged(name=say("theirs"), ownership="not-ours"),
            ),
            "unhealthy": (
                Unhealthy(
                    name=say("retried"),
                    status=say("Active"),
                    errors=(say("InstanceTypeNotAvailable"),),
                    source=Source(file=say("manifests/retried.yaml"), line=1),
                ),
            ),
            "violations": (
                Violation(
                    guard="max-deletes",
                    message=say(
                        "2 clusters would be deleted; the limit is 0 (max_deletes at manifests/fleet.yaml:12): "
                        "allow it for one run with --allow max-deletes, or `allow: max-deletes` in the workflow; "
                        "permanently: raise guards.max_deletes in a change of its own, and apply that"
                    ),
                    limit=0,
                    actual=2,
                    file=say("manifests/fleet.yaml"),
                    line=12,
                ),
            ),
        }
    )


def one_change() -> Plan:
    """What most pull requests are."""
    shards = field("shard_count", 2, 4, "revision")
    change = update("orders", shards, cause="revision", risks=("resharding",))
    return planned(change, nodes=Nodes(before=48, after=52))


def readme_only() -> Plan:
    """A change of a README, with drift behind it: one that would be reverted, and one that is left."""
    return planned(
        update("carts", field("shard_count", 9, 4, "drift", recorded=4), cause="drift", risks=("resharding",)),
        update(
            "orders",
            field("replication_factor", 2, 1, "drift", recorded=1, left="on-drift-report"),
            cause="drift",
            left="on-drift-report",
        ),
        nodes=Nodes(before=105, after=84),
    )


def many(count: int) -> Plan:
    """A fleet: a tenth is deleted, a tenth created, the rest updated; of every cause, most of them alike."""
    full = explained()
    kinds = [change for change in full.changes if change.name not in ("new-name", "old-name", "retried")]
    changes = tuple(
        kinds[number % len(kinds)].model_copy(update={"name": f"cluster-{number:05}"}) for number in range(count)
    )
    return planned(*changes, nodes=full.nodes, violations=full.violations, unmanaged=full.unmanaged)


def field(
    path: str,
    before: FieldValue | None,
    after: FieldValue | None,
    cause: Cause | None = None,
    *,
    line: int | None = 3,
    commit: str | None = None,
    recorded: FieldValue | None = None,
    left: LeftReason | None = None,
) -> FieldChange:
    return FieldChange(
        path=path, before=before, after=after, cause=cause, line=line, commit=commit, recorded=recorded, left=left
    )


def create(
    name: str,
    *,
    say: Say = as_it_is,
    cause: Cause | None = None,
    waits: bool = False,
    moved_from: Origin | None = None,
) -> Create:
    return Create(
        name=say(name),
        cause=cause,
        moved_from=moved_from,
        source=Source(file=say(f"manifests/{name}.yaml"), line=1),
        fields=(
            field("node_instance_type", None, say("m6g.large"), cause, line=2),
            field("shard_count", None, 2, cause),
        ),
        risks=("data-loss",) if moved_from else (),
        waits_for="gone" if waits else None,
        requests=(PutRequest(path=f"/cluster/{name}", body=BODY),),
    )


def replace(name: str, *, say: Say = as_it_is, cause: Cause | None = None) -> Create:
    """A create that deletes first what was never Active."""
    made = create(name, say=say, cause=cause)
    return made.model_copy(update={"requests": (DeleteRequest(path=f"/cluster/{name}"), *made.requests)})


def update(
    name: str,
    *fields: FieldChange,
    say: Say = as_it_is,
    cause: Cause | None = None,
    risks: tuple[Risk, ...] = (),
    waits: bool = False,
    left: LeftReason | None = None,
) -> Update:
    return Update(
        name=say(name),
        cause=cause,
        source=Source(file=say(f"manifests/{name}.yaml"), line=1),
        fields=fields,
        risks=risks,
        waits_for="active" if waits else None,
        left=left,
        requests=() if left else (PutRequest(path=f"/cluster/{name}", body=BODY),),
        live_digest="sha256:0",
    )


def delete(name: str, source: Source | None = None, *, say: Say = as_it_is, cause: Cause | None = None) -> Delete:
    return Delete(
        name=say(name),
        cause=cause,
        source=source,
        requests=(DeleteRequest(path=f"/cluster/{name}"),),
        live_digest="sha256:0",
    )


def in_sync(target: str = "eu-west-1", count: int = 3) -> Plan:
    """A plan with nothing to do, of a base that is HEAD."""
    return planned(
        target=target,
        endpoint=f"sandbox:{target}",
        base=Base(commit=HEAD, reason="HEAD, which main contains"),
        summary=Summary(unchanged=count),
        nodes=Nodes(before=12, after=12),
    )


def left_behind(say: Say = as_it_is) -> tuple[LeftBehind, ...]:
    """A record that no target claims."""
    return (
        LeftBehind(
            target=say("ap-south-1"), endpoint=say("https://api.cache.example.org"), clusters=(say("a"), say("b"))
        ),
    )


def a_report(say: Say = as_it_is) -> TargetReport:
    """Every outcome, cause and aside, by name."""

    def error(message: str) -> ErrorDetail:
        return ErrorDetail(kind="undocumented", message=say(message))

    results = (
        Ended(action="create", name=say("again"), cause="revision", outcome="applied", attempts=1, seconds=63.4),
        Ended(
            action="update",
            name=say("busy"),
            cause="revision",
            source=Source(file=say("manifests/busy.yaml"), line=1),
            fields=(
                field("node_instance_type", say("m6g.large"), say("r6g.huge"), "revision"),
                field("shard_count", 9, 4, "drift", recorded=4),
            ),
            risks=("node-replacement",),
            reviewed=True,
            outcome="failed",
            status=say("Updating"),
            attempts=3,
            seconds=60.0,
            error=error("PUT /cluster/busy: 503: try later"),
        ),
        Ended(
            action="delete",
            name=say("gone"),
            cause="pending",
            source=Source(file=say("manifests/gone.yaml"), line=7),
            risks=("data-loss",),
            outcome="skipped",
            error=error("another change failed"),
        ),
        Ended(
            action="update",
            name=say("loose"),
            cause="drift",
            fields=(field("shard_count", 9, 4, "drift", recorded=4, left="unreviewed"),),
            reviewed=False,
            outcome="left",
        ),
        Ended(
            action="create",
            name=say("new"),
            cause="pending",
            reviewed=False,
            outcome="applied",
            attempts=1,
            seconds=0.42,
        ),
        Ended(
            action="update",
            name=say("orders"),
            cause="conflict",
            fields=(field("shard_count", 5, 3, "conflict"),),
            outcome="stale",
            error=error("it has changed since the plan was made"),
        ),
        Ended(
            action="delete",
            name=say("stray"),
            cause="revision",
            risks=("data-loss",),
            outcome="unknown",
            attempts=1,
            seconds=7205,
            error=error("DELETE /cluster/stray: no answer"),
        ),
        Ended(
            action="delete",
            name=say("worn"),
            cause="revision",
            risks=("data-loss",),
            reviewed=True,
            outcome="applied",
            attempts=1,
            seconds=31,
        ),
    )
    return TargetReport(
        target=say("us-east-1"),
        endpoint=say("https://api.cache.example.com"),
        revision=HEAD,
        digest="sha256:0",
        summary=summarize(results),
        results=results,
        settling=(
            SettlingResult(name=say("slow"), outcome="unknown", status=say("Creating"), seconds=7200),
            SettlingResult(name=say("warm"), outcome="settled", status="Active", seconds=12),
        ),
        warnings=(say("the record could not be pushed"),),
    )


def idle_report(target: str = "a") -> TargetReport:
    """A report of nothing."""
    return TargetReport(
        target=target, endpoint=f"sandbox:{target}", digest="sha256:0", summary=ResultSummary(), results=()
    )


def the_problems(say: Say = as_it_is) -> tuple[Problem, ...]:
    """With and without place, target, cluster and remedy."""
    return (
        Problem(
            "manifest",
            say("shard_count must be a whole number"),
            remedy=say("write 3 without quotes"),
            target=say("us-east-1"),
            cluster=say("orders"),
            file=say("manifests/orders.yaml"),
            line=4,
            column=14,
        ),
        Problem("manifest", say("this is not YAML"), file=say("manifests/new.yaml"), line=2),
        Problem("unreachable", say("GET /cluster: no connection"), target=say("eu-west-1")),
        Problem("unhealthy", say("it is CreationFailed"), target=say("eu-west-1"), cluster=say("broken")),
        Problem("usage", say("nothing matches"), remedy=say("see reconciler plan --help")),
    )
