"""What one list says of one change: it waits, it may be sent, it is done, or it can't be. Pure.

The list lags. Not seen yet is not gone, old values and old errors stand for a while, a cluster may vanish for a moment.
So what contradicts a request that was taken counts only once it has stood for as long as `patience`, in two lists; what
can't be old counts at once.
"""

from dataclasses import dataclass, replace
from typing import assert_never

from reconciler.apply import words
from reconciler.apply.job import Held
from reconciler.apply.options import LONGEST_PATIENCE_SECONDS
from reconciler.apply.protocol import Ended, Queued, Unsettled, Waiting
from reconciler.model.cluster import ACTIVE, CREATING, CREATION_FAILED, DELETING, FieldValue, LiveCluster, Values
from reconciler.model.record import Line
from reconciler.plan.change import Change, Create, Delete, Update
from reconciler.plan.digest import live_digest

_APPLIED = Ended("applied", settled=True)


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to become of one cluster: these values, save what the record says the service keeps.

    `before` is how it was listed when the plan was made.
    """

    name: str
    values: Values
    line: Line | None = None
    before: LiveCluster | None = None

    def otherwise(self, live: LiveCluster) -> Held:
        """Where it is otherwise, and that isn't known."""
        return {path: value for path, value in self.different(live).items() if not self._keeps(path, value)}

    def different(self, live: LiveCluster) -> Held:
        """Where it is otherwise, known or not."""
        return {path: live.values.get(path) for path, value in self.values.items() if live.values.get(path) != value}

    def stands(self, live: LiveCluster | None) -> bool:
        """Whether it is settled."""
        return live is not None and live.status == ACTIVE and not live.errors and not self.otherwise(live)

    @property
    def was_active(self) -> bool:
        """Whether there was something to lose when the plan was made."""
        return self.before is not None and self.before.status not in {CREATING, CREATION_FAILED, DELETING}

    def failed_before(self, live: LiveCluster) -> bool:
        """Whether nothing is amiss with it but what was when the plan was made."""
        before = self.before
        if before is None or not set(live.errors) <= set(before.errors):
            return False
        return not live.failed or live.status == before.status

    def _keeps(self, path: str, held: FieldValue | None) -> bool:
        return self.line is not None and self.line.keeps(path, self.values[path], held)


def judge_settling(
    goal: Goal, state: Unsettled, live: LiveCluster | None, at: float, patience: float
) -> Unsettled | Ended:
    """A cluster that is to become what was sent, or what it is declared to be."""
    if live is None:
        return _missing(goal, state, at, patience)
    known = replace(state, seen=True, missing_since=None)
    if live.status == DELETING:
        return known if not goal.was_active and not state.moved else Ended("failed", words.BEING_DELETED)
    if live.never_active and not goal.was_active:
        return Ended("failed", words.never_active(live))
    if live.unhealthy and not live.in_transition:
        return _unhealthy(goal, known, live, at, patience)
    if live.errors and not goal.failed_before(live):
        return Ended("failed", words.update_failed(live))
    if live.in_transition:
        same = frozenset(path for path, value in goal.values.items() if live.values.get(path) == value)
        changed = frozenset(goal.values) if goal.before is None else frozenset(goal.otherwise(goal.before))
        return replace(
            known,
            moved=True,
            other_since=None,
            other_lists=0,
            errors_since=None,
            as_sent=known.as_sent | same & changed,
        )
    return _active(goal, replace(known, moved=True, errors_since=None), live, at, patience)


def judge_going(
    goal: Goal, state: Unsettled, live: LiveCluster | None, at: float, patience: float
) -> Unsettled | Ended:
    """A cluster that is to be gone."""
    if live is None:
        return _APPLIED
    if live.status == DELETING:
        return replace(state, other_since=None)
    if live.unhealthy and not goal.failed_before(live):
        return Ended("failed", words.still_there(live))
    since = state.other_since if state.other_since is not None else at
    if state.lost is not None and at >= since + patience:
        return Ended("unknown", state.lost.detail)
    return replace(state, other_since=since)


def judge_waiting(
    goal: Goal, change: Change, step: int, state: Waiting, live: LiveCluster | None, at: float, patience: float
) -> Waiting | Queued | Ended:
    """A change whose request, the first or the second, has to wait, or was answered with 409.

    It is sent only if the cluster is as it was when the plan was made. It is done if the cluster is already as the
    request would make it: an earlier one of ours may have arrived although its answer didn't.
    """
    go = Queued(state.since, state.busy)
    match change:
        case Create() if change.requests[step].method == "DELETE":
            if live is None or live.never_active:
                return go
            return state if live.in_transition else Ended("stale", words.REVIVED)
        case Create():
            return _waiting_create(goal, state, live, go)
        case Update():
            return _waiting_update(goal, change, state, live, at, patience)
        case Delete():
            if live is None:
                return _APPLIED
            if live.in_transition and not live.never_active:
                return state
            return go if live_digest(live) == change.live_digest else Ended("stale", words.MOVED)
        case unreachable:
            assert_never(unreachable)


def _waiting_create(goal: Goal, state: Waiting, live: LiveCluster | None, go: Queued) -> Waiting | Queued | Ended:
    if live is None:
        return go
    if live.never_active:
        return Ended("failed", words.never_active(live))
    if live.in_transition:
        return state
    return _done(goal, live) if goal.stands(live) else Ended("stale", words.TAKEN_NAME)


def _waiting_update(
    goal: Goal, change: Update, state: Waiting, live: LiveCluster | None, at: float, patience: float
) -> Waiting | Queued | Ended:
    if live is None:
        since = state.missing_since if state.missing_since is not None else at
        return Ended("stale", words.GONE) if at >= since + patience else replace(state, missing_since=since)
    if live.status == DELETING:
        return Ended("stale", words.GOING)
    if live.never_active:
        return Ended("failed", words.never_active(live))
    if live.in_transition:
        return replace(state, missing_since=None)
    if goal.stands(live):
        return _done(goal, live)
    moved = live_digest(live) != change.live_digest
    return Ended("stale", words.MOVED) if moved else Queued(state.since, state.busy)


def _missing(goal: Goal, state: Unsettled, at: float, patience: float) -> Unsettled | Ended:
    """Not listed: a create may not be seen yet; what was seen before may have vanished for a moment."""
    known = state.seen or goal.was_active
    if not known and state.lost is None:
        return state
    since = state.missing_since if state.missing_since is not None else at
    if at < since + patience:
        return replace(state, missing_since=since)
    return Ended("failed", words.VANISHED) if known else _lost(state)


def _unhealthy(goal: Goal, state: Unsettled, live: LiveCluster, at: float, patience: float) -> Unsettled | Ended:
    """Failed, or `Active` with errors: at once, where that is new; later, where it stood before."""
    is_new = not goal.failed_before(live) or (live.failed and state.moved)
    since = state.errors_since if state.errors_since is not None else at
    if not is_new and at < since + patience:
        return replace(state, errors_since=since)
    return _lost(state) if state.lost is not None and not is_new else Ended("failed", words.update_failed(live))


def _active(goal: Goal, state: Unsettled, live: LiveCluster, at: float, patience: float) -> Unsettled | Ended:
    otherwise = goal.otherwise(live)
    if not otherwise:
        return _done(goal, live)
    since = state.other_since if state.other_since is not None else at
    held = _held(goal, state, live)
    lists = state.other_lists + 1
    if lists < 2 or at < since + patience:
        return replace(state, other_since=since, other_lists=lists, kept=held)
    if state.lost is not None:
        return _lost(state)
    settled = otherwise.keys() <= held.keys() and (
        at >= since + LONGEST_PATIENCE_SECONDS or not _stale(goal, otherwise)
    )
    stands = {path: value for path, value in goal.values.items() if path not in otherwise}
    return Ended("failed", words.not_as_sent(goal.values, otherwise), settled=settled, kept=held, stands=stands)


def _stale(goal: Goal, otherwise: Held) -> bool:
    """Whether some of it is as it was before: a list that lags looks the same as a service that keeps it."""
    return goal.before is not None and any(goal.before.values.get(path) == value for path, value in otherwise.items())


def _held(goal: Goal, state: Unsettled, live: LiveCluster) -> Held:
    """What the service held in each list in which it was `Active`, and never as sent."""
    now = goal.different(live)
    known = now if state.kept is None else state.kept
    return {
        path: value
        for path, value in now.items()
        if path not in state.as_sent and path in known and known[path] == value
    }


def _done(goal: Goal, live: LiveCluster) -> Ended:
    return Ended("applied", settled=True, kept=goal.different(live))


def _lost(state: Unsettled) -> Ended:
    return Ended("unknown", state.lost.detail if state.lost is not None else words.NOT_SETTLED)
