"""When an operation is tried again, in virtual time."""

import asyncio

import pytest
from structlog.testing import capture_logs

from reconciler.errors import (
    Exhausted,
    Forbidden,
    HttpError,
    InTransition,
    NoAnswer,
    NotFound,
    RateLimited,
    Rejected,
    Unavailable,
    Unreachable,
)
from reconciler.wire.retry import DEFAULT_POLICY, Policy, Retry
from tests.fakes import FakeClock, FixedRandom

SHORT = Policy(budget=60.0, longest_wait=10.0)


class Operation:
    """Fails as it is told, the last time again and again; None is success."""

    def __init__(self, *ends: HttpError | None, policy: Policy = SHORT) -> None:
        self._ends = list(ends)
        self.asked = 0
        self.clock = FakeClock()
        self.give_up = asyncio.Event()
        self.retry = Retry(policy, self.clock, FixedRandom(), self.give_up)

    async def attempt(self) -> str:
        self.asked += 1
        end = self._ends.pop(0) if len(self._ends) > 1 else self._ends[0]
        if end is not None:
            raise end
        return "done"

    def run(self, budget_seconds: float | None = None) -> tuple[str, int]:
        return self.clock.run(
            self.retry.call(self.attempt, method="PUT", cluster="orders", budget_seconds=budget_seconds)
        )

    def refuse(self, budget_seconds: float | None = None) -> HttpError:
        with pytest.raises(HttpError) as caught:
            self.run(budget_seconds)
        return caught.value


def test_waits_double_up_to_the_longest_within_the_budget() -> None:
    """The schedule, jitter at its longest; each retry is one event; the end says how often and how long it was tried."""
    operation = Operation(Unavailable("PUT /cluster/orders: 503", remedy="run again later", http_status=503))
    with capture_logs() as logs:
        error = operation.refuse()
    assert operation.clock.slept == [0.5, 1, 2, 4, 8, 10, 10, 10, 10, 4.5]
    assert logs[1] == {
        "event": "request.retried",
        "log_level": "warning",
        "method": "PUT",
        "cluster": "orders",
        "attempt": 2,
        "http_status": 503,
        "seconds": 1.0,
        "kind": "unavailable",
        "error": "PUT /cluster/orders: 503",
    }
    assert len(logs) == 10
    assert error.message == "PUT /cluster/orders: 503 (tried 11 times in 1m)"
    assert (type(error), error.remedy, error.http_status, error.attempts) == (Unavailable, "run again later", 503, 11)


def test_an_operation_has_five_minutes_or_less_where_its_caller_says_so() -> None:
    """Of the policy's budget and the caller's, the shorter."""
    for budget, seconds in ((None, 300), (60.0, 60), (900.0, 300)):
        operation = Operation(Unavailable("503"), policy=DEFAULT_POLICY)
        operation.refuse(budget)
        assert operation.clock.seconds == seconds


@pytest.mark.parametrize("kind", [Unreachable, NoAnswer, Exhausted, Unavailable, RateLimited])
def test_what_is_transient_is_tried_again(kind: type[HttpError]) -> None:
    """Until it goes through."""
    assert Operation(kind("no"), kind("no"), None).run() == ("done", 3)


@pytest.mark.parametrize("kind", [Rejected, Forbidden, NotFound, InTransition, HttpError])
def test_what_is_final_is_told_at_once(kind: type[HttpError]) -> None:
    """As it was said."""
    operation = Operation(kind("no"))
    error = operation.refuse()
    assert (error.message, error.attempts, operation.asked) == ("no", 1, 1)


@pytest.mark.parametrize(("asked", "waited"), [(7.0, 7.0), (0.0, 0.5), (999_999_999.0, 60.0)])
def test_the_other_end_may_ask_for_a_longer_wait(asked: float, waited: float) -> None:
    """Within what is left; the own wait is the least: nobody asks to be hammered."""
    operation = Operation(Unavailable("429", retry_after=asked), None)
    assert operation.run() == ("done", 2)
    assert operation.clock.slept == [waited]


def test_rate_limits_are_waited_out_with_a_patience_of_their_own() -> None:
    """A minute, two, four, or as asked: ten in all operations together, and no request earlier than asked for."""
    operation = Operation(RateLimited("403"))
    assert operation.refuse().attempts == 4
    assert operation.clock.slept == [60, 120, 240]
    asked = Operation(RateLimited("403", retry_after=601.0))
    assert asked.refuse().message == "403"
    assert asked.clock.slept == []


@pytest.mark.parametrize(
    ("ends", "may_have_reached"),
    [
        ([NoAnswer("", may_have_reached=True), Forbidden("403")], True),
        ([NoAnswer("", may_have_reached=True), Unreachable("refused")], True),
        ([NoAnswer("", may_have_reached=True), Rejected("400")], False),
        ([Unreachable("refused"), NotFound("404")], False),
    ],
)
def test_one_attempt_without_an_answer_leaves_it_open(ends: list[HttpError], *, may_have_reached: bool) -> None:
    """Whatever came later, unless the very same request was then rejected."""
    assert Operation(*ends).refuse().may_have_reached is may_have_reached


def test_a_stop_ends_the_waiting_at_once() -> None:
    """Nothing is tried again after it."""
    operation = Operation(Unavailable("503", retry_after=50.0))

    async def stopped() -> None:
        asyncio.get_running_loop().call_at(3, operation.give_up.set)
        await operation.retry.call(operation.attempt, method="PUT")

    with pytest.raises(Unavailable, match=r"^503$"):
        operation.clock.run(stopped())
    assert (operation.asked, operation.clock.seconds) == (1, 3)


def test_the_cause_stays_behind_the_last_error() -> None:
    """The library's own exception, for whoever reads a traceback."""
    error = NoAnswer("no whole answer")
    error.__cause__ = OSError("reset")
    final = Operation(error).refuse()
    assert (final.attempts > 1, final.__cause__) == (True, error.__cause__)
