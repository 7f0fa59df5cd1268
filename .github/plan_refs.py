"""Plans as refs of the repository, the record's neighbours: for Gitea and Forgejo, without artifacts of this version.

Each is a commit without history, at `refs/reconciler/plan/COMMIT/KEY/SECONDS`: what was planned, its key's hash, and
when it was kept. So jobs side by side never meet, the last of a commit is its newest, and the name alone tells what is
old. `plan_refs.py keep` keeps $FILE as the plan of $COMMIT and $KEY, and takes away what no merge will ask for;
`plan_refs.py get` saves all plans of $COMMIT into $FOLDER, in a folder each.

Whoever may push can forge one; on these forges they can read the key that writes, too, so they gain nothing by it. The
job of a fork's pull request may not push.
"""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from reconciler.clock import SystemClock
from reconciler.errors import GitError
from reconciler.evidence.git import Git
from reconciler.evidence.process import GitCommand
from reconciler.evidence.remote import Push, Remote
from reconciler.model.text import printable
from reconciler.plan.document import MAX_PLAN_BYTES

PLANS = "refs/reconciler/plan/"
FILE = "reconciler-plan.json"

DAYS = 30
"""A plan is kept; a pull request that waits longer for its merge is planned once more."""

SKEW_SECONDS = 86400
"""How far a runner's clock may be ahead of another's: a plan of a later second was kept by nobody's job."""

MOST_DELETED = 100
"""Refs in one push: their names are arguments."""

_NAME = re.compile(rf"{PLANS}([0-9a-f]{{40,64}})/([0-9a-f]{{16}})/([0-9]{{1,12}})")


class KeptPlan(NamedTuple):
    """One ref: `commit` was planned under the key whose hash is `key`, at that second."""

    ref: str
    sha: str
    commit: str
    key: str
    at: int


class PlanRefs:
    """The plans of a repository on its server, reached from a clone of nothing: it takes no checkout."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._server = Remote(git.command, "origin")

    def keep(self, commit: str, key: str, plan: bytes) -> None:
        """Push a plan, then take away what it makes useless: older ones of the same, any too old, or of the future.

        One that another job kept at the same second, of the same, is as good.
        """
        now = int(SystemClock().now())
        made = self._git.write_commit({FILE: plan}, (), f"The plan of {commit}, {printable(key)}\n")
        self._server.push([Push(f"{PLANS}{commit}/{hashed(key)}/{now}", made)])
        useless = [
            one
            for one in self._listed()
            if one.at < now - DAYS * 86400
            or one.at > now + SKEW_SECONDS
            or ((one.commit, one.key) == (commit, hashed(key)) and one.at < now)
        ]
        if useless:
            with suppress(GitError):  # another job took one of them away: the next takes the rest
                self._server.push(Push(one.ref, None, one.sha) for one in useless[:MOST_DELETED])

    def of(self, commit: str) -> dict[str, bytes]:
        """The newest plan of this commit under each key, by the key's hash; one of the future is none."""
        latest = int(SystemClock().now()) + SKEW_SECONDS
        kept = sorted((one for one in self._listed(f"{commit}/") if one.at <= latest), key=lambda one: one.at)
        newest = {one.key: one for one in kept}
        if newest:
            self._server.fetch([one.ref for one in newest.values()])
        return {key: self._read(one) for key, one in newest.items()}

    def merged_head(self, number: int) -> str | None:
        """The commit that a pull request ended in. Their API tells its branch's, which may have moved on since."""
        return self._server.refs(f"refs/pull/{number}/").get(f"refs/pull/{number}/head")

    def _read(self, kept: KeptPlan) -> bytes:
        name, remedy = f"{kept.sha}:{FILE}", f"take it away: git push origin :{kept.ref}"
        if self._git.kind(name) != "blob":
            raise GitError(f"{kept.ref} holds no plan", remedy=remedy)
        (plan,) = self._git.blobs([name], MAX_PLAN_BYTES)
        if len(plan) > MAX_PLAN_BYTES:
            raise GitError(f"{kept.ref} holds more than the {MAX_PLAN_BYTES >> 20} MiB of a plan", remedy=remedy)
        return plan

    def _listed(self, below: str = "") -> list[KeptPlan]:
        """What is there, save what has another name than ours."""
        named = ((_NAME.fullmatch(ref), sha) for ref, sha in self._server.refs(PLANS + below).items())
        return [KeptPlan(name[0], sha, name[1], name[2], int(name[3])) for name, sha in named if name]


@contextmanager
def opened(commit: str) -> Iterator[PlanRefs]:
    """The plans of this workflow's repository. A commit tells by its length which hashes that has. Raises GitError."""
    where = f"{os.environ['GITHUB_SERVER_URL']}/{os.environ['GITHUB_REPOSITORY']}"
    with TemporaryDirectory() as folder:
        command = GitCommand(folder, None, os.environ)
        command.run("init", "--quiet", *(["--object-format=sha256"] if len(commit) == 64 else []))
        command.run("remote", "add", "origin", where)
        git = Git.open(folder)
        if git is None:
            raise GitError("a clone of nothing can't be opened")
        try:
            yield PlanRefs(git)
        finally:
            git.close()


def hashed(key: str) -> str:
    """A key as a ref's name may hold it, whatever is in it."""
    return sha256(key.encode()).hexdigest()[:16]


def keep(commit: str) -> None:
    """Keep the plan. Where it can't be kept, it is as good as before, and what that means is a warning of the run."""
    file = Path(os.environ["FILE"])
    if not file.is_file():
        return
    try:
        with opened(commit) as plans:
            plans.keep(commit, os.environ["KEY"], file.read_bytes())
    except GitError as error:
        meant = "nothing of it will count as reviewed, and apply will do only what is harmless"
        tell("warning", f"this plan can't be kept: {meant}", error)


def get(commit: str) -> None:
    """Save them, each under the name that an artifact's file has."""
    try:
        with opened(commit) as plans:
            found = plans.of(commit)
    except GitError as error:
        tell("error", "the plans of this run's jobs can't be had", error)
        sys.exit(1)
    for key, plan in found.items():
        file = Path(os.environ["FOLDER"], key, FILE)
        file.parent.mkdir(parents=True)
        file.write_bytes(plan)


def tell(level: str, what: str, error: GitError) -> None:
    """On the run's page, in one line that starts no other command."""
    why = printable(f"{error.message}; {error.remedy}" if error.remedy else error.message)
    sys.stderr.write(f"::{level} title=reviewed plan::{what}: {why.replace('%', '%25')}\n")


if __name__ == "__main__":
    {"keep": keep, "get": get}[sys.argv[1]](os.environ["COMMIT"])
