"""`comment` and `issue` as a workflow runs them: the real commands against a served GitHub."""

import json
from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import Workplace, manifest
from tests.forge.fake_forge import Refusal
from tests.forge.fake_github import INSTALLATION, REPOSITORY, FakeGitHub

COMMENTS = f"/repos/{REPOSITORY}/issues/12/comments"
SHA = "4ca6a63f0e9d" + "0" * 28


@pytest.fixture
def github(workplace: Workplace) -> Iterator[FakeGitHub]:
    """A GitHub Enterprise, and the variables of a workflow on it that runs for pull request 12."""
    github = FakeGitHub()
    with github.serve() as url:
        workplace.write("event.json", json.dumps({"pull_request": {"number": 12}}))
        workplace.environment |= {
            "GITHUB_API_URL": url,
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": "event.json",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_SERVER_URL": "https://forge.example",
            "GITHUB_TOKEN": INSTALLATION,
        }
        yield github
    assert github.complaints == []


def saved(workplace: Workplace, command: str, file: str) -> None:
    """Run a command that saves what it found."""
    assert "Traceback" not in workplace.run(f"{command} --out {file}").err


@pytest.mark.slow
def test_a_pull_request_shows_its_plan_and_beside_it_what_was_applied(workplace: Workplace, github: FakeGitHub) -> None:
    """As Markdown; posted, though the answer got lost; what was applied has a comment of its own, and edits that."""
    workplace.service()
    workplace.write("manifests/orders.yaml", manifest("orders"))
    saved(workplace, "plan", "plan.json")
    github.troubles = [("POST", "lost")]
    posted = workplace.run("comment plan.json")
    assert (posted.code, posted.out) == (0, f"comment on #12 created: {github.comments[12][0]['html_url']}\n")
    [reviewed] = github.comments[12]
    plan = workplace.run("show plan.json --format markdown").out
    assert reviewed["body"] == f"<!-- reconciler:plan target=default -->\n{plan}"
    saved(workplace, "apply --yes", "report.json")
    github.pull_request(SHA, 12)
    workplace.write("event.json", "{}")
    workplace.environment |= {"GITHUB_EVENT_NAME": "push", "GITHUB_SHA": SHA}
    assert workplace.run("comment report.json").out.startswith("comment on #12 created: ")
    assert reviewed["body"].endswith(plan)
    applied = github.comments[12][1]
    assert applied["body"].startswith("<!-- reconciler:apply target=default -->\n### apply of `default`: 1 applied\n")
    github.asked.clear()
    assert workplace.run("comment report.json").out.startswith("comment on #12 unchanged: ")
    assert github.asked == [f"GET /repos/{REPOSITORY}/commits/{SHA}/pulls", f"GET {COMMENTS}", "GET /user"]
    other = workplace.run("comment report.json --key us-east-1 --pull-request 7")
    assert other.out.startswith("comment on #7 created: ")
    assert github.comments[7][0]["body"].startswith("<!-- reconciler:apply target=us-east-1 -->\n")


@pytest.mark.slow
def test_an_apply_that_failed_is_a_comment_of_its_own(workplace: Workplace, github: FakeGitHub) -> None:
    """An edit tells nobody, so each run that failed is a new one: once, and beside the plan that was reviewed."""
    workplace.service()
    workplace.write("manifests/orders.yaml", manifest("orders"))
    saved(workplace, "plan", "plan.json")
    workplace.run("comment plan.json")
    reviewed = github.comments[12][0]["body"]
    key = workplace.environment["MOMENTO_API_KEY"]
    for run in ("7", "8"):
        workplace.environment |= {"MOMENTO_API_KEY": "sandbox-expired", "GITHUB_RUN_ID": run}
        saved(workplace, "apply --yes", "apply.json")
        for done in ("created", "unchanged"):
            assert workplace.run("comment apply.json --applied").out.startswith(f"comment on #12 {done}: ")
    workplace.environment["MOMENTO_API_KEY"] = key
    saved(workplace, "apply --yes", "apply.json")
    assert workplace.run("comment apply.json --applied").out.startswith("comment on #12 created: ")
    plan, *failed, applied = (comment["body"] for comment in github.comments[12])
    assert plan == reviewed
    assert [body.splitlines()[:2] for body in failed] == [
        [f"<!-- reconciler:apply-failed target=default%20{run}-1 -->", "### 1 error · nothing was applied"]
        for run in ("7", "8")
    ]
    assert all(f"[run](https://forge.example/{REPOSITORY}/actions/runs/{run})" in failed.pop(0) for run in ("7", "8"))
    assert "1 applied" in applied


@pytest.mark.slow
def test_where_nothing_would_change_there_is_no_comment_unless_one_shows_otherwise(
    workplace: Workplace, github: FakeGitHub
) -> None:
    """A pull request that changes a README gets no page; one whose manifest was taken back doesn't keep the old one."""
    workplace.service()
    workplace.write("manifests/orders.yaml", manifest("orders"))
    saved(workplace, "plan", "change.json")
    assert workplace.run("apply --yes").code == 0
    saved(workplace, "plan", "nothing.json")
    assert workplace.run("comment nothing.json").out == "no comment on #12: nothing would change\n"
    assert github.comments.get(12, []) == []
    workplace.run("comment change.json")
    assert workplace.run("comment nothing.json").out.startswith("comment on #12 updated: ")
    assert "1 to create" not in github.comments[12][0]["body"]


@pytest.mark.slow
def test_what_cant_be_posted_is_a_warning_and_bad_usage_is_not(workplace: Workplace, github: FakeGitHub) -> None:
    """The run's own result stands: exit 0, and what would mend it on stderr. The token is nowhere."""
    workplace.service()
    workplace.write("manifests/orders.yaml", manifest("orders"))
    saved(workplace, "plan", "plan.json")
    environment = dict(workplace.environment)

    def ended(command: str, **variables: str) -> tuple[int, str, str]:
        workplace.environment = environment | variables
        result = workplace.run(command)
        assert not [token for token in (INSTALLATION, "sandbox-admin") if token in result.out + result.err]
        return result.code, result.out, result.err

    github.denied = {"write"}
    said = f"POST {COMMENTS}: 403 Forbidden: Resource not accessible by integration"
    mends = "give the job `permissions: pull-requests: write`; the token of a fork's pull request can never write"
    assert ended("comment plan.json") == (0, "", f"warning: no comment was posted: {said}\n  → {mends}\n")
    github.denied = set()
    github.troubles = [("GET", Refusal(401, f"\x1b[2J::error::{INSTALLATION}"))]
    assert ended("comment plan.json")[2].startswith(
        f"warning: no comment was posted: GET {COMMENTS}: 401 Unauthorized: \\x1b[2J::error::(api key)\n"
    )
    no_token = ended("comment plan.json", GITHUB_TOKEN="")
    assert (no_token[0], no_token[2].splitlines()[0]) == (
        0,
        "warning: no comment was posted: no token: neither GITHUB_TOKEN nor GH_TOKEN is set",
    )
    push = {"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": "", "GITHUB_SHA": SHA}
    assert ended("comment plan.json", **push) == (0, "no comment: no pull request was merged as 4ca6a63f0e\n", "")
    assert github.writes == [f"POST {COMMENTS}"]
    for command, variables in (
        ("comment nowhere.json", {}),
        ("comment plan.json", {"GITHUB_API_URL": ""}),
        ("issue plan.json", {}),
    ):
        assert ended(command, **variables)[0] == 64, command


@pytest.mark.slow
def test_a_schedule_keeps_one_issue_a_target(workplace: Workplace, github: FakeGitHub) -> None:
    """From drift to in sync; one that can't be read keeps that, and has another till it can; what fails ends in 1."""
    service = workplace.service()
    workplace.write("manifests/a/orders.yaml", manifest("orders"))
    workplace.write("manifests/b/orders.yaml", manifest("orders"))
    workplace.write(
        "manifests/fleet.yaml",
        f"""\
        targets:
          a: {{endpoint: "{service.url}/accounts/a"}}
          b: {{endpoint: "{service.url}/accounts/b", api_key_env: MOMENTO_B}}
        """,
    )
    workplace.environment["MOMENTO_B"] = "sandbox-admin"
    assert workplace.run("apply --yes").code == 0

    def issues() -> list[str]:
        saved(workplace, "drift", "drift.json")
        ended = workplace.run("issue drift.json")
        assert ended.code == 0, ended.err
        return [line.partition(": http")[0] for line in ended.out.splitlines()]

    for account in "ab":
        service.put("orders", account=f"/accounts/{account}", shard_count=4)
    assert issues() == ["a: issue #1 created", "b: issue #2 created"]
    before = github.writes
    workplace.environment["MOMENTO_B"] = "sandbox-expired"
    service.put("orders", account="/accounts/a")
    assert issues() == ["a: issue #1 closed", "b: issue #3 created"]
    assert issues() == ["a: issue #1 unchanged", "b: issue #3 unchanged"]
    unread = next(issue for issue in github.issues if issue["number"] == 3)
    assert (unread["title"], "401 Unauthorized" in unread["body"]) == ("b can't be looked at", True)
    workplace.environment["MOMENTO_B"] = "sandbox-admin"
    assert issues() == ["a: issue #1 unchanged", "b: issue #2 unchanged", "b: issue #3 closed"]
    assert [written for written in github.writes[len(before) :] if "comments" not in written] == [
        f"PATCH /repos/{REPOSITORY}/issues/1",
        f"POST /repos/{REPOSITORY}/issues",
        f"PATCH /repos/{REPOSITORY}/issues/3",
    ]
    assert {issue["number"]: issue["state"] for issue in github.issues} == {1: "closed", 2: "open", 3: "closed"}
    assert all("orders" in issue["body"] for issue in github.issues if issue["number"] != 3)
    github.denied = {"read"}
    refused = workplace.run("issue drift.json")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.splitlines()[0].startswith(
        f"error: a: GET /repos/{REPOSITORY}/issues: 403 Forbidden: Resource not"
    )
    assert "permissions: issues: write" in refused.err
    github.denied = set()
    workplace.write("manifests/a/orders.yaml", "name: orders\n")
    assert issues() == ["all targets: issue #4 created"]
    assert "The clusters can't be looked at" in {issue["title"] for issue in github.issues}


@pytest.mark.slow
def test_a_matrix_of_targets_has_one_comment(workplace: Workplace, github: FakeGitHub) -> None:
    """The files of all its jobs in one comment, a refused target's plan beside another's report; each target once."""
    service = workplace.service()
    for target in "ab":
        workplace.write(f"manifests/{target}/orders-{target}.yaml", manifest(f"orders-{target}"))
    targets = "".join(f'  {target}: {{endpoint: "{service.url}/accounts/{target}"}}\n' for target in "ab")
    workplace.write("manifests/fleet.yaml", f"targets:\n{targets}")
    for target in "ab":
        saved(workplace, f"plan --target {target}", f"{target}.json")
    assert workplace.run("comment a.json b.json").out.startswith("comment on #12 created: ")
    [comment] = github.comments[12]
    assert [f"orders-{target}" in comment["body"] for target in "ab"] == [True, True]
    saved(workplace, "apply --target a --yes", "a.json")
    assert workplace.run("comment a.json b.json").out.startswith("comment on #12 created: ")
    comment = github.comments[12][1]
    assert "1 applied" in comment["body"]
    assert "orders-b" in comment["body"]
    twice = workplace.run("comment b.json b.json")
    assert (twice.code, twice.err.splitlines()[0]) == (64, "error: target b is in two of the files")
    for target in "ab":
        saved(workplace, f"drift --target {target}", f"{target}.json")
    assert workplace.run("issue a.json b.json").out.startswith("a: in sync, no issue\nb: issue #1 created")
