"""What a line of the record owns, knows and keeps."""

from typing import Any

import pytest

from reconciler.model.cluster import LiveCluster, Values
from reconciler.model.record import Line, Record

V: Values = {"shard_count": 2, "replication_factor": 1}


def line(**said: Any) -> Line:
    values: dict[str, Any] = {
        "name": "x",
        "commit": None,
        "at": 0.0,
        "file": "x.yaml",
        "line": 1,
        "origin": "created",
    }
    return Line(**{**values, **said})


def live(**values: int) -> LiveCluster:
    return LiveCluster("x", "Active", (), {**V, "enforce_shard_multi_az": True, **values})


@pytest.mark.parametrize(
    ("said", "owns_equal", "owns_other"),
    [
        (line(declared=V), True, True),
        (line(declared=V, unsettled={"shard_count": 9}), True, True),
        (line(unsettled=V), True, False),
        (line(declared=V, unsettled="deleted"), True, False),
        (line(unsettled={"shard_count": 9}, superseded=(V,)), True, False),
        (line(declared={"shard_count": 9}, unsettled="deleted", superseded=(V,)), True, False),
        (line(unsettled={**V, "shard_count": 9}, kept={"shard_count": 2}), True, False),
        (line(declared={**V, "description": "d"}, unsettled="deleted", kept={"description": None}), True, False),
        (line(unsettled="deleted"), False, False),
        (line(), False, False),
        (line(declared=V, released=True), False, False),
        (line(unsettled=V, released=True), False, False),
    ],
)
def test_a_line_owns_what_it_saw_settled_and_else_only_what_is_as_it_says(
    said: Line, owns_equal: bool, owns_other: bool
) -> None:
    """Somebody else may have taken the name of one that was never seen, or was deleted."""
    assert (said.owns(live()), said.owns(live(shard_count=3))) == (owns_equal, owns_other)


def test_a_line_knows_each_value_that_it_declared_sent_or_keeps() -> None:
    """And no other: that is somebody else's hand."""
    said = line(declared=V, unsettled={"shard_count": 4}, superseded=({"shard_count": 6},), kept={"shard_count": 8})
    assert [count for count in range(10) if said.wrote("shard_count", count)] == [2, 4, 6, 8]
    assert said.wrote("replication_factor", 1)
    assert not said.wrote("description", None)
    assert said.sent == {"shard_count": 4, "replication_factor": 1}
    assert line(declared=V, unsettled="deleted").sent == V


def test_a_value_is_kept_in_the_place_of_the_one_that_was_sent() -> None:
    """As long as that very value is asked for, and that very one is live; a field that is gone counts, too."""
    said = line(declared={**V, "description": "d"}, kept={"shard_count": 8, "description": None})
    assert said.keeps("shard_count", 2, 8)
    assert not said.keeps("shard_count", 3, 8)
    assert not said.keeps("shard_count", 2, 9)
    assert not said.keeps("replication_factor", 1, 1)
    assert said.keeps("description", "d", None)
    assert not line(declared=V).keeps("shard_count", 2, 8)


def test_lines_are_put_in_and_taken_out() -> None:
    """Sorted by name; the record itself stays as it was."""
    record = Record("t", "https://h", "MOMENTO_API_KEY", lines={"b": line(name="b")})
    changed = record.with_lines({"a": line(name="a"), "b": None, "c": line(name="c"), "d": None})
    assert ([*changed.lines], [*record.lines]) == (["a", "c"], ["b"])
