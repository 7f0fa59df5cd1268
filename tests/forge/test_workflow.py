"""What the variables of a workflow are taken for."""

import json
from pathlib import Path

import pytest

from reconciler.errors import CredentialsError, UsageError
from reconciler.forge.workflow import Workflow, read_token
from reconciler.model.secret import ApiKey

SHA = "4ca6a63f0e9d" + "0" * 28
HERE = {
    "GITHUB_API_URL": "https://forge.example/api/v3/",
    "GITHUB_REPOSITORY": "acme/fleet",
    "GITHUB_SERVER_URL": "https://forge.example",
}
ON_GITHUB = Workflow(
    "github", "https://forge.example/api/v3", "/repos/acme/fleet", "acme/fleet", server_url="https://forge.example"
)
THERE = {
    "GITLAB_CI": "true",
    "CI_API_V4_URL": "https://git.example:8443/sub/api/v4",
    "CI_PROJECT_ID": "17",
    "CI_PROJECT_PATH": "acme/platform/fleet",
    "CI_SERVER_URL": "https://git.example:8443/sub",
    "CI_COMMIT_SHA": SHA,
}


def test_a_workflow_is_githubs_or_giteas_by_its_api(tmp_path: Path) -> None:
    """A pull request by the event, or as it is named; a push by its commit."""
    (tmp_path / "event.json").write_text(json.dumps({"pull_request": {"number": 6}}))
    about = {"GITHUB_EVENT_PATH": str(tmp_path / "event.json")}
    assert Workflow.read(HERE) == ON_GITHUB
    assert (Workflow.read({**HERE, **about}).pull_request, Workflow.read({**HERE, **about}, 3).pull_request) == (6, 3)
    for name, commit, pushed in (("push", SHA, SHA), ("push", "../../evil", None), ("schedule", SHA, None)):
        assert Workflow.read({**HERE, "GITHUB_EVENT_NAME": name, "GITHUB_SHA": commit}).pushed == pushed
    gitea = Workflow.read({**HERE, "GITHUB_API_URL": "https://forge.example/api/v1"})
    assert (gitea.forge, gitea.shown(6)) == ("gitea", "#6")


def test_a_job_of_gitlabs_is_its_projects() -> None:
    """Your own, below a path; by the project's number, which no proxy takes apart."""
    read = Workflow.read({**HERE, **THERE})
    assert read == Workflow(
        "gitlab",
        "https://git.example:8443/sub/api/v4",
        "/projects/17",
        "acme/platform/fleet",
        server_url="https://git.example:8443/sub",
    )
    request = {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_IID": "6",
        "CI_MERGE_REQUEST_PROJECT_ID": "17",
    }
    assert Workflow.read({**THERE, **request}).pull_request == 6
    assert Workflow.read({**THERE, **request}, 3).pull_request == 3
    assert Workflow.read({**THERE, "CI_PIPELINE_SOURCE": "push"}).pushed == SHA
    assert read.shown(6) == "!6"


@pytest.mark.parametrize(
    ("here", "odd"),
    [
        *(
            (here, {variable: value})
            for here, variable in ((HERE, "GITHUB_API_URL"), (THERE, "CI_API_V4_URL"))
            for value in ("", "http://forge.example", "https://user:secret@forge.example", "https://forge.example:port",
                          "file:///etc/passwd", "https://forge.example/api?x=secret")
        ),
        *((HERE, {"GITHUB_REPOSITORY": value}) for value in ("", "acme/../user", "acme/..", "acme")),
        *((THERE, {"CI_PROJECT_ID": value}) for value in ("", "0", "17/issues", "-1", "x" * 30)),
        *((THERE, {"CI_PROJECT_PATH": value}) for value in ("", "acme", "acme/../user", "/acme/x", "acme/x?")),
        (HERE, {"GITHUB_EVENT_PATH": "/nowhere"}),
    ],
)  # fmt: skip
def test_variables_that_make_no_sense_are_bad_usage(here: dict[str, str], odd: dict[str, str]) -> None:
    """Nothing is made up in their stead; the token never travels in the clear."""
    with pytest.raises(UsageError, match=next(iter(odd))) as caught:
        Workflow.read({**here, **odd})
    assert "secret" not in str(caught.value.problems())


def test_the_token_comes_from_its_variable() -> None:
    """GITHUB_TOKEN before GH_TOKEN, or GITLAB_TOKEN alone; what no header can carry is told without showing it."""
    assert read_token({"GITHUB_TOKEN": "a\n", "GH_TOKEN": "b"}, "github") == ApiKey("a")
    assert read_token({"GITHUB_TOKEN": "", "GH_TOKEN": "b"}, "gitea") == ApiKey("b")
    assert read_token({"GITHUB_TOKEN": "a", "GITLAB_TOKEN": "c"}, "gitlab") == ApiKey("c")
    with pytest.raises(CredentialsError, match="GITLAB_TOKEN is not set"):
        read_token({"GITHUB_TOKEN": "a", "CI_JOB_TOKEN": "c"}, "gitlab")
    for environment in ({}, {"GH_TOKEN": "very\nsecret"}):
        with pytest.raises(CredentialsError) as caught:
            read_token(environment, "github")
        assert "very" not in str(caught.value.problems())


def test_a_server_that_is_no_address_is_linked_nowhere() -> None:
    """None is made up: pages then have no links."""
    for variables in ({}, {"CI_SERVER_URL": "javascript:alert(1)"}, {"CI_SERVER_URL": "https://x/ y"}):
        assert Workflow.read({**THERE, "CI_SERVER_URL": "", **variables}).server_url is None
