"""A target's one drift issue, from the first drift to the last."""

from dataclasses import replace

import pytest

from reconciler.cli import exits
from reconciler.errors import UsageError
from reconciler.forge.drift import drift_draft, refuse_other_plans, unread_draft
from reconciler.forge.port import Done, Forge, marker, publish
from reconciler.plan.intent import Intent
from reconciler.plan.plan import Plan, Settling, Unhealthy, Unmanaged
from reconciler.problem import Problem
from tests.fakes import head, live, manifest, planned
from tests.forge.fake_forge import Refusal
from tests.forge.fake_github import PERSON, REPOSITORY, ROBOT, STRANGER, TOKEN, FakeGitHub
from tests.forge.test_github import Desk

PATH = f"/repos/{REPOSITORY}/issues"
FIND = [f"GET {PATH}", "GET /user"]
MARKER = marker("drift", "default")
IN_SYNC = planned(head(manifest()), [live()]).model_copy(update={"intent": Intent(base="HEAD")})
DRIFTED, WORSE = (
    planned(head(manifest()), [live(shard_count=count)]).model_copy(update={"intent": Intent(base="HEAD")})
    for count in (4, 5)
)


def kept(desk: Desk, plan: Plan, text: str) -> Done:
    async def work(forge: Forge) -> Done:
        return (await publish(forge.drift_issues(), drift_draft(plan, text)))[0]

    return desk.do(work)


@pytest.mark.parametrize("gitea", [False, True])
def test_one_issue_lives_as_long_as_the_target(*, gitea: bool) -> None:
    """Opened, left alone while the drift is the same, edited when it changes, closed with a word, and reopened.

    Never is a second one filed, and where nothing changed nothing but the search is sent.
    """
    github = FakeGitHub(gitea=gitea)
    desk = Desk(github)
    assert kept(desk, IN_SYNC, "in sync") == "unchanged"
    assert github.issues == []
    assert kept(desk, DRIFTED, "4 shards") == "created"
    github.asked.clear()
    assert kept(desk, DRIFTED, "4 shards, as rendered by another version") == "unchanged"
    assert github.asked == FIND
    assert kept(desk, WORSE, "5 shards") == "updated"
    assert kept(desk, IN_SYNC, "in sync") == "closed"
    [issue] = github.issues
    assert (issue["title"], issue["state"], [label["name"] for label in issue["labels"]]) == (
        "default is not as git says",
        "closed",
        ["reconciler-drift"],
    )
    first, fingerprint, text = issue["body"].split("\n")
    assert (first, fingerprint[:12], text) == (MARKER, "<!-- sha256:", "5 shards")
    [remark] = github.comments[issue["number"]]
    assert remark["body"].split("\n")[1:] == ["in sync"]
    github.asked.clear()
    assert kept(desk, IN_SYNC, "in sync") == "unchanged"
    assert github.asked == FIND
    assert [kept(desk, plan, "x") for plan in (WORSE, IN_SYNC)] == ["reopened", "closed"]
    assert len(github.issues) == 1
    assert len(github.comments[issue["number"]]) == 2
    if not gitea:
        assert issue["state_reason"] == "completed"


def test_a_target_that_cant_be_looked_at_has_an_issue_apart() -> None:
    """The one of its drift says what was seen last; this one ends when it is looked at again, and says no more than why."""
    desk = Desk(github := FakeGitHub())
    assert kept(desk, DRIFTED, "4 shards") == "created"

    def unread(*problems: Problem) -> Done:
        async def work(forge: Forge) -> Done:
            return (await publish(forge.drift_issues(), unread_draft("default", problems, "a text")))[0]

        return desk.do(work)

    expired = Problem("unauthenticated", "GET /cluster: 401 Unauthorized", target="default")
    assert [unread(), unread(expired), unread(replace(expired, message="told otherwise"))] == [
        "unchanged",
        "created",
        "unchanged",
    ]
    assert unread(Problem("unreachable", "GET /cluster: no connection", target="default")) == "updated"
    assert unread() == "closed"
    assert {issue["title"]: issue["state"] for issue in github.issues} == {
        "default is not as git says": "open",
        "default can't be looked at": "closed",
    }


UNHEALTHY = Unhealthy(name="orders", status="Active", errors=("NoCapacity",))
OURS: dict[str, dict[str, object]] = {
    "unhealthy": {"unhealthy": (UNHEALTHY,)},
    "otherwise unhealthy": {"unhealthy": (UNHEALTHY.model_copy(update={"errors": ("E2",)}),)},
    "not pruned": {"unmanaged": (Unmanaged(name="old", ownership="owned"),)},
    "settling": {"settling": (Settling(name="orders", status="Updating"),)},
}
NOT_OURS: dict[str, dict[str, object]] = {
    "strangers": {"unmanaged": tuple(Unmanaged(name=f"{n}", ownership=n) for n in ("not-ours", "released", "unknown"))},
    "another commit": {"revision": "4ca6a63", "warnings": ("w",)},
}


def test_what_drift_is_decides_when_the_issue_speaks_again() -> None:
    """The changes, who is unhealthy or settling, what is ours and not pruned; nothing else, such as others' clusters."""
    plans = [DRIFTED, WORSE, *(DRIFTED.model_copy(update=fields) for fields in OURS.values())]
    assert len({drift_draft(plan, "x").fingerprint for plan in plans}) == len(plans)
    same = [DRIFTED, *(DRIFTED.model_copy(update=fields) for fields in NOT_OURS.values())]
    assert len({drift_draft(plan, "x").fingerprint for plan in same}) == 1


@pytest.mark.parametrize(
    "plan",
    [
        IN_SYNC,
        *(IN_SYNC.model_copy(update=fields) for fields in (*OURS.values(), *NOT_OURS.values())),
        DRIFTED,
        DRIFTED.model_copy(
            update={"changes": tuple(c.model_copy(update={"cause": "pending"}) for c in DRIFTED.changes)}
        ),
        planned(head(manifest()), [live(), live("stranger", status="CreationFailed", errors=["E"])]),
        planned(head(manifest()), [live(status="CreationFailed")]),
    ],
)
def test_an_issue_is_open_where_drift_ends_in_2_or_5(plan: Plan) -> None:
    """One fact, told twice; a stranger's cluster, broken or well, is nobody's drift."""
    assert drift_draft(plan, "x").open == (exits.of_drift([plan], ()) in {2, 5})


def test_an_issue_is_ours_by_label_line_and_author() -> None:
    """Another's, another target's, a pull request or one without the label is left alone; an open one goes first."""
    github = FakeGitHub(page_size=2)
    ours = f"{MARKER}\nDrift"
    github.issue(ours, PERSON)
    github.issue(ours, PERSON, state="closed")
    github.issue(ours, STRANGER)
    github.issue(ours, ROBOT)
    github.issue(ours, PERSON, labels=["bug"])
    github.issue(ours, PERSON, pull_request=dict.fromkeys(("url", "html_url", "diff_url", "patch_url"), "https://x"))
    github.issue(f"{marker('drift', 'other')}\nDrift", PERSON)
    desk = Desk(github, TOKEN)
    assert kept(desk, DRIFTED, "x") == "updated"
    assert kept(desk, IN_SYNC, "x") == "closed"
    assert kept(desk, DRIFTED, "x") == "reopened"
    edits = [line for line in github.writes if line.startswith("PATCH")]
    assert edits == [f"PATCH {PATH}/1", f"PATCH {PATH}/1", f"PATCH {PATH}/2"]


def test_an_issue_whose_answer_got_lost_is_filed_once_and_closed_with_one_word() -> None:
    """Each is looked for before it is posted again."""
    github = FakeGitHub()
    desk = Desk(github)
    github.troubles = [("POST", "lost")]
    assert kept(desk, DRIFTED, "x") == "created"
    github.troubles = [("PATCH", "lost"), ("POST", "lost")]
    assert kept(desk, IN_SYNC, "in sync") == "closed"
    assert (len(github.issues), len(github.comments[1])) == (1, 1)
    github.troubles = [("PATCH", Refusal(403, "rate limit"))]
    assert kept(desk, DRIFTED, "x") == "reopened"


@pytest.mark.parametrize(
    "fields",
    [
        {"intent": Intent(base="HEAD", only=("orders",))},
        {"intent": Intent(base="HEAD", prune="owned")},
        {"intent": Intent()},
        {"live_read": False},
        {"changes": tuple(change.model_copy(update={"cause": "revision"}) for change in DRIFTED.changes)},
    ],
)
def test_only_what_drift_found_opens_or_closes_an_issue(fields: dict[str, object]) -> None:
    """A change's plan, a part of a target, a plan without live: each is bad usage."""
    refuse_other_plans([IN_SYNC, DRIFTED])
    with pytest.raises(UsageError, match="target default"):
        refuse_other_plans([IN_SYNC, DRIFTED.model_copy(update=fields)])
