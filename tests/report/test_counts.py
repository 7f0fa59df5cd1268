"""What a page says first: this change in one line of counts, and apart from it what else would be done."""

import pytest

from reconciler.model.evidence import Base
from reconciler.plan.change import Change
from reconciler.report.counts import besides, headline, nodes, question, standing
from tests.report.everything import (
    HEAD,
    a_plan,
    create,
    delete,
    explained,
    field,
    in_sync,
    no_git,
    planned,
    readme_only,
    replace,
    update,
)

CONFLICT = update("a", field("shard_count", 5, 3, "conflict"), cause="conflict")
ADOPTION = update("b", field("shard_count", 5, 3, "adoption"), cause="adoption")
MIXED = update("c", field("shard_count", 5, 3, "conflict"), field("description", "", "x", "revision"), cause="conflict")
PENDING = delete("d", cause="pending")
DRIFT = create("e", cause="drift")
RETRY = update("f", cause="pending")
LEFT = update("g", field("shard_count", 9, 4, "drift", left="unreviewed"), cause="drift", left="unreviewed")


@pytest.mark.parametrize(
    ("changes", "first", "then"),
    [
        ([], "this change: nothing", ""),
        ([create("x", cause="revision")], "this change: 1 to create", ""),
        (
            [create("x", cause="revision"), MIXED, delete("y", cause="revision"), delete("z", cause="revision")],
            "this change: 1 to create, 1 to update, 2 to delete",
            "",
        ),
        (
            [PENDING, DRIFT, RETRY, LEFT],
            "this change: nothing",
            "would also be done: 1 merged before, 1 revert of drift, 1 retry; left as it is: 1 drifted cluster",
        ),
        ([LEFT], "this change: nothing", "left as it is: 1 drifted cluster"),
        ([MIXED, CONFLICT], "this change: 1 to update", "would also be done: 1 conflict"),
        ([CONFLICT, ADOPTION], "this change, or one merged before it: 1 conflict, 1 adoption", ""),
    ],
)
def test_this_change_first_all_else_apart(changes: list[Change], first: str, then: str) -> None:
    """One that also does what head means is this change's; where that can't be told, it isn't claimed."""
    plan = planned(*changes)
    assert (headline([plan]), besides([plan])) == (first, then)


def test_without_another_base_there_is_no_this_change() -> None:
    """What would be done, and why; where no cause is known, only that."""
    plan = planned(PENDING, DRIFT, base=Base(commit=HEAD, reason="HEAD, which main contains"))
    assert headline([plan]) == "1 to create, 1 to delete"
    assert besides([plan]) == "of these: 1 merged before, 1 revert of drift"
    assert headline([plan.model_copy(update={"dirty": True})]) == "this change: nothing"
    left = planned(LEFT, base=plan.base)
    assert (headline([left]), besides([left])) == ("nothing would be done", "left as it is: 1 drifted cluster")
    assert (headline([a_plan()]), besides([a_plan()])) == ("2 to create, 2 to update, 2 to delete", "")
    assert (headline([in_sync()]), besides([in_sync()])) == ("nothing to do", "")
    assert besides([a_plan(), planned()]) == "would also be done: 6 changes of unknown cause"


def test_the_question_counts_all_that_would_be_done() -> None:
    """A revert beside a change of nothing, too; with every name that goes, of a few, and what is left is not done."""
    assert question([readme_only()]) == "1 to update; nodes 105 → 84 (-21). Apply?"
    assert (
        question([a_plan()]) == "2 to create, 2 to update, 2 to delete; deletes gone, stray; nodes 53 → 49 (-4). Apply?"
    )
    replaced = planned(replace("a"), *(delete(f"c-{n:02}") for n in range(11)))
    assert "; deletes a, c-00, c-01," in question([replaced])
    assert "c-08 and 2 more; nodes" in question([replaced])


def test_counts_are_of_all_targets() -> None:
    """How the rest stands, too; what isn't there isn't counted."""
    plans = [explained(), readme_only()]
    assert headline(plans) == "this change: 1 to create, 1 to update, 2 to delete"
    assert besides(plans) == (
        "would also be done: 1 conflict, 1 adoption, 2 merged before, 3 reverts of drift, 1 retry; "
        "left as it is: 2 drifted clusters"
    )
    assert standing(plans) == (
        "14 as declared, 1 still settling, 2 taken over, 1 unhealthy, 3 not declared, nodes 158 → 133 (-25)"
    )
    assert nodes([in_sync(), no_git(in_sync())]) == "nodes 24"
