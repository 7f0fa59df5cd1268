"""Which commit head is compared with, and why this one; and whether HEAD is too old to be applied.

The rules are GitHub's: https://docs.github.com/actions/reference/workflows-and-actions/events-that-trigger-workflows
says what is checked out for each event.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reconciler.desired.git import Commit, Git
from reconciler.errors import GitError, StalePlan
from reconciler.model.evidence import Base
from reconciler.model.text import printable

NO_BASE = "none"

_ASKABLE = re.compile(r"\w[\w./-]*")
"""What a server may be asked for: a branch, a tag, a hash."""


@dataclass(frozen=True, slots=True)
class Event:
    """What started a workflow, as GitHub's variables and its event file tell; all empty elsewhere."""

    name: str = ""
    ref: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Event":
        """The event of this environment. Raises GitError where its file can't be read."""
        name, path = environment.get("GITHUB_EVENT_NAME", ""), environment.get("GITHUB_EVENT_PATH", "")
        if not name or not path:
            return cls()
        try:
            payload = json.loads(Path(path).read_bytes())
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


@dataclass(frozen=True, slots=True)
class Chosen:
    """The base, and what the plan should warn of; `replaced`: it is what a push put HEAD in the place of."""

    base: Base
    warnings: tuple[str, ...] = ()
    replaced: bool = False


def choose_base(git: Git, head: Commit, wanted: str | None, event: Event) -> Chosen | None:
    """The base by name or by event; None for `--base none`. Raises GitError for one that is named and not there."""
    if wanted == NO_BASE:
        return None
    if wanted:
        known = git.commit(wanted) or git.commit(f"refs/remotes/origin/{wanted}")
        commit = known or _required(git, wanted, f"--base {printable(wanted)}")
        return Chosen(Base(commit=commit.sha, reason="HEAD" if wanted == "HEAD" else f"--base {wanted}"))
    if event.name in {"pull_request", "pull_request_target"}:
        return _of_pull_request(git, head, event)
    before = event.text("before")
    if event.name == "push" and event.pushed_branch and before.strip("0"):
        commit = _required(git, before, "the commit before this push")
        return Chosen(Base(commit=commit.sha, reason=f"before this push to {event.pushed_branch}"), replaced=True)
    if event.name == "merge_group":
        commit = _required(git, event.text("merge_group", "base_sha"), "the base of this merge group")
        return Chosen(Base(commit=commit.sha, reason="the base of this merge group"))
    return _by_default_branch(git, head, event)


def default_branch(git: Git, event: Event) -> tuple[str, Commit] | None:
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


def refuse_stale_head(git: Git, head: Commit, applied: str | None, event: Event) -> None:
    """Raise StalePlan if HEAD is behind what was applied, or behind its own branch as far as the clone knows."""
    remedy = "run again on the newest commit; or name the base with --base REF, if going back is what you mean"
    if applied and applied != head.sha and git.is_ancestor(head.sha, applied):
        raise StalePlan(f"HEAD {head.sha[:10]} is older than what was applied, {applied[:10]}", remedy=remedy)
    branch = git.branch() or event.pushed_branch
    tip = git.commit(f"refs/remotes/origin/{branch}") if branch else None
    if tip and tip.sha != head.sha and git.is_ancestor(head.sha, tip.sha):
        raise StalePlan(f"HEAD {head.sha[:10]} is behind origin/{branch}, {tip.sha[:10]}", remedy=remedy)


def _of_pull_request(git: Git, head: Commit, event: Event) -> Chosen:
    branch = event.text("pull_request", "base", "ref")
    if event.ref.endswith("/merge") and head.parents[1:] == (event.text("pull_request", "head", "sha"),):
        commit = _required(git, head.parents[0], "the first parent of this merge")
        return Chosen(Base(commit=commit.sha, reason=f"the first parent of this pull request's merge into {branch}"))
    tip = git.commit(f"refs/remotes/origin/{branch}") or _required(
        git, event.text("pull_request", "base", "sha"), f"the tip of {branch}"
    )
    fork = git.merge_base(head.sha, tip.sha)
    if fork is None:
        raise _unrelated(git, branch)
    ahead = (f"{branch} is ahead of this branch: what merges may differ from what is planned here",)
    reason = f"where this pull request's branch left {branch}"
    return Chosen(Base(commit=fork, reason=reason), ahead if fork != tip.sha else ())


def _by_default_branch(git: Git, head: Commit, event: Event) -> Chosen:
    default = default_branch(git, event)
    if default is None:
        return Chosen(Base(commit=head.sha, reason="HEAD: no default branch is known here"))
    name, tip = default
    fork = git.merge_base(head.sha, tip.sha)
    if fork == head.sha:
        return Chosen(Base(commit=head.sha, reason=f"HEAD, which {name} contains"))
    if fork is None:
        raise _unrelated(git, name)
    return Chosen(Base(commit=fork, reason=f"where HEAD left {name}"))


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
    if git.shallow:
        return f"git fetch --unshallow origin{asked}; in a workflow, check out with fetch-depth: 0"
    return f"git fetch origin{asked}"
