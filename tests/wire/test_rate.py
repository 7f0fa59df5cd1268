"""Requests are spaced evenly, whoever sends them."""

import asyncio

import pytest

from reconciler.wire.rate import RateLimit
from tests.fakes import FakeClock


@pytest.mark.parametrize(
    ("rate", "reads", "sent"),
    [
        (2.0, True, [0, 0.5, 1, 11, 11.5]),
        (2.0, False, [0, 0, 0.5, 10.5, 10.5]),
        (None, True, [0, 0, 0, 10, 10]),
    ],
)
def test_requests_of_all_workers_keep_the_rate(rate: float | None, sent: list[float], *, reads: bool) -> None:
    """Evenly, without a burst after a pause; reads may be free."""
    clock, arrived = FakeClock(), []

    async def work(limit: RateLimit, method: str) -> None:
        await limit.turn(method)
        arrived.append(clock.seconds)

    async def asked() -> None:
        limit = RateLimit(rate, clock, reads=reads)
        await asyncio.gather(*(work(limit, method) for method in ("PUT", "GET", "PUT")))
        await clock.sleep(10)
        await asyncio.gather(*(work(limit, method) for method in ("PUT", "GET")))

    clock.run(asked())
    assert sorted(arrived) == sent
