"""What the variables of a workflow are taken for."""

import json
from pathlib import Path

import pytest

from reconciler.errors import CredentialsError, UsageError
from reconciler.forge.workflow import Workflow, read_token
from reconciler.model.secret import ApiKey

SHA = "4ca6a63f0e9d" + "0" * 28
HERE = {"GITHUB_API_URL": "https://forge.example/api/v3/", "GITHUB_REPOSITORY": "acme/fleet"}


@pytest.mark.parametrize(
    ("environment", "event", "pull_request", "pushed"),
    [
        ({"GITHUB_REF": "refs/pull/5/merge"}, None, 5, None),
        ({"GITHUB_REF": "refs/pull/5/merge"}, {"pull_request": {"number": 6}}, 6, None),
        ({}, {"issue": {"number": 7, "pull_request": {"url": "x"}}}, 7, None),
        ({}, {"issue": {"number": 7}}, None, None),
        ({}, {"pull_request": {"number": "12; rm"}}, None, None),
        ({}, [], None, None),
        ({"GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/main", "GITHUB_SHA": SHA}, {}, None, SHA),
        ({"GITHUB_EVENT_NAME": "push", "GITHUB_SHA": "../../evil"}, {}, None, None),
        ({"GITHUB_EVENT_NAME": "schedule", "GITHUB_SHA": SHA}, {}, None, None),
    ],
)
def test_the_event_says_which_pull_request(
    tmp_path: Path, environment: dict[str, str], event: object, pull_request: int | None, pushed: str | None
) -> None:
    """By its payload, else by its ref; a push by its commit; whatever else starts a run is about none."""
    (tmp_path / "event.json").write_text(json.dumps(event))
    path = {} if event is None else {"GITHUB_EVENT_PATH": str(tmp_path / "event.json")}
    workflow = Workflow.read({**HERE, **environment, **path})
    assert workflow == Workflow("https://forge.example/api/v3", "acme/fleet", pull_request, pushed)
    assert Workflow.read({**HERE, "GITHUB_EVENT_PATH": str(tmp_path)}, 3).pull_request == 3


@pytest.mark.parametrize(
    "odd",
    [
        {"GITHUB_API_URL": ""},
        {"GITHUB_API_URL": "http://forge.example"},
        {"GITHUB_API_URL": "https://user:secret@forge.example"},
        {"GITHUB_API_URL": "https://forge.example:port"},
        {"GITHUB_API_URL": "file:///etc/passwd"},
        {"GITHUB_REPOSITORY": ""},
        {"GITHUB_REPOSITORY": "acme/../user"},
        {"GITHUB_REPOSITORY": "acme/.."},
        {"GITHUB_REPOSITORY": "acme"},
        {"GITHUB_EVENT_PATH": "/nowhere"},
    ],
)
def test_variables_that_make_no_sense_are_bad_usage(odd: dict[str, str]) -> None:
    """Nothing is made up in their stead; the token never travels in the clear."""
    with pytest.raises(UsageError, match=next(iter(odd))) as caught:
        Workflow.read({**HERE, **odd})
    assert "secret" not in str(caught.value.problems())


def test_the_token_comes_from_its_variable() -> None:
    """GITHUB_TOKEN before GH_TOKEN; what no header can carry is told without showing it."""
    assert read_token({"GITHUB_TOKEN": "a\n", "GH_TOKEN": "b"}) == ApiKey("a")
    assert read_token({"GITHUB_TOKEN": "", "GH_TOKEN": "b"}) == ApiKey("b")
    for environment in ({}, {"GH_TOKEN": "very\nsecret"}):
        with pytest.raises(CredentialsError) as caught:
            read_token(environment)
        assert "very" not in str(caught.value.problems())
