"""What differs, what is sent, and what that risks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.cluster import LiveCluster
from reconciler.model.declaration import Manifest
from reconciler.plan.change import Create, Delete, Update
from reconciler.plan.compare import compare_cluster
from reconciler.plan.plan import Plan
from tests.fakes import head, live, manifest
from tests.fakes import planned as plan_of

PLACED = {"shard_index": 0, "availability_zone": "a", "replica_availability_zones": ["b"]}
ELSEWHERE = {"shard_index": 1, "availability_zone": "b", "replica_availability_zones": ["c"]}


def planned(manifests: list[Manifest], clusters: list[LiveCluster], *, prune_all: bool = False) -> Plan:
    """The plan of one target."""
    return plan_of(head(*manifests), clusters, prune_all=prune_all)


def change_of(declared: Manifest, cluster: LiveCluster) -> Create | Update | None:
    """What is to be done to one live cluster."""
    return compare_cluster(head(declared).declarations[declared.name], cluster)


def test_an_update_names_old_and_new_with_the_manifests_line() -> None:
    """Each differing field once, in the API's order, placements by the shard's index."""
    declared = manifest(description="", shard_count=3, shard_placements=[{**PLACED, "availability_zone": "z"}])
    change = change_of(declared, live(description="old", shard_placements=[ELSEWHERE, PLACED]))
    assert isinstance(change, Update)
    assert [(f.path, f.before, f.after) for f in change.fields] == [
        ("description", "old", ""),
        ("shard_count", 2, 3),
        ("shard_placements[0].availability_zone", "a", "z"),
    ]
    assert change.fields[1].line == head(declared).declarations["orders"].line_of("shard_count")
    assert change.risks == ("resharding", "zone-move")


@pytest.mark.parametrize(
    ("declared", "cluster"),
    [
        ({}, {"description": "theirs", "shard_placements": [PLACED]}),
        ({"shard_placements": [PLACED]}, {"shard_placements": [ELSEWHERE, PLACED]}),
        (
            {"replication_factor": 3, "shard_placements": [{**PLACED, "replica_availability_zones": ["b", "c", "b"]}]},
            {"replication_factor": 3, "shard_placements": [{**PLACED, "replica_availability_zones": ["c", "b", "b"]}]},
        ),
        ({"shard_count": 5, "lifecycle": {"ignore_changes": ["shard_count"]}}, {}),
        ({}, {"status": "Creating"}),
        ({}, {"status": "Rebalancing"}),
    ],
)
def test_what_is_not_managed_or_has_no_meaning_is_no_difference(declared: dict, cluster: dict) -> None:  # type: ignore[type-arg]
    """Left out, ignored, or in another order: nothing to do."""
    assert change_of(manifest(**declared), live(**cluster)) is None


def test_replica_zones_are_a_multiset() -> None:
    """[b, b, c] is not [b, c, c]."""
    declared = manifest(
        replication_factor=3, shard_placements=[{**PLACED, "replica_availability_zones": ["b", "b", "c"]}]
    )
    cluster = live(replication_factor=3, shard_placements=[{**PLACED, "replica_availability_zones": ["b", "c", "c"]}])
    change = change_of(declared, cluster)
    assert change is not None
    assert change.fields[0].before == ("b", "c", "c")


def test_an_update_carries_what_it_does_not_manage() -> None:
    """Unmanaged fields go along as they are live; a placement that no longer fits is let go, and that is a risk."""
    cluster = live(description="theirs", shard_count=3, shard_placements=[PLACED, ELSEWHERE])
    change = change_of(manifest(node_instance_type="r6g.large", shard_count=3), cluster)
    assert change is not None
    body = change.requests[0].body.model_dump(mode="json")
    assert (body["description"], body["shard_placements"]) == ("theirs", [PLACED, ELSEWHERE])
    assert change.risks == ("node-replacement",)
    shrunk = change_of(manifest(shard_count=1), cluster)
    assert shrunk is not None
    assert shrunk.requests[0].body.model_dump(mode="json")["shard_placements"] == [PLACED]
    assert shrunk.risks == ("resharding", "zone-move")


def test_only_a_live_primary_that_leaves_its_zone_is_a_zone_move() -> None:
    """Neither other replica zones nor the zone of a shard that is new."""
    cluster = live(shard_placements=[PLACED])
    for placement, risks in [
        ({**PLACED, "availability_zone": "z"}, ("resharding", "zone-move")),
        ({**PLACED, "replica_availability_zones": ["z"]}, ("resharding",)),
        ({**ELSEWHERE, "shard_index": 1}, ("resharding", "zone-move")),
        ({**ELSEWHERE, "shard_index": 2}, ("resharding",)),
    ]:
        change = change_of(manifest(shard_count=3, shard_placements=[placement]), cluster)
        assert isinstance(change, Update)
        assert change.risks == risks


def test_an_ignored_field_is_sent_by_a_create_and_kept_by_an_update() -> None:
    """`ignore_changes` says nothing of creating."""
    declared = manifest(shard_count=5, lifecycle={"ignore_changes": ["shard_count"]}, description="x")
    created = planned([declared], []).changes[0]
    updated = change_of(declared, live(shard_count=2))
    assert created.requests[0].body is not None
    assert created.requests[0].body.shard_count == 5
    assert updated is not None
    assert updated.requests[0].body.shard_count == 2


@pytest.mark.parametrize(
    ("status", "errors", "expected"),
    [
        ("Active", [], ("update", None)),
        ("Active", ["Something"], ("update", None)),
        ("Creating", [], ("update", "active")),
        ("Rebalancing", [], ("update", "active")),
        ("Deleting", [], ("create", "gone")),
        ("CreationFailed", [], None),
        ("Creating", ["InstanceTypeNotAvailable"], None),
    ],
)
def test_transitions_wait_and_broken_clusters_get_nothing(
    status: str, errors: list[str], expected: tuple[str, str | None] | None
) -> None:
    """What is at work is waited for; what failed must be deleted first, and the plan says so."""
    plan = planned([manifest(shard_count=3)], [live(status=status, errors=errors)])
    assert [(c.action, c.waits_for) for c in plan.changes] == ([expected] if expected else [])
    assert [u.name for u in plan.blocked] == ([] if expected else ["orders"])
    assert [u.name for u in plan.unhealthy] == (["orders"] if errors or status.endswith("Failed") else [])


def test_prune_deletes_only_what_nobody_declares_and_what_is_not_going_already() -> None:
    """No delete without prune; never a name that another target of the endpoint declares."""
    clusters = [live("orders"), live("other"), live("stray"), live("going", status="Deleting")]
    one = head(manifest("orders"), elsewhere=frozenset({"other"}))
    without, pruned = plan_of(one, clusters), plan_of(one, clusters, prune_all=True)
    assert (without.changes, [u.name for u in without.unmanaged]) == ((), ["stray"])
    assert [(type(c), c.name, c.requests[0].path) for c in pruned.changes] == [(Delete, "stray", "/cluster/stray")]
    assert (pruned.nodes.before, pruned.nodes.after) == (12, 8)


def test_a_hostile_name_stays_one_path_segment() -> None:
    """Whatever the service names a cluster, its path holds no other one's."""
    plan = planned([], [live("../a?b#c/d e")], prune_all=True)
    assert plan.changes[0].requests[0].path == "/cluster/..%2Fa%3Fb%23c%2Fd%20e"


ZONES = st.sampled_from("abc")


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, object]:
    """Any configuration, as a manifest's fields."""
    shards, replicas = draw(st.integers(1, 4)), draw(st.integers(0, 2))
    placed = draw(st.lists(st.integers(0, shards - 1), unique=True))
    placements = [
        {
            "shard_index": shard,
            "availability_zone": draw(ZONES),
            "replica_availability_zones": draw(st.lists(ZONES, min_size=replicas, max_size=replicas)),
        }
        for shard in placed
    ]
    return {
        "node_instance_type": draw(st.sampled_from(["m6g.large", "r6g.large"])),
        "shard_count": shards,
        "replication_factor": replicas,
        "enforce_shard_multi_az": draw(st.booleans()),
        **draw(st.fixed_dictionaries({}, optional={"description": ZONES, "shard_placements": st.just(placements)})),
    }


NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
IGNORED = st.lists(
    st.sampled_from(["description", "shard_count", "shard_placements", "node_instance_type"]), unique=True
)


@st.composite
def fleets(draw: st.DrawFn) -> tuple[list[Manifest], list[LiveCluster]]:
    """Any declared and any live clusters."""
    declared = draw(st.dictionaries(NAMES, st.tuples(bodies(), IGNORED)))
    listed = draw(st.dictionaries(NAMES, bodies()))
    return (
        [manifest(n, **body, lifecycle={"ignore_changes": ignored}) for n, (body, ignored) in declared.items()],
        [live(n, **body) for n, body in listed.items()],
    )


def applied(plan: Plan, clusters: list[LiveCluster]) -> list[LiveCluster]:
    """The clusters after the plan's requests, as the document says PUT works: the body is the whole configuration."""
    after = {cluster.name: cluster for cluster in clusters}
    for change in plan.sends:
        body = change.requests[0].body
        if body is None:
            del after[change.name]
        else:
            sent = body.model_dump(mode="json")
            after[change.name] = live(change.name, **{"description": None, "shard_placements": None, **sent})
    return list(after.values())


@given(fleets(), st.booleans())
def test_a_plan_applied_leaves_an_empty_plan(fleet: tuple[list[Manifest], list[LiveCluster]], prune_all: bool) -> None:
    """For any declared and live fleets; and what is in sync is never touched."""
    declared, clusters = fleet
    plan = planned(declared, clusters, prune_all=prune_all)
    again = planned(declared, applied(plan, clusters), prune_all=prune_all)
    assert again.changes == ()
    assert again.summary.unchanged == len(declared)
    assert plan.nodes.after == again.nodes.before


@given(fleets())
def test_order_of_input_does_not_matter_and_inputs_stay_as_they_are(
    fleet: tuple[list[Manifest], list[LiveCluster]],
) -> None:
    """Any order of manifests, of the list, and of placements gives the same plan."""
    declared, clusters = fleet
    before = [m.model_dump_json() for m in declared] + [c.model_dump_json() for c in clusters]
    plan = planned(declared, clusters, prune_all=True)
    shuffled = [c.model_copy(update={"shard_placements": c.shard_placements[::-1]}) for c in clusters[::-1]]
    other = planned(declared[::-1], shuffled, prune_all=True)
    assert other.digest == plan.digest
    assert other == plan
    assert [m.model_dump_json() for m in declared] + [c.model_dump_json() for c in clusters] == before


@given(fleets())
def test_an_update_never_changes_what_it_does_not_manage(fleet: tuple[list[Manifest], list[LiveCluster]]) -> None:
    """A field that the manifest leaves out or ignores goes along with the value that was listed."""
    declared, clusters = fleet
    by_name = {m.name: m for m in declared}
    listed = {c.name: c for c in clusters}
    for change in planned(declared, clusters).changes:
        if isinstance(change, Update):
            ours, theirs, body = by_name[change.name], listed[change.name], change.requests[0].body
            ignored = ours.lifecycle.ignore_changes
            for field in ("description", "shard_count", "node_instance_type"):
                if field in ignored or getattr(ours, field) is None:
                    assert getattr(body, field) == getattr(theirs, field)
