"""Which commit head is compared with, and why this one."""

import re
from typing import NamedTuple

from reconciler.errors import GitError
from reconciler.event import WorkflowEvent
from reconciler.evidence.git import Commit, Git
from reconciler.model.evidence import Base
from reconciler.model.text import printable

NO_BASE = "none"

_ASKABLE = re.compile(r"\w[\w./-]*")
"""What a server may be asked for: a branch, a tag, a hash."""


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
    if event.proposes or default is None or wanted:
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
    if event.kind in {"pull request", "merge request"}:
        return _of_request(git, head, event)
    if event.kind == "push" and event.branch and event.before.strip("0"):
        commit = _required(git, event.before, "the commit before this push")
        return ChosenBase(Base(commit=commit.sha, reason=f"before this push to {event.branch}"))
    if event.kind == "merge group":
        commit = _required(git, event.base, "the base of this merge group")
        return ChosenBase(Base(commit=commit.sha, reason="the base of this merge group"))
    return _by_default_branch(git, head, event)


def default_branch(git: Git, event: WorkflowEvent) -> tuple[str, Commit] | None:
    """The default branch's name and tip, as far as this clone knows it."""
    named = event.default_branch
    candidates = [f"refs/remotes/origin/{named}", f"refs/heads/{named}"] if named else []
    candidates += ["refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/heads/main"]
    candidates += ["refs/remotes/origin/master", "refs/heads/master"]
    for ref in candidates:
        commit = git.commit(ref)
        if commit is not None:
            return ref.removeprefix("refs/heads/").removeprefix("refs/remotes/"), commit
    return None


def _of_request(git: Git, head: Commit, event: WorkflowEvent) -> ChosenBase:
    """Where the forge has merged it for a try, what it was merged into; else where its branch left the other."""
    branch = event.base_branch
    if head.parents[1:] == (event.head,):
        commit = _required(git, head.parents[0], "the first parent of this merge")
        return ChosenBase(
            Base(commit=commit.sha, reason=f"the first parent of this {event.kind}'s merge into {branch}")
        )
    tip = git.commit(f"refs/remotes/origin/{branch}") or _required(git, event.base, f"the tip of {branch}")
    fork = git.merge_base(head.sha, tip.sha)
    if fork is None:
        raise _unrelated(git, branch)
    ahead = (f"{branch} is ahead of this branch: what merges may differ from what is planned here",)
    reason = f"where this {event.kind}'s branch left {branch}"
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
