"""Configurations by path, both ways; and what of the service's list is understood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.cluster import FIELDS, Configuration, Placement
from reconciler.model.view import body_of, field_of, live_cluster, ordered, path_of, split, values_of

TEXT = st.text(min_size=1, max_size=5)
PLACEMENTS = st.lists(
    st.builds(
        Placement,
        shard_index=st.integers(0, 12),
        availability_zone=TEXT,
        replica_availability_zones=st.lists(TEXT, max_size=3).map(tuple),
    ),
    unique_by=lambda placement: placement.shard_index,
    max_size=12,
).map(tuple)
CONFIGURATIONS = st.builds(
    Configuration,
    description=st.none() | st.text(max_size=5),
    node_instance_type=TEXT,
    shard_count=st.integers(1, 13),
    replication_factor=st.integers(0, 3),
    enforce_shard_multi_az=st.booleans(),
    shard_placements=st.none() | PLACEMENTS,
)


def entry(configuration: Configuration) -> dict[str, object]:
    """What the service lists for it."""
    listed = configuration.model_dump(mode="json")
    return {"name": "x", "status": "Active", "errors": [], "since": "tomorrow", **listed}


@given(CONFIGURATIONS)
def test_a_body_says_what_the_configuration_says(configuration: Configuration) -> None:
    """Both ways; normal already, in the document's order, with nothing that isn't there."""
    values = values_of(configuration)
    again = Configuration.model_validate(body_of(values))
    assert values_of(again) == values
    assert list(values) == ordered(reversed([*values]))
    assert None not in values.values()
    assert again.model_dump(exclude={"shard_placements"}) == configuration.model_dump(exclude={"shard_placements"})
    zones = {p.shard_index: sorted(p.replica_availability_zones) for p in configuration.shard_placements or ()}
    assert {p.shard_index: [*p.replica_availability_zones] for p in again.shard_placements or ()} == zones


@given(CONFIGURATIONS)
def test_order_means_nothing(configuration: Configuration) -> None:
    """Of placements, of replica zones, of keys: what is live as declared is equal to it."""
    placements = [
        placement.model_copy(update={"replica_availability_zones": placement.replica_availability_zones[::-1]})
        for placement in reversed(configuration.shard_placements or ())
    ]
    shuffled = configuration.model_copy(update={"shard_placements": tuple(placements)})
    assert values_of(shuffled) == values_of(configuration)
    live = live_cluster(dict(reversed(entry(shuffled).items())))
    assert live.values == values_of(configuration)
    assert list(live.values) == list(values_of(configuration))


def test_every_field_of_the_configuration_has_its_paths() -> None:
    """A field more there is one more here."""
    whole = entry(Configuration(
        description="d", node_instance_type="t", shard_count=1, replication_factor=1, enforce_shard_multi_az=True,
        shard_placements=(Placement(shard_index=0, availability_zone="a", replica_availability_zones=("b",)),),
    ))  # fmt: skip
    assert {field_of(path) for path in live_cluster(whole).values} == {*FIELDS}


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("shard_count", ("shard_count", None, "")),
        ("shard_placements[12].availability_zone", ("shard_placements", 12, "availability_zone")),
    ],
)
def test_a_path_is_taken_apart_as_it_was_put_together(path: str, parts: tuple[str, int | None, str]) -> None:
    """Field, shard, key."""
    assert split(path) == parts
    assert path in {path_of(parts[0], parts[1] or 0, parts[2]), parts[0]}


def live(**changes: object) -> dict[str, object]:
    listed: dict[str, object] = {
        "name": "x", "status": "Active", "node_instance_type": "t", "shard_count": 2, "replication_factor": 1,
        "enforce_shard_multi_az": True,
    }  # fmt: skip
    return {**listed, **changes}


def test_null_and_what_is_left_out_are_one() -> None:
    """Where the API's document lets a field be missing."""
    nulls = live(description=None, shard_placements=None, errors=None)
    assert live_cluster(nulls) == live_cluster(live()) == live_cluster(live(shard_placements=[], more={}))
    bare = live(shard_placements=[{"shard_index": 1, "availability_zone": "a", "replica_availability_zones": None}])
    assert live_cluster(bare).values["shard_placements[1].replica_availability_zones"] == ()


def test_of_a_flood_of_errors_a_hundred_are_told() -> None:
    """The others are counted."""
    errors = live_cluster(live(errors=["first", {"code": 1}, *["x"] * 200])).errors
    assert (len(errors), errors[:2], errors[-1]) == (101, ("first", '{"code": 1}'), "and 102 errors more")


@pytest.mark.parametrize(
    ("listed", "said"),
    [
        ([], "it is not an object"),
        (None, "it is not an object"),
        (live(name=None), "name: missing"),
        (live(name=1), "name: of another type than documented"),
        (live(status={}), "status: of another type than documented"),
        (live(errors="x"), "errors: no list"),
        (live(shard_count=None), "shard_count: missing"),
        (live(shard_count=True), "shard_count: of another type than documented"),
        (live(shard_count=2.0), "shard_count: of another type than documented"),
        (live(enforce_shard_multi_az=1), "enforce_shard_multi_az: of another type than documented"),
        (live(description=["\x1b[2J"]), "description: of another type than documented"),
        (live(shard_placements={}), "shard_placements: of another type than documented"),
        (live(shard_placements=[1]), "shard_placements: of another type than documented"),
        (live(shard_placements=[{"shard_index": "0"}]), "shard_index: of another type than documented"),
        (live(shard_placements=[{"shard_index": 0}]), "availability_zone: missing"),
        (
            live(shard_placements=[{"shard_index": 0, "availability_zone": "a", "replica_availability_zones": [None]}]),
            "replica_availability_zones: missing",
        ),
    ],
)
def test_an_entry_that_makes_no_sense_says_which_field(listed: object, said: str) -> None:
    """And none of what it holds, which may be anything."""
    with pytest.raises(ValueError, match=r".") as caught:
        live_cluster(listed)
    assert str(caught.value) == said
