"""What git may remember of clusters, for tests: base, the record, and plans made on both."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.model.cluster import LiveCluster, Values
from reconciler.model.declaration import Manifest
from reconciler.model.evidence import Base, Evidence, Provenance
from reconciler.model.fleet import Head
from reconciler.model.guards import LIMITED, Limits
from reconciler.model.record import Line, Record
from reconciler.plan.change import Change
from reconciler.plan.compare import compare
from reconciler.plan.decide import Reading, make_plan
from reconciler.plan.digest import change_digest
from reconciler.plan.intent import NO_INTENT, Intent
from reconciler.plan.moves import NO_MOVES, Moves
from reconciler.plan.plan import Plan
from tests.fakes import declaration, live

UNLIMITED = Limits(dict.fromkeys(LIMITED))
"""No limit at all."""


def limited(**values: Any) -> Limits:
    """These limits and no other."""
    return UNLIMITED.overlaid(values, {})


def values(manifest: Manifest) -> Values:
    """What a manifest manages."""
    return declaration(manifest).managed


def line(manifest: Manifest, **more: Any) -> Line:
    """The line of a cluster that was applied as declared, and seen settled; otherwise where given."""
    known: dict[str, Any] = {
        "name": manifest.name,
        "commit": "applied",
        "at": 0.0,
        "file": f"manifests/{manifest.name}.yaml",
        "line": 1,
        "origin": "created",
        "lifecycle": manifest.lifecycle,
        "declared": values(manifest),
    }
    return Line(**{**known, **more})


def record(*lines: Line | Manifest, limits: Limits = UNLIMITED) -> Record:
    """A record of these lines; a manifest was applied as it stands."""
    known = [one if isinstance(one, Line) else line(one) for one in lines]
    by_name = {one.name: one for one in sorted(known, key=lambda one: one.name)}
    return Record("default", "https://h", "MOMENTO_API_KEY", limits, by_name, revision="applied", commit="recorded")


def git(*base: Manifest, recorded: Iterable[Line | Manifest] | None = (), **more: Any) -> Evidence:
    """What git says where base declares these; `recorded` is None where this clone has no record."""
    known: dict[str, Any] = {
        "provenance": Provenance("head", dirty=False, base=Base(commit="base", reason="HEAD")),
        "base": {m.name: declaration(m) for m in base},
        "record": None if recorded is None else record(*recorded),
    }
    return Evidence(**{**known, **more})


def read(
    one: Head,
    clusters: Sequence[LiveCluster],
    evidence: Evidence,
    intent: Intent = NO_INTENT,
    setters: Mapping[tuple[str, str], str] | None = None,
) -> Reading:
    """What was read of one target."""
    comparison = compare(one, clusters, intent.selects)
    return Reading(
        one, tuple(clusters), comparison, evidence, "https://h", setters or {}, folder="manifests", fingerprint=True
    )


def plan_of(
    one: Head,
    clusters: Sequence[LiveCluster],
    evidence: Evidence,
    intent: Intent = NO_INTENT,
    moves: Moves = NO_MOVES,
    **held: Any,
) -> Plan:
    """The plan of one target."""
    return make_plan(read(one, clusters, evidence, intent), intent, moves, **held)


def only_change(one: Head, clusters: Sequence[LiveCluster], evidence: Evidence, intent: Intent = NO_INTENT) -> Change:
    """The one change of a plan."""
    (change,) = plan_of(one, clusters, evidence, intent).changes
    return change


def digests(plan: Plan) -> list[str]:
    """Of each change."""
    return [change_digest(change) for change in plan.changes]


def after(plan: Plan, clusters: Sequence[LiveCluster]) -> list[LiveCluster]:
    """The clusters once a plan is applied, as the API's document has it: a body is the whole configuration."""
    listed = {cluster.name: cluster for cluster in clusters}
    for change in plan.sends:
        for request in change.requests:
            if request.body is None:
                del listed[change.name]
            else:
                listed[change.name] = live(change.name, **{"description": None, **request.body})
    return list(listed.values())
