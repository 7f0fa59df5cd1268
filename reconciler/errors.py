"""Every error the program raises, and the exit code it ends in.

    ReconcilerError              1
    ├── UsageError              64   the command line, a variable or a fleet file contradicts itself
    ├── InvalidManifests         1   what git says can't be read; carries every problem of every file
    ├── CredentialsError         1   no API key, or one that can't be sent
    ├── GitError                 1   git can't be read, or doesn't have what was named
    ├── Unproven                 1   a prune by ownership that git can't prove
    ├── OutputError              1   what was done can't be told
    ├── SandboxError             1   the embedded control plane can't be started
    ├── LiveError                1   the service; its subclasses say what a retry may do
    │   ├── Unreachable              no answer, and the request can't have arrived
    │   ├── Untrusted                its certificate can't be verified
    │   ├── NoAnswer                 no whole answer, and the request may have arrived
    │   ├── Rejected                 400: this request is wrong
    │   ├── Unauthenticated          401
    │   ├── Forbidden                403
    │   ├── NotFound                 404
    │   ├── InTransition             409
    │   ├── Unavailable              408, 429, 5xx: may go through later
    │   └── Undocumented             an answer that the API's document doesn't know
    ├── ForgeError               1   the forge didn't post what it should; its subclasses say what a retry may do
    │   ├── ForgeDenied              401, 403, 404: the token doesn't grant it
    │   ├── ForgeLimited             a rate limit
    │   └── ForgeUnavailable         no whole answer, 408, 5xx: may go through later
    ├── DamagedPlan              1   a saved plan that isn't as it was written
    ├── GuardRefused             3   a guard refused a plan; nothing was sent
    ├── StalePlan                4   the plan, or HEAD, no longer fits
    └── Interrupted        130, 143  SIGINT, SIGTERM

An error carries facts: what happened, where, to which cluster, what to do next. It never prints, logs or exits.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_PENDING = 2
EXIT_REFUSED = 3
EXIT_STALE = 4
EXIT_UNAPPLIED = 5
EXIT_USAGE = 64

_PRECEDENCE = (
    EXIT_USAGE,
    130,
    143,
    EXIT_FAILED,
    EXIT_STALE,
    EXIT_REFUSED,
    EXIT_PENDING,
    EXIT_UNAPPLIED,
    EXIT_OK,
)


def first_exit(codes: Iterable[int]) -> int:
    """Of several exit codes the one that matters most; 0 of none."""
    return min(codes, key=_PRECEDENCE.index, default=EXIT_OK)


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

    kind: str
    message: str
    remedy: str | None = None
    target: str | None = None
    cluster: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None

    @property
    def place(self) -> Place | None:
        """Where it stands, as far as that is known."""
        return Place(self.file, self.line, self.column) if self.file and self.line else None


class ReconcilerError(Exception):
    """Base of all. `kind` is stable and dotless: scripts may match it."""

    kind: ClassVar[str] = "error"
    exit_code: int = EXIT_FAILED

    def __init__(
        self,
        message: str,
        *,
        remedy: str | None = None,
        target: str | None = None,
        cluster: str | None = None,
        place: Place | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.target = target
        self.cluster = cluster
        self.place = place

    def problems(self) -> tuple[Problem, ...]:
        """What is wrong, as data; more than one where the error has several reasons."""
        where = self.place
        return (
            Problem(
                self.kind,
                self.message,
                self.remedy,
                self.target,
                self.cluster,
                where.file if where else None,
                where.line if where else None,
                where.column if where else None,
            ),
        )


class UsageError(ReconcilerError):
    """What was asked for makes no sense; nothing was read or sent."""

    kind = "usage"
    exit_code = EXIT_USAGE


class InvalidManifests(ReconcilerError):
    """Manifests or the fleet file can't be taken as they are; `reasons` is never empty."""

    kind = "manifest"

    def __init__(self, reasons: Iterable[Problem]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(f"{len(self.reasons)} error{'s' if len(self.reasons) != 1 else ''} in the manifests")

    def problems(self) -> tuple[Problem, ...]:
        """Every reason, in the order of files and lines."""
        return self.reasons


class CredentialsError(ReconcilerError):
    """There is no API key, or it can't be sent as a header. Never carries the key."""

    kind = "credentials"


class GitError(ReconcilerError):
    """The local git can't be read, or doesn't have what was named."""

    kind = "git"


class Unproven(ReconcilerError):
    """A prune by ownership was asked for where git can't prove any; nothing was sent."""

    kind = "unproven"


class OutputError(ReconcilerError):
    """What was done can't be told: stdout can't be written."""

    kind = "output"


class SandboxError(ReconcilerError):
    """The embedded control plane can't be started."""

    kind = "sandbox"


class LiveError(ReconcilerError):
    """The service didn't do as asked.

    `http_status` is the answer's, where there was one. `may_have_reached` says whether any attempt's request may have
    taken effect although no definite answer came. `attempts` counts the requests made. `retry_after` is in seconds, as
    the service asked.
    """

    kind = "service"

    def __init__(
        self,
        message: str,
        *,
        remedy: str | None = None,
        http_status: int | None = None,
        may_have_reached: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.http_status = http_status
        self.may_have_reached = may_have_reached
        self.retry_after = retry_after
        self.attempts = 1


class Unreachable(LiveError):
    """No connection: the request can't have arrived."""

    kind = "unreachable"


class Untrusted(LiveError):
    """The service's certificate can't be verified: nothing was sent."""

    kind = "untrusted"


class NoAnswer(LiveError):
    """The request was sent, wholly or in part, and no whole answer came: it may have taken effect."""

    kind = "no-answer"


class Rejected(LiveError):
    """400: the service says that this very request is wrong."""

    kind = "rejected"


class Unauthenticated(LiveError):
    """401: the key is invalid or expired."""

    kind = "unauthenticated"


class Forbidden(LiveError):
    """403: the key doesn't grant the access."""

    kind = "forbidden"


class NotFound(LiveError):
    """404."""

    kind = "not-found"


class InTransition(LiveError):
    """409: the cluster is busy with an earlier change."""

    kind = "in-transition"


class Unavailable(LiveError):
    """408, 429 or 5xx: the same request may go through later."""

    kind = "unavailable"


class Undocumented(LiveError):
    """An answer that the API's document doesn't know: another status, a redirect, HTML, a wrong shape."""

    kind = "undocumented"


class ForgeError(ReconcilerError):
    """The forge didn't do as asked: no word of it is about a cluster.

    `http_status` is the answer's, where there was one. `may_have_reached` says whether the request may have taken
    effect although no definite answer came. `retry_after` is in seconds, as the forge asked.
    """

    kind = "forge"

    def __init__(
        self,
        message: str,
        *,
        remedy: str | None = None,
        http_status: int | None = None,
        may_have_reached: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.http_status = http_status
        self.may_have_reached = may_have_reached
        self.retry_after = retry_after


class ForgeDenied(ForgeError):
    """401, 403, 404: the token is none, lacks a permission, or there is nothing there; it says which would do."""

    kind = "forge-denied"


class ForgeLimited(ForgeError):
    """A rate limit, which GitHub tells by 403 or 429."""

    kind = "forge-limited"


class ForgeUnavailable(ForgeError):
    """No connection, no whole answer, 408 or 5xx: the same request may go through later."""

    kind = "forge-unavailable"


class DamagedPlan(ReconcilerError):
    """A saved plan can't be read, is of another version, or was altered; it is refused whole."""

    kind = "damaged-plan"


class GuardRefused(ReconcilerError):
    """A guard refused a plan; nothing was sent to any target."""

    kind = "guard"
    exit_code = EXIT_REFUSED


class StalePlan(ReconcilerError):
    """The plan, or HEAD, no longer fits; nothing was sent for what moved."""

    kind = "stale"
    exit_code = EXIT_STALE


class Interrupted(ReconcilerError):
    """A signal ended the run; `exit_code` is 128 and the signal's number."""

    kind = "interrupted"

    def __init__(self, signal_number: int) -> None:
        self.exit_code = 128 + signal_number
        super().__init__(f"stopped by signal {signal_number}")
