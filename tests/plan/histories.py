"""What git may say of clusters, for tests: declarations, the commits that changed them, and plans made on both."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal

from reconciler.model.cluster import LiveCluster
from reconciler.model.declaration import Declaration, Manifest
from reconciler.model.evidence import Applied, Base, ClusterEvidence, Evidence, Provenance, Revision
from reconciler.model.fleet import Head, Target
from reconciler.model.guards import Guards
from reconciler.plan.compare import compare
from reconciler.plan.explain import Reading, explain
from reconciler.plan.plan import Plan
from reconciler.plan.settings import NO_INTENT, Intent
from tests.fakes import head

NOW = 1_800_000_000.0
DAY = 86400.0


def at(manifest: Manifest) -> Declaration:
    """A manifest in its place."""
    return head(manifest).declarations[manifest.name]


def commit(name: str, days_ago: float, before: Manifest | None, after: Manifest | None) -> Revision:
    """A commit that changed one cluster's declaration."""
    return Revision(name, NOW - days_ago * DAY, at(before) if before else None, at(after) if after else None)


def git(
    *base: Manifest,
    applied: Sequence[Manifest] | None = None,
    history: Mapping[str, Sequence[Revision]] | None = None,
    guards: Guards | None = None,
    unproven: str | None = None,
) -> Evidence:
    """What git says where base declares these; `applied` is None where it is unknown; `history` by cluster."""
    at_base = {m.name: at(m) for m in base}
    at_applied = {m.name: at(m) for m in applied or ()}
    revisions = history or {}
    return Evidence(
        provenance=Provenance(
            revision="head",
            dirty=False,
            base=Base(commit="base", reason="HEAD"),
            applied=Applied(commit=None if applied is None else "applied", inferred=applied is None),
        ),
        clusters={
            name: ClusterEvidence(at_base.get(name), at_applied.get(name), tuple(revisions.get(name, ())))
            for name in {**at_base, **at_applied, **revisions}
        },
        unproven=unproven,
        guards=guards,
    )


def headed(
    *manifests: Manifest,
    guards: Guards | None = None,
    on_drift: Literal["revert", "report"] = "revert",
    elsewhere: frozenset[str] = frozenset(),
) -> Head:
    """A head that declares these, of a target with these settings."""
    target = Target("default", "manifests", guards=guards or Guards(), on_drift=on_drift)
    return replace(head(*manifests, elsewhere=elsewhere), target=target)


def plan_of(
    one: Head, clusters: Sequence[LiveCluster], evidence: Evidence, intent: Intent = NO_INTENT, now: float = NOW
) -> Plan:
    """The plan of one target."""
    reading = Reading(one, tuple(clusters), "https://h", "manifests", fingerprint=True)
    return explain(reading, compare(one, clusters, intent.selects), evidence, intent, now)
