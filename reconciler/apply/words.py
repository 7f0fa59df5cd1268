"""Why a change didn't end as `applied`: what people read, all of it in one place, each with what to do next."""

import json
from collections.abc import Collection, Iterable

from reconciler.apply.job import Held
from reconciler.apply.protocol import Refusal
from reconciler.clock import format_duration
from reconciler.model.cluster import FieldValue, LiveCluster, Values
from reconciler.model.text import printable
from reconciler.problem import Kind
from reconciler.results import ErrorDetail

_LONGEST_WORDS = 300

NOT_SETTLED = ErrorDetail(
    kind="interrupted", message="the run ended before this change had settled; run `reconciler plan` to see where it is"
)
NOT_SENT = ErrorDetail(kind="interrupted", message="the run ended before this change was sent; run again")
NOT_MADE_ANEW = ErrorDetail(
    kind="interrupted", message="it was deleted, and the run ended before it was created again; run again"
)
BROKE = ErrorDetail(kind="internal", message="a bug in this program ended the run; the log says where")
HAS_TO_WAIT = ErrorDetail(
    kind="in-transition", message="the cluster is in transition and has to be waited for; run again without --no-wait"
)
CANARIES_WAIT = ErrorDetail(
    kind="in-transition", message="not sent: the canaries have to settle first; run again without --no-wait"
)
NOT_ALL_READ = ErrorDetail(
    kind="other-target",
    message="not deleted: a target couldn't be read, and what it declares may not be there; "
    "fix that, or allow it with --keep-going",
)
SUPERSEDED = ErrorDetail(
    kind="stale", message="not deleted: newer manifests came meanwhile; it is deleted in a round that has read these"
)
BEING_DELETED = ErrorDetail(
    kind="unsettled", message="it is being deleted by somebody else; run apply again to create it"
)
VANISHED = ErrorDetail(kind="unsettled", message="it was deleted by somebody else; run apply again to create it")
TAKEN_NAME = ErrorDetail(kind="stale", message="somebody else has created it since, and not as declared; plan again")
GOING = ErrorDetail(kind="stale", message="it is being deleted by somebody else; plan again")
GONE = ErrorDetail(kind="stale", message="it has been deleted since the plan was made; plan again")
MOVED = ErrorDetail(kind="stale", message="its configuration has changed since the plan was made; plan again")
CHANGED_BETWEEN_TRIES = "its DELETE isn't tried again: it has changed since the first try"
REVIVED = ErrorDetail(
    kind="stale", message="it may have been Active since the plan was made, and isn't replaced; plan again"
)
UNREADABLE = ErrorDetail(
    kind="stale",
    message="the service doesn't list it as documented, so it is left as it is; "
    "look at it in the Momento console, then plan again",
)


def condition(live: LiveCluster) -> str:
    """`UpdateFailed with InstanceTypeNotAvailable`: the service's own words."""
    text = live.status + (f" with {', '.join(live.errors)}" if live.errors else "")
    return printable(text, _LONGEST_WORDS)


def never_active(live: LiveCluster) -> ErrorDetail:
    """A create that failed: there is nothing to lose."""
    message = f"it is {condition(live)}, and was never Active: fix its manifest, and apply with --replace={live.name}"
    return ErrorDetail(kind="never-active", message=message)


def update_failed(live: LiveCluster) -> ErrorDetail:
    """An update that failed: the cluster, and what it holds, is still there."""
    message = f"it is {condition(live)}: fix its manifest, and apply: the update is sent again"
    return ErrorDetail(kind="unsettled", message=message)


def still_there(live: LiveCluster) -> ErrorDetail:
    """A delete that failed."""
    return ErrorDetail(kind="unsettled", message=f"it is still there, {condition(live)}; run apply again")


def not_as_sent(sent: Values, held: Held) -> ErrorDetail:
    """The service took the request, and holds something else."""
    fields = "; ".join(f"{path}: sent {_value(sent.get(path))}, it is {_value(value)}" for path, value in held.items())
    mend = "declare what the service keeps, or name the field in lifecycle.ignore_changes"
    return ErrorDetail(kind="not-as-sent", message=f"it is Active, and not as sent: {fields}; {mend}")


def not_settled(timeout_seconds: float, status: str | None) -> ErrorDetail:
    """Its time is over, and the service is still at work."""
    stands = f", and is {printable(status, _LONGEST_WORDS)}" if status else ""
    message = f"it has not settled within {format_duration(timeout_seconds)}{stands}; run `reconciler wait`"
    return ErrorDetail(kind="timeout", message=message)


def not_ready(timeout_seconds: float, busy: Refusal | None) -> ErrorDetail:
    """Its time is over, and its request could not be sent, or was refused as busy to the end."""
    waited = f"it has not become ready for its request within {format_duration(timeout_seconds)}"
    said = f"; the service's last word: {busy.message}" if busy is not None else ""
    return ErrorDetail(
        kind="timeout", message=f"{waited}{said}; run it again later", http_status=busy.http_status if busy else None
    )


def key_refused(refusal: Refusal) -> ErrorDetail:
    """401 or 403 to one request: the others would get the same."""
    message = f"not sent: the service refuses this target's API key ({refusal.kind})"
    return ErrorDetail(kind=refusal.kind, message=message, http_status=refusal.http_status)


def unseen(refusal: Refusal) -> ErrorDetail:
    """401 or 403 to a list: how it ends can't be seen."""
    message = f"it was sent, and how it ends can't be seen: {refusal.message}"
    return ErrorDetail(kind=refusal.kind, message=message, http_status=refusal.http_status)


def too_many_failed(names: Iterable[str], limit: int) -> ErrorDetail:
    """The target's `max_failures` are reached."""
    message = f"not sent: {_names(names)} failed, and max_failures is {limit}; fix that, and run again"
    return ErrorDetail(kind="max-failures", message=message)


def not_made_anew(why: ErrorDetail) -> ErrorDetail:
    """A replacement of which only the delete was done."""
    return ErrorDetail(kind=why.kind, message=f"it was deleted, and not created again: {why.message}")


def canary_failed(name: str, outcome: str) -> ErrorDetail:
    """A canary didn't settle."""
    message = f"not sent: the canary {name} ended as {outcome}; fix that, and run again"
    return ErrorDetail(kind="earlier-failure", message=message)


def left_out(targets: Iterable[str]) -> ErrorDetail:
    """Targets of the run weren't looked at: they are in a round of their own, or fail and wait for theirs."""
    message = f"not deleted: this round is without {_names(targets)}; it is deleted in one of all targets"
    return ErrorDetail(kind="other-target", message=message)


def others_settle(targets: Collection[str]) -> ErrorDetail:
    """Other targets are still being changed, and this one doesn't wait for them."""
    have = "has" if len(targets) == 1 else "have"
    message = f"not deleted: {_names(targets)} {have} yet to settle; it is deleted in a round after that"
    return ErrorDetail(kind="other-target", message=message)


def held(why: str, *, failed: bool, elsewhere: bool = False) -> ErrorDetail:
    """A delete that waits for something declared that doesn't stand; `elsewhere`: in another target."""
    mend = "fix that, or allow it with --keep-going" if failed else "run again when it has settled"
    kind: Kind = "other-target" if elsewhere else "earlier-failure" if failed else "in-transition"
    return ErrorDetail(kind=kind, message=f"not deleted: {why}; {mend}")


def successor_missing(where: str, *, renamed: bool) -> ErrorDetail:
    """A move's or rename's delete, whose other half doesn't stand."""
    what = "it is renamed to" if renamed else "it moves to"
    message = f"not deleted: {what} {where}, which has not settled; it is deleted once that has settled"
    return ErrorDetail(kind="earlier-failure" if renamed else "other-target", message=message)


def _names(names: Iterable[str]) -> str:
    every = sorted(names)
    return ", ".join(every[:3]) + (f" and {len(every) - 3} more" if len(every) > 3 else "")


def _value(value: FieldValue | None) -> str:
    return "nothing" if value is None else json.dumps(value)
