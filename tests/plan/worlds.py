"""Anything that a plan may be made on, as Hypothesis finds it: fleets, odd histories, any intent, any limits."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from reconciler.model.cluster import LiveCluster
from reconciler.model.declaration import Declaration, Manifest
from reconciler.model.evidence import ClusterEvidence, Evidence
from reconciler.model.fleet import Head
from reconciler.plan.plan import Plan
from reconciler.plan.settings import Intent
from tests.fakes import live, manifest
from tests.model.test_guards import guards
from tests.plan.histories import commit, git, headed, plan_of


def _body(size: str, shards: int, replicas: int, zones: str | None = None, **more: object) -> dict[str, object]:
    placements = [
        {"shard_index": i, "availability_zone": zone, "replica_availability_zones": [*"rst"][:replicas]}
        for i, zone in enumerate(zones or "")
        if zone != "-"
    ]
    return {
        "node_instance_type": size,
        "shard_count": shards,
        "replication_factor": replicas,
        "enforce_shard_multi_az": bool(replicas),
        **({} if zones is None else {"shard_placements": placements}),
        **more,
    }


BODIES = st.sampled_from(
    [
        _body("small", 1, 1),
        _body("small", 2, 1, "ab"),
        _body("small", 2, 1, "-b", description="mine"),
        _body("small", 2, 2, "aa"),
        _body("large", 2, 1, "ab", description=""),
        _body("large", 3, 0, ""),
        _body("large", 3, 1, description="mine"),
    ]
)
NAMES = st.sampled_from("abcd")
STATUSES = st.sampled_from(["Active", "Active", "Creating", "Deleting", "CreationFailed", "Rebalancing"])
ALLOWED = st.sampled_from(["empty-head", "max-deletes", "max-delete-fraction", "max-added-nodes", "protected", "adopt"])
LIFECYCLES = st.sampled_from(
    [
        {},
        {},
        {"prevent_destroy": True},
        {"on_remove": "keep"},
        {"ignore_changes": ["description", "shard_count"]},
        {"ignore_changes": ["shard_placements", "node_instance_type"]},
    ]
)
FLEETS = st.dictionaries(NAMES, st.tuples(BODIES, LIFECYCLES)).map(
    lambda chosen: {name: manifest(name, **body, lifecycle=lifecycle) for name, (body, lifecycle) in chosen.items()}
)


@dataclass(frozen=True, slots=True)
class World:
    """All that a plan is made on."""

    head: Head
    live: tuple[LiveCluster, ...]
    evidence: Evidence
    intent: Intent

    @property
    def plan(self) -> Plan:
        """The plan that is made on it."""
        return plan_of(self.head, self.live, self.evidence, self.intent)


@st.composite
def evidences(draw: st.DrawFn) -> Evidence:
    """What git says: all, little or nothing; its histories needn't fit its base."""
    once = st.none() | st.tuples(BODIES, LIFECYCLES)
    revisions = st.dictionaries(NAMES, st.lists(st.tuples(st.integers(0, 60), once, once), max_size=3))
    applied = draw(st.none() | FLEETS)

    def told(name: str, of: tuple[dict[str, object], object] | None) -> Manifest | None:
        return manifest(name, **of[0], lifecycle=of[1]) if of else None

    evidence = git(
        *draw(FLEETS).values(),
        applied=None if applied is None else [*applied.values()],
        history={
            name: [commit(f"c{i}", days, told(name, a), told(name, b)) for i, (days, a, b) in enumerate(each)]
            for name, each in draw(revisions).items()
        },
        guards=draw(st.none() | guards()),
        unproven=draw(st.sampled_from([None, None, "shallow"])),
    )
    return evidence if draw(st.integers(0, 9)) else replace(evidence, clusters=None)


@st.composite
def worlds(draw: st.DrawFn, *, settled: bool = False) -> World:
    """Anything; `settled`: every live cluster is `Active`."""
    listed = draw(st.dictionaries(NAMES, st.tuples(BODIES, st.just("Active") if settled else STATUSES)))
    intent = {
        "prune": draw(st.sampled_from([None, "owned", "all"])),
        "only": draw(st.sampled_from([(), (), ("[a-c]",), ("b", "d")])),
        "adopt": draw(st.sampled_from([(), ("*",), ("[ab]",)])),
        "allow": draw(st.lists(ALLOWED, max_size=3)),
    }
    return World(
        headed(
            *draw(FLEETS).values(),
            guards=draw(guards()),
            on_drift=draw(st.sampled_from(["revert", "report"])),
            elsewhere=frozenset(draw(st.lists(NAMES, max_size=1))),
        ),
        tuple(live(name, **body, status=status) for name, (body, status) in listed.items()),
        draw(evidences()),
        Intent.model_validate(intent),
    )


def retold(evidence: Evidence, by_days: float) -> Evidence:
    """The same evidence after a squash merge into other files, so many days later."""

    def moved(declaration: Declaration | None) -> Declaration | None:
        return declaration and Declaration(declaration.manifest, f"other/{declaration.file}", declaration.line + 7)

    def told(of: ClusterEvidence) -> ClusterEvidence:
        history = tuple(
            replace(
                r,
                commit=f"squashed {r.commit}",
                at=r.at + by_days * 86400.0,
                before=moved(r.before),
                after=moved(r.after),
            )
            for r in of.history
        )
        return ClusterEvidence(moved(of.base), moved(of.applied), history)

    clusters: Mapping[str, ClusterEvidence] | None = evidence.clusters
    return replace(evidence, clusters=clusters and {name: told(of) for name, of in clusters.items()})
