"""What comes back is clusters or a typed error, never something in between."""

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import LiveError, NoAnswer, Undocumented
from reconciler.live.answers import Raw, read_cluster, read_list, service_words
from reconciler.model.secret import ApiKey
from tests.fakes import KEY, live

ONE = live().model_dump(mode="json")
JSON = {"content-type": "application/json"}


def raw(body: bytes | str, status: int = 200, headers: dict[str, str] | None = None, key: str = KEY) -> Raw:
    data = body if isinstance(body, bytes) else body.encode()
    return Raw("GET /cluster", httpx.Response(status, headers=headers), data, ApiKey(key))


def without(name: str) -> str:
    return json.dumps([{key: value for key, value in ONE.items() if key != name}])


def test_a_list_is_read_as_the_service_means_it() -> None:
    """Unknown fields are ignored, unknown statuses kept; what is optional may be missing or null; errors may be any."""
    required = ("name", "node_instance_type", "shard_count", "replication_factor", "enforce_shard_multi_az", "status")
    bare = {key: ONE[key] for key in required}
    listed = [
        {**ONE, "name": "a/b é", "created_at": 1, "status": "Updating", "errors": ["E1", {"code": 2}]},
        {**bare, "name": "bare", "description": None, "shard_placements": None, "errors": None},
    ]
    odd, plain = read_list(raw(json.dumps(listed)))
    assert (odd.name, odd.status, odd.errors) == ("a/b é", "Updating", ("E1", '{"code": 2}'))
    assert (plain.description, plain.shard_placements, plain.errors) == (None, (), ())
    assert read_list(raw("[]")) == ()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (raw("null"), "200, not as documented: the whole: Input should be a valid array"),
        (raw(json.dumps({"clusters": [ONE]})), "200, not as documented: the whole: Input should be a valid array"),
        (raw(json.dumps([ONE, None])), "200, not as documented: [1]: Input should be an object"),
        (raw(without("name")), "200, not as documented: [0].name: Field required"),
        (raw(without("status")), "200, not as documented: [0].status: Field required"),
        (
            raw(json.dumps([{**ONE, "shard_count": "2"}])),
            "200, not as documented: [0].shard_count: Input should be a valid integer",
        ),
        (raw(json.dumps([ONE, ONE])), "the list holds orders twice"),
        (raw(json.dumps([{**ONE, "name": ".."}])), "the list holds a cluster named '..'"),
        (raw(" "), "200 with an empty body"),
        (raw("<!DOCTYPE html><p>Sign in"), "200 with an HTML page"),
        (
            raw("welcome\x1b[2J", headers={"content-type": "text/plain"}),
            r"200 with a body that is no JSON: welcome\x1b[2J",
        ),
        (raw("[{", headers=JSON), "200 with half a body, or none that is JSON"),
        (raw("[" * 100_000, headers=JSON), "200 with half a body, or none that is JSON"),
    ],
)
def test_what_is_no_whole_list_is_no_fleet(answer: Raw, message: str) -> None:
    """Half a list, another shape, a page, nothing: an error that says which; only half a body is worth another try."""
    with pytest.raises(LiveError) as caught:
        read_list(answer)
    assert caught.value.message == f"GET /cluster: {message}"
    assert type(caught.value) is (NoAnswer if "half" in message else Undocumented)


values: st.SearchStrategy[object] = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.builds(list)
)
entries = st.one_of(values, st.builds(lambda name, value: {**ONE, name: value}, st.sampled_from([*ONE, "x"]), values))


@given(st.one_of(st.binary(), values.map(json.dumps), st.lists(entries, max_size=3).map(json.dumps)))
def test_no_answer_is_taken_for_fewer_clusters_than_it_holds(body: bytes | str) -> None:
    """Whatever comes back: each entry is a cluster, or all of it is an error of ours."""
    try:
        clusters = read_list(raw(body))
    except LiveError:
        return
    assert [cluster.name for cluster in clusters] == [entry["name"] for entry in json.loads(body)]


def test_a_cluster_that_cant_be_read_may_be_there() -> None:
    """A PUT was taken although its answer is none: what it made is not known."""
    for body in ("", "[]", "{", json.dumps({**ONE, "status": None})):
        with pytest.raises(LiveError) as caught:
            read_cluster(raw(body))
        assert caught.value.may_have_reached
    assert read_cluster(raw(json.dumps(ONE))) == live()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"message": "no such\\ninstance", "code": 7}', r"no such\ninstance"),
        ('{\n  "error": "bad zone"\n}', "bad zone"),
        ('{\n  "code": 7,\n  "why": {"zone": "é"}\n}', '{"code": 7, "why": {"zone": "é"}}'),
        ('"quota"', "quota"),
        ("plain \u202etext", r"plain \u202etext"),
        ("<html><body>Bad gateway", "(an HTML page)"),
        ("", ""),
        (b"\xff", "\ufffd"),
        ("w" * 400, "w" * 299 + "…"),
        ("[" * 100_000, "[" * 299 + "…"),
    ],
)
def test_the_services_words_are_one_short_harmless_line(body: bytes | str, words: str) -> None:
    """JSON with a message, JSON without, text, a page or nothing: at most 300 characters that steer nothing."""
    assert service_words(raw(body, 500)) == words
