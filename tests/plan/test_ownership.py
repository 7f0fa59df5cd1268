"""Whose an undeclared cluster is, and whether a prune deletes it."""

import pytest

from reconciler.model.evidence import Evidence, Removal
from reconciler.plan.intent import Intent
from reconciler.plan.ownership import ownership_of, pruned, unmanaged
from reconciler.plan.plan import Ownership
from tests.fakes import declaration, live, manifest
from tests.plan.histories import git, line, values

OURS = manifest("x")
KEPT = manifest("x", lifecycle={"on_remove": "keep"})
OTHER = values(manifest("x", shard_count=9))


@pytest.mark.parametrize(
    ("evidence", "ownership"),
    [
        (git(recorded=[OURS]), "owned"),
        (git(recorded=[line(OURS, declared=OTHER)]), "owned"),  # it drifted, and is ours
        (git(recorded=[line(OURS, declared=OTHER, unsettled=OTHER)]), "owned"),
        (git(recorded=[line(OURS, declared=None, unsettled=values(OURS))]), "owned"),
        (git(recorded=[line(OURS, declared=None, unsettled=OTHER)]), "not-ours"),
        (git(recorded=[line(OURS, unsettled="deleted")]), "owned"),
        (git(recorded=[line(OURS, declared=OTHER, unsettled="deleted")]), "not-ours"),
        (git(recorded=[line(OURS, declared=None, unsettled="deleted")]), "not-ours"),
        (git(recorded=[manifest("y")]), "not-ours"),
        (git(OURS), "not-ours"),
        (git(OURS, recorded=None), "unknown"),
        (Evidence(), "unknown"),
        (git(recorded=[line(OURS, released=True)]), "released"),
        (git(recorded=[KEPT]), "released"),
        (git(KEPT, recorded=[OURS]), "released"),
        (git(recorded=[OURS], removals={"x": Removal("c", declaration(KEPT))}), "released"),
        (git(KEPT, recorded=None), "released"),
    ],
)
def test_the_record_says_whose_it_is_and_what_is_let_go_is_nobodys(evidence: Evidence, ownership: Ownership) -> None:
    """One never seen settled, or deleted, is ours only as it says: somebody else may have taken the name."""
    found = live("x")
    assert ownership_of(found, evidence) == ownership
    deletes = {prune: [*pruned([found], evidence, Intent(prune=prune))] for prune in (None, "owned", "all")}
    assert deletes == {
        None: [],
        "owned": [found] * (ownership == "owned"),
        "all": [found] * (ownership != "released"),
    }


def test_what_is_left_alone_names_the_commit_that_removed_it() -> None:
    """Where history has it."""
    evidence = git(recorded=[OURS])._replace(removals={"x": Removal("removing", declaration(OURS))})
    assert unmanaged(live("x"), evidence).removed_by == "removing"
    assert unmanaged(live("x"), git()).removed_by is None
