"""The list of guards, and limits: the stricter, the looser, and what a change may lift."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.guards import ALLOWABLE, GUARDS, LIMITED, Limit, Limits, LimitSort, effective
from reconciler.problem import Place

VALUES: Mapping[LimitSort, st.SearchStrategy[Limit]] = {
    "count": st.none() | st.integers(0, 9),
    "fraction": st.none() | st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    "amount": st.none() | st.sampled_from([0, 0.1, 12.5]),
    "patterns": st.lists(st.sampled_from(["a*", "b", "*"])).map(lambda found: tuple(sorted({*found}))),
}


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    """Any limits, each with a place of its own."""
    values = {key: draw(VALUES[guard.sort]) for key, guard in LIMITED.items()}
    return Limits(values, {key: Place("fleet.yaml", draw(st.integers(1, 99))) for key in values})


def lets_more_through(key: str, one: Limits, other: Limits) -> bool:
    """Whether the first's limit refuses less than the second's."""
    ours, theirs = one.of(key), other.of(key)
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        return not {*theirs} <= {*ours}
    assert not isinstance(ours, tuple)
    assert not isinstance(theirs, tuple)
    return theirs is not None and (ours is None or ours > theirs)


@given(limits(), limits())
def test_the_stricter_of_two_is_no_looser_than_either_and_no_stricter_than_needed(one: Limits, other: Limits) -> None:
    """Whichever is which; a limit that is one of theirs stands where it stands."""
    both = one.stricter(other)
    assert both.values == other.stricter(one).values
    for key, guard in LIMITED.items():
        assert not lets_more_through(key, both, one)
        assert not lets_more_through(key, both, other)
        if guard.sort != "patterns":
            assert both.of(key) in {one.of(key), other.of(key)}
        assert both.places[key] in {one.places[key], other.places[key]}


@given(limits(), limits())
def test_the_looser_of_two_refuses_nothing_that_one_of_them_lets_through(one: Limits, other: Limits) -> None:
    """And no less than it must."""
    both = one.looser(other)
    assert both.values == other.looser(one).values
    for key, guard in LIMITED.items():
        assert not lets_more_through(key, one, both)
        assert not lets_more_through(key, other, both)
        if guard.sort != "patterns":
            assert both.of(key) in {one.of(key), other.of(key)}


@given(limits(), st.lists(limits(), max_size=3))
def test_no_change_lifts_its_own_limit(head: Limits, earlier: list[Limits]) -> None:
    """Head's, and the loosest of what stood before; a first one has only its own."""
    found = effective(head, earlier)
    for key in LIMITED:
        assert not lets_more_through(key, found, head)
        for one in earlier:
            assert lets_more_through(key, head, one) or not lets_more_through(key, one, found) or any(
                not lets_more_through(key, found, other) for other in earlier
            )  # fmt: skip
    assert earlier or found == head


def test_limits_laid_over_others_keep_what_they_dont_say() -> None:
    """A limit that is written as none is said too; each keeps its place."""
    common = Limits().overlaid({"max_deletes": 1, "protect": ("a",)}, {"max_deletes": Place("f", 1)})
    own = common.overlaid({"max_delete_fraction": None}, {"max_delete_fraction": Place("f", 2)})
    assert (own.of("max_deletes"), own.of("max_delete_fraction"), own.of("protect")) == (1, None, ("a",))
    assert own.places == {"max_deletes": Place("f", 1), "max_delete_fraction": Place("f", 2)}


def test_the_defaults_are_the_published_ones() -> None:
    """A brake on deletes from the first day."""
    assert Limits().values == {
        "max_deletes": 5,
        "max_delete_fraction": 0.25,
        "max_drift_fraction": 0.5,
        "max_added_nodes": None,
        "max_added_cost": None,
        "protect": (),
    }


def test_each_guard_is_listed_once_and_says_how_it_is_lifted() -> None:
    """Names and keys are what users script against."""
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)
    assert {guard.name for guard in GUARDS} - {*ALLOWABLE} == {"protected", "adopt"}
