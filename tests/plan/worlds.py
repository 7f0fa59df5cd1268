"""Anything that a plan may be made on, as Hypothesis finds it: fleets, odd histories, any intent, any limits."""

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from reconciler.model.cluster import LiveCluster
from reconciler.model.declaration import Declaration, Manifest
from reconciler.model.evidence import NO_GIT, Evidence, Removal
from reconciler.model.fleet import Head
from reconciler.model.guards import ALLOWABLE, Limits
from reconciler.model.record import Line
from reconciler.model.view import body_of
from reconciler.plan.intent import Intent
from reconciler.plan.plan import Plan
from tests.fakes import declaration, head, live, manifest
from tests.plan.histories import git, line, plan_of, record, values


def _body(size: str, shards: int, replicas: int, zones: str | None = None, **more: object) -> dict[str, Any]:
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
NAMES = st.sampled_from("abcde")
STATUSES = st.sampled_from(["Active", "Active", "Creating", "Deleting", "CreationFailed", "Rebalancing"])
ERRORS = st.sampled_from([[], [], [], ["InstanceTypeNotAvailable"]])
LIFECYCLES = st.sampled_from(
    [
        {},
        {},
        {"prevent_destroy": True},
        {"on_remove": "keep"},
        {"adopt": True},
        {"on_drift": "report"},
        {"ignore_changes": ["description", "shard_count"]},
        {"ignore_changes": ["shard_placements", "node_instance_type"]},
    ]
)
FLEETS = st.dictionaries(NAMES, st.tuples(BODIES, LIFECYCLES)).map(
    lambda chosen: [manifest(name, **body, lifecycle=lifecycle) for name, (body, lifecycle) in chosen.items()]
)
FRACTIONS = st.none() | st.sampled_from([0.0, 0.25, 0.5, 1.0])
COUNTS = st.none() | st.integers(0, 5)
VALUES = st.fixed_dictionaries(
    {
        "max_deletes": COUNTS,
        "max_delete_fraction": FRACTIONS,
        "max_drift_fraction": FRACTIONS,
        "max_added_nodes": COUNTS,
        "max_added_cost": COUNTS,
        "protect": st.lists(st.sampled_from(["a*", "b", "*"]), max_size=2).map(tuple),
    }
)
PRICES = st.dictionaries(st.sampled_from(["small", "large"]), st.sampled_from([0, 0.1, 0.7, 3]))
LIMITS = st.builds(lambda values, prices: Limits(values, prices=prices), VALUES, PRICES)
INTENTS = st.builds(
    Intent,
    prune=st.sampled_from([None, "owned", "all"]),
    only=st.sampled_from([(), (), ("[a-c]",), ("b", "d")]),
    adopt=st.sampled_from([(), ("*",), ("[ab]",)]),
    replace=st.sampled_from([(), ("*",), ("[bc]",)]),
    allow=st.lists(st.sampled_from(ALLOWABLE), max_size=3).map(tuple),
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

    @property
    def listed(self) -> dict[str, LiveCluster]:
        """What is live, by name."""
        return {cluster.name: cluster for cluster in self.live}

    def owned(self, name: str) -> bool:
        """Whether a live cluster is in the record, as ours."""
        known = self.evidence.line(name)
        return known is not None and known.owns(self.listed[name])


@st.composite
def lines(draw: st.DrawFn, of: Manifest) -> Line:
    """Any line of one cluster."""
    once = st.none() | st.tuples(BODIES, LIFECYCLES).map(lambda a: values(manifest(of.name, **a[0], lifecycle=a[1])))
    kept: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
        [{}, {"node_instance_type": "large"}, {"description": None}]
    )
    return line(
        of,
        commit=draw(st.sampled_from([None, "applied"])),
        declared=draw(st.just(values(of)) | once),
        unsettled=draw(once | st.sampled_from([None, None, "deleted"])),
        kept=draw(kept) or None,
        released=draw(st.sampled_from([False, False, True])),
    )


@st.composite
def evidences(draw: st.DrawFn) -> Evidence:
    """What git says: all, little or nothing; nothing of it need fit."""
    if not draw(st.integers(0, 9)):
        return NO_GIT
    recorded = [draw(lines(one)) for one in draw(FLEETS)]
    limits = draw(LIMITS)
    return git(
        *draw(FLEETS),
        recorded=None,
        **({} if not draw(st.integers(0, 5)) else {"record": record(*recorded, limits=limits)}),
        **({"base": None} if not draw(st.integers(0, 7)) else {}),
        removals={
            one.name: Removal(draw(st.sampled_from([None, "removing"])), declaration(one)) for one in draw(FLEETS)
        },
        astray=frozenset(draw(st.lists(NAMES, max_size=2))),
        limits=draw(st.none() | LIMITS),
    )


@st.composite
def worlds(draw: st.DrawFn, *, settled: bool = False) -> World:
    """Anything; `settled`: every live cluster is `Active` and well."""
    state = st.tuples(st.just("Active"), st.just(list[str]())) if settled else st.tuples(STATUSES, ERRORS)
    listed = draw(st.dictionaries(NAMES, st.tuples(BODIES, state)))
    return World(
        head(*draw(FLEETS), limits=draw(LIMITS), on_drift=draw(st.sampled_from(["revert", "report"]))),
        tuple(live(name, **body, status=status, errors=errors) for name, (body, (status, errors)) in listed.items()),
        draw(evidences()),
        draw(INTENTS),
    )


def squashed(world: World) -> World:
    """The same world after a squash merge: other commits, other files, other lines, later."""

    def moved(one: Declaration) -> Declaration:
        return one._replace(file=f"other/{one.file}", line=one.line + 7, places={})

    evidence = world.evidence
    known = evidence.record
    told = (
        {n: one._replace(commit="squashed", file="x", line=9, at=9.9) for n, one in known.lines.items()}
        if known
        else {}
    )
    return replace(
        world,
        head=world.head._replace(declarations={n: moved(one) for n, one in world.head.declarations.items()}),
        evidence=evidence._replace(
            provenance=evidence.provenance._replace(revision="squashed" if evidence.provenance.revision else None),
            base=None if evidence.base is None else {n: moved(one) for n, one in evidence.base.items()},
            record=known._replace(lines=told, revision="squashed", commit="other") if known else None,
            removals={n: Removal("squashed", moved(one.last)) for n, one in evidence.removals.items()},
        ),
    )


def turned(world: World) -> World:
    """The same world in another order."""
    evidence = world.evidence
    known = evidence.record
    return replace(
        world,
        head=world.head._replace(declarations=dict(reversed([*world.head.declarations.items()]))),
        live=tuple(shuffled(cluster) for cluster in reversed(world.live)),
        evidence=evidence._replace(
            base=None if evidence.base is None else dict(reversed([*evidence.base.items()])),
            record=known._replace(lines=dict(reversed([*known.lines.items()]))) if known else None,
        ),
    )


def shuffled(cluster: LiveCluster) -> LiveCluster:
    """The same cluster, its placements listed from the last to the first."""
    entry = body_of(cluster.values)
    placements = [
        {**one, "replica_availability_zones": one["replica_availability_zones"][::-1]}
        for one in reversed(entry.get("shard_placements", []))
    ]
    unlisted = {"description": None, "shard_placements": placements}
    return live(
        cluster.name,
        **{**unlisted, **entry, "shard_placements": placements},
        status=cluster.status,
        errors=[*cluster.errors],
    )
