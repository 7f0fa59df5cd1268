"""A whole run as a state machine: events in, steps out; no I/O, no time, no chance.

    building ──► checking ──► deleting
                  ▲    ╰────────╯ │   a list shows that something declared no longer stands
                  ╰───────────────╯

Creates and updates of all targets come first, each target by itself. Only when all of that has ended are the targets
listed anew, and only when everything that head declares stands in these lists is anything deleted. Where they go
`apart`, what would have to wait for another target isn't deleted: a later run sees to it.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, assert_never

from reconciler.apply import words
from reconciler.apply.job import Finished, Job
from reconciler.apply.ongoing import EndedChange, Ongoing
from reconciler.apply.options import ApplyOptions
from reconciler.apply.protocol import (
    Aborted,
    Begun,
    Event,
    Listed,
    NotListed,
    NotTaken,
    Send,
    Step,
    StopRequested,
    Superseded,
    Taken,
)
from reconciler.apply.readiness import Unready
from reconciler.apply.share import Share
from reconciler.results import ErrorDetail

_Phase: TypeAlias = Literal["building", "checking", "deleting"]

_Why: TypeAlias = Callable[[Share], ErrorDetail]
"""Why nothing is deleted, as a target is told: of itself, or of another."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: of so many, so many have ended, so many of them badly; the oldest wait, in seconds.

    `ongoing` is what is under way, the oldest first; `changes_ended` is what has been, target by target, by name.
    """

    total: int
    ended: int
    failed: int
    awaited: int
    oldest_seconds: float | None
    ongoing: tuple[Ongoing, ...] = ()
    changes_ended: tuple[EndedChange, ...] = ()


class Machine:
    """All targets of one run. `handle` takes what happened and returns what is to be done, until it is `done`."""

    def __init__(self, jobs: Sequence[Job], options: ApplyOptions) -> None:
        self._options = options
        self._shares = {job.target: Share(job, options) for job in jobs}
        self._phase: _Phase = "building"
        self._checking_since = 0.0

    @property
    def done(self) -> bool:
        """Whether everything has ended."""
        return all(share.ended for share in self._shares.values())

    def handle(self, event: Event) -> tuple[Step, ...]:
        """What is to be done about it."""
        steps = [*self._take(event), *self._advance(event)]
        for share in self._shares.values():
            steps += share.next(event.at)
        return tuple(steps)

    def progress(self, at: float, but: Collection[str] = ()) -> Progress:
        """How far it is, in all targets but these."""
        shares = [share for target, share in self._shares.items() if target not in but]
        counts = [(0, 0, 0, 0), *(share.counts for share in shares)]
        total, ended, failed, awaited = (sum(column) for column in zip(*counts, strict=True))
        waits = [since for share in shares if (since := share.oldest_wait) is not None]
        ongoing = [one for share in shares for one in share.ongoing(at)]
        ongoing.sort(key=lambda one: (-one.seconds, one.target, one.name))
        changes_ended = tuple(one for share in shares for one in share.ended_changes())
        oldest = at - min(waits) if waits else None
        return Progress(total, ended, failed, awaited, oldest, tuple(ongoing), changes_ended)

    @property
    def ended(self) -> frozenset[str]:
        """The targets in which everything has."""
        return frozenset(target for target, share in self._shares.items() if share.ended)

    def may_repeat(self, step: Send, event: Listed) -> bool:
        """Whether a DELETE may be tried again, as a list shows its cluster."""
        return self._shares[step.target].may_repeat(step.name, event)

    def finished(self, at: float, of: Collection[str] | None = None) -> tuple[Finished, ...]:
        """How it ended, in these targets or in all; what hasn't, never will."""
        return tuple(share.finished(at) for target, share in self._shares.items() if of is None or target in of)

    def _take(self, event: Event) -> list[Step]:
        match event:
            case Begun():
                return [step for share in self._shares.values() for step in share.begin(event.at)]
            case Taken():
                return self._shares[event.target].taken(event)
            case NotTaken():
                return self._shares[event.target].not_taken(event)
            case Listed():
                return self._shares[event.target].listed(event)
            case NotListed():
                return self._shares[event.target].not_listed(event)
            case StopRequested():
                return [step for share in self._shares.values() for step in share.stop(event.at)]
            case Superseded():
                return self._supersede(event.at)
            case Aborted():
                return [step for share in self._shares.values() for step in share.abort(event.at, event.why)]
            case unreachable:
                assert_never(unreachable)

    def _advance(self, event: Event) -> list[Step]:
        """Go on to what comes next, where what came before is done."""
        at, shares = event.at, self._shares.values()
        match self._phase:
            case "building":
                if all(share.built for share in shares):
                    return self._built(at)
                return self._part(at) if self._options.apart else []
            case "checking":
                return self._check(event)
            case "deleting":
                if self._options.keep_going or not isinstance(event, Listed):
                    return []
                if next(self._shares[event.target].readiness.unready(), None) is None:
                    return []
                self._phase, self._checking_since = "checking", at
                for share in shares:
                    share.recall()
                return self._check(event)
            case unreachable:
                assert_never(unreachable)

    def _built(self, at: float) -> list[Step]:
        """Nothing but deletes is left: look whether all that is declared stands."""
        if not any(share.pending_deletes() for share in self._shares.values()):
            return []
        hopeless = self._hopeless()
        if hopeless is not None:
            return self._hold(hopeless, at)
        self._phase, self._checking_since = "checking", at
        for share in self._shares.values():
            share.polls.want(at)
        return []

    def _part(self, at: float) -> list[Step]:
        """Where all but deletes has ended, don't let these wait for the targets in which it hasn't."""
        deleting = [share for share in self._shares.values() if share.built and not share.ended]
        if not deleting:
            return []
        building = [target for target, share in self._shares.items() if not share.built]
        return self._hold(self._hopeless() or (lambda _share: words.others_settle(building)), at, deleting)

    def _hopeless(self) -> _Why | None:
        """What keeps all deletes from being sent, without another look."""
        if self._options.keep_going:
            return None
        if not self._options.all_read:
            return lambda _share: words.NOT_ALL_READ
        if self._options.left_out:
            return lambda _share: words.left_out(self._options.left_out)
        for share in self._shares.values():
            for failure in share.readiness.failures():
                return self._held(share, failure)
        return None

    def _check(self, event: Event) -> list[Step]:
        """Look at fresh lists of all targets: delete, look again, or don't delete at all."""
        at = event.at
        over = self._looks_once or at >= self._checking_since + self._options.timeout_seconds
        failed = event.target if over and isinstance(event, NotListed) else None
        unseen = [share for share in self._shares.values() if not share.polls.fresh]
        lost = [share for share in unseen if share.blind or share.job.target == failed]
        steps = self._go_blind(lost, at) if lost else []
        if (lost and not self._options.keep_going) or len(lost) < len(unseen):
            return steps
        lasting = at >= self._checking_since + self._options.patience_seconds or not self._options.wait
        unready = [] if self._options.keep_going else [*self._unready(lasting=lasting)]
        if not unready:
            return [*steps, *self._release(at)]
        share, worst = unready[0]
        if over or not worst.pending:
            return self._hold(self._held(share, worst), at)
        for share in self._shares.values():
            share.polls.want(at, later=True)
        return []

    @property
    def _looks_once(self) -> bool:
        """Whether what doesn't stand at once is not waited for: nor is it where it may keep another target waiting."""
        return not self._options.wait or (self._options.apart and len(self._shares) > 1)

    def _go_blind(self, lost: Sequence[Share], at: float) -> list[Step]:
        """What can't be listed may not stand; with --keep-going, that holds only what is to be deleted there."""
        why = self._blaming(lost[0], f"the clusters of {lost[0].job.target} can't be listed", failed=True)
        for share in lost:
            share.polls.want_no_more()
        if not self._options.keep_going:
            return self._hold(why, at)
        return [step for share in lost for name in share.pending_deletes() for step in share.hold(name, why(share), at)]

    def _unready(self, *, lasting: bool) -> Iterator[tuple[Share, Unready]]:
        """Of what doesn't stand the worst; nothing where all does."""
        pending: tuple[Share, Unready] | None = None
        for share in self._shares.values():
            for unready in share.readiness.unready(lasting=lasting):
                if not unready.pending:
                    yield share, unready
                    return
                pending = pending or (share, unready)
        if pending is not None:
            yield pending

    def _release(self, at: float) -> list[Step]:
        """Everything stands: delete, but for what has another half that doesn't."""
        self._phase = "deleting"
        steps: list[Step] = []
        for share in self._shares.values():
            names = share.pending_deletes()
            waiting = {name: error for name in names if (error := self._other_half(share, name)) is not None}
            for name, error in waiting.items():
                steps += share.hold(name, error, at)
            steps += share.release([name for name in names if name not in waiting], at)
        return steps

    def _hold(self, why: _Why, at: float, shares: Sequence[Share] | None = None) -> list[Step]:
        """Delete nothing more, in any target or in these; a move's or rename's delete says what it waits for."""
        steps: list[Step] = []
        for share in self._shares.values() if shares is None else shares:
            for name in share.pending_deletes():
                steps += share.hold(name, self._other_half(share, name) or why(share), at)
        return steps

    def _supersede(self, at: float) -> list[Step]:
        """Delete nothing more: what nobody declared when this was planned may be declared again."""
        steps: list[Step] = []
        for share in self._shares.values():
            share.recall()
            for name in share.pending_deletes():
                steps += share.hold(name, words.SUPERSEDED, at)
        return steps

    def _other_half(self, share: Share, name: str) -> ErrorDetail | None:
        """Why a delete must wait for its other half; None where it needn't."""
        successor = share.job.successors.get(name)
        if successor is None or successor in share.job.standing:
            return None
        other = self._shares.get(successor.target)
        if other is not None and other.readiness.stands(successor.name):
            return None
        renamed = successor.target == share.job.target
        where = successor.name if renamed else f"{successor.target}/{successor.name}"
        return words.successor_missing(where, renamed=renamed)

    def _held(self, share: Share, unready: Unready) -> _Why:
        why = unready.why if len(self._shares) == 1 else f"{share.job.target}: {unready.why}"
        return self._blaming(share, why, failed=not unready.pending)

    @staticmethod
    def _blaming(blamed: Share, why: str, *, failed: bool) -> _Why:
        return lambda share: words.held(why, failed=failed, elsewhere=share is not blamed)
