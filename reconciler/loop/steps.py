"""A round, as the loop asks for it, and as it tells how far it has come."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any, NamedTuple, TypeAlias


class Round(NamedTuple):
    """A round to be done, of all targets but those `without` which it goes.

    `patient`: it is of all, and something is to be deleted once they are seen to stand, so each is waited for.
    `moved` is set once the folder has moved on since it began.
    """

    number: int
    without: frozenset[str]
    moved: asyncio.Event
    patient: bool = False


class Joined(NamedTuple):
    """The manifests are read: these are all targets of the run, in this round or not."""

    targets: Collection[str]


class PutAside(NamedTuple):
    """The round goes on without these."""

    targets: Collection[str]


class Ended(NamedTuple):
    """These have ended, each with its exit code; those that are `held` have yet to delete what waits for others."""

    codes: Mapping[str, int]
    held: frozenset[str] = frozenset()


Step: TypeAlias = Joined | PutAside | Ended

OneRound: TypeAlias = Callable[[Round, Callable[[Step], None]], Coroutine[Any, Any, None]]
"""Does a round, and tells its steps as they come: first who has joined, at last that everybody has ended."""
