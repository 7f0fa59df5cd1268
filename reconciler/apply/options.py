"""How a run is carried out, and how it is told to stop."""

import asyncio
from dataclasses import dataclass, field
from typing import NamedTuple

DEFAULT_TIMEOUT_SECONDS = 7200.0
"""Momento's own provider waits 120 minutes for a create or an update."""

LONGEST_PATIENCE_SECONDS = 60.0
"""How long what contradicts a request that was taken may stand in the list, before it counts."""


class ApplyOptions(NamedTuple):
    """`concurrency`: requests at once, None for the target's own; `timeout_seconds`: for each change to settle.

    `keep_going`: delete although something declared doesn't stand. `all_read` is False where a target of the run
    couldn't be read, `left_out` are those that weren't looked at: whether what they declare stands is not known.
    `apart`: no target waits for another; what is to be deleted once another has settled is left for a later run.
    """

    concurrency: int | None = None
    wait: bool = True
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    keep_going: bool = False
    all_read: bool = True
    left_out: tuple[str, ...] = ()
    apart: bool = False

    @property
    def may_delete(self) -> bool:
        """Whether anything may be deleted at all: nothing is where a target isn't known to stand."""
        return self.keep_going or (self.all_read and not self.left_out)

    @property
    def patience_seconds(self) -> float:
        """A minute; a quarter of a timeout under four, so that what is amiss is told rather than the timeout."""
        return min(LONGEST_PATIENCE_SECONDS, self.timeout_seconds / 4)


@dataclass(slots=True)
class Stop:
    """How a run is told to end: once it is `requested`, what is in flight is finished and nothing else is started.

    Once it is `superseded`, newer manifests are there: no delete is begun that these may no longer ask for.
    """

    requested: asyncio.Event = field(default_factory=asyncio.Event)
    superseded: asyncio.Event = field(default_factory=asyncio.Event)
