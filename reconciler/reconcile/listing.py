"""What is live in each target, asked of all side by side.

One that fails doesn't stop the others, nor does one whose service is silent, where they needn't wait for it: they go on
without.
"""

import asyncio
from collections.abc import Collection, Coroutine, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias, TypeVar, assert_never

import structlog

from reconciler.clock import Clock
from reconciler.errors import ReconcilerError, UsageError
from reconciler.live.answers import Listing
from reconciler.live.client import FIRST_LIST_BUDGET_SECONDS
from reconciler.plan.compare import as_if_live
from reconciler.problem import Problem
from reconciler.reconcile.ground import Connected, Embedded, Ground, Offline, Site

log = structlog.get_logger()

T = TypeVar("T")

Answer: TypeAlias = Listing | tuple[Problem, ...]
"""A target's clusters, or why they can't be had."""


class Patience(NamedTuple):
    """How long those that are listed wait for the others, from the first list on; None for as long as it takes.

    Once `stop` is set nobody is waited for.
    """

    clock: Clock
    stop: asyncio.Event
    seconds: float | None = 5.0


async def list_all(ground: Ground) -> tuple[Mapping[str, Listing], tuple[Problem, ...]]:
    """What is live in each target, with one GET each, side by side; and why others couldn't be read."""
    answers = await list_each(ground)
    listings = {name: one for name, one in answers.items() if isinstance(one, Listing)}
    return listings, tuple(p for problems in answers.values() if not isinstance(problems, Listing) for p in problems)


async def list_each(ground: Ground, patience: Patience | None = None) -> Mapping[str, Answer]:
    """What came of asking each target, but for those that the others didn't wait for."""
    asked = {site.head.target.name: asyncio.create_task(caught(_list(site, ground), site)) for site in ground.sites}
    try:
        if patience is not None:
            await _some(asked.values(), patience)
        elif asked:
            await asyncio.wait(asked.values())
        return {name: one.result() for name, one in asked.items() if one.done()}
    finally:
        for one in asked.values():
            one.cancel()
        await asyncio.gather(*asked.values(), return_exceptions=True)


async def _some(asked: Collection["asyncio.Task[Answer]"], patience: Patience) -> None:
    """Come back when all are done, or when the first that has a list has waited long enough, or at the stop."""
    waiting = {*asked}
    ends: set[asyncio.Task[Any]] = {asyncio.create_task(patience.stop.wait())}
    try:
        while waiting and not any(end.done() for end in ends):
            await asyncio.wait({*waiting, *ends}, return_when=asyncio.FIRST_COMPLETED)
            listed = any(isinstance(one.result(), Listing) for one in waiting if one.done())
            if listed and patience.seconds is not None and len(ends) == 1:
                ends.add(asyncio.create_task(patience.clock.sleep(patience.seconds)))
            waiting = {one for one in waiting if not one.done()}
        for end in ends:
            if end.done():
                end.result()  # a clock that fails must not look like one that is done
    finally:
        for end in ends:
            end.cancel()


async def _list(site: Site, ground: Ground) -> Listing:
    """What is live; offline, base stands in for it."""
    match site:
        case Connected() | Embedded():
            async with site.connection.client() as client:
                return await client.list_clusters(budget_seconds=FIRST_LIST_BUDGET_SECONDS)
        case Offline():
            if ground.checkout is None:
                raise UsageError("--offline compares with base, and no git is at hand", remedy="run it in a clone")
            return Listing(as_if_live(ground.checkout.at_base(site.head.target).values()))
        case unreachable:
            assert_never(unreachable)


async def caught(work: Coroutine[Any, Any, T], site: Site) -> T | tuple[Problem, ...]:
    """What the work on one target came to, or why it failed: it costs no other target anything."""
    target = site.head.target.name
    try:
        with structlog.contextvars.bound_contextvars(target=target):
            return await work
    except ReconcilerError as error:
        log.warning("round.failed", target=target, kind=error.kind, error=error.message)
        return tuple(replace(problem, target=target) for problem in error.problems())
    except Exception:
        log.exception("round.broke", target=target)
        message = "a bug in this program ended the work on this target; the log says where"
        return (Problem("internal", message, "report it, with the log", target),)
