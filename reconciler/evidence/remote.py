"""The record's refs on a server: listed, fetched, pushed, by git's own credentials. Nothing is asked of a person."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from reconciler.errors import GitError
from reconciler.evidence.process import GitCommand, GitOutput, text_lines, without_credentials
from reconciler.model.text import printable

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
_WRITES_FETCH_HEAD = (2, 29)
"""The git that can be told not to write FETCH_HEAD; one before it does."""

_RACE = r"\((non-fast-forward|fetch first|stale info|needs force|.*lock|failed to update ref|.*already exists)"
_NO_CREDENTIALS = (
    r"(?i)could not read (Username|Password)|Authentication failed|terminal prompts disabled"
    r"|Permission denied \(publickey|Host key verification failed|Invalid username|HTTP 401|error: 401"
)
_NO_PERMISSION = r"(?i)denied|403|not granted|protected|pre-receive hook declined|not allowed|unauthorized|read.?only"


class Push(NamedTuple):
    """One ref to push: `sha` is None for one that is to go, and then was `expected`."""

    ref: str
    sha: str | None
    expected: str | None = None


class Remote:
    """One server of a repository, by the name that git knows it under. Raises GitError where it knows none."""

    def __init__(self, command: GitCommand, name: str) -> None:
        known = text_lines(command.run("remote").out)
        if name not in known or not _NAME.fullmatch(name):
            listed = f"git knows {', '.join(printable(one) for one in known)}" if known else "git knows none"
            raise GitError(
                f"there is no remote {printable(name)!r} here: {listed}",
                remedy="name another with --remote, or `git remote add` it",
            )
        self.name = name
        self._command = replace(command, settings=((f"remote.{name}.mirror", "false"),))

    def refs(self, below: str) -> dict[str, str]:
        """The commit of each of its refs below a path that ends in `/`, by full name."""
        listed = self._asked("ls-remote", "--refs", self.name, f"{below}*")
        lines = (line.partition("\t") for line in text_lines(listed.out))
        return {ref: sha for sha, _, ref in lines if ref.startswith(below)}

    def tip(self, branch: str) -> str | None:
        """The commit of a branch; None where the server has none of that name."""
        ref = f"refs/heads/{branch}"
        listed = self._asked("ls-remote", "--refs", self.name, ref)
        lines = (line.partition("\t") for line in text_lines(listed.out))
        return next((sha for sha, _, name in lines if name == ref), None)

    def fetch(self, refs: Sequence[str]) -> None:
        """Bring the commits of these refs here, whole, also into a partial clone. No ref is moved."""
        quiet = ("--no-write-fetch-head",) if self._version() >= _WRITES_FETCH_HEAD else ()
        options = ("--quiet", "--no-tags", "--no-prune", "--no-recurse-submodules", "--no-filter", "--refmap=", *quiet)
        self._asked("fetch", *options, self.name, *refs)

    def push(self, pushes: Iterable[Push]) -> bool:
        """Push refs, each only on top of what is there; False where another was faster. Raises GitError."""
        asked = [*pushes]
        leases = [f"--force-with-lease={one.ref}:{one.expected}" for one in asked if one.sha is None]
        specs = [f"{one.sha or ''}:{one.ref}" for one in asked]
        options = ("--porcelain", "--no-verify", "--no-signed", "--no-follow-tags", "--recurse-submodules=no")
        ended = self._command.run("push", *options, *leases, self.name, *specs, reach="remote", ask_anyway=True)
        if ended.code == 0:
            return True
        refused = [line for line in text_lines(ended.out) if line.startswith("!")]
        if refused and all(re.search(_RACE, line) for line in refused):
            return False
        why = without_credentials(refused[0].rpartition("\t")[2]) if refused else ended.words
        raise self._failed("push", f"{why}: {ended.words}" if refused else why)

    def _asked(self, *arguments: str) -> GitOutput:
        ended = self._command.run(*arguments, reach="remote", ask_anyway=True)
        if ended.code != 0:
            raise self._failed(arguments[0], ended.words)
        return ended

    def _failed(self, what: str, why: str) -> GitError:
        tried = "push" if what == "push" else "fetch"
        if re.search(_NO_CREDENTIALS, why):
            remedy = (
                f"git's own credentials do this, and `git {tried} {self.name}` must work without asking: "
                "in a workflow, check out with persist-credentials: true"
            )
        elif tried == "push" and re.search(_NO_PERMISSION, why):
            remedy = (
                "it takes permission to write refs/reconciler/*: in a workflow, `permissions: contents: write`; "
                "on GitLab, a token with the scope `write_repository` and the role Developer"
            )
        else:
            remedy = f"try `git {tried} {self.name}` by hand"
        return GitError(f"git {what} {self.name} failed: {why}", remedy=remedy)

    def _version(self) -> tuple[int, ...]:
        told = self._command.run("version").out.decode(errors="replace")
        return tuple(int(number) for number in re.findall(r"\d+", told)[:2])
