"""A plan, a report and problems with a line of every kind; `say` has the last word on each text from outside."""

from collections.abc import Callable

from reconciler.errors import Problem
from reconciler.model.cluster import Configuration
from reconciler.model.evidence import Applied, Base
from reconciler.plan.change import Cause, Change, Create, Delete, DeleteRequest, FieldChange, PutRequest, Source, Update
from reconciler.plan.guards import Nodes, Violation
from reconciler.plan.ownership import Unmanaged
from reconciler.plan.plan import Plan, Summary, Unhealthy
from reconciler.results import ErrorDetail, ResultSummary, TargetReport
from reconciler.results import Result as Ended
from tests.fakes import manifest

Say = Callable[[str], str]


def as_it_is(text: str) -> str:
    return text


def a_plan(say: Say = as_it_is) -> Plan:
    """Deletes, creates, updates, more clusters than are listed, and all that can be said besides."""
    body = manifest().configuration()
    return Plan(
        target=say("us-east-1"),
        endpoint=say("https://api.cache.example.com"),
        summary=Summary(create=2, update=2, delete=2, unchanged=5, unmanaged=22, unhealthy=2),
        nodes=Nodes(before=53, after=49),
        changes=(
            create(say, "again", body, waits=True),
            update(
                say,
                "busy",
                body,
                FieldChange(path="replication_factor", before=1, after=0, line=5),
                FieldChange(path="enforce_shard_multi_az", before=True, after=False, line=6),
                FieldChange(
                    path="shard_placements[0].replica_availability_zones",
                    before=(say("us-east-1b"), say("us-east-1c")),
                    after=(),
                    line=9,
                ),
                waits=True,
            ),
            delete(say, "gone", Source(file=say("manifests/gone.yaml"), line=7, commit="4ca6a63")),
            create(say, "new", body),
            update(
                say,
                "orders",
                body,
                FieldChange(path="description", before=say(""), after=say('Orders: "all" of them'), line=2),
                FieldChange(path="node_instance_type", before=say("m6g.large"), after=say("r6g.large"), line=3),
            ),
            delete(say, "stray", None),
        ),
        unmanaged=tuple(Unmanaged(name=say(f"other-{number:02}"), ownership="unknown") for number in range(1, 23)),
        unhealthy=(
            Unhealthy(name=say("broken"), status=say("CreationFailed"), errors=(say("NoCapacity"), say("Try later"))),
            Unhealthy(name=say("other-01"), status="Active", errors=()),
        ),
        warnings=(say("main has moved on: this branch doesn't hold its last 2 commits"),),
    )


def explained(say: Say = as_it_is) -> Plan:
    """Every cause at once, a change that drags others along, owned and foreign clusters, a guard that refuses."""
    body = manifest().configuration()
    earlier = "159aa65914e5dbd3f1c94dd4d0f9e4c6de0a38a1"

    def field(path: str, before: str | int, after: str | int, line: int, cause: Cause) -> FieldChange:
        commit = earlier if cause == "pending" else None
        return FieldChange(path=path, before=before, after=after, line=line, cause=cause, commit=commit)

    def caused(change: Change, cause: Cause, **more: object) -> Change:
        return change.model_copy(update={"cause": cause, **more})

    shards = ("shard_count", 9, 2, 3)
    late = create(say, "late", body)
    return a_plan(say).model_copy(
        update={
            "base": Base(commit="4ca6a63f0e9d", reason=say("before this push to main")),
            "applied": Applied(commit=None, inferred=True),
            "summary": Summary(create=1, update=4, delete=1, unchanged=3, unmanaged=2, unhealthy=0),
            "changes": (
                caused(update(say, "contested", body, field("shard_count", 5, 3, 3, "conflict")), "conflict"),
                caused(delete(say, "gone", Source(file=say("manifests/gone.yaml"), line=7)), "revision"),
                caused(late, "pending", fields=tuple(f.model_copy(update={"cause": "pending"}) for f in late.fields)),
                caused(update(say, "later", body, field("shard_count", 1, 2, 3, "pending")), "pending"),
                caused(
                    update(
                        say,
                        "orders",
                        body,
                        field("node_instance_type", say("m6g.large"), say("r6g.large"), 3, "revision"),
                        field("shard_count", 4, 2, 4, "drift"),
                        field("replication_factor", 1, 2, 5, "pending"),
                    ),
                    "drift",
                    adopts=True,
                ),
                caused(update(say, "wandered", body, field(*shards, "drift")), "drift", requests=()),
            ),
            "unmanaged": (
                Unmanaged(name=say("old"), ownership="owned", removed_by=earlier),
                Unmanaged(name=say("theirs"), ownership="never-declared"),
            ),
            "unhealthy": (),
            "violations": (
                Violation(
                    guard="max-deletes",
                    message=say("1 cluster would be deleted, and 0 are the most"),
                    limit=0,
                    actual=1,
                ),
            ),
            "warnings": (),
        }
    )


def create(say: Say, name: str, body: Configuration, *, waits: bool = False) -> Create:
    return Create(
        name=say(name),
        source=Source(file=say(f"manifests/{name}.yaml"), line=1),
        fields=(
            FieldChange(path="node_instance_type", before=None, after=say("m6g.large"), line=2),
            FieldChange(path="shard_count", before=None, after=2, line=3),
        ),
        managed=(),
        waits_for="gone" if waits else None,
        requests=(PutRequest(path=f"/cluster/{name}", body=body),),
    )


def update(say: Say, name: str, body: Configuration, *fields: FieldChange, waits: bool = False) -> Update:
    return Update(
        name=say(name),
        source=Source(file=say(f"manifests/{name}.yaml"), line=1),
        fields=fields,
        managed=(),
        risks=("fewer-replicas", "no-failover") if waits else ("node-replacement",),
        waits_for="active" if waits else None,
        requests=(PutRequest(path=f"/cluster/{name}", body=body),),
        live_digest="sha256:0",
    )


def delete(say: Say, name: str, source: Source | None) -> Delete:
    return Delete(
        name=say(name),
        source=source,
        requests=(DeleteRequest(path=f"/cluster/{name}"),),
        live_digest="sha256:0",
    )


def in_sync(target: str = "eu-west-1", count: int = 3) -> Plan:
    """A plan with nothing to do."""
    return Plan(
        target=target,
        endpoint=f"sandbox:{target}",
        summary=Summary(create=0, update=0, delete=0, unchanged=count, unmanaged=0, unhealthy=0),
        nodes=Nodes(before=12, after=12),
        changes=(),
        unmanaged=(),
        unhealthy=(),
    )


def a_report(say: Say = as_it_is) -> TargetReport:
    """Every outcome, by name."""

    def error(message: str) -> ErrorDetail:
        return ErrorDetail(kind="service", message=say(message))

    return TargetReport(
        target=say("us-east-1"),
        endpoint=say("https://api.cache.example.com"),
        digest="sha256:0",
        summary=ResultSummary(applied=2, failed=1, skipped=1, stale=1, unknown=1),
        results=(
            Ended(action="create", name=say("again"), outcome="applied", attempts=1, seconds=63.4),
            Ended(
                action="update",
                name=say("busy"),
                outcome="failed",
                attempts=3,
                seconds=60.0,
                error=error("PUT /cluster/busy: 503: try later"),
            ),
            Ended(action="delete", name=say("gone"), outcome="skipped", error=error("another change failed")),
            Ended(action="create", name=say("new"), outcome="applied", attempts=1, seconds=0.42),
            Ended(action="update", name=say("orders"), outcome="stale", error=error("moved since the plan")),
            Ended(
                action="delete",
                name=say("stray"),
                outcome="unknown",
                attempts=1,
                seconds=7205,
                error=error("DELETE /cluster/stray: no answer"),
            ),
        ),
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
        Problem("manifest", say("this is no YAML"), file=say("manifests/new.yaml"), line=2),
        Problem("unreachable", say("GET /cluster: no connection"), target=say("eu-west-1")),
        Problem("service", say("it is CreationFailed"), target=say("eu-west-1"), cluster=say("broken")),
        Problem("usage", say("nothing matches"), remedy=say("see reconciler plan --help")),
    )
