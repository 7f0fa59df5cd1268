"""One field in words: what would be done to it, and how it came to differ."""

import pytest

from reconciler.plan.change import FieldChange
from reconciler.report.fields import field_text
from reconciler.report.words import Topic
from tests.report.everything import EARLIER, create, field, update


@pytest.mark.parametrize(
    ("of", "topic", "text"),
    [
        (field("n", 2, 4), "plain", "n: 2 → 4"),
        (field("n", 2, 4, "revision"), "revision", "n: 2 → 4"),
        (field("n", None, 4, "revision"), "revision", "n: none → 4"),
        (field("n", 9, 4, "drift", recorded=4), "drift", "n: 9 → 4  (declared 4, changed by hand to 9)"),
        (field("n", 9, 4, "drift"), "revision", "n: 9 → 4  (declared 4, changed by hand to 9)"),
        (
            field("n", 9, 4, "drift", left="max-drift-fraction"),
            "revision",
            "n: declared 4, now 9, left as it is: more of the fleet has drifted than max_drift_fraction allows",
        ),
        (
            field("n", 9, 4, "conflict", recorded=2),
            "conflict",
            "n: 9 → 4  (conflict: last applied 2, changed by hand to 9)",
        ),
        (field("n", 9, 4, "conflict"), "revision", "n: 9 → 4  (conflict: changed by hand to 9)"),
        (
            field("n", 9, 4, "conflict", recorded=9),
            "conflict",
            "n: 9 → 4  (conflict: applied from a commit that this branch doesn't hold)",
        ),
        (field("n", 2, 4, "pending"), "pending", "n: 2 → 4"),
        (field("n", 2, 4, "pending"), "revision", "n: 2 → 4  (merged before)"),
        (field("n", 2, 4, "pending", commit=EARLIER), "pending", "n: 2 → 4  (merged before in 159aa65914)"),
        (field("n", 2, 4, "adoption"), "adoption", "n: 2 → 4"),
        (field("n", 2, 4, "adoption"), "conflict", "n: 2 → 4  (adoption)"),
    ],
)
def test_drift_as_it_happened_and_a_revert_as_what_is_done(of: FieldChange, topic: Topic, text: str) -> None:
    """What differs from what its section says is told beside it."""
    assert str(field_text(of, update("a", of), topic)) == text


def test_a_create_has_no_before() -> None:
    """Not even 'none'."""
    made = create("a", cause="drift")
    assert [str(field_text(f, made, "drift")) for f in made.fields] == [
        "node_instance_type: m6g.large",
        "shard_count: 2",
    ]
