"""Values, names and counts in words: what is bare, what is quoted, what is cut."""

import pytest

from reconciler.model.cluster import FieldValue
from reconciler.plan.plan import Unhealthy
from reconciler.report.values import counts_text, duration_text, name_text, names_text, replace_options, value_text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "none"),
        (True, "true"),
        (False, "false"),
        (3, "3"),
        ("Order service (EU), v1.2", "Order service (EU), v1.2"),
        ("3", '"3"'),
        ("True", '"True"'),
        ("none", '"none"'),
        ("", '""'),
        (" a", '" a"'),
        ('say "x"', '"say \\"x\\""'),
        ((), "[]"),
        (("us-east-1a", "b c", "7"), '[us-east-1a, "b c", "7"]'),
        ("a" * 240, "a" * 240),
        ("a" * 241, "a" * 239 + "…"),
        ("!" * 241, '"' + "!" * 239 + '…"'),
    ],
)
def test_a_value_is_bare_where_that_cannot_mislead(value: FieldValue | None, shown: str) -> None:
    """A text that reads as a number, a truth or nothing is quoted, as is what holds a quote; a page is cut."""
    assert value_text(value) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("orders", "orders"),
        ("a b", '"a b"'),
        ("a\nb", '"a\\nb"'),
        ("a" * 255, "a" * 255),
        ("a" * 256, '"' + "a" * 254 + '…"'),
    ],
)
def test_a_name_is_bare_where_it_is_a_word(name: str, shown: str) -> None:
    """As long as the API lets one be."""
    assert name_text(name) == shown


def test_names_and_counts_are_listed() -> None:
    """Twenty names, and how many more; of counts those that are any."""
    twenty = [f"c{number}" for number in range(20)]
    assert names_text(twenty) == ", ".join(twenty)
    assert names_text([*twenty, "c20"]) == f"{', '.join(twenty)} and 1 more"
    assert names_text(["b", "a"], most=1) == "b and 1 more"
    assert counts_text([(1, "to create"), (0, "to update"), (2, "to delete")]) == "1 to create, 2 to delete"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0s"),
        (0.4, "0.4s"),
        (185.0, "3m 5s"),
        (-1.0, "an unknown time"),
        (float("nan"), "an unknown time"),
        (float("inf"), "an unknown time"),
    ],
)
def test_what_is_no_duration_is_said_to_be_none(seconds: float, shown: str) -> None:
    """A saved report may hold any number."""
    assert duration_text(seconds) == shown


def test_a_blocked_cluster_is_made_anew_by_words_for_a_shell() -> None:
    """With consent to adopt only where it isn't ours; nothing in a name ends a word."""
    blocked = Unhealthy(name="a b", status="Creating", errors=("x",), blocked=True)
    assert replace_options(blocked) == ("--replace='a b'",)
    assert replace_options(blocked.model_copy(update={"replace_needs": "adopt"})) == (
        "--replace='a b'",
        "--adopt='a b'",
    )
    assert replace_options(blocked.model_copy(update={"replace_needs": "forget"})) == ("--replace='a b'",)
