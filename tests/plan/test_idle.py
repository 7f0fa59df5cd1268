"""What nothing is done about."""

from reconciler.model.evidence import NO_GIT
from reconciler.plan.intent import Intent
from reconciler.plan.plan import Summary
from tests.fakes import head, live, manifest
from tests.plan.histories import git, line, plan_of, values

PRUNE = Intent(prune="owned")


def test_every_declared_cluster_is_counted_once() -> None:
    """As changed, unchanged, settling or blocked; what is taken over is unchanged, what is ill may be anything."""
    names = ["changed", "ill", "never", "new", "same", "settling", "taken"]
    found = [
        live("changed", shard_count=9),
        live("ill", errors=["Odd"]),
        live("never", status="CreationFailed"),
        live("same"),
        live("settling", status="Creating"),
        live("taken"),
        live("stray"),
    ]
    recorded = [manifest(name) for name in names if name != "taken"]
    plan = plan_of(head(*map(manifest, names)), found, git(*map(manifest, names), recorded=recorded))
    assert plan.summary == Summary(
        create=1, update=2, delete=0, left=0, unchanged=2, settling=1, taken_over=1, unmanaged=1, unhealthy=2
    )
    gone = plan_of(
        head(manifest("same")), [live("same"), live("old")], git(recorded=[manifest("same"), manifest("old")]), PRUNE
    )
    assert (gone.summary.delete, gone.summary.unmanaged) == (1, 0)
    assert plan.taken_over == ("taken",)
    assert [(one.name, one.status) for one in plan.settling] == [("settling", "Creating")]
    assert [(one.name, one.blocked) for one in plan.unhealthy] == [("ill", False), ("never", True)]
    assert {one.source and one.source.file for one in plan.unhealthy} == {"manifests/ill.yaml", "manifests/never.yaml"}


def test_what_replace_needs_beside_itself_is_told() -> None:
    """It is not advised where it would be refused: not without consent to adopt, nor what is recorded as settled."""
    sent = line(manifest(), declared=None, unsettled=values(manifest()))
    for recorded, lifecycle, needs in (
        ([sent], {}, None),
        ([], {}, "adopt"),
        ([], {"adopt": True}, None),
        ([manifest()], {}, "forget"),
        ([manifest()], {"adopt": True}, "forget"),
    ):
        one = manifest(lifecycle=lifecycle)
        found = [live(status="CreationFailed")]
        plan = plan_of(head(one), found, git(one, recorded=recorded))
        assert [cluster.replace_needs for cluster in plan.blocked] == [needs]
        intent = Intent(replace=("*",), adopt=("*",) if needs == "adopt" else ())
        again = plan_of(head(one), found, git(one, recorded=recorded), intent=intent)
        assert bool(again.changes) == (needs != "forget")


def test_what_is_equal_and_not_in_the_record_is_taken_over() -> None:
    """What was let go, or deleted, too; without git there is no record to take it into."""
    one, known = head(manifest()), manifest(shard_count=9)
    for evidence in [
        git(), git(recorded=None), git(recorded=[line(manifest(), released=True)]),
        git(recorded=[line(known, unsettled="deleted")]), git(recorded=[line(known, declared=None, unsettled=values(known))]),
    ]:  # fmt: skip
        assert plan_of(one, [live()], evidence).taken_over == ("orders",)
    assert plan_of(one, [live()], git(recorded=[known])).taken_over == ()
    assert plan_of(one, [live()], NO_GIT).taken_over == ()
