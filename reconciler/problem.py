"""What is wrong, as data: its kind, where, to which cluster, what to do next.

An error carries problems, a plan has them beside what could be planned, documents list them under `errors`. `Kind`
names what can be wrong, wherever that is told: by an error, among a plan's problems, or of one change.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Kind: TypeAlias = Literal[
    "usage",
    "manifest",
    "credentials",
    "git",
    "unproven",
    "output",
    "sandbox",
    "unsendable",
    "lease-lost",
    "exhausted",
    "unreachable",
    "untrusted",
    "proxy-refused",
    "no-answer",
    "rejected",
    "unauthenticated",
    "forbidden",
    "not-found",
    "in-transition",
    "rate-limited",
    "unavailable",
    "undocumented",
    "damaged-plan",
    "guard",
    "stale",
    "stale-head",
    "unhealthy",
    "unsettled",
    "timeout",
    "not-as-sent",
    "never-active",
    "max-failures",
    "earlier-failure",
    "other-target",
    "suspended",
    "interrupted",
    "internal",
]
"""What is wrong, as scripts may match it."""

KIND_MEANINGS: Final[Mapping[Kind, str]] = {
    "usage": "the command line, a variable or a fleet file contradicts itself",
    "manifest": "what git says can't be taken as it is",
    "credentials": "no API key or token, or one that can't be sent",
    "git": "git can't be read, or doesn't have what was named",
    "unproven": "`--prune=all`, and no git or record tells what is protected",
    "output": "what was done can't be told",
    "sandbox": "the embedded control plane can't be started",
    "unsendable": "the address, or this environment, lets no request out",
    "lease-lost": "not sent, since another replica may hold the lease by now",
    "exhausted": "this process has no file descriptor left for what it was about to do",
    "unreachable": "no connection: nothing arrived",
    "untrusted": "the certificate can't be verified: nothing was sent",
    "proxy-refused": "a proxy refuses to let the request through",
    "no-answer": "no whole answer came: the request may have arrived",
    "rejected": "400: this very request is wrong",
    "unauthenticated": "401: the key or token is invalid or expired",
    "forbidden": "403: the key or token doesn't grant it",
    "not-found": "404 or 410: there is nothing there",
    "in-transition": "409: the cluster is busy with an earlier change",
    "rate-limited": "the forge wants fewer requests",
    "unavailable": "408, 429 or 5xx: the same request may go through later",
    "undocumented": "an answer that the API's document doesn't know",
    "damaged-plan": "a saved plan or report that isn't as it was written",
    "guard": "a guard refused the plan: nothing was sent",
    "stale": "the plan, or a cluster, has moved since",
    "stale-head": "newer work has been applied, or is on the branch: nothing was sent",
    "unhealthy": "the cluster takes no update as it is",
    "unsettled": "the request was taken, and the cluster didn't become what was asked",
    "timeout": "the cluster didn't settle in time",
    "not-as-sent": "the cluster is Active, and the service holds something other than what was sent",
    "never-active": "the cluster's create failed: only --replace, a new create, can fix it",
    "max-failures": "not sent, since as many changes failed as the target allows",
    "earlier-failure": "not sent, since an earlier change failed",
    "other-target": "not deleted, since another target isn't known to stand",
    "suspended": "not sent, since the fleet file suspends the target",
    "interrupted": "the run ended first",
    "internal": "a bug in this program",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file; lines and columns count from 1."""

    file: str
    line: int
    column: int | None = None

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" + (f":{self.column}" if self.column is not None else "")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, as data: it stands in JSON documents under `errors`."""

    kind: Kind
    """What is wrong, as the page on commands lists it."""
    message: str
    """In words."""
    remedy: str | None = None
    """What to do next."""
    target: str | None = None
    """Of which target; None where it is none's, or all's."""
    cluster: str | None = None
    """Of which cluster."""
    file: str | None = None
    """Where it stands."""
    line: int | None = None
    """From 1."""
    column: int | None = None
    """From 1."""

    @property
    def place(self) -> Place | None:
        """Where it stands, as far as that is known."""
        return Place(self.file, self.line, self.column) if self.file and self.line else None


@dataclass(frozen=True, slots=True)
class SourceProblem(Problem):
    """A problem in a file that was read, with what stands there.

    `source` is the line, cut to what surrounds the place where it is long; `caret` counts characters in it. Documents
    are made of problems, so that neither stands in them.
    """

    source: str = ""
    caret: int = 0
