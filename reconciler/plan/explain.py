"""A comparison and its evidence to a plan: why each thing differs, whose it is, and whether it may be done."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from reconciler.model.cluster import CONFIGURATION_FIELDS, DELETING, LiveCluster
from reconciler.model.evidence import Evidence
from reconciler.model.fleet import Head
from reconciler.plan.body import update_body, update_risks
from reconciler.plan.causes import explain_create, explain_delete, explain_update
from reconciler.plan.change import Change, Create, Delete, PutRequest, Update
from reconciler.plan.compare import Comparison, delete
from reconciler.plan.digest import manifests_digest
from reconciler.plan.guards import Held, Nodes, check_guards
from reconciler.plan.ownership import Unmanaged, judge_ownership
from reconciler.plan.plan import Plan, Summary, Unhealthy
from reconciler.plan.settings import Intent


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of one target: head and live. `endpoint` is as it is shown, `folder` as it was given.

    `fingerprint`: whether the plan should know all manifests by their digest, as one that may be saved must. `saved` is
    a plan that was made earlier, where that one is carried out instead: guards look only at what still stands of it.
    """

    head: Head
    live: tuple[LiveCluster, ...]
    endpoint: str
    folder: str = ""
    fingerprint: bool = False
    live_read: bool = True
    saved: Plan | None = None


def explain(reading: Reading, comparison: Comparison, evidence: Evidence, intent: Intent, now: float) -> Plan:
    """The plan; `now` is in epoch seconds."""
    head, live = reading.head, reading.live
    limits = head.target.guards.stricter(evidence.guards) if evidence.guards else head.target.guards
    explained = [_explain(change, evidence, now) for change in comparison.changes]
    if head.target.on_drift == "report":
        listed = {cluster.name: cluster for cluster in live}
        explained = [_leave_drift(change, head, listed.get(change.name)) for change in explained]
    judged = [judge_ownership(cluster, evidence, limits.prune_within, now) for cluster in comparison.undeclared]
    pruned = {unmanaged.name for unmanaged in judged if _is_pruned(unmanaged, intent)}
    deletes = [explain_delete(delete(c), evidence) for c in comparison.undeclared if c.name in pruned]
    changes = tuple(sorted((*explained, *deletes), key=lambda change: change.name))
    left = tuple(unmanaged for unmanaged in judged if unmanaged.name not in pruned)
    nodes = _nodes(live, changes)
    guarded = changes if reading.saved is None else _standing(changes, reading.saved)
    ours = sum(_is_ours(cluster, head) for cluster in live)
    held = Held(guarded, len(head.declarations), ours, _nodes(live, guarded))
    provenance = evidence.provenance
    return Plan(
        target=head.target.name,
        endpoint=reading.endpoint,
        revision=provenance.revision,
        dirty=provenance.dirty,
        base=provenance.base,
        applied=provenance.applied,
        live_read=reading.live_read,
        manifests=manifests_digest(head) if reading.fingerprint else None,
        folder=reading.folder,
        intent=intent,
        summary=_summary(changes, comparison, left),
        nodes=nodes,
        changes=changes,
        unmanaged=left,
        unhealthy=tuple(Unhealthy(name=c.name, status=c.status, errors=c.errors) for c in comparison.unhealthy),
        violations=check_guards(held, limits, intent, evidence),
        warnings=evidence.warnings,
    )


def _standing(changes: Iterable[Change], saved: Plan) -> tuple[Change, ...]:
    """The changes that a saved plan would make, too, of the same cluster as it was then."""
    then = {change.name: (change.requests, change.live_digest) for change in saved.changes}
    return tuple(change for change in changes if then.get(change.name) == (change.requests, change.live_digest))


def _is_ours(live: LiveCluster, head: Head) -> bool:
    """Whether it counts as this target's: no other one declares it, and it is here to stay."""
    return live.status != DELETING and (live.name in head.declarations or live.name not in head.elsewhere)


def _explain(change: Create | Update, evidence: Evidence, now: float) -> Create | Update:
    match change:
        case Create():
            return explain_create(change, evidence)
        case Update():
            return explain_update(change, evidence, now)
        case unreachable:
            assert_never(unreachable)


def _leave_drift(change: Create | Update, head: Head, live: LiveCluster | None) -> Create | Update:
    """The change without what drifted: that keeps its live value, as if it were not managed."""
    if change.cause == "drift" and all(field.cause == "drift" for field in change.fields):
        return change.model_copy(update={"requests": (), "risks": ()})
    if isinstance(change, Create) or live is None:
        return change
    meant = {_top(field.path) for field in change.fields if field.cause != "drift"}
    drifted = {_top(field.path) for field in change.fields} - meant
    if not drifted:
        return change
    declared = head.declarations[change.name].manifest
    lifecycle = declared.lifecycle
    ignored = tuple(f for f in CONFIGURATION_FIELDS if f in drifted or f in lifecycle.ignore_changes)
    manifest = declared.model_copy(update={"lifecycle": lifecycle.model_copy(update={"ignore_changes": ignored})})
    body, let_go = update_body(manifest, live)
    done = tuple(field for field in change.fields if _top(field.path) in meant)
    return change.model_copy(
        update={
            "managed": tuple(path for path in change.managed if _top(path) not in drifted),
            "risks": update_risks(body, live, done, let_go=let_go),
            "requests": (PutRequest(path=change.requests[0].path, body=body),),
        }
    )


def _top(path: str) -> str:
    return path.partition("[")[0]


def _is_pruned(unmanaged: Unmanaged, intent: Intent) -> bool:
    match intent.prune:
        case None:
            return False
        case "owned":
            return unmanaged.ownership == "owned"
        case "all":
            return unmanaged.ownership != "released"
        case unreachable:
            assert_never(unreachable)


def _summary(changes: tuple[Change, ...], comparison: Comparison, left: tuple[Unmanaged, ...]) -> Summary:
    count = [change.action for change in changes].count
    return Summary(
        create=count("create"),
        update=count("update"),
        delete=count("delete"),
        unchanged=len(comparison.settled),
        unmanaged=len(left),
        unhealthy=len(comparison.unhealthy),
    )


def _nodes(live: Iterable[LiveCluster], changes: Iterable[Change]) -> Nodes:
    each = {cluster.name: cluster.nodes for cluster in live if cluster.status != DELETING}
    before = sum(each.values())
    for change in changes:
        match change:
            case Delete():
                each[change.name] = 0
            case Create() | Update():
                for request in change.requests:
                    each[change.name] = request.body.nodes
            case unreachable:
                assert_never(unreachable)
    return Nodes(before=before, after=sum(each.values()))
