"""Whose a live cluster is that nobody declares, and what a prune deletes of it."""

import pytest

from reconciler.model.declaration import Manifest
from reconciler.model.evidence import Evidence
from reconciler.model.guards import Guards
from reconciler.plan.ownership import Ownership
from reconciler.plan.plan import Plan
from reconciler.plan.settings import Intent
from tests.fakes import live, manifest
from tests.plan.histories import commit, git, headed, plan_of

STRAY, OTHER, LATER = manifest("stray"), manifest("stray", shard_count=5), manifest("stray", shard_count=7)
IGNORES_ALL = manifest("stray", lifecycle={"ignore_changes": list(manifest().configuration().model_dump())})


def kept(declared: Manifest) -> Manifest:
    """The same, let go when its manifest is removed."""
    return declared.model_copy(update={"lifecycle": declared.lifecycle.model_copy(update={"on_remove": "keep"})})


def removed(*declared: Manifest, days_ago: float = 29.99, applied: list[Manifest] | None = None) -> Evidence:
    """What git says of a cluster that was declared as these, the newest first, and then removed."""
    pairs = list(zip(declared, [*declared[1:], None], strict=True))
    older = [commit(f"set-{n}", days_ago + 1 + n, was, now) for n, (now, was) in enumerate(pairs)]
    return git(applied=applied, history={"stray": [commit("removing", days_ago, declared[0], None), *older]})


def pruned(evidence: Evidence, prune: str | None, *, prune_within: float = 30 * 86400.0) -> Plan:
    """The plan where `stray` is live and head doesn't declare it."""
    one = headed(manifest(), guards=Guards(prune_within=prune_within))
    return plan_of(one, [live(), live("stray")], evidence, Intent.model_validate({"prune": prune}))


@pytest.mark.parametrize(
    ("evidence", "word"),
    [
        (git(applied=[OTHER]), "owned"),
        (git(OTHER, applied=[OTHER]), "owned"),
        (removed(OTHER, days_ago=99, applied=[OTHER]), "owned"),
        (git(STRAY), "owned"),
        (git(STRAY, history={"stray": [commit("odd", 99, STRAY, None)]}), "owned"),
        (removed(STRAY), "owned"),
        (removed(STRAY, days_ago=30), "owned"),
        (removed(OTHER, STRAY), "owned"),
        (removed(OTHER, LATER, STRAY), "owned"),
        (removed(STRAY, applied=[]), "owned"),
        (git(), "never-declared"),
        (git(applied=[]), "never-declared"),
        (git(manifest("other")), "never-declared"),
        (removed(STRAY, days_ago=30.01), "formerly-managed"),
        (removed(STRAY, days_ago=99, applied=[]), "formerly-managed"),
        (removed(OTHER, days_ago=99), "formerly-managed"),
        (removed(OTHER), "unproven"),
        (git(OTHER), "unproven"),
        (removed(OTHER, LATER), "unproven"),
        (removed(IGNORES_ALL), "unproven"),
        (git(history={"stray": [commit("odd", 1, STRAY, STRAY)]}), "unproven"),
        (git(kept(STRAY)), "released"),
        (git(STRAY, applied=[kept(STRAY)]), "released"),
        (removed(kept(STRAY), STRAY), "released"),
        (removed(kept(OTHER), days_ago=99), "released"),
        (removed(STRAY, kept(STRAY)), "owned"),
        (git(kept(STRAY), unproven="shallow"), "released"),
        (git(history={"stray": [commit("odd", 1, None, kept(STRAY))]}), "released"),
        (git(STRAY, applied=[STRAY], unproven="shallow"), "unknown"),
        (Evidence(), "unknown"),
        (Evidence(unproven=None), "unknown"),
    ],
)
def test_each_word_of_ownership_and_what_a_prune_deletes(evidence: Evidence, word: Ownership) -> None:
    """Nothing without a prune; what is owned with it; with `all`, all but what was released."""
    told = pruned(evidence, None)
    assert [(u.name, u.ownership) for u in told.unmanaged] == [("stray", word)]
    assert told.changes == ()
    for prune, deletes in [("owned", word == "owned"), ("all", word != "released")]:
        plan = pruned(evidence, prune)
        assert [(c.action, c.name) for c in plan.changes] == [("delete", "stray")] * deletes
        assert plan.unmanaged == (() if deletes else told.unmanaged)
        assert (plan.summary.delete, plan.summary.unmanaged) == (deletes, not deletes)
        assert plan.nodes.after == (4 if deletes else 8)


def test_what_is_not_managed_need_not_look_alike() -> None:
    """A field that was left out or ignored says nothing of whose a cluster is."""
    declared = manifest("stray", shard_count=5, lifecycle={"ignore_changes": ["shard_count"]})
    one, found = headed(manifest()), live("stray", description="theirs", shard_count=3, errors=["Odd"])
    assert [u.ownership for u in plan_of(one, [live(), found], removed(declared)).unmanaged] == ["owned"]


def test_how_long_ago_is_the_fleet_files_to_say() -> None:
    """`prune_within`, in head's or in what was applied, whichever is shorter; the removing commit is told."""
    evidence = removed(STRAY, days_ago=2)
    for hours, word in [(47, "formerly-managed"), (49, "owned")]:
        (told,) = pruned(evidence, None, prune_within=hours * 3600.0).unmanaged
        assert (told.ownership, told.removed_by) == (word, "removing")
    short = Guards(prune_within=3600.0)
    cautious = git(guards=short, history={"stray": [commit("removing", 2, STRAY, None)]})
    assert pruned(cautious, None).unmanaged[0].ownership == "formerly-managed"
