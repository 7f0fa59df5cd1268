"""A run's clusters, one by one, for whoever watches it: what is under way and since when; what has ended, and how."""

from typing import Literal, NamedTuple, TypeAlias, assert_never

from reconciler.apply.item import Item
from reconciler.apply.protocol import Ended, Queued, Sending, Unsettled, Waiting
from reconciler.results import Outcome

Doing: TypeAlias = Literal["sending", "settling", "waiting"]
"""A request has no answer yet; one was taken, and has to come true; one can't be sent before the service is ready."""


class Ongoing(NamedTuple):
    """One cluster that is changed or awaited; `action` is None where nothing is asked of it, and it only settles.

    `seconds` is how long it has been doing that; `status` is as last listed, None where it isn't there. `said` is why
    a request has to wait, or may not have been taken.
    """

    target: str
    name: str
    action: Literal["create", "update", "delete"] | None
    doing: Doing
    seconds: float
    status: str | None = None
    said: str | None = None


class EndedChange(NamedTuple):
    """A change that has ended; `error` is why it didn't as it should."""

    target: str
    name: str
    action: Literal["create", "update", "delete"]
    outcome: Outcome
    error: str | None = None


def ongoing(target: str, item: Item, at: float) -> Ongoing | None:
    """What is under way with an item; None where nothing is."""
    action = item.change.action if item.change is not None else None
    doing: Doing
    match item.state:
        case Sending(since=since, queued=queued):
            doing, refusal = "sending", queued.busy
        case Unsettled(since=since, lost=refusal):
            doing = "settling"
        case Waiting(since=since, busy=refusal):
            doing = "waiting"
        case Queued() | Ended():
            return None
        case unreachable:
            assert_never(unreachable)
    said = refusal.message if refusal is not None else None
    return Ongoing(target, item.name, action, doing, at - since, item.status, said)


def ended_change(target: str, item: Item) -> EndedChange | None:
    """How an item's change has ended; None where it hasn't, or there is none."""
    if item.change is None or not isinstance(item.state, Ended):
        return None
    error = item.state.error
    return EndedChange(
        target, item.name, item.change.action, item.state.outcome, error.message if error is not None else None
    )
