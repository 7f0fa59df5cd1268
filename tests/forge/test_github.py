"""The pull request's comment, against a GitHub that is held against GitHub's own description, in virtual time."""

import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
import pytest

from reconciler.errors import (
    Forbidden,
    HttpError,
    NotFound,
    RateLimited,
    Unauthenticated,
    Unavailable,
    Undocumented,
)
from reconciler.forge.forges import open_forge
from reconciler.forge.port import Done, Draft, Forge, marker, publish
from reconciler.forge.workflow import Workflow
from reconciler.model.secret import ApiKey
from tests.fakes import FakeClock, FixedRandom
from tests.forge.fake_forge import FakeForge, Refusal, Trouble
from tests.forge.fake_github import (
    INSTALLATION,
    PERSON,
    REPOSITORY,
    ROBOT,
    STRANGER,
    TOKEN,
    FakeGitHub,
)

T = TypeVar("T")

PATH = f"/repos/{REPOSITORY}/issues"
FIND = f"GET {PATH}/12/comments"
POST = f"POST {PATH}/12/comments"
PLAN = marker("plan", "default")
SHA = "4ca6a63f0e9d" + "0" * 28


class Desk:
    """Somebody who posts to a forge; `clock` is theirs."""

    def __init__(self, github: FakeForge, token: str = INSTALLATION, transport: httpx.MockTransport | None = None):
        self.github = github
        self.environment = {"GITHUB_API_URL": github.url, "GITHUB_REPOSITORY": REPOSITORY}
        self.clock = FakeClock()
        self._token = ApiKey(token)
        self._transport = transport

    def do(self, work: Callable[[Forge], Awaitable[T]]) -> T:
        async def connected() -> T:
            transport = self._transport or self.github.transport()
            workflow = Workflow.read(self.environment)
            async with open_forge(
                workflow, self._token, clock=self.clock, random=FixedRandom(), transport=lambda: transport
            ) as forge:
                return await work(forge)

        try:
            return self.clock.run(connected())
        finally:
            assert self.github.complaints == []

    def comment(self, text: str, number: int = 12) -> Done:
        async def work(forge: Forge) -> Done:
            return (await publish(forge.comments(number), Draft(PLAN, text)))[0]

        return self.do(work)

    def refused(self, text: str = "Plan") -> HttpError:
        with pytest.raises(HttpError) as caught:
            self.comment(text)
        assert not [token for token in (TOKEN, INSTALLATION) if token in repr(caught.value.problems())]
        return caught.value


@pytest.mark.parametrize("gitea", [False, True])
@pytest.mark.parametrize("token", [TOKEN, INSTALLATION])
def test_a_pull_request_has_one_comment_and_its_edits(token: str, *, gitea: bool) -> None:
    """Posted once, edited where it says something new; where it doesn't, nothing follows the search."""
    github = FakeGitHub(gitea=gitea)
    github.comment(12, "what do you think?", STRANGER)
    desk = Desk(github, token)
    assert [desk.comment(text) for text in ("One", "One", "Two\n", "Two")] == [
        "created",
        "unchanged",
        "updated",
        "unchanged",
    ]
    assert [comment["body"] for comment in github.comments[12]] == ["what do you think?", f"{PLAN}\nTwo\n"]
    edit = f"PATCH {PATH}/comments/{github.comments[12][1]['id']}"
    found = [FIND, "GET /user"]
    assert github.asked == [FIND, POST, *found, *found, *found, edit, *found]


@pytest.mark.parametrize("gitea", [False, True])
def test_two_runs_at_once_leave_one_comment(*, gitea: bool) -> None:
    """Each finds none and posts: the later one moves its words into the older comment, and takes its own away."""
    github = FakeGitHub(gitea=gitea)

    async def both(forge: Forge) -> list[Done]:
        first, second = forge.comments(12), forge.comments(12)
        assert await first.find(PLAN) is await second.find(PLAN) is None
        await first.create(Draft(PLAN, "One"))
        await second.create(Draft(PLAN, "Two"))
        return [(await publish(first, Draft(PLAN, "Two")))[0]]

    assert Desk(github).do(both) == ["unchanged"]
    assert [comment["body"] for comment in github.comments[12]] == [f"{PLAN}\nTwo"]


def test_only_our_own_comment_is_ours() -> None:
    """Another's with our first line is left alone, as is ours that begins otherwise; line breaks don't count."""
    github = FakeGitHub()
    github.comment(12, f"{PLAN}\nPlan", STRANGER)
    github.comment(12, f"> {PLAN}\nPlan", PERSON)
    github.comment(12, f"{marker('plan', 'other')}\nPlan", PERSON)
    mine = github.comment(12, f"{PLAN}\r\nPlan", PERSON)
    assert Desk(github, TOKEN).comment("Plan") == "unchanged"
    assert Desk(github, TOKEN).comment("Other plan") == "updated"
    assert github.writes == [f"PATCH {PATH}/comments/{mine['id']}"]
    assert Desk(github, INSTALLATION).comment("Plan") == "created"


def test_pages_are_followed_where_link_leads() -> None:
    """To the last one, and no further; never to another host, which would get the token."""
    github = FakeGitHub(page_size=2)
    for number in range(5):
        github.comment(12, f"{number}", STRANGER)
    github.comment(12, f"{PLAN}\nPlan", ROBOT)
    assert Desk(github).comment("Plan") == "unchanged"
    assert github.asked == [FIND] * 3 + ["GET /user"]

    circle = Desk(github, transport=listing({"Link": f'<{github.url}/again>; rel="next"'}))
    assert circle.comment("Plan") == "created"
    elsewhere = Desk(github, transport=listing({"Link": '<https://evil.example/x>; rel="next"'}))
    assert (
        elsewhere.refused().message
        == f"GET {PATH}/12/comments: its next page is at evil.example/x: the token would go along"
    )


def listing(headers: dict[str, str], content: bytes = b"[]", status: int = 200) -> httpx.MockTransport:
    """Answers each GET alike; takes each POST."""

    def reply(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(201, content=b"{}")
        return httpx.Response(status, headers=headers, content=content)

    return httpx.MockTransport(reply)


@pytest.mark.parametrize("trouble", ["lost", Refusal(502), Refusal(500), "reset"])
def test_a_comment_whose_answer_got_lost_is_posted_once(trouble: Trouble) -> None:
    """It is looked for before it is posted again, and posted again only if it isn't there."""
    github = FakeGitHub()
    github.troubles = [("POST", trouble)]
    desk = Desk(github)
    assert desk.comment("Plan") == "created"
    again = [FIND, "GET /user", FIND] if trouble == "lost" else [FIND, POST, FIND, "GET /user"]
    assert github.asked == [FIND, POST, *again]
    assert len(github.comments[12]) == 1
    assert desk.clock.slept == [1.0]


LIMITED = "You have exceeded a secondary rate limit"


@pytest.mark.parametrize(
    ("refusal", "waits"),
    [
        (Refusal(429, headers={"retry-after": "7", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}), [7.0]),
        (Refusal(403, headers={"Retry-After": "7"}), [7.0]),
        (Refusal(403, headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000090"}), [90.0]),
        (Refusal(403, headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}), [1.0]),
        (Refusal(403, LIMITED, {"x-ratelimit-remaining": "9", "x-ratelimit-reset": "1800000090"}), [60.0]),
        (Refusal(429, headers={"retry-after": "soon"}), [60.0]),
    ],
)
def test_a_rate_limit_is_waited_out_as_github_asks(refusal: Refusal, waits: list[float]) -> None:
    """`retry-after`; else the reset, where nothing remains; else a minute. A 403 may be one."""
    github = FakeGitHub()
    github.troubles = [("POST", refusal)]
    desk = Desk(github)
    assert desk.comment("Plan") == "created"
    assert desk.clock.slept == waits
    assert github.writes == [POST] * 2


def test_a_rate_limit_without_an_end_is_given_up() -> None:
    """A minute, two, four: ten in all, and no request earlier than it was asked for."""
    github = FakeGitHub()
    github.troubles = [("POST", Refusal(403, LIMITED))] * 9
    desk = Desk(github)
    error = desk.refused()
    assert (type(error), error.message) == (
        RateLimited,
        f"POST {PATH}/12/comments: 403 Forbidden: {LIMITED} (rate limit) (tried 4 times in 7m)",
    )
    assert desk.clock.slept == [60, 120, 240]
    github.troubles = [("GET", Refusal(403, headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800003600"}))]
    desk.clock.slept.clear()
    assert isinstance(desk.refused(), RateLimited)
    assert desk.clock.slept == []


@pytest.mark.parametrize(
    ("refusal", "kind", "remedy"),
    [
        (Refusal(401, "Bad credentials"), Unauthenticated, "the token is invalid, or expired"),
        (Refusal(403, "Resource not accessible by integration"), Forbidden, "give the job `permissions: pull-requests: write`"),
        (Refusal(404, "Not Found"), NotFound, "give the job `permissions: pull-requests: write`; or what is asked for isn't there"),
        (Refusal(422, "Validation Failed"), Undocumented, "check GITHUB_API_URL and GITHUB_REPOSITORY"),
        (Refusal(307, headers={"Location": "https://evil.example/"}), Undocumented, "check GITHUB_API_URL and GITHUB_REPOSITORY"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refusal_is_told_once_with_what_mends_it(
    refusal: Refusal, kind: type[HttpError], remedy: str, method: str
) -> None:
    """Nothing is tried again, nobody is followed; the error names the permission that the job lacks."""
    github = FakeGitHub()
    github.troubles = [(method, refusal)]
    error = Desk(github).refused()
    assert (type(error), error.http_status) == (kind, refusal.status)
    assert (error.remedy or "").startswith(remedy)
    assert len(github.asked) == (1 if method == "GET" else 2)


def test_a_forge_that_is_down_is_asked_for_a_minute() -> None:
    """Then it is the last error's word."""
    github = FakeGitHub()
    github.troubles = [("GET", Refusal(503, "Unicorn!"))] * 99
    desk = Desk(github)
    assert isinstance(desk.refused(), Unavailable)
    assert desk.clock.slept == [1, 2, 4, 8, 15, 15, 15]


def test_changes_keep_a_second_between_them() -> None:
    """Whatever they are."""
    github = FakeGitHub()

    async def three(forge: Forge) -> None:
        for number in (1, 2, 3):
            await publish(forge.comments(number), Draft(PLAN, "Plan"))

    desk = Desk(github)
    desk.do(three)
    assert desk.clock.slept == [1.0, 1.0]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b"[" * 100_000,
        json.dumps([None, 3, [], {}, {"id": True}, {"id": "1"}, {"id": 1, "user": [], "body": {}}]).encode(),
        b'[{"id": 1, "body": "\\ud800\\u202e' + PLAN.encode() + b'", "user": {"id": {}, "type": []}}]',
        f"\x1b[2J::error::{INSTALLATION}".encode(),
        json.dumps({"message": f"\x1b[2J\n::error::{INSTALLATION}"}).encode(),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 403])
def test_what_the_forge_says_is_harmless(body: bytes, status: int) -> None:
    """However odd: passed over, or an error of ours in one printable line without the token."""
    desk = Desk(FakeGitHub(), transport=listing({}, body, status))
    try:
        assert desk.comment("Plan") == "created"
    except HttpError as error:
        assert error.message.isprintable()  # noqa: PT017
        assert INSTALLATION not in repr(error.problems())  # noqa: PT017


@pytest.mark.parametrize("target", ["-->", "a--b", "--!>", "<script>", "\n", "é\ud800", "-", "->"])
def test_a_marker_is_a_comment_that_no_name_ends(target: str) -> None:
    """And each name has its own."""
    made = marker("plan", target)
    inside = made.removeprefix("<!--").removesuffix("-->")
    assert made.isascii()
    assert made.isprintable()
    assert not [end for end in ("--", "<", ">") if end in inside]
    assert made != marker("plan", target + "-")


@pytest.mark.parametrize("gitea", [False, True])
def test_a_push_finds_the_pull_request_that_it_merged(*, gitea: bool) -> None:
    """The one whose merge it is, of those that hold it; none for a push by hand."""
    github = FakeGitHub(gitea=gitea)
    if not gitea:
        github.pull_request(SHA, 8, merged=False)
        github.pull_request(SHA, 9, merge_commit="0" * 40)
    github.pull_request(SHA, 10)
    assert Desk(github).do(lambda forge: forge.merged_pull_request(SHA)) == 10
    assert Desk(github).do(lambda forge: forge.merged_pull_request("f" * 40)) is None
