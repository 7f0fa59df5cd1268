"""What is done about each thing that differs: each change made once, whole, with its cause, its risks, its requests.

Drift is reverted or left; what was never Active is blocked or replaced; what isn't declared is deleted or left alone.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from reconciler.model.cluster import DELETING, LiveCluster
from reconciler.model.declaration import Declaration
from reconciler.model.evidence import Evidence
from reconciler.model.fleet import Head, Target
from reconciler.model.guards import Limits, effective
from reconciler.model.view import split
from reconciler.plan.causes import Explained, as_absent, cause_of_delete, explain_absent, explain_present, is_owned
from reconciler.plan.change import Change, Create, Delete, FieldChange, LeftReason, Origin, Source, Update
from reconciler.plan.compare import Comparison
from reconciler.plan.digest import change_digest, live_digest, manifests_digest
from reconciler.plan.guards import Guarded, check_guards, exceeds
from reconciler.plan.idle import Idle, find_idle
from reconciler.plan.intent import Intent
from reconciler.plan.moves import NO_MOVES, Moves
from reconciler.plan.ownership import pruned
from reconciler.plan.plan import Kept, Plan, RecordAt, Summary
from reconciler.plan.request import COUNTS, delete, put, risks_of_update, shards_let_go, values_of_update
from reconciler.plan.size import size_of, staying
from reconciler.problem import Place


class Reading(NamedTuple):
    """What was read of one target: head, live, how they differ, and what git remembers.

    `endpoint` is as it is shown, `folder` as it was given. `setters` are the commits that set a value, by cluster and
    path. `fingerprint`: whether the plan should know all manifests by their digest, as one that may be saved must.
    """

    head: Head
    live: tuple[LiveCluster, ...]
    comparison: Comparison
    evidence: Evidence
    endpoint: str
    setters: Mapping[tuple[str, str], str] = MappingProxyType({})
    folder: str = ""
    fingerprint: bool = False
    live_read: bool = True


class _Rules(NamedTuple):
    """What all changes of a target are decided by; `reviewed` are digests of changes, None where nobody has to see."""

    reading: Reading
    intent: Intent
    moves: Moves
    reviewed: Collection[str] | None
    too_much_drift: bool

    @property
    def target(self) -> Target:
        return self.reading.head.target


def make_plan(
    reading: Reading,
    intent: Intent,
    moves: Moves = NO_MOVES,
    *,
    reviewed: Collection[str] | None = None,
    saved: Collection[str] | None = None,
) -> Plan:
    """The plan of one target.

    `reviewed` are the digests of changes that somebody has seen: other drift than these is left. `saved` are those of a
    plan that is carried out: other changes than these aren't made at all.
    """
    head, comparison, evidence = reading.head, reading.comparison, reading.evidence
    limits = effective(head.target.limits, evidence.earlier_limits)
    explained = _explained(comparison, evidence)
    every = _changes(explained, reading, intent, moves, limits, reviewed)
    changes = tuple(change for change in every if saved is None or change_digest(change) in saved)
    provenance, record = evidence.provenance, evidence.record
    size = size_of(reading.live, changes)
    idle = find_idle(every, comparison, evidence)
    return Plan(
        target=head.target.name,
        endpoint=reading.endpoint,
        revision=provenance.revision,
        dirty=provenance.dirty,
        base=provenance.base,
        record=RecordAt(commit=record.commit, revision=record.revision) if record and record.commit else None,
        live_read=reading.live_read,
        manifests=manifests_digest(head) if reading.fingerprint else None,
        folder=reading.folder,
        intent=intent,
        summary=_summary(changes, idle),
        nodes=size.nodes,
        cost=size.cost(limits.prices),
        changes=changes,
        taken_over=idle.taken_over,
        settling=idle.settling,
        kept=tuple(_kept(explained)),
        unmanaged=idle.unmanaged,
        unhealthy=idle.unhealthy,
        violations=check_guards(Guarded(changes, head, len(staying(reading.live)), size, evidence), limits, intent),
        warnings=(*head.warnings, *evidence.warnings, *_let_go(changes, reading.live)),
    )


def _explained(comparison: Comparison, evidence: Evidence) -> list[Explained]:
    """Everything declared that may ask for something: what differs, what isn't there, what failed."""
    present = (*comparison.differing, *(pair for pair in comparison.equal if pair.live and pair.live.unhealthy))
    found = [explain_present(pair, pair.live, evidence) for pair in present if pair.live is not None]
    return [*found, *(explain_absent(pair, evidence) for pair in comparison.absent)]


def _changes(
    explained: Sequence[Explained],
    reading: Reading,
    intent: Intent,
    moves: Moves,
    limits: Limits,
    reviewed: Collection[str] | None,
) -> list[Change]:
    """All changes, by name."""
    drifted = sum(one.cause == "drift" or any(cause == "drift" for _, cause in one.fields) for one in explained)
    size = max(len(reading.head.declarations), len(staying(reading.live)))
    too_much = exceeds(drifted, size, limits.of("max_drift_fraction")) and "max-drift-fraction" not in intent.allow
    rules = _Rules(reading, intent, moves, reviewed, too_much)
    asked = (_change(one, rules) for one in explained)
    pruned_ones = pruned(reading.comparison.undeclared, reading.evidence, intent)
    deletes = (_delete(live, reading.evidence) for live in pruned_ones)
    return sorted((*(change for change in asked if change is not None), *deletes), key=lambda change: change.name)


def _change(one: Explained, rules: _Rules) -> Create | Update | None:
    """What is done about it; None where nothing is, or where nothing can be."""
    live = one.pair.live
    if live is None or live.status == DELETING:
        return _create(one, rules)
    if live.never_active:
        may = _is_replaced(one.pair.declaration, live, rules)
        return _create(explain_absent(as_absent(one.pair), rules.reading.evidence), rules, failed=live) if may else None
    if not one.fields and not (live.unhealthy and not live.in_transition):
        return None
    whole = _update(one, live, rules, None)
    drifted = any(cause == "drift" for _, cause in one.fields)
    reason = _left(whole, one.pair.declaration, rules) if drifted else None
    return whole if reason is None else _update(one, live, rules, reason)


def _left(whole: Change, declaration: Declaration, rules: _Rules) -> LeftReason | None:
    """Why drift is left as it is; None where it is reverted."""
    if (declaration.lifecycle.on_drift or rules.target.on_drift) == "report":
        return "on-drift-report"
    if rules.too_much_drift:
        return "max-drift-fraction"
    if rules.reviewed is not None and change_digest(whole) not in rules.reviewed:
        return "unreviewed"
    return None


def _is_replaced(declaration: Declaration, live: LiveCluster, rules: _Rules) -> bool:
    """Whether it is deleted and made anew: not unasked, nor if it was once settled, or is somebody else's."""
    line = rules.reading.evidence.line(live.name)
    consent = rules.intent.adopts(live.name) or declaration.lifecycle.adopt
    ours = consent or is_owned(live, rules.reading.evidence)
    return rules.intent.replaces(live.name) and ours and not (line is not None and line.settled)


def _create(one: Explained, rules: _Rules, *, failed: LiveCluster | None = None) -> Create:
    """The create of what isn't live, left where it drifted; `failed`, which was never Active, is deleted first."""
    declaration, live = one.pair.declaration, one.pair.live
    origin = rules.moves.origins.get(Origin(target=rules.target.name, name=declaration.name))
    first = () if failed is None else (delete(failed.name),)

    def made(left: LeftReason | None) -> Create:
        return Create(
            name=declaration.name,
            cause=one.cause,
            moved_from=origin,
            source=_source(declaration),
            fields=tuple(_fields(one, rules.reading, {d.path for d, _ in one.fields} if left else (), left)),
            risks=("data-loss",) if origin is not None and left is None else (),
            waits_for="gone" if live is not None and left is None else None,
            left=left,
            requests=() if left else (*first, put(declaration.name, declaration.values)),
            live_digest=live_digest(failed) if failed is not None else None,
        )

    whole = made(None)
    reason = _left(whole, declaration, rules) if one.cause == "drift" else None
    return whole if reason is None else made(reason)


def _update(one: Explained, live: LiveCluster, rules: _Rules, reason: LeftReason | None) -> Update:
    """The update that reverts drift, or, for a reason, the one that leaves it."""
    declaration = one.pair.declaration
    left = _leavable(one) if reason is not None else frozenset[str]()
    done = [difference.path for difference, _ in one.fields if difference.path not in left]
    whole_left = bool(left) and not done
    values = values_of_update(declaration, live, left)
    return Update(
        name=declaration.name,
        cause=one.cause,
        source=_source(declaration),
        fields=tuple(_fields(one, rules.reading, left, reason)),
        risks=() if whole_left else risks_of_update(values, done, live),
        waits_for="active" if live.in_transition and not whole_left else None,
        left=reason if whole_left else None,
        requests=() if whole_left else (put(declaration.name, values),),
        live_digest=live_digest(live),
    )


def _leavable(one: Explained) -> frozenset[str]:
    """The paths that drifted, but for those that a changed placement needs: half of one makes no sense."""
    meant = {split(difference.path)[:2] for difference, cause in one.fields if cause != "drift"}
    needed = COUNTS if any(shard is not None for _, shard in meant) else frozenset[str]()
    drifted = (difference.path for difference, cause in one.fields if cause == "drift")
    return frozenset(path for path in drifted if split(path)[:2] not in meant and path not in needed)


def _fields(
    one: Explained, reading: Reading, left: Collection[str], reason: LeftReason | None
) -> Iterator[FieldChange]:
    declaration = one.pair.declaration
    line = reading.evidence.line(declaration.name)
    recorded = line.sent if line is not None else {}
    for difference, cause in one.fields:
        path = difference.path
        place = declaration.place_of(path)
        yield FieldChange(
            path=path,
            before=difference.live,
            after=difference.head,
            cause=cause,
            file=_elsewhere(place, declaration),
            line=place.line,
            commit=reading.setters.get((declaration.name, path)) if cause == "pending" else None,
            recorded=recorded.get(path) if cause != "adoption" else None,
            left=reason if path in left else None,
        )


def _elsewhere(place: Place, declaration: Declaration) -> str | None:
    return place.file if place.file != declaration.file else None


def _delete(live: LiveCluster, evidence: Evidence) -> Delete:
    removal, last, line = evidence.removals.get(live.name), evidence.last(live.name), evidence.line(live.name)
    stood = last or line
    return Delete(
        name=live.name,
        cause=cause_of_delete(live.name, evidence),
        source=Source(file=stood.file, line=stood.line, commit=removal.commit if removal else None) if stood else None,
        requests=(delete(live.name),),
        live_digest=live_digest(live),
    )


def _source(declaration: Declaration) -> Source:
    return Source(file=declaration.file, line=declaration.line)


def _kept(explained: Iterable[Explained]) -> Iterator[Kept]:
    for one in explained:
        for difference in one.kept:
            name = one.pair.declaration.name
            yield Kept(name=name, path=difference.path, sent=difference.head, kept=difference.live)


def _summary(changes: Collection[Change], idle: Idle) -> Summary:
    count = [change.action for change in changes if change.left is None].count
    return Summary(
        create=count("create"),
        update=count("update"),
        delete=count("delete"),
        left=sum(change.left is not None for change in changes),
        unchanged=idle.unchanged,
        settling=len(idle.settling),
        taken_over=len(idle.taken_over),
        unmanaged=len(idle.unmanaged),
        unhealthy=len(idle.unhealthy),
    )


def _let_go(changes: Iterable[Change], live: Iterable[LiveCluster]) -> Iterator[str]:
    """A warning for each shard whose placement no longer fits: the change has the risk, and this its name."""
    listed = {cluster.name: cluster for cluster in live}
    for change in changes:
        if isinstance(change, Update):
            for request in change.requests:
                for shard in shards_let_go(request, listed[change.name]) if request.body else ():
                    yield f"{change.name}: shard {shard}'s placement no longer fits and isn't sent: it may be moved"
