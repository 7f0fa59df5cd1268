"""How a plan is carried out, how it is told to stop, and what an earlier plan is held against."""

import asyncio
from dataclasses import dataclass, field

from reconciler.model.cluster import LiveCluster
from reconciler.plan.plan import Plan

DEFAULT_TIMEOUT_SECONDS = 7200.0
"""Momento's own provider waits 120 minutes for a create or an update."""


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """`concurrency`: requests at once, None for the target's own; `timeout_seconds`: for each change to settle."""

    concurrency: int | None = None
    wait: bool = True
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    keep_going: bool = False


@dataclass(slots=True)
class Stop:
    """How a run is told to end.

    Once `requested` is set, what is in flight is finished and nothing else is started. `graceful` says that somebody
    watches for it: until then there is nothing to finish, and whoever asks may just end the run.
    """

    requested: asyncio.Event = field(default_factory=asyncio.Event)
    graceful: bool = False


@dataclass(frozen=True, slots=True)
class Now:
    """What a plan that was made earlier is held against: what is live, and the plan that would be made of it."""

    live: tuple[LiveCluster, ...]
    plan: Plan
