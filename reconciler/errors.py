"""Every error the program raises, and the exit code it ends in.

    ReconcilerError              1
    ├── UsageError              64   the command line, a variable or a fleet file contradicts itself
    ├── InvalidManifests         1   what git says can't be read; carries every problem of every file
    ├── CredentialsError         1   no API key, or one that can't be sent
    ├── GitError                 1   git can't be read, or doesn't have what was named
    ├── Refused                  3   a guard refuses a plan that was to be applied
    ├── Unproven                 1   --prune=all where nothing tells what is protected
    ├── OutputError              1   what was done can't be told
    ├── SandboxError             1   the embedded control plane can't be started
    ├── HttpError                1   the service, or the forge, didn't do as asked
    │   ├── Unsendable               the address, or this environment, lets no request out
    │   ├── LeaseLost                another replica may hold the lease by now: nothing is sent any more
    │   ├── Exhausted                this process has no file descriptor left (transient)
    │   ├── Unreachable              no connection: the request can't have arrived (transient)
    │   ├── Untrusted                the certificate can't be verified
    │   ├── ProxyRefused             407, or a tunnel that a proxy refuses
    │   ├── NoAnswer                 no whole answer, and the request may have arrived (transient)
    │   ├── Rejected                 400: this request is wrong
    │   ├── Unauthenticated          401
    │   ├── Forbidden                403
    │   ├── NotFound                 404, 410
    │   ├── InTransition             409
    │   ├── RateLimited              the forge's rate limits (transient)
    │   ├── Unavailable              408, 429, 5xx (transient)
    │   └── Undocumented             an answer that the API's document doesn't know
    ├── DamagedPlan              1   a saved plan that isn't as it was written
    ├── StalePlan                4   the plan, or HEAD, no longer fits
    │   └── StaleHead                HEAD is older than what was applied, or than its branch
    └── Interrupted   130, 143, 129, 131  SIGINT, SIGTERM, SIGHUP, SIGQUIT

An error carries facts: what happened, where, to which cluster, what to do next. It never prints, logs or exits. What
is transient may go through later, as it is.
"""

import signal
from collections.abc import Iterable
from typing import ClassVar, Self

from reconciler.problem import Kind, Place, Problem

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
    129,
    131,
    EXIT_FAILED,
    EXIT_STALE,
    EXIT_REFUSED,
    EXIT_PENDING,
    EXIT_UNAPPLIED,
    EXIT_OK,
)


def first_exit(codes: Iterable[int]) -> int:
    """Of several exit codes the one that matters most; 0 of none. Bad usage is alone: it comes before all work."""
    return min(codes, key=_PRECEDENCE.index, default=EXIT_OK)


class ReconcilerError(Exception):
    """Base of all, and none itself: each class below has its `kind`."""

    kind: ClassVar[Kind]
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
    """There is no API key, or it can't be sent as a header. Never carries the key.

    `reasons` are those of several targets that are reached together; empty where the error itself is the one.
    """

    kind = "credentials"

    def __init__(
        self,
        message: str,
        *,
        remedy: str | None = None,
        target: str | None = None,
        place: Place | None = None,
        reasons: Iterable[Problem] = (),
    ) -> None:
        super().__init__(message, remedy=remedy, target=target, place=place)
        self.reasons = tuple(reasons)

    def problems(self) -> tuple[Problem, ...]:
        """Every reason, in the order of targets."""
        return self.reasons or super().problems()


class GitError(ReconcilerError):
    """The local git can't be read, or doesn't have what was named."""

    kind = "git"


class Refused(ReconcilerError):
    """A guard refuses a plan that was to be carried out; nothing was sent. `reasons` is never empty."""

    kind = "guard"
    exit_code = EXIT_REFUSED

    def __init__(self, reasons: Iterable[Problem]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(reason.message for reason in self.reasons))

    def problems(self) -> tuple[Problem, ...]:
        """Every reason, in the order of targets."""
        return self.reasons


class Unproven(ReconcilerError):
    """--prune=all was asked for where neither git nor a record tells what is protected; nothing was sent."""

    kind = "unproven"


class OutputError(ReconcilerError):
    """What was done can't be told: stdout can't be written."""

    kind = "output"


class SandboxError(ReconcilerError):
    """The embedded control plane can't be started, or has none of the targets."""

    kind = "sandbox"


class HttpError(ReconcilerError):
    """The service, or the forge, didn't do as asked; base of all that says so.

    `http_status` is the answer's, where there was one. `may_have_reached` says whether any attempt's request may have
    taken effect although no definite answer came. `retry_after` is in seconds, as the other end asked. `attempts`
    counts the requests made. `transient`: the same request may go through later.
    """

    transient: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        remedy: str | None = None,
        http_status: int | None = None,
        may_have_reached: bool = False,
        retry_after: float | None = None,
        attempts: int = 1,
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.http_status = http_status
        self.may_have_reached = may_have_reached
        self.retry_after = retry_after
        self.attempts = attempts

    def after(self, attempts: int, told: str, *, may_have_reached: bool) -> Self:
        """The same error as the last of several attempts; `told` is added to what it says."""
        return type(self)(
            self.message + told,
            remedy=self.remedy,
            http_status=self.http_status,
            may_have_reached=may_have_reached,
            retry_after=self.retry_after,
            attempts=attempts,
        )


class Unsendable(HttpError):
    """The address is none, or proxies and certificates as this environment has them can't be used."""

    kind = "unsendable"


class LeaseLost(HttpError):
    """This replica no longer holds the lease, or not for as long as a request may take: it was not sent."""

    kind = "lease-lost"


class Exhausted(HttpError):
    """This process has no file descriptor left for a connection: that says nothing of the other end."""

    kind = "exhausted"
    transient = True


class Unreachable(HttpError):
    """No connection: the request can't have arrived."""

    kind = "unreachable"
    transient = True


class Untrusted(HttpError):
    """The other end's certificate can't be verified: nothing was sent."""

    kind = "untrusted"


class ProxyRefused(HttpError):
    """A proxy on the way asks for a password, or refuses the tunnel: the other end got nothing."""

    kind = "proxy-refused"


class NoAnswer(HttpError):
    """The request was sent, wholly or in part, and no whole answer came: it may have taken effect."""

    kind = "no-answer"
    transient = True


class Rejected(HttpError):
    """400: this very request is wrong."""

    kind = "rejected"


class Unauthenticated(HttpError):
    """401: the key or token is invalid or expired."""

    kind = "unauthenticated"


class Forbidden(HttpError):
    """403: the key or token doesn't grant the access."""

    kind = "forbidden"


class NotFound(HttpError):
    """404, or 410."""

    kind = "not-found"


class InTransition(HttpError):
    """409: the cluster is busy with an earlier change."""

    kind = "in-transition"


class RateLimited(HttpError):
    """A rate limit that tells itself apart, as GitHub's do, by 403 or 429: waited out with more patience."""

    kind = "rate-limited"
    transient = True


class Unavailable(HttpError):
    """408, 429 or 5xx: the same request may go through later."""

    kind = "unavailable"
    transient = True


class Undocumented(HttpError):
    """An answer that the API's document doesn't know: another status, a redirect, HTML, a wrong shape."""

    kind = "undocumented"


class DamagedPlan(ReconcilerError):
    """A saved plan can't be read, is of another version, or was altered; it is refused whole."""

    kind = "damaged-plan"


class StalePlan(ReconcilerError):
    """The plan, or HEAD, no longer fits; nothing was sent for what moved."""

    kind: ClassVar[Kind] = "stale"
    exit_code = EXIT_STALE


class StaleHead(StalePlan):
    """HEAD is older than what was applied, or than its own branch: newer work supersedes this run."""

    kind = "stale-head"


class Interrupted(ReconcilerError):
    """A signal ended the run; `exit_code` is 128 and the signal's number."""

    kind = "interrupted"

    def __init__(self, signal_number: int) -> None:
        self.exit_code = 128 + signal_number
        super().__init__(f"{signal.Signals(signal_number).name} ended it before there was a result")
