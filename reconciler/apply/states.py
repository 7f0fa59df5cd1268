"""The state that follows for one item: on an answer, on a list, when its time is over, when the run ends. Pure."""

from dataclasses import replace

from reconciler.apply import words
from reconciler.apply.item import Item
from reconciler.apply.judge import judge_going, judge_settling, judge_waiting
from reconciler.apply.options import ApplyOptions
from reconciler.apply.protocol import Ended, Listed, Queued, Refusal, Unsettled, Waiting
from reconciler.model.cluster import ACTIVE, DELETING, LiveCluster
from reconciler.results import ErrorDetail


def accepted(item: Item, answer: LiveCluster | None, at: float) -> Unsettled:
    """A request was taken; PUT's own answer may say already that the service holds something else."""
    contradicted = (
        answer is not None
        and not item.is_going
        and answer.status == ACTIVE
        and not answer.errors
        and bool(item.goal.otherwise(answer))
    )
    return Unsettled(at, other_since=at if contradicted else None)


def refused(item: Item, refusal: Refusal) -> Ended:
    """How a request ends that was not taken."""
    if refusal.may_have_reached:
        return Ended("unknown", refusal.detail)
    if item.is_half_done:
        return Ended("failed", words.not_made_anew(refusal.detail))
    return Ended("skipped" if refusal.kind in {"in-transition", "exhausted"} else "failed", refusal.detail)


def doubted(refusal: Refusal, queued: Queued) -> Refusal:
    """What 409 says now; that an earlier attempt may have arrived stays true."""
    earlier = queued.busy is not None and queued.busy.may_have_reached
    return replace(refusal, may_have_reached=refusal.may_have_reached or earlier)


def judged(item: Item, event: Listed, patience: float) -> Waiting | Unsettled | Queued | Ended | None:
    """What a list says of an item that is watched; None where it says nothing.

    It says nothing of a request that was taken after it was asked for. A cluster whose entry makes no sense is there,
    but how it is can't be known: it is neither settled nor gone, and nothing is sent to it.
    """
    state = item.state
    live = event.clusters.get(item.name)
    match state:
        case Unsettled():
            is_old = item.change is not None and event.asked <= state.since
            if is_old or item.name in event.unreadable:
                return None
            judge = judge_going if item.is_going else judge_settling
            return judge(item.goal, state, live, event.at, patience)
        case Waiting() if item.change is not None:
            if item.name in event.unreadable:
                return Ended("stale", words.UNREADABLE)
            return judge_waiting(item.goal, item.change, item.step, state, live, event.at, patience)
        case _:
            return None


def moved(item: Item, event: Listed, patience: float) -> Waiting | Ended | None:
    """What a list says of a create or an update that is queued; None where it may be sent as it was planned.

    The half of a replacement that is made anew is looked at no more: a list that lags may still show what was deleted.
    """
    state, change = item.state, item.change
    if change is None or item.is_half_done or not isinstance(state, Queued):
        return None
    if item.name in event.unreadable:
        return Ended("stale", words.UNREADABLE)
    waiting = Waiting(state.since if state.since is not None else event.at, state.busy)
    live = event.clusters.get(item.name)
    found = judge_waiting(item.goal, change, item.step, waiting, live, event.at, patience)
    return None if isinstance(found, Queued) else found


def may_repeat(item: Item, event: Listed) -> bool:
    """Whether a DELETE may be tried again, as a list shows its cluster: as it was, on its way out, or gone."""
    live = event.clusters.get(item.name)
    if item.change is None or item.name in event.unreadable:
        return False
    if live is None or live.status == DELETING:
        return True
    found = judge_waiting(item.goal, item.change, item.step, Waiting(event.at), live, event.at, patience=0)
    return isinstance(found, Queued)


def expired(item: Item, at: float, options: ApplyOptions) -> Ended | None:
    """How an item ends that is watched and has had its time; None where it has some left."""
    state = item.state
    match state:
        case Unsettled() if at >= state.since + options.timeout_seconds:
            if state.lost is not None:
                return Ended("unknown", state.lost.detail)
            return Ended("failed", words.not_settled(options.timeout_seconds, item.status))
        case Waiting() if not options.wait:
            return unsent(item, words.HAS_TO_WAIT)
        case Waiting() | Queued() if state.since is not None and at >= state.since + options.timeout_seconds:
            doubt = state.busy is not None and state.busy.may_have_reached
            return Ended("unknown" if doubt else "failed", words.not_ready(options.timeout_seconds, state.busy))
        case _:
            return None


def unsent(item: Item, why: ErrorDetail) -> Ended:
    """How something ends that isn't sent any more: what may have arrived earlier is unknown."""
    state = item.state
    if item.is_half_done:
        return Ended("failed", words.not_made_anew(why))
    if isinstance(state, Queued | Waiting) and state.busy is not None and state.busy.may_have_reached:
        return Ended("unknown", state.busy.detail)
    return Ended("skipped", why)


def given_up(item: Item) -> Ended:
    """How an item ends whose request was taken, where the run ends before it has settled."""
    if isinstance(item.state, Unsettled) and item.state.lost is not None:
        return Ended("unknown", item.state.lost.detail)
    is_replacing = item.is_going and not item.is_delete
    return Ended("unknown", words.NOT_MADE_ANEW if is_replacing else words.NOT_SETTLED)
