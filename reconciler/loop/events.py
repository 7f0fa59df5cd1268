"""What happens in a loop, as data, for whoever watches it; moments are epoch seconds."""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from reconciler.problem import Problem


class Due(NamedTuple):
    """When a target's next round begins, how many have failed in a row, and whether it has yet to delete something."""

    at: float
    failures: int = 0
    held: bool = False


class RoundBegun(NamedTuple):
    """A round begins, of these targets as far as they are known: nothing is read yet."""

    at: float
    round: int
    targets: frozenset[str]


class TargetsJoined(NamedTuple):
    """The manifests are read: a round is of these."""

    at: float
    round: int
    targets: frozenset[str]


class TargetsPutAside(NamedTuple):
    """A round goes on without these: their services didn't answer in time, and are looked at by themselves."""

    at: float
    round: int
    targets: frozenset[str]


class TargetsEnded(NamedTuple):
    """Targets of a round have ended, each with an exit code of its own; `seconds` is how long that took."""

    at: float
    round: int
    seconds: float
    codes: Mapping[str, int]


class RoundEnded(NamedTuple):
    """All targets of a round have; where what was left of it failed as a whole, of whom, and why.

    `failed` is empty where nobody knows a target yet.
    """

    at: float
    round: int
    seconds: float
    code: int
    failed: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


class RoundScheduled(NamedTuple):
    """When each target's next round begins, and how many of its rounds have failed in a row; moments as `at` is one.

    `next_at` is the first of these moments: it is there even where no target is known yet. Of a target that is in a
    round, the moment is the one at which that was due.
    """

    at: float
    next_at: float
    targets: Mapping[str, Due]


LoopEvent: TypeAlias = RoundBegun | TargetsJoined | TargetsPutAside | TargetsEnded | RoundEnded | RoundScheduled
