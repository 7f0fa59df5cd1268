"""What a forge's variables, and its event file, are taken for."""

import json
import os
from pathlib import Path

import pytest

from reconciler.errors import UsageError
from reconciler.event import NO_EVENT, WorkflowEvent, on_gitlab

A, B, C = (letter * 40 for letter in "abc")
PULL = {"number": 6, "head": {"sha": A}, "base": {"ref": "main", "sha": B}}


@pytest.mark.parametrize(
    ("name", "ref", "payload", "expected"),
    [
        (
            "pull_request",
            "refs/pull/5/merge",
            {"pull_request": PULL, "repository": {"default_branch": "trunk"}},
            WorkflowEvent("pull request", "", "trunk", 6, "main", B, A),
        ),
        ("pull_request_target", "refs/heads/main", {}, WorkflowEvent("pull request", "main")),
        (
            "merge_group",
            "refs/heads/q/x",
            {"merge_group": {"base_sha": B}},
            WorkflowEvent("merge group", "q/x", base=B),
        ),
        ("push", "refs/heads/a/b", {"before": A, "after": 7}, WorkflowEvent("push", "a/b", before=A)),
        ("push", "refs/tags/v1", {"before": []}, WorkflowEvent("push")),
        ("schedule", "refs/heads/main", [], WorkflowEvent(branch="main")),
        ("issue_comment", "", {"issue": {"number": 7, "pull_request": {"url": "x"}}}, WorkflowEvent(number=7)),
        ("issue_comment", "", {"issue": {"number": 7}}, NO_EVENT),
        ("", "refs/pull/5/merge", {}, WorkflowEvent(number=5)),
        ("", "", {"pull_request": {"number": "12; rm"}}, NO_EVENT),
        ("", "", {"pull_request": {"number": True, "base": 3}}, NO_EVENT),
    ],
)
def test_a_workflow_is_started_by_what_github_says(
    tmp_path: Path, name: str, ref: str, payload: object, expected: WorkflowEvent
) -> None:
    """By its payload, else by its ref; a payload of another shape says nothing."""
    (tmp_path / "event.json").write_text(json.dumps(payload))
    environment = {"GITHUB_EVENT_NAME": name, "GITHUB_REF": ref, "GITHUB_EVENT_PATH": str(tmp_path / "event.json")}
    assert WorkflowEvent.read(environment) == expected


@pytest.mark.parametrize("broken", [None, b"", b"{", b'{"a": "\xff', b"[" * 100_000, b"[" + b"[]," * 300_000 + b"[]]"])
def test_an_event_that_cant_be_read_is_bad_usage(tmp_path: Path, broken: bytes | None) -> None:
    """None at all is no event; one that is named and damaged would leave a guess."""
    assert WorkflowEvent.read({}) == NO_EVENT
    assert WorkflowEvent.read({"GITHUB_EVENT_NAME": "push"}) == WorkflowEvent("push")
    if broken is not None:
        (tmp_path / "event.json").write_bytes(broken)
    with pytest.raises(UsageError, match="GITHUB_EVENT_PATH can't be read") as caught:
        WorkflowEvent.read({"GITHUB_EVENT_PATH": str(tmp_path / "event.json")})
    assert caught.value.remedy == "unset it, and name what it tells: --base REF, --pull-request N"


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_an_event_that_is_no_file_is_bad_usage_at_once(tmp_path: Path, kind: str) -> None:
    """A pipe that nobody writes to would be waited for; a device has no end."""
    path = tmp_path / "event.json" if kind == "pipe" else Path("/dev/zero")
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(UsageError, match="GITHUB_EVENT_PATH can't be read: it is no regular file"):
        WorkflowEvent.read({"GITHUB_EVENT_PATH": str(path)})


REQUEST = {
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_MERGE_REQUEST_IID": "6",
    "CI_MERGE_REQUEST_PROJECT_ID": "17",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA": B,
    "CI_COMMIT_BEFORE_SHA": "0" * 40,
}


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (REQUEST, WorkflowEvent("merge request", "", "trunk", 6, "main", B, "", "0" * 40)),
        (
            {**REQUEST, "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": C, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": A},
            WorkflowEvent("merge request", "", "trunk", 6, "main", C, A, "0" * 40),
        ),
        (
            {**REQUEST, "CI_MERGE_REQUEST_PROJECT_ID": "18"},
            WorkflowEvent("merge request", "", "trunk", None, "main", B, "", "0" * 40),
        ),
        (
            {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main", "CI_COMMIT_BEFORE_SHA": A},
            WorkflowEvent("push", "main", "trunk", before=A),
        ),
        ({"CI_PIPELINE_SOURCE": "schedule", "CI_COMMIT_BRANCH": "main"}, WorkflowEvent("other", "main", "trunk")),
        (
            {**REQUEST, "CI_MERGE_REQUEST_IID": "../../evil"},
            WorkflowEvent("merge request", "", "trunk", None, "main", B, "", "0" * 40),
        ),
    ],
)
def test_a_pipeline_is_started_by_what_gitlab_says(variables: dict[str, str], expected: WorkflowEvent) -> None:
    """A branch of a merge request, a result merged for a try, a fork's, which has no number here; a push, a schedule."""
    here = {"GITLAB_CI": "true", "CI_PROJECT_ID": "17", "CI_DEFAULT_BRANCH": "trunk"}
    assert on_gitlab(here)
    assert WorkflowEvent.read({"GITHUB_EVENT_PATH": "/nowhere", **here, **variables}) == expected
