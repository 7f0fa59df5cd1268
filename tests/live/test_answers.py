"""What comes back is clusters or a typed error, never something in between."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import HttpError, Undocumented
from reconciler.live.answers import MOST_UNREADABLE, read_cluster, read_listing
from tests.fakes import KEY, entry, live
from tests.wire.test_answer import answer

ONE = entry()


def odd(**fields: object) -> dict[str, Any]:
    return entry("odd", **fields)


def without(field: str) -> dict[str, Any]:
    return {key: value for key, value in odd().items() if key != field}


def test_a_list_is_read_as_the_service_means_it() -> None:
    """Unknown fields are ignored, unknown statuses kept; what is optional may be missing or null; errors may be any."""
    required = ("node_instance_type", "shard_count", "replication_factor", "enforce_shard_multi_az", "status")
    bare = {"name": "bare", **{key: ONE[key] for key in required}}
    placement = {"shard_index": 0, "availability_zone": "a", "replica_availability_zones": None}
    listed = [
        entry("a/b é", created_at=1, status="Updating", errors=["E1", {"code": 2}]),
        {**bare, "description": None, "shard_placements": None, "errors": None},
        entry("new", status="Creating", shard_placements=[placement]),
    ]
    listing = read_listing(answer(json.dumps(listed)))
    strange, plain, new = listing.clusters
    assert (strange.name, strange.status, strange.errors) == ("a/b é", "Updating", ("E1", '{"code": 2}'))
    assert (list(plain.values), plain.errors) == ([*required[:-1]], ())
    assert new.values["shard_placements[0].replica_availability_zones"] == ()
    assert listing.unreadable == {}
    assert read_listing(answer("[]")).clusters == ()


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (json.dumps(without("status")), "status: missing"),
        (json.dumps(odd(shard_count=None)), "shard_count: missing"),
        (json.dumps(odd(shard_count="2")), "shard_count: of another type than documented"),
        (json.dumps(odd(shard_count=2.0)), "shard_count: of another type than documented"),
        (json.dumps(odd(shard_count=True)), "shard_count: of another type than documented"),
        (json.dumps(odd(shard_count=float("nan"))), "shard_count: of another type than documented"),
        (json.dumps(odd(shard_count=-1)).replace("-1", "9" * 5000), "shard_count: of another type than documented"),
        (
            json.dumps(odd(shard_placements=[{"shard_index": 0}])),
            "availability_zone: missing",
        ),
        (
            json.dumps(odd(description="\ud83d")),
            "description: it holds half a character, or bytes that are not text",
        ),
        (
            json.dumps(odd(description="caf\xe9"), ensure_ascii=False).encode("latin-1"),
            "description: it holds half a character, or bytes that are not text",
        ),
        (json.dumps(odd(errors=3)), "errors: no list"),
    ],
)
def test_one_cluster_that_cant_be_understood_fails_no_other(made: str | bytes, reason: str) -> None:
    """It is there, by name, with what is wrong."""
    data = made if isinstance(made, bytes) else made.encode()
    listing = read_listing(answer(b"[" + data + b"," + json.dumps(ONE).encode() + b"]"))
    assert listing.clusters == (live(),)
    assert listing.unreadable == {"odd": reason}


def test_an_emoji_is_one_character_however_it_is_written() -> None:
    """JSON's surrogate pairs are read as what they mean."""
    written = json.dumps([odd(description="🚀")])
    assert "\\ud83d\\ude80" in written
    assert read_listing(answer(written)).clusters[0].values["description"] == "🚀"


@pytest.mark.parametrize(
    ("listed", "what"),
    [
        ([ONE, None], "a list whose entry 1 has no name that can be used"),
        ([without("name")], "a list whose entry 0 has no name that can be used"),
        ([entry(None)], "a list whose entry 0 has no name that can be used"),  # type: ignore[arg-type]
        ([entry("..")], "a list whose entry 0 has no name that can be used"),
        ([entry("\ud83d")], "a list whose entry 0 has no name that can be used"),
        ([{}] * 350_000, "a list whose entry 0 has no name that can be used"),
        ([ONE, ONE], "a list that holds orders twice"),
        ([odd(shard_count=None), odd()], "a list that holds odd twice"),
        (
            [{"name": f"c{number}"} for number in range(MOST_UNREADABLE + 1)],
            f"more than {MOST_UNREADABLE} clusters not as documented, the first by status: missing",
        ),
    ],
)
def test_what_is_no_whole_list_of_names_is_no_fleet(listed: list[object], what: str) -> None:
    """Who is there must be known: else nothing can be said of who isn't."""
    with pytest.raises(Undocumented) as caught:
        read_listing(answer(json.dumps(listed)))
    assert caught.value.message == f"GET /cluster: 200 with {what}"


values: st.SearchStrategy[object] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.builds(list)
)
entries = st.one_of(values, st.builds(lambda name, value: {**ONE, name: value}, st.sampled_from([*ONE, "x"]), values))


@given(st.one_of(st.binary(), values.map(json.dumps), st.lists(entries, max_size=3).map(json.dumps)))
def test_no_answer_is_taken_for_fewer_clusters_than_it_holds(body: bytes | str) -> None:
    """Whatever comes back: each entry is a cluster or known to be none, or all of it is an error of ours."""
    try:
        listing = read_listing(answer(body))
    except HttpError:
        return
    names = [cluster.name for cluster in listing.clusters] + [*listing.unreadable]
    assert sorted(names) == sorted(one["name"] for one in json.loads(body))


def test_a_cluster_that_cant_be_read_may_be_there() -> None:
    """A PUT was taken although its answer is none: what it made is not known."""
    for body in ("", "[]", "{", json.dumps({**ONE, "status": None})):
        with pytest.raises(HttpError) as caught:
            read_cluster(answer(body, method="PUT"))
        assert caught.value.may_have_reached
        assert KEY not in caught.value.message
    assert read_cluster(answer(json.dumps(ONE), method="PUT")) == live()


def test_a_key_that_the_service_says_is_taken_out_before_anything_is_kept() -> None:
    """Of its errors, however JSON writes it; a value that holds it would be sent back, and a name that does is none."""
    escaped = json.dumps([entry(errors=[f"for {KEY}"]), entry("b", description=f"is {KEY}")]).replace(
        "secret", "\\u0073ecret"
    )
    listing = read_listing(answer(escaped))
    assert [cluster.errors for cluster in listing.clusters] == [("for (api key)",)]
    assert listing.unreadable == {
        "b": "description: it holds the API key; take it out in the console, and make a new key"
    }
    with pytest.raises(Undocumented) as refused:
        read_cluster(answer(json.dumps(entry(description=KEY))))
    assert KEY not in str(refused.value)
    with pytest.raises(Undocumented, match="has no name that can be used") as raised:
        read_listing(answer(json.dumps([entry(f"x-{KEY}")])))
    assert KEY not in str(raised.value)
