"""Rounds of real targets in virtual time: how much one whose service answers nothing slows another."""

import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from reconciler.apply.options import ApplyOptions, Stop
from reconciler.cli.console import Console
from reconciler.cli.rounds import Rounds
from reconciler.cli.settings import Settings
from reconciler.cli.signals import Signals
from reconciler.clock import SeededRandom
from reconciler.live.client import FIRST_LIST_BUDGET_SECONDS
from reconciler.loop import JITTER, LONGEST_LOOK_SECONDS, repeat
from reconciler.model.fleet import Fleet
from reconciler.plan.intent import Intent
from reconciler.reconcile.ground import Connected, Ground
from reconciler.reconcile.planning import PlanRequest
from reconciler.report.invocation import Invocation
from tests.fakes import FakeClock, connection, entry, head, manifest


class Silent(httpx.AsyncBaseTransport):
    """Takes so long to come to nothing."""

    def __init__(self, clock: FakeClock, seconds: float, ends: type[httpx.TimeoutException]) -> None:
        self._clock = clock
        self._seconds = seconds
        self._ends = ends

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await self._clock.sleep(self._seconds)
        raise self._ends("nobody is there", request=request)


def asked_beside(silent: Callable[[FakeClock], Silent], interval_seconds: float, rounds: int) -> list[float]:
    """When a service that is well is asked for its clusters, round by round, beside a silent one."""
    clock, stop, asked = FakeClock(), Stop(), list[float]()

    def answer(_request: httpx.Request) -> httpx.Response:
        asked.append(clock.seconds)
        if len(asked) == rounds:
            stop.requested.set()
        return httpx.Response(200, json=[entry("a")])

    heads = [head(manifest("a"), name=name) for name in ("silent", "well")]
    fleet = Fleet(tuple(one.target for one in heads), {one.target.name: one.declarations for one in heads})
    ways: list[Callable[[], httpx.AsyncBaseTransport]] = [lambda: silent(clock), lambda: httpx.MockTransport(answer)]
    sites = tuple(Connected(one, connection(way, clock)) for one, way in zip(heads, ways, strict=True))
    ground = Ground(fleet, sites, None, "manifests")
    with Path(os.devnull).open("w") as nowhere, capture_logs():
        console = Console(None, nowhere, None, {}, Signals(), Settings(result="plan", format_name="json"))
        request = PlanRequest(Intent(adopt=("*",)))
        one_round = Rounds(
            console, lambda: ground, request, Invocation(), ApplyOptions(), clock, stop, lambda _event: None
        ).one
        clock.run(
            repeat(
                one_round,
                interval_seconds=interval_seconds,
                clock=clock,
                random=SeededRandom(1),
                stop=stop.requested,
            )
        )
    return asked


@pytest.mark.parametrize("interval", [300.0, 120.0])
@pytest.mark.parametrize(("seconds", "ends"), [(10.0, httpx.ConnectTimeout), (30.0, httpx.ReadTimeout)])
def test_a_service_that_answers_nothing_slows_the_others_first_round_and_none_after(
    interval: float, seconds: float, ends: type[httpx.TimeoutException]
) -> None:
    """The first round is of both, and takes until it is given up; from then on the other keeps its interval."""
    asked = asked_beside(lambda clock: Silent(clock, seconds, ends), interval, 40)
    first, *later = [after - before for before, after in pairwise(asked)]
    assert first > FIRST_LIST_BUDGET_SECONDS + interval * (1 - JITTER)
    assert first < LONGEST_LOOK_SECONDS + interval * (1 + JITTER)
    assert max(later) < interval * (1 + JITTER) + 1
