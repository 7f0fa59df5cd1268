"""Which commit head is compared with, and why this one.

The rules are GitHub's: https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows
says what is checked out for each event.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from reconciler.errors import GitError
from reconciler.evidence.git import Commit, Git
from reconciler.model.evidence import Base
from reconciler.model.text import printable

NO_BASE = "none"

_ASKABLE = re.compile(r"\w[\w./-]*")
"""What a server may be asked for: a branch, a tag, a hash."""


_LARGEST_EVENT = 32 * 1024 * 1024
"""Bytes; a forge's events have 25 million at most. What is longer is none, and is not read to its end."""


def _read_event(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(_LARGEST_EVENT)


class WorkflowEvent(NamedTuple):
    """What started a workflow, as GitHub's variables and its event file tell; all empty elsewhere."""

    name: str = ""
    ref: str = ""
    payload: Mapping[str, Any] = MappingProxyType({})

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "WorkflowEvent":
        """The event of this environment. Raises GitError where its file can't be read."""
        name, path = environment.get("GITHUB_EVENT_NAME", ""), environment.get("GITHUB_EVENT_PATH", "")
        if not name or not path:
            return cls()
        try:
            payload = json.loads(_read_event(path))
        except (OSError, ValueError, RecursionError) as error:
            raise GitError(
                f"GITHUB_EVENT_PATH can't be read: {error}", remedy="name the base with --base REF"
            ) from error
        return cls(name, environment.get("GITHUB_REF", ""), payload if isinstance(payload, dict) else {})

    def text(self, *path: str) -> str:
        """A text of the payload; empty where there is none."""
        value: Any = self.payload
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value if isinstance(value, str) else ""

    @property
    def pushed_branch(self) -> str:
        """The branch that was pushed to; empty for anything else."""
        return self.ref.removeprefix("refs/heads/") if self.ref.startswith("refs/heads/") else ""


NO_EVENT = WorkflowEvent()


class ChosenBase(NamedTuple):
    """The base, and what the plan should warn of."""

    base: Base
    warnings: tuple[str, ...] = ()


def choose_base(git: Git, head: Commit, wanted: str | None, event: WorkflowEvent) -> ChosenBase | None:
    """The base by name or by event; None for `--base none`. Raises GitError for one that is named and not there."""
    if wanted == NO_BASE:
        return None
    chosen = _choose(git, head, wanted, event)
    default = default_branch(git, event)
    if event.name.startswith(("pull_request", "merge_group")) or default is None or wanted:
        return chosen
    name, tip = default
    if git.shallow or git.is_ancestor(head.sha, tip.sha):
        return chosen
    astray = f"HEAD {head.sha[:10]} is not on {name}: what is applied from here isn't merged"
    return ChosenBase(chosen.base, (*chosen.warnings, astray))


def _choose(git: Git, head: Commit, wanted: str | None, event: WorkflowEvent) -> ChosenBase:
    if wanted:
        known = git.commit(wanted) or git.commit(f"refs/remotes/origin/{wanted}")
        commit = known or _required(git, wanted, f"--base {printable(wanted)}")
        return ChosenBase(Base(commit=commit.sha, reason="HEAD" if wanted == "HEAD" else f"--base {wanted}"))
    if event.name in {"pull_request", "pull_request_target"}:
        return _of_pull_request(git, head, event)
    before = event.text("before")
    if event.name == "push" and event.pushed_branch and before.strip("0"):
        commit = _required(git, before, "the commit before this push")
        return ChosenBase(Base(commit=commit.sha, reason=f"before this push to {event.pushed_branch}"))
    if event.name == "merge_group":
        commit = _required(git, event.text("merge_group", "base_sha"), "the base of this merge group")
        return ChosenBase(Base(commit=commit.sha, reason="the base of this merge group"))
    return _by_default_branch(git, head, event)


def default_branch(git: Git, event: WorkflowEvent) -> tuple[str, Commit] | None:
    """The default branch's name and tip, as far as this clone knows it."""
    named = event.text("repository", "default_branch")
    candidates = [f"refs/remotes/origin/{named}", f"refs/heads/{named}"] if named else []
    candidates += ["refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/heads/main"]
    candidates += ["refs/remotes/origin/master", "refs/heads/master"]
    for ref in candidates:
        commit = git.commit(ref)
        if commit is not None:
            return ref.removeprefix("refs/heads/").removeprefix("refs/remotes/"), commit
    return None


def _of_pull_request(git: Git, head: Commit, event: WorkflowEvent) -> ChosenBase:
    branch = event.text("pull_request", "base", "ref")
    if event.ref.endswith("/merge") and head.parents[1:] == (event.text("pull_request", "head", "sha"),):
        commit = _required(git, head.parents[0], "the first parent of this merge")
        return ChosenBase(
            Base(commit=commit.sha, reason=f"the first parent of this pull request's merge into {branch}")
        )
    tip = git.commit(f"refs/remotes/origin/{branch}") or _required(
        git, event.text("pull_request", "base", "sha"), f"the tip of {branch}"
    )
    fork = git.merge_base(head.sha, tip.sha)
    if fork is None:
        raise _unrelated(git, branch)
    ahead = (f"{branch} is ahead of this branch: what merges may differ from what is planned here",)
    reason = f"where this pull request's branch left {branch}"
    return ChosenBase(Base(commit=fork, reason=reason), ahead if fork != tip.sha else ())


def _by_default_branch(git: Git, head: Commit, event: WorkflowEvent) -> ChosenBase:
    default = default_branch(git, event)
    if default is None:
        return ChosenBase(Base(commit=head.sha, reason="HEAD: no default branch is known here"))
    name, tip = default
    fork = git.merge_base(head.sha, tip.sha)
    if fork == head.sha:
        return ChosenBase(Base(commit=head.sha, reason=f"HEAD, which {name} contains"))
    if fork is None:
        raise _unrelated(git, name)
    return ChosenBase(Base(commit=fork, reason=f"where HEAD left {name}"))


def _required(git: Git, revision: str, what: str) -> Commit:
    commit = git.commit(revision)
    if commit is None:
        raise GitError(f"{what} is not in this clone", remedy=_fetch(git, revision))
    return commit


def _unrelated(git: Git, branch: str) -> GitError:
    remedy = _fetch(git, branch) if git.shallow else "name the base with --base REF"
    return GitError(f"HEAD and {branch} have no common commit here", remedy=remedy)


def _fetch(git: Git, revision: str) -> str:
    """The command that brings it here; `main~2`, say, comes with the rest."""
    name = revision.removeprefix("refs/remotes/").removeprefix("origin/")
    asked = f" {name}" if _ASKABLE.fullmatch(name) and name != "HEAD" else ""
    deepen = "--unshallow " if git.shallow else ""
    return f"git fetch {deepen}origin{asked}; or name the base with --base REF"
