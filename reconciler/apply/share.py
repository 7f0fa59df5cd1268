"""One target's share of a run: what is queued, in flight, watched and ended. Pure.

Creates and updates go as `rollout` lets them, deletes as the whole run does. Which state follows is said by `states`;
here an item goes to it, with all that this entails.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, assert_never

from reconciler.apply import words
from reconciler.apply.item import Item, items_of
from reconciler.apply.job import Finished, Job
from reconciler.apply.ongoing import EndedChange, Ongoing, ended_change, ongoing
from reconciler.apply.options import ApplyOptions
from reconciler.apply.outcomes import finished_of, log_of, log_of_poll
from reconciler.apply.polls import Polls
from reconciler.apply.protocol import (
    Ended,
    Listed,
    Log,
    NotListed,
    NotTaken,
    Queued,
    Send,
    Sending,
    Step,
    Taken,
    Unsettled,
    Waiting,
)
from reconciler.apply.readiness import Readiness
from reconciler.apply.rollout import Rollout
from reconciler.apply.states import accepted, doubted, expired, given_up, judged, may_repeat, moved, refused, unsent
from reconciler.results import ErrorDetail

FRESH_SECONDS: Final = 10.0
"""A delete is sent only on a list that is no older."""

TOLD_EVERY_SECONDS: Final = 60.0
_KEY_REFUSED: Final = frozenset({"unauthenticated", "forbidden"})


class Share:
    """One target. Its methods take what happened, and return what is to be done about it; `next` sends what may be."""

    def __init__(self, job: Job, options: ApplyOptions) -> None:
        self.job = job
        self.polls = Polls(job.target, options)
        self.blind = False
        self._options = options
        self._concurrency = options.concurrency or job.head.target.concurrency
        self._before = {cluster.name: cluster for cluster in job.listing.clusters}
        self._latest = Listed(float("-inf"), job.target, float("-inf"), self._before, frozenset(job.listing.unreadable))
        self._items = {item.name: item for item in items_of(job)}
        items = self._items.values()
        self._open = {
            kind: sum(item.is_delete == kind and not isinstance(item.state, Ended) for item in items)
            for kind in (False, True)
        }
        self._builds = [item for item in items if item.change is not None and not item.is_delete and item.is_unsent]
        self._rollout = Rollout([item.name for item in self._builds], job.head.target)
        self._queue: deque[str] = deque()
        self._watched: dict[str, Item] = {}
        self._in_flight: dict[str, Item] = {}
        self._stopped = False
        self._told = 0.0

    # What the whole run asks.

    @property
    def built(self) -> bool:
        """Whether all but deletes has ended."""
        return not self._open[False]

    @property
    def ended(self) -> bool:
        """Whether everything has."""
        return not self._open[False] and not self._open[True]

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """How many items there are, have ended, have failed, and are waited for."""
        total = len(self._items)
        return total, total - sum(self._open.values()), self._rollout.failures, len(self._watched)

    @property
    def oldest_wait(self) -> float | None:
        """Since when the one that is waited for the longest is."""
        states = (item.state for item in self._watched.values())
        return min((state.since for state in states if isinstance(state, Waiting | Unsettled)), default=None)

    def ongoing(self, at: float) -> Iterator[Ongoing]:
        """What is under way, cluster by cluster."""
        for item in (*self._in_flight.values(), *self._watched.values()):
            yield from filter(None, [ongoing(self.job.target, item, at)])

    def ended_changes(self) -> Iterator[EndedChange]:
        """What has ended, by name."""
        yield from filter(None, (ended_change(self.job.target, item) for item in self._items.values()))

    def pending_deletes(self) -> list[str]:
        """The deletes that nothing is under way for yet."""
        return [item.name for item in self._items.values() if item.is_delete and item.is_unsent]

    @property
    def readiness(self) -> Readiness:
        """Whether what head declares stands, as of now."""
        return Readiness(self.job, self._items, self._before, self._latest)

    def may_repeat(self, name: str, event: Listed) -> bool:
        """Whether the DELETE of a cluster may be tried again, as a list shows it."""
        return may_repeat(self._items[name], event)

    # What happens.

    def begin(self, at: float) -> list[Step]:
        """Queue, watch or skip each item, by name."""
        self._told = at
        steps: list[Step] = []
        for item in self._items.values():
            if item.change is None:
                item.started = at
                steps += self._await(item, Unsettled(at), at)
        for item in self._builds:
            if not self._rollout.is_held_back(item.name):
                steps += self._start(item, at)
        return steps

    def taken(self, event: Taken) -> list[Step]:
        """A request was taken: it settles from now on."""
        item, at, answer = self._items[event.name], event.at, event.cluster
        if self._landed(item, event.attempts) is None:
            return []
        item.reached = True
        item.status = answer.status if answer is not None else item.status
        item.answer = answer
        steps: list[Step] = [log_of(self.job.target, "change.accepted", item, at)]
        if not self._options.wait:
            return [*steps, *self._end(item, Ended("applied"), at)]
        if self._stopped:
            return [*steps, *self._end(item, given_up(item), at)]
        return [*steps, *self._await(item, accepted(item, answer, at), at)]

    def not_taken(self, event: NotTaken) -> list[Step]:
        """A request was refused, or its answer was lost."""
        item, at, refusal = self._items[event.name], event.at, event.refusal
        queued = self._landed(item, refusal.attempts)
        if queued is None:
            return []
        item.reached = item.reached or refusal.may_have_reached
        watching = self._options.wait and not self._stopped
        if refusal.kind in _KEY_REFUSED:
            return [*self._end(item, refused(item, refusal), at), *self._halt(words.key_refused(refusal), at)]
        if refusal.kind == "in-transition" and watching and self._refusal(item) is None:
            since = queued.since if queued.since is not None else at
            return self._await(item, Waiting(since, doubted(refusal, queued)), at)
        if refusal.may_have_reached and watching:
            return self._await(item, Unsettled(at, lost=refusal), at)
        return self._end(item, refused(item, refusal), at)

    def listed(self, event: Listed) -> list[Step]:
        """Judge all that is watched by a whole list."""
        self.polls.looked(event.asked)
        self._latest = event
        steps: list[Step] = []
        for item in [self._items[name] for name in self._queue]:  # looked at again before it is sent
            if not item.is_delete:
                steps += self._look_again(item, event.at)
            else:
                self._watch_again(item, event.at)
        for item in [*self._watched.values()]:
            steps += self._judge(item, event)
        return [*steps, *self._after_look(event.at)]

    def not_listed(self, event: NotListed) -> list[Step]:
        """No list was to be had: that is survived, but for a key that is refused."""
        self.polls.looked(None)
        refusal, at = event.refusal, event.at
        steps: list[Step] = [log_of_poll(self.job.target, refusal)]
        if refusal.kind in _KEY_REFUSED:
            self.blind = True
            for item in [*self._watched.values()]:
                if isinstance(item.state, Unsettled):
                    error = item.state.lost.detail if item.state.lost is not None else words.unseen(refusal)
                    steps += self._end(item, Ended("unknown", error), at)
            steps += self._halt(words.key_refused(refusal), at)
        return [*steps, *self._after_look(at)]

    def stop(self, at: float) -> list[Step]:
        """Start nothing more; what is in flight ends with its answer."""
        self._stopped = True
        self.polls.want_no_more()
        steps = self._halt(words.NOT_SENT, at)
        for item in [*self._watched.values()]:
            steps += self._end(item, given_up(item), at)
        return steps

    def abort(self, at: float, why: ErrorDetail) -> list[Step]:
        """No answer comes any more: what is in flight may have reached the service."""
        steps = self._halt(why, at)
        for item in self._items.values():
            if isinstance(item.state, Sending):
                item.attempts, item.reached = item.attempts + 1, True
                steps += self._end(item, Ended("unknown", why), at)
            elif isinstance(item.state, Unsettled):
                steps += self._end(item, given_up(item), at)
        return steps

    def release(self, names: Iterable[str], at: float) -> list[Step]:
        """Let deletes go, each as soon as the list shows it as it was planned on."""
        steps: list[Step] = []
        for name in names:
            item = self._items[name]
            self._watch_again(item, at)
            steps += self._judge(item, self._latest)
            if isinstance(item.state, Waiting) and self._options.wait:
                steps += self._await(item, item.state, at)
            elif isinstance(item.state, Waiting):
                steps += self.hold(name, words.HAS_TO_WAIT, at)
        return steps

    def recall(self) -> None:
        """Don't send the deletes that were let go and aren't under way."""
        for name in self.pending_deletes():
            item = self._items[name]
            if isinstance(item.state, Waiting):
                del self._watched[name]
                item.state = Queued(item.state.since, item.state.busy)
            elif name in self._queue:
                self._queue.remove(name)

    def hold(self, name: str, why: ErrorDetail, at: float) -> list[Step]:
        """Don't send a delete at all."""
        return self._end(self._items[name], unsent(self._items[name], why), at)

    def next(self, at: float) -> list[Step]:
        """Send what there is room for, and announce the next look."""
        steps: list[Step] = []
        while self._queue and len(self._in_flight) < self._concurrency:
            item = self._items[self._queue[0]]
            if item.is_delete and self._latest.asked < at - FRESH_SECONDS:
                if self.polls.fresh:
                    self.polls.want(at)
                break
            self._queue.popleft()
            steps.append(self._send(item, at))
        return [*steps, *self.polls.next(at, watching=bool(self._watched))]

    def finished(self, at: float) -> Finished:
        """The report, and what the record has to know. What hasn't ended by now never will."""
        self.abort(at, words.NOT_SETTLED)
        settled = dict(self.readiness.settled())
        return finished_of(self.job, self._items.values(), settled, self._latest, at)

    # Inside.

    def _start(self, item: Item, at: float) -> list[Step]:
        """Queue a create or an update, or wait for the cluster first."""
        change = item.change
        if change is None or not item.is_unsent:
            return []
        if not self._options.wait and (change.waits_for is not None or len(change.requests) > 1):
            return self._end(item, Ended("skipped", words.HAS_TO_WAIT), at)
        if change.waits_for is not None:
            return self._await(item, Waiting(at), at)
        self._queue.append(item.name)
        return self._look_again(item, at) if self._latest.asked > float("-inf") else []

    def _send(self, item: Item, at: float) -> Send:
        if item.change is None or not isinstance(item.state, Queued):
            raise AssertionError("only a change that is queued is sent")
        item.state = Sending(item.state, at)
        item.started = item.started if item.started is not None else at
        self._in_flight[item.name] = item
        return Send(self.job.target, item.name, item.change.requests[item.step])

    def _landed(self, item: Item, attempts: int) -> Queued | None:
        """An answer came: how its item was queued; None where nobody waits for one any more."""
        if not isinstance(item.state, Sending):
            return None
        del self._in_flight[item.name]
        item.attempts += attempts
        return item.state.queued

    def _await(self, item: Item, state: Waiting | Unsettled, at: float) -> list[Step]:
        """Watch an item in the list from now on; without --wait nobody looks."""
        if not self._options.wait:
            return self._end(item, Ended("unknown"), at)
        item.state = state
        self._watched[item.name] = item
        self.polls.watch(state, at)
        return []

    def _look_again(self, item: Item, at: float) -> list[Step]:
        """Wait with what is queued, or end it, where the last list shows that it has moved."""
        state = moved(item, self._latest, self._options.patience_seconds)
        match state:
            case None:
                return []
            case Waiting():
                self._queue.remove(item.name)
                return self._await(item, state, at)
            case Ended():
                return self._end(item, state, at)
            case unreachable:
                assert_never(unreachable)

    def _watch_again(self, item: Item, at: float) -> None:
        """Judge a delete by the list before it is sent."""
        if isinstance(item.state, Queued):
            if item.name in self._queue:
                self._queue.remove(item.name)
            item.state = Waiting(item.state.since if item.state.since is not None else at, item.state.busy)
            self._watched[item.name] = item

    def _judge(self, item: Item, event: Listed) -> list[Step]:
        """Go on to what a list says of an item."""
        state = judged(item, event, self._options.patience_seconds)
        if state is None:
            return []
        if item.name not in event.unreadable:
            live = event.clusters.get(item.name)
            item.status = live.status if live is not None else None
        return self._move(item, state, event.at)

    def _move(self, item: Item, state: Waiting | Unsettled | Queued | Ended, at: float) -> list[Step]:
        """Go on to what a list has led to."""
        match state:
            case Unsettled() | Waiting():
                item.state = state
                return []
            case Ended() if item.is_going and not item.is_delete and state.outcome == "applied":
                item.step += 1
                return self._move(item, Queued(), at)
            case Ended():
                return self._end(item, state, at)
            case Queued():
                del self._watched[item.name]
                item.state = state
                refusal = self._refusal(item)
                end = unsent(item, refusal) if refusal is not None else expired(item, at, self._options)
                if end is not None:
                    return self._end(item, end, at)
                self._queue.append(item.name)
                return []
            case unreachable:
                assert_never(unreachable)

    def _after_look(self, at: float) -> list[Step]:
        """End what has had its time, and see to the next look."""
        steps: list[Step] = []
        for item in [*self._watched.values()]:
            end = expired(item, at, self._options)
            if end is not None:
                steps += self._end(item, end, at)
        steps += self._tell(at)
        self.polls.plan([item.state for item in self._watched.values()], at)
        return steps

    def _end(self, item: Item, ended: Ended, at: float) -> list[Step]:
        """End an item, and whatever that ends with it."""
        if isinstance(item.state, Ended):
            return []
        if isinstance(item.state, Queued) and item.name in self._queue:
            self._queue.remove(item.name)
        self._watched.pop(item.name, None)
        item.state, item.ended = ended, at
        self._open[item.is_delete] -= 1
        steps: list[Step] = []
        if ended.settled:
            steps.append(log_of(self.job.target, "cluster.settled", item, at))
        if item.change is None:
            return steps
        steps.append(log_of(self.job.target, f"change.{ended.outcome}", item, at, ended.error))
        consequence = self._rollout.ended(item.name, ended, is_delete=item.is_delete)
        for name in consequence.released:
            steps += self._start(self._items[name], at)
        return [*steps, *self._refuse(at)] if consequence.refuses else steps

    def _halt(self, why: ErrorDetail, at: float) -> list[Step]:
        """Send nothing more."""
        self._rollout.halt(why)
        return self._refuse(at)

    def _refuse(self, at: float) -> list[Step]:
        """End what isn't under way, and isn't sent any more."""
        steps: list[Step] = []
        for item in self._items.values():
            refusal = self._refusal(item) if item.change is not None and item.is_unsent else None
            if refusal is not None:
                steps += self._end(item, unsent(item, refusal), at)
        return steps

    def _refusal(self, item: Item) -> ErrorDetail | None:
        """Why an item is not sent any more; None where it may still be."""
        return self._rollout.refusal(item.name, is_delete=item.is_delete)

    def _tell(self, at: float) -> list[Step]:
        oldest = self.oldest_wait
        if oldest is None or at < self._told + TOLD_EVERY_SECONDS:
            return []
        self._told = at
        fields = {"target": self.job.target, "count": len(self._watched), "seconds": round(at - oldest)}
        return [Log("info", "clusters.awaited", fields)]
