"""What is under way with one cluster, for whoever watches a run: what was asked of it, how far that is, since when."""

from typing import Literal, NamedTuple, TypeAlias, assert_never

from reconciler.apply.item import Item
from reconciler.apply.protocol import Ended, Queued, Sending, Unsettled, Waiting

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
