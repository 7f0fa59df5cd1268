"""What started this run: a proposed change, a push, a merge queue; as GitHub's event or GitLab's variables tell.

The rules are the forges': https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows
and https://docs.gitlab.com/ci/variables/predefined_variables say what is checked out, and what is told of it.
"""

import json
import os
import re
import stat
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from reconciler.errors import UsageError
from reconciler.model.text import printable

EventKind: TypeAlias = Literal["pull request", "merge request", "merge group", "push", "other"]

_PULL_REQUEST = re.compile(r"refs/pull/([1-9][0-9]{0,17})/[a-z]+")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_LARGEST_EVENT = 32 * 1024 * 1024
"""Bytes; a forge's events have 25 million at most. What is longer is none, and is not read to its end."""
_MOST_VALUES = 500_000
"""Nor is what has more in it; most of an event is text."""


class WorkflowEvent(NamedTuple):
    """The event as far as it matters here; texts are empty and numbers None where it doesn't say.

    `branch` is the one that the run is of, if it is of one. `number` is the proposed change's, `base_branch` where it
    is to go, `base` that branch's commit or where the change left it, `head` the change's own commit. `base` is a
    merge group's, too; `before` is what the branch was at before a push, all zeros for nothing.
    """

    kind: EventKind = "other"
    branch: str = ""
    default_branch: str = ""
    number: int | None = None
    base_branch: str = ""
    base: str = ""
    head: str = ""
    before: str = ""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "WorkflowEvent":
        """The event of this environment; none outside a workflow. Raises UsageError where its file can't be read."""
        return _of_gitlab(environment) if on_gitlab(environment) else _of_github(environment)

    @property
    def proposes(self) -> bool:
        """Whether the run is of a change that isn't merged yet."""
        return self.kind in {"pull request", "merge request", "merge group"}


NO_EVENT = WorkflowEvent()


def on_gitlab(environment: Mapping[str, str]) -> bool:
    """Whether this is a job of GitLab's."""
    return environment.get("GITLAB_CI") == "true"


def _of_gitlab(environment: Mapping[str, str]) -> WorkflowEvent:
    """A merge request's own branch is told by where it left the target; a result merged for a try, by the target."""
    kinds: dict[str, EventKind] = {"merge_request_event": "merge request", "push": "push"}
    get = environment.get
    target, left = get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA", ""), get("CI_MERGE_REQUEST_DIFF_BASE_SHA", "")
    here = get("CI_MERGE_REQUEST_PROJECT_ID") == get("CI_PROJECT_ID")  # a fork's pipelines are the fork's
    number = get("CI_MERGE_REQUEST_IID", "") if here else ""
    return WorkflowEvent(
        kind=kinds.get(get("CI_PIPELINE_SOURCE", ""), "other"),
        branch=get("CI_COMMIT_BRANCH", ""),
        default_branch=get("CI_DEFAULT_BRANCH", ""),
        number=int(number) if _NUMBER.fullmatch(number) else None,
        base_branch=get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", ""),
        base=target or left,
        head=get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", ""),
        before=get("CI_COMMIT_BEFORE_SHA", ""),
    )


def _of_github(environment: Mapping[str, str]) -> WorkflowEvent:
    kinds: dict[str, EventKind] = {
        "pull_request": "pull request",
        "pull_request_target": "pull request",
        "merge_group": "merge group",
        "push": "push",
    }
    payload = _payload(environment.get("GITHUB_EVENT_PATH", ""))
    ref = environment.get("GITHUB_REF", "")
    return WorkflowEvent(
        kind=kinds.get(environment.get("GITHUB_EVENT_NAME", ""), "other"),
        branch=ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else "",
        default_branch=_text(payload, "repository", "default_branch"),
        number=_number(payload, ref),
        base_branch=_text(payload, "pull_request", "base", "ref"),
        base=_text(payload, "merge_group", "base_sha") or _text(payload, "pull_request", "base", "sha"),
        head=_text(payload, "pull_request", "head", "sha"),
        before=_text(payload, "before"),
    )


def _number(payload: Mapping[str, Any], ref: str) -> int | None:
    """By the payload, where a comment's issue may be a pull request; else by the ref."""
    issue = payload.get("issue")
    proposed = issue if isinstance(issue, dict) and issue.get("pull_request") else None
    for about in (payload.get("pull_request"), proposed):
        number = about.get("number") if isinstance(about, dict) else None
        if isinstance(number, int) and not isinstance(number, bool) and number > 0:
            return number
    found = _PULL_REQUEST.fullmatch(ref)
    return int(found[1]) if found else None


def _text(payload: Mapping[str, Any], *path: str) -> str:
    value: Any = payload
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _read(path: str) -> bytes:
    """The bytes of a file, not waiting for who may write to a pipe. Raises OSError, ValueError."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is no regular file")
        return file.read(_LARGEST_EVENT)


def _payload(path: str) -> Mapping[str, Any]:
    if not path:
        return {}
    try:
        data = _read(path)
        if sum(map(data.count, (b",", b"[", b"{"))) > _MOST_VALUES:
            raise ValueError(f"it has more than {_MOST_VALUES} values")  # noqa: TRY301  # told as what is no JSON is
        payload = json.loads(data)
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"GITHUB_EVENT_PATH can't be read: {printable(str(error), 200)}",
            remedy="unset it, and name what it tells: --base REF, --pull-request N",
        ) from error
    return payload if isinstance(payload, dict) else {}
