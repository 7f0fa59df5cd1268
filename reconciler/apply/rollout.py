"""Whether a change of one target may be sent now, and if not, why: the canaries, the failures, the halts. Pure.

Canaries go ahead of the other creates and updates, which are held back until all of them have settled. Once
`max_failures` changes have failed nothing more is sent, and nothing after a halt: a key that is refused, a stop.
Failed deletes are counted by themselves, so that `--keep-going` can delete after a create has failed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.apply import words
from reconciler.apply.protocol import Ended
from reconciler.model.fleet import Target
from reconciler.results import ErrorDetail


@dataclass(frozen=True, slots=True)
class Consequence:
    """What the end of one change means for the others: `released` may be sent now; `refuses`: some never will be."""

    released: Sequence[str] = ()
    refuses: bool = False


class Rollout:
    """One target's; `names` are its creates and updates, in the order in which they are sent."""

    def __init__(self, names: Sequence[str], target: Target) -> None:
        canaries = target.canary if target.canary < len(names) else 0
        self._unsettled = set(names[:canaries])
        self._held_back = dict.fromkeys(names[canaries:] if canaries else ())
        self._canary_failed: ErrorDetail | None = None
        self._limit = target.max_failures
        self._failed: dict[bool, list[str]] = {False: [], True: []}
        self._halted: dict[bool, ErrorDetail] = {}

    @property
    def failures(self) -> int:
        """How many changes have failed, or may have."""
        return sum(len(names) for names in self._failed.values())

    def is_held_back(self, name: str) -> bool:
        """Whether it waits for canaries."""
        return bool(self._unsettled) and name in self._held_back

    def refusal(self, name: str, *, is_delete: bool) -> ErrorDetail | None:
        """Why it is not sent any more; None where it may still be."""
        if self._canary_failed is not None and not is_delete and name in self._held_back:
            return self._canary_failed
        return self._halted.get(is_delete)

    def halt(self, why: ErrorDetail) -> None:
        """Send nothing more; the first reason is the one that is told."""
        for is_delete in (False, True):
            self._halted.setdefault(is_delete, why)

    def ended(self, name: str, end: Ended, *, is_delete: bool) -> Consequence:
        """Take note of how a change ended."""
        reasons = self._reasons
        released = self._canary_ended(name, end) if name in self._unsettled else ()
        failed = self._failed[is_delete]
        if end.outcome in {"failed", "unknown"}:
            failed.append(name)
            if len(failed) >= self._limit:
                self._halted.setdefault(is_delete, words.too_many_failed(failed, self._limit))
        return Consequence(released, refuses=self._reasons > reasons)

    @property
    def _reasons(self) -> int:
        return len(self._halted) + (self._canary_failed is not None)

    def _canary_ended(self, name: str, end: Ended) -> Sequence[str]:
        """The others, where that was the last one, and all have settled."""
        if end.settled and end.outcome == "applied":
            self._unsettled.remove(name)
            return () if self._unsettled else tuple(self._held_back)
        if self._canary_failed is None and False not in self._halted:
            unwaited = end.outcome == "applied"
            self._canary_failed = words.CANARIES_WAIT if unwaited else words.canary_failed(name, end.outcome)
        return ()
