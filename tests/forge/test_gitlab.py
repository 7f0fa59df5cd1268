"""The merge request's note and the drift issue on GitLab, in virtual time: the promises that GitHub's keep."""

import httpx
import pytest

from reconciler.errors import Forbidden, HttpError, NotFound, RateLimited, Unauthenticated
from reconciler.forge.drift import drift_draft
from reconciler.forge.port import Done, Draft, Forge, marker, publish
from reconciler.plan.plan import Plan
from tests.forge.fake_forge import Refusal, Trouble
from tests.forge.fake_gitlab import BOT, JOB_TOKEN, OTHERS_TOKEN, PROJECT, PROJECT_PATH, STRANGER, TOKEN, FakeGitLab
from tests.forge.test_drift_issue import DRIFTED, IN_SYNC, WORSE
from tests.forge.test_github import PLAN, SHA, Desk

HERE = "merge_requests/12"
PATH = f"/projects/{PROJECT}"
NOTES = f"{PATH}/{HERE}/notes"
FIND = [f"GET {NOTES}", "GET /user"]


class GitLabDesk(Desk):
    """Somebody who posts to a GitLab."""

    def __init__(self, gitlab: FakeGitLab, token: str = TOKEN, transport: httpx.MockTransport | None = None) -> None:
        super().__init__(gitlab, token, transport)
        self.environment = {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": gitlab.url,
            "CI_PROJECT_ID": str(PROJECT),
            "CI_PROJECT_PATH": PROJECT_PATH,
            "CI_SERVER_URL": "https://forge.example/sub",
        }

    def keep(self, plan: Plan, text: str) -> Done:
        async def work(forge: Forge) -> Done:
            return (await publish(forge.drift_issues(), drift_draft(plan, text)))[0]

        return self.do(work)


def test_a_merge_request_has_one_note_and_its_edits() -> None:
    """Posted once, edited where it says something new; where it doesn't, nothing follows the search."""
    gitlab = FakeGitLab()
    gitlab.note(HERE, "what do you think?", STRANGER)
    desk = GitLabDesk(gitlab)
    assert [desk.comment(text) for text in ("One", "One", "Two\n", "Two")] == [
        "created",
        "unchanged",
        "updated",
        "unchanged",
    ]
    assert [note["body"] for note in gitlab.notes[HERE]] == ["what do you think?", f"{PLAN}\nTwo"]
    edit = f"PUT {NOTES}/{gitlab.notes[HERE][1]['id']}"
    assert gitlab.asked == [FIND[0], f"POST {NOTES}", *FIND, *FIND, *FIND, edit, *FIND]


def test_a_note_has_an_address() -> None:
    """The forge's answer doesn't give one: it is the merge request's page, at that note."""
    gitlab = FakeGitLab()
    done, post = GitLabDesk(gitlab).do(lambda forge: publish(forge.comments(12), Draft(PLAN, "One")))
    [note] = gitlab.notes[HERE]
    assert post is not None
    assert (done, post.url) == ("created", f"https://forge.example/sub/{PROJECT_PATH}/-/{HERE}#note_{note['id']}")


def test_two_jobs_at_once_leave_one_note() -> None:
    """Each finds none and posts: the later one moves its words into the older note, and takes its own away."""
    gitlab = FakeGitLab()

    async def both(forge: Forge) -> list[Done]:
        first, second = forge.comments(12), forge.comments(12)
        assert await first.find(PLAN) is await second.find(PLAN) is None
        await first.create(Draft(PLAN, "One"))
        await second.create(Draft(PLAN, "Two"))
        return [(await publish(first, Draft(PLAN, "Two")))[0]]

    assert GitLabDesk(gitlab).do(both) == ["unchanged"]
    assert [note["body"] for note in gitlab.notes[HERE]] == [f"{PLAN}\nTwo"]


def test_only_our_own_note_is_ours() -> None:
    """Another's with our first line is left alone, as is ours that begins otherwise; pages are followed to the last."""
    gitlab = FakeGitLab(page_size=2)
    gitlab.note(HERE, f"{PLAN}\nPlan", STRANGER)
    gitlab.note(HERE, f"> {PLAN}\nPlan")
    gitlab.note(HERE, f"{marker('plan', 'other')}\nPlan")
    mine = gitlab.note(HERE, f"{PLAN}\r\nPlan")
    assert GitLabDesk(gitlab).comment("Plan") == "unchanged"
    assert gitlab.asked == [FIND[0], "GET /user", FIND[0]]
    assert GitLabDesk(gitlab).comment("Other plan") == "updated"
    assert gitlab.writes == [f"PUT {NOTES}/{mine['id']}"]
    gitlab.notes[HERE] = [mine]
    assert GitLabDesk(gitlab, OTHERS_TOKEN).comment("Plan") == "created"


@pytest.mark.parametrize("trouble", ["lost", Refusal(502), Refusal(500), "reset"])
def test_a_note_whose_answer_got_lost_is_posted_once(trouble: Trouble) -> None:
    """It is looked for before it is posted again, and posted again only if it isn't there."""
    gitlab = FakeGitLab()
    gitlab.troubles = [("POST", trouble)]
    assert GitLabDesk(gitlab).comment("Plan") == "created"
    assert len(gitlab.notes[HERE]) == 1
    assert gitlab.writes == [f"POST {NOTES}"] * (1 if trouble == "lost" else 2)


@pytest.mark.parametrize(
    ("token", "refusal", "kind", "remedy"),
    [
        (
            JOB_TOKEN,
            None,
            Unauthenticated,
            "the token is invalid, or expired: set GITLAB_TOKEN to a project access token",
        ),
        (TOKEN, Refusal(403, "403 Forbidden"), Forbidden, "give GITLAB_TOKEN the scope `api` and the role Reporter"),
        (TOKEN, Refusal(404, "404 Not Found"), NotFound, "give GITLAB_TOKEN the scope `api` and the role Reporter; or"),
    ],
)
def test_a_refusal_is_told_once_with_what_mends_it(
    token: str, refusal: Refusal | None, kind: type[HttpError], remedy: str
) -> None:
    """A job's own token writes no notes; the error names what the token lacks, and never the token."""
    gitlab = FakeGitLab()
    gitlab.troubles = [("GET", refusal)] if refusal else []
    error = GitLabDesk(gitlab, token).refused()
    assert type(error) is kind
    assert (error.remedy or "").startswith(remedy)
    assert len(gitlab.asked) == 1
    assert token not in repr(error.problems())


def test_a_rate_limit_is_waited_out_as_gitlab_asks() -> None:
    """By its Retry-After; one without an end is given up."""
    gitlab = FakeGitLab()
    gitlab.troubles = [("POST", Refusal(429, "Retry later", {"Retry-After": "7", "RateLimit-Remaining": "0"}))]
    desk = GitLabDesk(gitlab)
    assert (desk.comment("Plan"), desk.clock.slept) == ("created", [7.0])
    gitlab.troubles = [("PUT", Refusal(429))] * 9
    assert isinstance(desk.refused("Other plan"), RateLimited)


def test_one_issue_lives_as_long_as_the_target() -> None:
    """Opened, left alone while the drift is the same, edited when it changes, closed with a word, and reopened."""
    gitlab = FakeGitLab(page_size=2)
    ours = f"{marker('drift', 'default')}\nDrift"
    for foreign in ({"author": STRANGER}, {"labels": ["bug"]}):
        gitlab.issue(ours, **foreign)
    gitlab.issue(f"{marker('drift', 'other')}\nDrift", BOT)
    desk = GitLabDesk(gitlab)
    said = [desk.keep(plan, text) for plan, text in ((IN_SYNC, ""), (DRIFTED, "4"), (DRIFTED, "4, otherwise"))]
    assert said == ["unchanged", "created", "unchanged"]
    issue = gitlab.issues[0]
    assert (issue["title"], issue["state"], issue["labels"]) == (
        "default is not as git says",
        "opened",
        ["reconciler-drift"],
    )
    said = [desk.keep(plan, text) for plan, text in ((WORSE, "5"), (IN_SYNC, "in sync"), (IN_SYNC, "in sync"))]
    assert said == ["updated", "closed", "unchanged"]
    assert (issue["state"], issue["description"].split("\n")[2:]) == ("closed", ["5"])
    [remark] = gitlab.notes["issues/4"]
    assert remark["body"].split("\n")[1:] == ["in sync"]
    assert [desk.keep(DRIFTED, "4"), desk.keep(IN_SYNC, "in sync")] == ["reopened", "closed"]
    assert (len(gitlab.issues), len(gitlab.notes["issues/4"])) == (4, 2)


def test_a_push_finds_the_merge_request_that_it_merged() -> None:
    """By a merge's, a squash's or, fast forward, its own commit; none for a push by hand."""
    gitlab = FakeGitLab()
    gitlab.merge_request(SHA, 8, state="opened")
    gitlab.merge_request(SHA, 9, merge_commit_sha="0" * 40)
    for number, field in ((10, "merge_commit_sha"), (11, "squash_commit_sha"), (12, "sha")):
        gitlab.merge_requests[SHA] = gitlab.merge_requests[SHA][:2]
        gitlab.merge_request("e" * 40, number)
        gitlab.merge_requests[SHA].append(gitlab.merge_requests["e" * 40][-1] | {"merge_commit_sha": None, field: SHA})
        assert GitLabDesk(gitlab).do(lambda forge: forge.merged_pull_request(SHA)) == number
    assert GitLabDesk(gitlab).do(lambda forge: forge.merged_pull_request("f" * 40)) is None


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"{}", b"[" * 100_000, b'[null, 3, {"id": true}, {"id": 1, "author": 2}]']
)
@pytest.mark.parametrize("status", [200, 400])
def test_what_gitlab_says_is_harmless(body: bytes, status: int) -> None:
    """However odd: passed over, or an error of ours."""

    def reply(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            201 if request.method == "POST" else status, content=b"{}" if request.method == "POST" else body
        )

    try:
        assert GitLabDesk(FakeGitLab(), transport=httpx.MockTransport(reply)).comment("Plan") == "created"
    except HttpError as error:
        assert error.message.isprintable()  # noqa: PT017
