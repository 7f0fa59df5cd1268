"""How two values differ, in one line."""

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.text import is_printable
from reconciler.plan.difference import difference_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=90), inner, max_size=4),
    max_leaves=12,
)


def test_each_place_has_what_was_and_what_is() -> None:
    """Nested, added, taken away; the first few, and how many more."""
    was = {"sent": {"shards": [{"zone": "a"}], "count": 1}, "gone": True}
    now = {"sent": {"shards": [{"zone": "b"}, {"zone": "c"}], "count": 2}, "gone": True}
    assert difference_of(was, now) == (
        "sent.count: 1, now 2; sent.shards[0].zone: 'a', now 'b'; sent.shards[1]: nothing, now {'zone': 'c'}"
    )
    assert difference_of({"a": 1, "b": 1, "c": 1, "d": True, "e": 1}, {"a": 2, "b": 2, "c": 2, "d": 1}) == (
        "a: 1, now 2; b: 1, now 2; c: 1, now 2; and 2 more"
    )
    assert difference_of({"a": "\x1b[2J\n" + "x" * 99}, {"a": None}) == f"a: '\\x1b[2J\\n{'x' * 49}…, now None"
    assert difference_of({"k" * 99: 1}, {"k" * 99: 2}) == f"{'k' * 59}…: 1, now 2"


@given(JSON, JSON)
def test_it_is_one_short_line_that_steers_nothing_and_empty_for_what_is_equal(was: object, now: object) -> None:
    """For any values, with any keys."""
    told = difference_of({"root": was}, {"root": now})
    assert is_printable(told)
    assert len(told) < 3 * 200 + 30
    assert difference_of({"root": was}, {"root": was}) == ""
