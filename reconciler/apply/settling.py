"""When a change counts as done: a judgement of one change by what was just listed. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, TypeAlias

from reconciler.model.cluster import ACTIVE, DELETING, LiveCluster
from reconciler.plan.change import Change, Create, Delete, Update
from reconciler.plan.digest import live_digest
from reconciler.plan.view import as_sent

Step: TypeAlias = Literal["wait", "send", "settled", "stale", "failed"]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What to do next with a change; `reason` where it can't go on."""

    step: Step
    reason: str = ""


_WAIT = Judgement("wait")
_SEND = Judgement("send")
_SETTLED = Judgement("settled")


def judge_accepted(change: Change, live: LiveCluster | None, errors_before: tuple[str, ...]) -> Judgement:
    """Judge a change whose request the service took.

    Not seen yet is not gone: a cluster may be missing from the list for a moment after its create was accepted.
    `errors_before` are those listed when the plan was made: they may stand for a while after a good update.
    """
    if isinstance(change, Delete):
        if live is None:
            return _SETTLED
        return Judgement("failed", f"it is still there, {_state(live)}") if live.failed else _WAIT
    if live is None:
        return _WAIT
    if live.status == DELETING:
        return Judgement("failed", "it is being deleted by somebody else")
    done = live.status == ACTIVE and as_sent(change.requests[0].body, change.managed, live)
    if done and not live.errors:
        return _SETTLED
    if live.failed or (live.errors and (done or live.errors != errors_before)):
        return _broken(live)
    return _WAIT


def judge_waiting(change: Change, live: LiveCluster | None) -> Judgement:
    """Judge a change whose request has to wait, or was answered with 409, by what is live now.

    It is sent only if the cluster is as it was when the plan was made. It counts as settled if it is already as the
    request would make it: an earlier request of ours may have arrived although its answer didn't.
    """
    match change:
        case Create():
            return _judge_waiting_create(change, live)
        case Update():
            return _judge_waiting_update(change, live)
        case Delete():
            if live is None:
                return _SETTLED
            return _WAIT if live.in_transition else _send_unless_moved(change.live_digest, live)


def judge_saved(change: Change, live: LiveCluster | None, deletes: Collection[str]) -> Judgement:
    """Judge a change of a saved plan by what is live now: sent, waited for, done already, or stale.

    `deletes` are what a plan of now would delete: git may say otherwise than when the saved one was made.
    """
    if isinstance(change, Update) and live is None:
        return Judgement("stale", "it has been deleted since the plan was made")
    judgement = judge_waiting(change, live)
    gone = live is None or live.status == DELETING
    if isinstance(change, Delete) and not gone and change.name not in deletes and judgement.step != "stale":
        return Judgement("stale", "git says no longer that it may be deleted")
    return judgement


def _judge_waiting_create(change: Create, live: LiveCluster | None) -> Judgement:
    if live is None:
        return _SEND
    if live.failed:
        return _broken(live)
    if live.in_transition:
        return _WAIT
    if as_sent(change.requests[0].body, change.managed, live) and not live.errors:
        return _SETTLED
    return Judgement("stale", "somebody else has created it meanwhile, otherwise than declared")


def _judge_waiting_update(change: Update, live: LiveCluster | None) -> Judgement:
    if live is None:
        return _WAIT
    if live.status == DELETING:
        return Judgement("stale", "it is being deleted by somebody else")
    if live.status != ACTIVE and live.unhealthy:
        return _broken(live)
    if live.in_transition:
        return _WAIT
    if as_sent(change.requests[0].body, change.managed, live) and not live.errors:
        return _SETTLED
    return _send_unless_moved(change.live_digest, live)


def _send_unless_moved(planned_on: str, live: LiveCluster) -> Judgement:
    if live_digest(live) == planned_on:
        return _SEND
    return Judgement("stale", "its configuration has changed since the plan was made")


def _broken(live: LiveCluster) -> Judgement:
    return Judgement("failed", f"it is {_state(live)}: delete it, then run apply again to create it as declared")


def _state(live: LiveCluster) -> str:
    return live.status + (f" with {', '.join(live.errors)}" if live.errors else "")
