"""What the service and the forge answer: clusters and posts, or a typed error that holds no key."""

import json
from typing import Any

from hypothesis import strategies as st

from reconciler.errors import HttpError
from reconciler.forge import answers as forge
from reconciler.forge import github, gitlab
from reconciler.live import answers as live
from tests.fakes import KEY, entry
from tests.fuzz.subject import JSON_WORDS, VALUES, WORDS, Subject, altered, damaged, told
from tests.wire.test_answer import answer

_NOW = 1_800_000_000.0
_LISTS = [
    [entry(), entry("b", status="Updating", errors=["E"]), entry("c", shard_placements=[
        {"shard_index": 0, "availability_zone": "a", "replica_availability_zones": ["b"]}])],
    [],
]  # fmt: skip
_ERRORS = [{"message": f"no: {KEY}"}, {"error": "x", "code": 7}, {"detail": [KEY]}, KEY]
_POSTS = [
    [{"id": 1, "body": "b", "html_url": "https://f/1", "user": {"id": 2, "type": "Bot"}}],
    [
        {
            "number": 3,
            "state": "closed",
            "merged_at": "x",
            "merge_commit_sha": "a" * 40,
            "pull_request": {},
            "user": None,
        }
    ],
]
_values = (
    st.sampled_from([*WORDS, *JSON_WORDS, KEY, "0", "5", "-5", "1e9", "Fri, 15 Jan 2027 08:00:20 GMT", "x" * 5000])
    | st.text()
)
_links = st.lists(
    st.sampled_from(
        [
            *("<", ">", ";", ",", 'rel="next"', "rel=next", "https://api.example.com/x?page=2", "//evil.example.com/"),
            *("https://[::1", "https://api.example.com:x/", "?page=2", "\x00", "é"),
        ]
    ),
    max_size=12,
).map("".join)
_headers = st.fixed_dictionaries(
    {},
    optional={
        "content-type": st.sampled_from(["application/json", "text/html", "", "\x00"]),
        **dict.fromkeys(("retry-after", "date", "x-ratelimit-remaining", "x-ratelimit-reset"), _values),
        "link": _links,
    },
)
_bodies = damaged([json.dumps(one).encode() for one in (*_LISTS, *_ERRORS, *_POSTS)], JSON_WORDS)


def _refused(error: HttpError) -> None:
    told(error)
    assert KEY not in f"{error!r}{error.problems()}"
    assert error.retry_after is None or error.retry_after >= 0


def check_list(body: bytes) -> None:
    """All of it, or an error."""
    try:
        listing = live.read_listing(answer(body))
    except HttpError as error:
        _refused(error)
        return
    assert KEY not in repr(listing)
    assert len(listing.clusters) + len(listing.unreadable) == len(json.loads(body.decode(errors="surrogateescape")))


def check_error(data: tuple[bytes, int, dict[str, str]]) -> None:
    """Whatever no success says is told in one harmless line, by the service and by the forge."""
    body, status, headers = data
    said = answer(body, status, headers, method="PUT")
    _refused(live.status_error(said, _NOW))
    for dialect in (github.DIALECT, gitlab.DIALECT):
        _refused(forge.status_error(said, "issues: write", dialect, _NOW))
    said.moment()


def check_forge(data: tuple[bytes, dict[str, str]]) -> None:
    """Posts that can be read; the next page is where the token may go."""
    said = answer(data[0], 200, data[1])
    try:
        items = list(said.entries())
    except HttpError as error:
        _refused(error)
    else:
        for item in items:
            assert all(one is None or one.key > 0 for one in (github.Entry.read(item), gitlab.Entry.read(item)))
    try:
        page = forge.next_page(said)
    except HttpError as error:
        _refused(error)
    else:
        assert page is None or page.startswith("/")


SUBJECTS: tuple[Subject[Any], ...] = (
    Subject("list", _bodies | altered(_LISTS) | st.lists(VALUES).map(lambda one: json.dumps(one).encode()), check_list),
    Subject(
        "errors", st.tuples(_bodies | altered(_ERRORS) | st.binary(), st.integers(300, 599), _headers), check_error
    ),
    Subject("forge", st.tuples(_bodies | altered(_POSTS), _headers), check_forge),
)
