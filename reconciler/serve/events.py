"""What happens in a loop, as far as anybody may want to look at it: the loop's own events, and those of a round."""

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from reconciler.apply.machine import Progress
from reconciler.loop.events import LoopEvent
from reconciler.model.evidence import LeftBehind
from reconciler.model.fleet import Suspension
from reconciler.model.record import Apply, Record
from reconciler.plan.plan import Plan
from reconciler.problem import Problem
from reconciler.results import TargetReport

LAST_APPLIED: Final = 10
"""Applies, and lines, of each target's record that are shown: the newest. git and `reconciler record` show all."""


class Recorded(NamedTuple):
    """A target's record as it stands, and its last applies, the newest first."""

    record: Record
    applies: tuple[Apply, ...] = ()


class TargetPlanned(NamedTuple):
    """One target's plan; the names that it declares; why nothing is applied to it, if so; its record."""

    plan: Plan
    declared: tuple[str, ...]
    suspension: Suspension | None = None
    recorded: Recorded | None = None


class RoundPlanned(NamedTuple):
    """A round has its plans, and what kept others from being made; `targets` are all of the run, in their order."""

    at: float
    round: int
    targets: tuple[str, ...]
    planned: tuple[TargetPlanned, ...]
    problems: tuple[Problem, ...] = ()
    left_behind: tuple[LeftBehind, ...] = ()


class RoundProgressed(NamedTuple):
    """How far a round that applies its plans is."""

    at: float
    round: int
    progress: Progress


class RoundApplied(NamedTuple):
    """Plans of a round have been carried out; `recorded` are the records of the targets as they stand now."""

    reports: tuple[TargetReport, ...]
    problems: tuple[Problem, ...] = ()
    recorded: Mapping[str, Recorded] = {}


class LeaseAwaited(NamedTuple):
    """The lease was read, and another replica holds it; who doesn't see it again for so long has lost sight of it."""

    at: float
    holder: str
    seconds: float


class Exchanged(NamedTuple):
    """One request, and the status of its answer, None where none came."""

    method: str
    status: int | None


Event: TypeAlias = LoopEvent | RoundPlanned | RoundProgressed | RoundApplied | LeaseAwaited | Exchanged
