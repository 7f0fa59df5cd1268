"""The limits of a fleet and of a target, and the stricter of two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from reconciler.model.guards import Guards

FRACTIONS = st.none() | st.sampled_from([0.0, 0.1, 0.5, 1.0])
COUNTS = st.none() | st.integers(0, 9)


@st.composite
def guards(draw: st.DrawFn) -> Guards:
    """Any limits."""
    return Guards(
        max_deletes=draw(COUNTS),
        max_delete_fraction=draw(FRACTIONS),
        max_unreviewed_fraction=draw(FRACTIONS),
        max_added_nodes=draw(COUNTS),
        prune_within=draw(st.sampled_from([1.0, 86400.0, 30 * 86400.0])),
        protect=tuple(draw(st.lists(st.sampled_from(["a*", "b", "*"])))),
    )


def loosened(limits: Guards, by: Guards) -> bool:
    """Whether any limit of the first lets more through than the second's."""
    for name in ("max_deletes", "max_delete_fraction", "max_unreviewed_fraction", "max_added_nodes", "prune_within"):
        ours, theirs = getattr(limits, name), getattr(by, name)
        if theirs is not None and (ours is None or ours > theirs):
            return True
    return not {*by.protect} <= {*limits.protect}


@given(guards(), guards())
def test_the_stricter_of_two_is_no_looser_than_either_and_no_stricter_than_needed(one: Guards, other: Guards) -> None:
    """Whichever is which; so no change can lift its own limit."""
    both = one.stricter(other)
    assert both == other.stricter(one)
    assert not loosened(both, one)
    assert not loosened(both, other)
    for name in ("max_deletes", "max_delete_fraction", "max_unreviewed_fraction", "max_added_nodes", "prune_within"):
        assert getattr(both, name) in {getattr(one, name), getattr(other, name)}
    assert {*both.protect} == {*one.protect, *other.protect}


def test_a_target_overrides_only_what_it_says() -> None:
    """A limit that is written as none is said too."""
    fleet = Guards(max_deletes=1, max_delete_fraction=0.1, protect=("a",))
    own = Guards.model_validate({"max_delete_fraction": None, "prune_within": "2h"})
    expected = Guards(max_deletes=1, max_delete_fraction=None, prune_within=7200.0, protect=("a",))
    assert fleet.overlaid(own) == expected


def test_the_defaults_are_the_published_ones() -> None:
    """A brake on deletes from the first day."""
    assert Guards().model_dump() == {
        "max_deletes": 5,
        "max_delete_fraction": 0.25,
        "max_unreviewed_fraction": 0.5,
        "max_added_nodes": None,
        "prune_within": 30 * 86400.0,
        "protect": (),
    }


@pytest.mark.parametrize(("pattern", "held"), [("prod-*", True), ("prod", False), ("PROD-*", False), ("*-db", True)])
def test_a_pattern_protects_a_whole_name(pattern: str, held: bool) -> None:
    """Capital letters count; the pattern that holds is named."""
    assert Guards(protect=("other", pattern)).protector("prod-db") == (pattern if held else None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_deletes": -1},
        {"max_deletes": True},
        {"max_deletes": 1.5},
        {"max_delete_fraction": 1.01},
        {"max_delete_fraction": -0.01},
        {"max_delete_fraction": float("nan")},
        {"max_delete_fraction": True},
        {"max_unreviewed_fraction": "0.5"},
        {"max_unreviewed_fraction": 25},
        {"prune_within": "0s"},
        {"prune_within": "30"},
        {"prune_within": "soon"},
        {"protect": [""]},
        {"protect": "prod"},
        {"max_delete": 1},
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    """Never taken for a looser one."""
    with pytest.raises(ValidationError):
        Guards.model_validate(wrong)
