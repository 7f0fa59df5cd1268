"""The whole plan: what on_drift leaves alone, and what holds for any fleet, any history and any intent."""

from dataclasses import replace

from hypothesis import given

from reconciler.model.cluster import LiveCluster
from reconciler.model.evidence import Evidence
from reconciler.model.guards import Guards
from reconciler.plan.change import Update
from reconciler.plan.settings import Intent
from reconciler.plan.view import as_sent, declared_view, live_view, managed_fields
from tests.fakes import live, manifest
from tests.plan.histories import DAY, NOW, git, headed, plan_of
from tests.plan.test_compare import applied
from tests.plan.worlds import World, retold, worlds

STRICT = Guards(max_unreviewed_fraction=0.0, max_added_nodes=0)


def after(update: Update, cluster: LiveCluster) -> LiveCluster:
    """The live cluster once the update is applied."""
    sent = update.requests[0].body.model_dump(mode="json")
    return live(cluster.name, **{"description": None, "shard_placements": None, **sent})


def test_what_only_drifted_is_shown_and_left_alone() -> None:
    """Nothing is sent, waited for or counted: no guard looks at it, and the nodes stay as they are."""
    fleet = [manifest(name, shard_count=9) for name in "abcd"]
    one = headed(*fleet, guards=STRICT, on_drift="report")
    plan = plan_of(one, [*map(live, "abc")], git(*fleet, applied=fleet))
    assert [(c.action, c.cause, c.requests, c.risks) for c in plan.changes] == [
        *[("update", "drift", (), ())] * 3,
        ("create", "drift", (), ()),
    ]
    assert (plan.violations, plan.sends, plan.nodes.before, plan.nodes.after) == ((), (), 12, 12)
    assert (plan.summary.update, plan.summary.create) == (3, 1)
    reverted = plan_of(headed(*fleet, guards=STRICT), [*map(live, "abc")], git(*fleet, applied=fleet))
    assert [v.guard for v in reverted.violations] == ["max-unreviewed-fraction", "max-added-nodes"]
    assert len(reverted.sends) == 4


def test_a_mixed_update_sends_only_what_this_change_does() -> None:
    """What drifted keeps its live value, is no risk, isn't waited for, and isn't counted as unreviewed."""
    others = [manifest(name) for name in "bcd"]
    before = manifest(
        "a", node_instance_type="old", shard_count=9, lifecycle={"ignore_changes": ["replication_factor"]}
    )
    declared = before.model_copy(update={"node_instance_type": "new"})
    found = live("a", description="theirs", node_instance_type="old", shard_count=5, replication_factor=3)
    one = headed(declared, *others, guards=STRICT, on_drift="report")
    clusters = [found, *(live(m.name) for m in others)]
    plan = plan_of(one, clusters, git(before, *others, applied=[before, *others]))
    (change,) = plan.changes
    assert isinstance(change, Update)
    assert [(f.path, f.cause) for f in change.fields] == [("node_instance_type", "revision"), ("shard_count", "drift")]
    assert change.requests[0].body.model_dump() == {
        "description": "theirs",
        "node_instance_type": "new",
        "shard_count": 5,
        "replication_factor": 3,
        "enforce_shard_multi_az": True,
    }
    assert (change.cause, change.risks) == ("drift", ("node-replacement",))
    assert change.managed == ("node_instance_type", "enforce_shard_multi_az")
    assert as_sent(change.requests[0].body, change.managed, after(change, found))
    assert plan.violations == ()


def test_placements_are_left_alone_as_a_whole_or_not_at_all() -> None:
    """Where they only drifted all keep their live zones; where this change moves one shard, all are sent."""

    def placed(*zones: str) -> list[dict[str, object]]:
        return [
            {"shard_index": i, "availability_zone": z, "replica_availability_zones": ["r"]} for i, z in enumerate(zones)
        ]

    def sent(zones_before: str, zones_now: str) -> tuple[object, tuple[str, ...]]:
        before = manifest(description="old", shard_placements=placed(*zones_before))
        declared = manifest(description="new", shard_placements=placed(*zones_now))
        found = live(description="old", shard_placements=placed("x", "b"))
        one = headed(declared, on_drift="report")
        (change,) = plan_of(one, [found], git(before, applied=[before])).changes
        assert isinstance(change, Update)
        return change.requests[0].body.model_dump(mode="json")["shard_placements"], change.risks

    assert sent("ab", "ab") == (placed("x", "b"), ())
    assert sent("ab", "ac") == (placed("a", "c"), ("zone-move",))


def test_a_conflict_is_not_drift_and_without_causes_nothing_is() -> None:
    """What this change touches, it overwrites; `on_drift: report` leaves alone only what is known to have drifted."""
    old, new = manifest(shard_count=3), manifest(shard_count=9)
    for evidence, cause in [(git(old, applied=[old]), "conflict"), (Evidence(), None)]:
        plan = plan_of(headed(new, on_drift="report"), [live()], evidence)
        assert [(c.cause, len(c.requests)) for c in plan.changes] == [(cause, 1)]
        assert plan.nodes.after == 18


def test_a_plan_says_what_it_was_made_of() -> None:
    """Target, endpoint, git's provenance, the intent; all manifests by their digest, if it may be saved."""
    intent = Intent(prune="owned", only=("o*",))
    evidence = replace(git(), warnings=("main has moved on",))
    plan = plan_of(headed(manifest("other"), manifest(), guards=STRICT), [live(errors=["Odd"])], evidence, intent)
    provenance = evidence.provenance
    assert (plan.target, plan.endpoint, plan.folder, plan.intent) == ("default", "https://h", "manifests", intent)
    assert (plan.revision, plan.dirty, plan.base, plan.applied) == ("head", False, provenance.base, provenance.applied)
    assert (plan.warnings, plan.live_read, plan.summary.unhealthy) == (("main has moved on",), True, 1)
    same = plan_of(headed(manifest(), manifest("other")), [], evidence, intent)
    assert plan.manifests == same.manifests
    assert plan.manifests != plan_of(headed(manifest()), [], evidence, intent).manifests
    assert plan.manifests != plan_of(headed(manifest("other"), manifest(shard_count=9)), [], evidence).manifests


@given(worlds())
def test_what_is_declared_or_not_proven_to_be_ours_is_never_deleted(world: World) -> None:
    """Nothing without `--prune`; nothing that any target of the endpoint declares; nothing that was released."""
    plan, listed = world.plan, {cluster.name: cluster for cluster in world.live}
    deleted = {change.name for change in plan.changes if change.action == "delete"}
    declared = {*world.head.declarations, *world.head.elsewhere}
    assert deleted <= {n for n, c in listed.items() if n not in declared and c.status != "Deleting"}
    assert not deleted or world.intent.prune
    assert not deleted or plan.violations or world.head.declarations or "empty-head" in world.intent.allow
    for name in deleted:
        of = world.evidence.of(name)
        newest = next(iter(of.declarations), None)
        assert world.intent.selects(name)
        for last in (newest, of.applied):
            assert last is None or last.manifest.lifecycle.on_remove == "delete"
            assert last is None or not last.manifest.lifecycle.prevent_destroy or plan.violations
        if world.intent.prune == "owned":
            assert world.evidence.clusters is not None
            assert world.evidence.unproven is None
            views = [declared_view(d.manifest, managed_fields(d.manifest)) for d in of.declarations]
            assert of.applied or any(live_view(listed[name], view) == view for view in views)
            assert of.applied or of.base or NOW - of.history[0].at <= world.head.target.guards.prune_within


@given(worlds(settled=True))
def test_a_plan_applied_leaves_only_what_is_left_alone(world: World) -> None:
    """With any evidence, a second plan sends nothing, and tells only of the drift that `on_drift: report` left."""
    plan = world.plan
    again = plan_of(world.head, applied(plan, [*world.live]), world.evidence, world.intent)
    assert again.sends == ()
    assert {c.cause for c in again.changes} <= ({"drift"} if world.head.target.on_drift == "report" else set())
    assert plan.nodes.after == again.nodes.before == again.nodes.after


@given(worlds())
def test_an_update_changes_only_what_it_manages_and_waits_for_nothing_else(world: World) -> None:
    """Every other field goes along as it was listed, but for placements that no longer fit, which it says."""
    listed = {cluster.name: cluster for cluster in world.live}
    for change in world.plan.sends:
        if not isinstance(change, Update):
            continue
        body, found = change.requests[0].body, listed[change.name]
        managed = {path.partition("[")[0] for path in change.managed}
        assert managed <= {*managed_fields(world.head.declarations[change.name].manifest)}
        for field in {*type(body).model_fields} - managed - {"shard_placements"}:
            assert getattr(body, field) == getattr(found, field)
        sent = {p.shard_index: p.model_dump() for p in body.shard_placements or ()}
        for placement in found.shard_placements:
            if f"shard_placements[{placement.shard_index}].availability_zone" not in change.managed:
                assert sent.get(placement.shard_index) == placement.model_dump() or "zone-move" in change.risks
        assert as_sent(body, change.managed, after(change, found))
        assert not as_sent(body, change.managed, found)


@given(worlds())
def test_selection_picks_from_the_same_changes(world: World) -> None:
    """`--only` looks at fewer clusters, and sees each as it would among all."""
    every = replace(world, intent=world.intent.model_copy(update={"only": ()})).plan
    selects = world.intent.selects
    assert world.plan.changes == tuple(change for change in every.changes if selects(change.name))
    assert world.plan.unmanaged == tuple(left for left in every.unmanaged if selects(left.name))


@given(worlds())
def test_neither_order_nor_a_second_look_changes_a_plan(world: World) -> None:
    """Any order of manifests, lists and evidence; and what it was made on stays as it was."""
    before = repr(world)
    plan = world.plan
    declared = [d.manifest for d in world.head.declarations.values()]
    clusters = world.evidence.clusters
    turned = World(
        replace(world.head, declarations=headed(*declared[::-1]).declarations),
        tuple(c.model_copy(update={"shard_placements": c.shard_placements[::-1]}) for c in world.live[::-1]),
        replace(world.evidence, clusters=clusters and dict(reversed([*clusters.items()]))),
        world.intent,
    )
    assert turned.plan == plan == world.plan
    assert repr(world) == before


@given(worlds())
def test_a_digest_knows_no_commit_no_place_and_no_moment(world: World) -> None:
    """The same history told by other commits, in other files, some days later, gives the same digest."""
    later = plan_of(world.head, world.live, retold(world.evidence, 5), world.intent, NOW + 5 * DAY)
    assert later.digest == world.plan.digest
    elsewhere = {n: replace(d, file="x.yaml", line=99, lines={}) for n, d in world.head.declarations.items()}
    assert replace(world, head=replace(world.head, declarations=elsewhere)).plan.digest == world.plan.digest
