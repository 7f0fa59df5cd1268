"""`comment` and `issue` as GitLab's jobs run them: the real commands against a served GitLab."""

from collections.abc import Iterator

import pytest

from tests.acceptance.conftest import Checkout, Workplace, manifest
from tests.forge.fake_gitlab import JOB_TOKEN, PROJECT, PROJECT_PATH, TOKEN, FakeGitLab

REQUEST = {
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_MERGE_REQUEST_IID": "12",
    "CI_MERGE_REQUEST_PROJECT_ID": str(PROJECT),
}


@pytest.fixture
def gitlab(workplace: Workplace) -> Iterator[FakeGitLab]:
    """A GitLab of one's own below a path, and the variables of its jobs."""
    gitlab = FakeGitLab()
    with gitlab.serve() as url:
        workplace.environment |= {
            "GITLAB_CI": "true",
            "GITLAB_TOKEN": TOKEN,
            "CI_API_V4_URL": url,
            "CI_PROJECT_ID": str(PROJECT),
            "CI_PROJECT_PATH": PROJECT_PATH,
            "CI_SERVER_URL": url.removesuffix("/api/v4"),
        }
        yield gitlab
    assert gitlab.complaints == []


@pytest.mark.slow
def test_a_merge_request_shows_plan_and_report(workplace: Workplace, gitlab: FakeGitLab) -> None:
    """A note each, posted once though the answer got lost; what can't be posted is a warning."""
    workplace.service()
    workplace.write("manifests/orders.yaml", manifest("orders"))
    workplace.environment |= REQUEST
    assert workplace.run("plan --out plan.json").code == 0
    gitlab.troubles = [("POST", "lost")]
    posted = workplace.run("comment plan.json")
    [note] = gitlab.notes["merge_requests/12"]
    web = f"{gitlab.url.removesuffix('/api/v4')}/{PROJECT_PATH}/-/merge_requests/12#note_{note['id']}"
    assert (posted.code, posted.out) == (0, f"comment on !12 created: {web}\n")
    assert note["body"].startswith("<!-- reconciler:plan target=default -->\n")
    assert "orders" in note["body"]
    workplace.environment["GITLAB_TOKEN"] = JOB_TOKEN
    denied = workplace.run("comment plan.json")
    assert (denied.code, denied.out) == (0, "")
    assert "401 Unauthorized: 401 Unauthorized\n  → the token is invalid, or expired: set GITLAB_TOKEN" in denied.err
    assert JOB_TOKEN not in denied.err

    assert workplace.run("apply --yes --out report.json").code == 0
    sha = "4ca6a63f0e9d" + "0" * 28
    gitlab.merge_request(sha, 12)
    pushed = {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main", "CI_COMMIT_SHA": sha, "GITLAB_TOKEN": TOKEN}
    workplace.environment |= pushed
    assert workplace.run("comment report.json").out.startswith("comment on !12 created: ")
    assert workplace.run("comment report.json").out.startswith("comment on !12 unchanged: ")
    assert "1 applied" in gitlab.notes["merge_requests/12"][1]["body"]


@pytest.mark.slow
def test_a_schedule_keeps_one_issue(workplace: Workplace, gitlab: FakeGitLab) -> None:
    """Opened where a cluster was changed outside git, closed when it is as git says."""
    service = workplace.service()
    workplace.write("manifests/orders.yaml", manifest("orders"))
    assert workplace.run("apply --yes").code == 0
    for shards, said in ((4, "created"), (4, "unchanged"), (1, "closed")):
        service.put("orders", shard_count=shards)
        workplace.run("drift --out drift.json")
        assert workplace.run("issue drift.json").out.startswith(f"default: issue #1 {said}: https://forge.example/")
    assert [issue["state"] for issue in gitlab.issues] == ["closed"]


@pytest.mark.slow
def test_links_lead_where_gitlab_has_its_files(checkout: Checkout) -> None:
    """Lines and commits behind `/-/`; the base of a merge request is where it left the target."""
    checkout.service()
    checkout.declare("orders")
    left = checkout.commit()
    checkout.declare("carts")
    head = checkout.commit()
    gitlab = FakeGitLab()
    with gitlab.serve() as url:
        checkout.environment |= REQUEST | {
            "GITLAB_CI": "true",
            "GITLAB_TOKEN": TOKEN,
            "CI_API_V4_URL": url,
            "CI_PROJECT_ID": str(PROJECT),
            "CI_PROJECT_PATH": PROJECT_PATH,
            "CI_SERVER_URL": "https://git.example/sub",
            "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
            "CI_MERGE_REQUEST_DIFF_BASE_SHA": left,
        }
        checkout.environment["CI_COMMIT_SHA"] = head
        planned = checkout.run("plan --out plan.json")
        assert f"base {left[:10]} (where this merge request's branch left main)" in planned.out
        assert checkout.run("comment plan.json").code == 0
    [note] = gitlab.notes["merge_requests/12"]
    root = f"https://git.example/sub/{PROJECT_PATH}/-"
    assert f"{root}/blob/{head}/manifests/carts.yaml#L1" in note["body"]
    assert f"{root}/commit/{head}" in note["body"]
