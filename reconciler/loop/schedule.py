"""When each target is due, and after how many failures. Pure; moments are the clock's monotonic seconds."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, NamedTuple

from reconciler.errors import EXIT_FAILED, EXIT_USAGE
from reconciler.loop.events import Due
from reconciler.loop.steps import Ended

_FAILURES: Final = frozenset({EXIT_FAILED, EXIT_USAGE})

TOGETHER_SECONDS: Final = 0.001
"""Moments that are no farther apart are one: sums of seconds are not exact."""


class Schedule(NamedTuple):
    """When each target is due; `fleet` is when a fleet is that nobody could read yet."""

    fleet: Due
    targets: Mapping[str, Due]

    def idle(self, busy: Collection[str]) -> Mapping[str, Due]:
        """Those that are in no round."""
        return {name: due for name, due in self.targets.items() if name not in busy}

    def come(self, at: float, busy: Collection[str]) -> frozenset[str]:
        """Whose time has come: of these the ones that are well, or else the ones that fail."""
        come = {name: due for name, due in self.idle(busy).items() if due.at - at < TOGETHER_SECONDS}
        return frozenset(name for name, due in come.items() if not due.failures) or frozenset(come)

    def known(self, names: Iterable[str], at: float) -> "Schedule":
        """With these targets, and no others: one that is new is in the round that has found it."""
        return self._replace(targets={name: self.targets.get(name, Due(at)) for name in names})

    def moved(self, at: float, names: Collection[str] | None = None) -> "Schedule":
        """Something else is to be done in all, or in these: they are due, and earlier failures count no more."""
        anew = {n: Due(at, held=due.held) for n, due in self.targets.items() if names is None or n in names}
        return Schedule(Due(at), {**self.targets, **anew})

    def at_once(self, names: Iterable[str], at: float) -> "Schedule":
        """These are due, as far as they are still there."""
        due = {name: self.targets[name]._replace(at=at) for name in names if name in self.targets}
        return self._replace(targets={**self.targets, **due})

    def after(self, ended: Ended, busy: Collection[str], at: float, wait: Callable[[int], float]) -> "Schedule":
        """After these have ended: `wait` says how long after so many failures in a row.

        One that is well goes with the others that are, and will be due.
        """
        others = [due.at for name, due in self.idle({*busy, *ended.codes}).items() if not due.failures and due.at > at]
        together = min(others, default=at + wait(0))
        targets = dict(self.targets)
        for name in ended.codes.keys() & targets.keys():  # a target that is gone since stays so
            failures = targets[name].failures + 1 if ended.codes[name] in _FAILURES else 0
            targets[name] = Due(at + wait(failures) if failures else together, failures, name in ended.held)
        return Schedule(Due(at + wait(0)), targets)

    def after_whole(
        self, code: int, names: Iterable[str], busy: Collection[str], at: float, wait: Callable[[int], float]
    ) -> "Schedule":
        """After a round failed as a whole, and each of these targets with it."""
        failures = self.fleet.failures + 1 if code in _FAILURES else 0
        ended = Ended(dict.fromkeys(names, code))
        return self.after(ended, busy, at, wait)._replace(fleet=Due(at + wait(failures), failures))
