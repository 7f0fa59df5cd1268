"""What makes two changes the same."""

from typing import Any

from reconciler.plan.digest import change_digest
from reconciler.plan.intent import Intent
from reconciler.plan.plan import Plan
from tests.fakes import head, live, manifest
from tests.plan.histories import digests, git, plan_of


def planned(shards: int = 3, **found: Any) -> Plan:
    """The plan of one update."""
    return plan_of(head(manifest(shard_count=shards)), [live(**found)], git(recorded=[manifest()]))


def test_a_digest_is_of_what_is_done_not_of_where_it_stands() -> None:
    """Neither causes, places, commits nor words count; each thing that is done, and what it was decided on, does."""
    plan = planned()
    (change,) = plan.changes
    (field,) = change.fields

    def digest(**update: object) -> str:
        return plan.model_copy(update={"changes": (change.model_copy(update=update),)}).digest

    told = field.model_copy(update={"line": 9, "file": "f", "commit": "c", "cause": "drift", "recorded": 1})
    assert digest(source=None, cause="drift", risks=(), waits_for="active", fields=(told,)) == plan.digest
    assert plan.model_copy(update={"revision": "x", "warnings": ("x",), "record": None}).digest == plan.digest
    different = [
        digest(name="other"),
        digest(action="create"),
        digest(fields=(field.model_copy(update={"before": 1}),)),
        digest(fields=(field.model_copy(update={"after": 1}),)),
        digest(fields=(field.model_copy(update={"path": "replication_factor"}),)),
        digest(requests=()),
        digest(requests=planned(4).changes[0].requests),
        digest(live_digest="sha256:0"),
        plan.model_copy(update={"target": "other"}).digest,
        plan.model_copy(update={"endpoint": "https://other"}).digest,
        plan.model_copy(update={"changes": ()}).digest,
    ]
    assert len({plan.digest, *different}) == len(different) + 1


def test_a_digest_stays_what_it_is() -> None:
    """What was reviewed or saved by one version is known to the next: an update, a create, a delete, and their plan."""
    one = head(manifest(shard_count=3), manifest("new", description="é"))
    found, known = [live(), live("gone")], git(recorded=[manifest(), manifest("gone")])
    plan = plan_of(one, found, known, Intent(prune="owned"))
    assert [change.name for change in plan.changes] == ["gone", "new", "orders"]
    assert [*digests(plan), plan.digest, plan.manifests] == [
        "sha256:30e742860353097b281e80c43d62b5bac0f41b55b348171a86e8f2c9664a7cb9",
        "sha256:50e4c36d72bd15d76e092d692ede44dc35ff2b2235ab76378284f6fd6dfa3093",
        "sha256:59992fa57aa130391bf6778d12add96a28f8ddbdac178e584a1ad9841851de97",
        "sha256:752594948f497fa536e06ab02aa65f5f8143339f00f9a1a3d11be1a1d6ce903c",
        "sha256:e56fbc8919daa153444d8e0fba4eec6ce275d0322df5959cd61565fc140c0c2d",
    ]


def test_what_is_live_counts_as_far_as_put_could_change_it() -> None:
    """Managed or not; status and errors don't."""
    assert planned(description="x").digest != planned().digest
    assert planned(errors=["x"]).digest == planned().digest


def test_what_was_this_changes_is_pending_after_the_merge_and_the_same() -> None:
    """Deletes and creates, too."""
    one, found = head(manifest(shard_count=3), manifest("new")), [live(), live("stray")]
    known = [manifest(), manifest("stray")]
    before = plan_of(one, found, git(manifest(), manifest("stray"), recorded=known), Intent(prune="owned"))
    after = plan_of(one, found, git(manifest(shard_count=3), manifest("new"), recorded=known), Intent(prune="owned"))
    assert {change.cause for change in before.changes} == {"revision"}
    assert {change.cause for change in after.changes} == {"pending"}
    assert (digests(before), before.digest) == (digests(after), after.digest)
    assert change_digest(before.changes[0]).startswith("sha256:")
