"""What holds for any fleet, any record, any history, any live state and any intent."""

from dataclasses import replace

from hypothesis import given

from reconciler.model.cluster import DELETING
from reconciler.model.view import field_of, split
from reconciler.plan.change import Change, Create, Delete, Update
from reconciler.plan.plan import Plan
from reconciler.plan.request import expected_values
from reconciler.plan.reviewed import Reviewed, hold_against, what_stands
from tests.plan.histories import after, digests, git, plan_of
from tests.plan.worlds import World, squashed, turned, worlds


def deleted(plan: Plan) -> dict[str, Change]:
    """The changes that delete anything."""
    return {c.name: c for c in plan.changes if any(request.method == "DELETE" for request in c.requests)}


@given(worlds())
def test_what_is_declared_is_never_deleted_but_to_replace_what_was_never_active(world: World) -> None:
    """Invariant 1; never what was recorded as settled, nor a stranger's without consent."""
    for name, change in deleted(world.plan).items():
        declaration = world.head.declarations.get(name)
        if declaration is None:
            assert isinstance(change, Delete)
            continue
        known = world.evidence.line(name)
        assert isinstance(change, Create)
        assert world.listed[name].never_active
        assert world.intent.replaces(name)
        assert known is None or not known.settled
        assert world.owned(name) or world.intent.adopts(name) or declaration.lifecycle.adopt


@given(worlds())
def test_nothing_goes_but_what_the_record_owns_or_everything_is_meant(world: World) -> None:
    """Invariant 2: nor without `--prune`, nor what was let go, nor what protects itself without a refusal."""
    plan = world.plan
    for name, change in deleted(plan).items():
        if not isinstance(change, Delete):
            continue
        known, last = world.evidence.line(name), world.evidence.last(name)
        assert world.intent.prune == "all" or (world.intent.prune == "owned" and world.owned(name))
        assert world.intent.selects(name)
        assert world.listed[name].status != DELETING
        for lifecycle in (one.lifecycle for one in (known, last) if one is not None):
            assert lifecycle.on_remove == "delete"
            assert not lifecycle.prevent_destroy or "protected" in {violation.guard for violation in plan.violations}
        assert known is None or not known.released
        assert world.head.declarations or "empty-head" in {*world.intent.allow, *(v.guard for v in plan.violations)}


@given(worlds())
def test_nothing_that_is_not_ours_is_changed_without_consent(world: World) -> None:
    """Invariant 2: else the plan is refused."""
    plan = world.plan
    for change in plan.sends:
        if isinstance(change, Update) and not world.owned(change.name):
            consent = world.intent.adopts(change.name) or world.head.declarations[change.name].lifecycle.adopt
            assert change.cause == "adoption"
            assert consent or "adopt" in {violation.guard for violation in plan.violations}


@given(worlds())
def test_an_update_changes_only_what_it_says(world: World) -> None:
    """Invariant 6: all else goes along as it was listed, but for placements that no longer fit, which it tells."""
    for change in world.plan.sends:
        if not isinstance(change, Update):
            continue
        found, declaration = world.listed[change.name], world.head.declarations[change.name]
        (now,) = after(replace_changes(world.plan, change), [found])
        done = {field.path for field in change.fields if field.left is None}
        kept = {field.path for field in change.fields if field.left is not None}
        told = {shard for path in found.values if (shard := split(path)[1]) is not None and "zone-move" in change.risks}
        assert expected_values(declaration, kept).items() <= now.values.items() or told
        for path in {*found.values, *now.values} - set(declaration.managed):
            if field_of(path) != "shard_placements":
                assert now.values.get(path) == found.values.get(path)
        for path in kept - done:
            assert now.values.get(path) == found.values.get(path) or told
        for path, value in found.values.items():
            shard = split(path)[1]
            if shard is not None and path.endswith(".availability_zone") and path not in declaration.managed:
                assert now.values.get(path) == value or shard in told


def replace_changes(plan: Plan, *changes: Change) -> Plan:
    """A plan of these changes alone."""
    return plan.model_copy(update={"changes": changes})


@given(worlds(settled=True))
def test_a_plan_applied_leaves_only_what_is_left(world: World) -> None:
    """Applying gives what is declared: a second plan sends nothing, and tells of what is left and kept alone."""
    plan = world.plan
    clusters = after(plan, world.live)
    again = plan_of(world.head, clusters, world.evidence, world.intent)
    assert again.sends == ()
    assert {(change.name, change.left is not None) for change in again.changes} <= {
        (c.name, True) for c in plan.changes
    }
    assert plan.nodes.after == again.nodes.before == again.nodes.after
    for name, declaration in world.head.declarations.items():
        found = {cluster.name: cluster for cluster in clusters}.get(name)
        left = {f.path for c in again.changes if c.name == name for f in c.fields}
        kept = {k.path for k in again.kept if k.name == name}
        if world.intent.selects(name) and not any(c.name == name and isinstance(c, Create) for c in again.changes):
            assert found is not None
            assert expected_values(declaration, left | kept).items() <= found.values.items()


@given(worlds())
def test_neither_order_nor_a_second_look_changes_a_plan_nor_a_plan_its_inputs(world: World) -> None:
    """Any order of manifests, lists, placements, zones and lines."""
    before = repr(world)
    plan = world.plan
    assert turned(world).plan == plan == world.plan
    assert repr(world) == before


@given(worlds())
def test_selection_picks_from_the_same_changes(world: World) -> None:
    """`--only` looks at fewer clusters, and sees each as it would among all; drift counts what is looked at."""
    calm = replace(world, intent=world.intent.model_copy(update={"allow": ("max-drift-fraction",)}))
    every = replace(calm, intent=calm.intent.model_copy(update={"only": ()})).plan
    selects = world.intent.selects
    assert calm.plan.changes == tuple(change for change in every.changes if selects(change.name))
    assert calm.plan.unmanaged == tuple(one for one in every.unmanaged if selects(one.name))
    assert calm.plan.taken_over == tuple(name for name in every.taken_over if selects(name))


@given(worlds())
def test_a_squash_merge_keeps_every_digest(world: World) -> None:
    """Other commits, other files, other lines, another day."""
    other = squashed(world)
    assert digests(other.plan) == digests(world.plan)
    assert other.plan.digest == world.plan.digest


@given(worlds())
def test_everything_has_a_cause_where_there_is_a_base(world: World) -> None:
    """And where there is none, only an adoption is told; what is left has drifted."""
    for change in world.plan.changes:
        causes = {change.cause, *(field.cause for field in change.fields)}
        if world.evidence.tells_causes:
            assert None not in causes
        else:
            assert causes <= {None, "adoption"}
        assert {field.cause for field in change.fields if field.left} <= {"drift"}
        assert change.left is None or change.cause == "drift"
        assert (change.left is None) == bool(change.requests)


@given(worlds(), worlds())
def test_a_plan_made_of_a_saved_one_makes_only_what_stands_in_it(world: World, other: World) -> None:
    """Whatever has become of the world since; and each saved change is made, done, or stale."""
    saved = world.plan
    for now in (world, replace(world, live=other.live), replace(world, evidence=other.evidence)):
        fresh = plan_of(now.head, now.live, now.evidence, now.intent, saved=digests(saved))
        assert set(digests(fresh)) <= set(digests(saved))
        stands = what_stands(saved, fresh, now.live)
        names = [c.name for c in (*fresh.sends, *stands.done, *(change for change, _ in stands.stale))]
        assert sorted(names) == [change.name for change in saved.sends]


@given(worlds(), worlds())
def test_under_review_nothing_goes_on_that_nobody_has_seen_but_what_is_harmless(world: World, other: World) -> None:
    """Drift that isn't in a reviewed plan is left; the same world's plan passes whole."""
    reviewed = Reviewed.of([], [world.plan])
    now = replace(world, live=other.live)
    seen = reviewed.of_target("default", "https://h")
    plan = plan_of(now.head, now.live, now.evidence, now.intent, reviewed=seen)
    for change, digest in zip(plan.changes, digests(plan), strict=True):
        reverts = any(field.cause == "drift" and field.left is None for field in change.fields)
        whole = {field.cause for field in change.fields} == {"drift"}
        assert digest in seen or not (reverts and whole)
    verdict = hold_against(plan, reviewed, "harmless")
    unseen = [change for change in plan.sends if not reviewed.shows(plan, change)]
    assert bool(verdict.refusals) or all(not c.risks and not isinstance(c, Delete) for c in unseen)
    again = plan_of(world.head, world.live, world.evidence, world.intent, reviewed=seen)
    assert hold_against(again, reviewed, "refuse").refusals == ()


@given(worlds(settled=True))
def test_what_is_as_declared_has_no_change_whatever_git_remembers(world: World) -> None:
    """Causes explain differences, and make none."""
    found = after(plan_of(world.head, [], git()), [])
    assert plan_of(world.head, found, world.evidence, world.intent).changes == ()
