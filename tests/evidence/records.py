"""Records, as Hypothesis finds them and as a story has them."""

from collections.abc import Mapping

from hypothesis import strategies as st

from reconciler.model.cluster import FieldValue, Values
from reconciler.model.declaration import NO_LIFECYCLE, Lifecycle
from reconciler.model.guards import Limits
from reconciler.model.record import Line, Record
from tests.evidence.repositories import ENDPOINT

COMMITS = [f"{digit}" * 40 for digit in "0123"]
BODY: Values = {
    "node_instance_type": "m6g.large",
    "shard_count": 2,
    "replication_factor": 1,
    "enforce_shard_multi_az": True,
}
PLACED: Values = {
    "description": "é\u2028\ud800",
    **BODY,
    "shard_placements[0].availability_zone": "a",
    "shard_placements[0].replica_availability_zones": ("a", "b"),
}
VALUES: st.SearchStrategy[Values | None] = st.sampled_from([None, BODY, PLACED, {**BODY, "shard_count": 3}, {}])
KEPT: st.SearchStrategy[Mapping[str, FieldValue | None] | None] = VALUES | st.just({"description": None, **BODY})
"""A service may drop a field."""


@st.composite
def lines(draw: st.DrawFn, name: str) -> Line:
    """Any line."""
    return Line(
        name,
        draw(st.none() | st.sampled_from(COMMITS)),
        draw(st.sampled_from([1.0, 2.0, 2.5, 1.8e9])),
        draw(st.sampled_from(["manifests/a.yaml", "m/ü\n\udcff.yml"])),
        draw(st.integers(1, 3)),
        draw(st.sampled_from(["created", "adopted"])),
        draw(st.sampled_from([NO_LIFECYCLE, Lifecycle(prevent_destroy=True, ignore_changes=("description",))])),
        draw(VALUES),
        "deleted" if draw(st.booleans()) else draw(VALUES),
        tuple(draw(st.lists(st.sampled_from([BODY, PLACED]), max_size=2))),
        draw(KEPT),
        draw(st.booleans()),
    )


@st.composite
def limits(draw: st.DrawFn) -> Limits:
    """Any limits, without the place where they stand: a record has none."""
    given: Mapping[str, int | float | tuple[str, ...] | None] = {
        "max_deletes": draw(st.none() | st.integers(0, 3)),
        "max_delete_fraction": draw(st.none() | st.sampled_from([0.0, 0.5])),
        "protect": tuple(draw(st.lists(st.sampled_from(["a*", "b"]), max_size=2))),
    }
    prices = draw(st.dictionaries(st.sampled_from(["a", "é\n"]), st.sampled_from([0, 0.1, 1e9])))
    return Limits(prices=prices).overlaid(given, {})


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Any record of one target that isn't written yet."""
    names = draw(st.sets(st.sampled_from(["a", "b", "c~.", "D"])))
    return Record(
        "us-east-1",
        ENDPOINT,
        draw(st.sampled_from(["MOMENTO_API_KEY", "MOMENTO_US"])),
        draw(limits()),
        {name: draw(lines(name)) for name in sorted(names)},
        draw(st.none() | st.sampled_from(COMMITS)),
    )


def line(name: str, shards: int = 2, *, at: float = 1.0, commit: str | None = None) -> Line:
    """A cluster that was made, and seen settled."""
    return Line(name, commit, at, f"manifests/{name}.yaml", 1, "created", declared={**BODY, "shard_count": shards})


def record(*of: Line, target: str = "us-east-1", endpoint: str = ENDPOINT, revision: str | None = None) -> Record:
    """A record of these lines that isn't written yet."""
    return Record(target, endpoint, "MOMENTO_API_KEY", lines={one.name: one for one in of}, revision=revision)


def contents(of: Record) -> Record:
    """A record, wherever it was read."""
    return of._replace(commit=None, renamed_from=None)
