"""A plan as it is read: by topic, equal changes as one, what destroys apart."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.plan.change import Change, Origin
from reconciler.report.sections import destroyed, has_no_record, sections, successors, topic_of
from tests.report.everything import create, delete, explained, field, in_sync, many, no_git, planned, replace, update


def test_each_change_stands_under_what_says_most() -> None:
    """This change before conflicts, these before what was merged, drift last but for what is left."""
    found = [(section.topic, [a.first.name for a in section.groups]) for section in sections(explained())]
    assert found == [
        ("revision", ["new-name", "orders"]),
        ("conflict", ["contested"]),
        ("adoption", ["foreign"]),
        ("pending", ["late", "later"]),
        ("retry", ["retried"]),
        ("drift", ["vanished", "wandered"]),
        ("left", ["loose"]),
    ]


def test_a_left_field_says_nothing_of_its_change() -> None:
    """Only what is carried out does."""
    drifted = field("shard_count", 9, 4, "drift", left="unreviewed")
    change = update("a", drifted, field("description", "", "x", "pending"), cause="pending")
    assert topic_of(change) == "pending"


def test_equal_changes_are_one() -> None:
    """The same fields, values, causes and risks; the largest group first; a rename, a retry are never among them."""
    alike = [update(name, field("shard_count", 1, 2, "revision", line=n)) for n, name in enumerate("abc", 1)]
    risky = alike[0].model_copy(update={"name": "d", "risks": ("resharding",)})
    renamed = [create(n, cause="revision", moved_from=Origin(target="us-east-1", name=f"old-{n}")) for n in "ef"]
    retried = [update(name, cause="revision") for name in "gh"]
    plan = planned(create("z", cause="revision"), *alike, risky, *renamed, *retried)
    names = [[change.name for change in group.changes] for s in sections(plan) for group in s.groups]
    assert names == [["a", "b", "c"], ["e"], ["f"], ["z"], ["d"], ["g"], ["h"]]


def test_one_hundred_and_true_are_two_values() -> None:
    """Python's `1 == True` makes nothing alike."""
    plan = planned(
        update("a", field("x", 0, 1, "revision")), update("b", field("x", before=False, after=True, cause="revision"))
    )
    assert all(len(group.changes) == 1 for section in sections(plan) for group in section.groups)


def test_what_destroys_is_told_apart() -> None:
    """Deletes of any cause, and what is made anew; of a move, what takes its place."""
    plan = planned(replace("b"), delete("c", cause="pending"), create("d"), delete("a", cause="revision"))
    assert [(p.target, change.name) for p, change in destroyed([plan])] == [("us-east-1", n) for n in "abc"]
    assert successors([explained()]) == {
        Origin(target="us-east-1", name="old-name"): Origin(target="us-east-1", name="new-name")
    }


def test_a_record_is_missed_where_git_is_at_hand() -> None:
    """Without git, or offline, there is none to miss."""
    lost = in_sync().model_copy(update={"record": None})
    assert has_no_record(lost)
    assert not any(map(has_no_record, (in_sync(), no_git(lost), lost.model_copy(update={"live_read": False}))))


@given(order=st.permutations(many(40).changes))
def test_the_order_of_changes_changes_nothing_and_none_is_lost(order: list[Change]) -> None:
    """Each stands in exactly one section, or is a delete."""
    plan = many(40)
    shuffled = plan.model_copy(update={"changes": tuple(order)})
    assert sections(shuffled) == sections(plan)
    told = [change.name for section in sections(plan) for group in section.groups for change in group.changes]
    deletes = [change.name for _, change in destroyed([plan])]
    assert sorted(told + deletes) == [change.name for change in plan.changes]
