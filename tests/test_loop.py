"""Rounds in virtual time."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from reconciler.errors import GitError, InvalidManifests, StalePlan, UsageError
from reconciler.loop import Due, LoopEvent, RoundBegun, RoundEnded, RoundScheduled, repeat
from reconciler.problem import Problem
from tests.fakes import FakeClock, FixedRandom


class Rounds:
    """Ends its rounds as it is told, then stops the loop; `began` are the moments at which they began.

    An end is the exit code of the one target, or of each, or an error. A round takes `seconds`, and the folder moves
    on at each of `moves`. `waited` are the targets that each round left out, `told` what was told.
    """

    seconds = 0.0

    def __init__(
        self, *ends: int | Mapping[str, int] | Exception, share: float = 0.5, moves: Sequence[float] = ()
    ) -> None:
        self.waited: list[list[str]] = []
        self.told: list[LoopEvent] = []
        self.ends = list(ends)
        self.moves = moves
        self.began: list[float] = []
        self.clock = FakeClock()
        self.random = FixedRandom(share)

    def run(self, interval: float = 300, *, once: bool = False, stop_at: float | None = None) -> int:
        return self.clock.run(self._repeat(interval, once=once, stop_at=stop_at))

    async def _repeat(self, interval: float, *, once: bool, stop_at: float | None) -> int:
        stop = asyncio.Event()
        if stop_at is not None:
            asyncio.get_running_loop().call_at(stop_at, stop.set)
        return await repeat(
            lambda waiting: self._round(stop.set, waiting),
            interval_seconds=interval,
            clock=self.clock,
            random=self.random,
            stop=stop,
            position=lambda: sum(moment <= self.clock.seconds for moment in self.moves),
            once=once,
            tell=self.told.append,
        )

    async def _round(self, stop: Callable[[], None], waiting: frozenset[str]) -> Mapping[str, int]:
        self.began.append(self.clock.seconds)
        self.waited.append(sorted(waiting))
        await self.clock.sleep(self.seconds)
        end = self.ends.pop(0)
        if not self.ends:
            stop()
        if isinstance(end, Exception):
            raise end
        codes = {"default": end} if isinstance(end, int) else end
        assert not waiting & codes.keys()
        return codes

    @property
    def waits(self) -> list[float]:
        return [round(later - earlier, 6) for earlier, later in pairwise(self.began)]


@pytest.mark.parametrize(("share", "wait"), [(0.0, 270.0), (0.5, 300.0), (1.0, 330.0)])
def test_rounds_are_an_interval_apart_give_or_take_a_tenth(share: float, wait: float) -> None:
    """Many loops spread out; drift, staleness and refusals are no failures."""
    rounds = Rounds(0, 2, 3, 4, 0, share=share)
    assert rounds.run() == 0
    assert rounds.waits == [wait] * 4


@pytest.mark.slow
def test_rounds_that_fail_back_off_up_to_ten_minutes() -> None:
    """Each waits twice as long as the one before, until one succeeds; a long interval is never shortened."""
    broken: list[int | Mapping[str, int] | Exception] = [1, GitError("no"), UsageError("no"), 1, 1]
    rounds = Rounds(*broken, StalePlan("moved"), 1, 0, 0, share=1.0)
    rounds.run(interval=100)
    assert rounds.waits == [220, 440, 600, 600, 600, 110, 220, 110]
    slow = Rounds(1, 1, 1)
    slow.run(interval=86400)
    assert slow.waits == [86400, 86400]


def test_a_target_that_fails_slows_no_other() -> None:
    """It backs off by itself, and is tried right after the others' round, not shortly before; well again, it is with them."""
    well = {"us": 0}
    rounds = Rounds({**well, "eu": 1}, well, well, {"eu": 1}, well, well, well, {"eu": 0}, {**well, "eu": 0})
    rounds.run(interval=200)
    assert list(zip(rounds.began, rounds.waited, strict=True)) == [
        (0, []),
        (200, ["eu"]),
        (400, ["eu"]),
        (pytest.approx(400.01), ["us"]),
        (600, ["eu"]),
        (800, ["eu"]),
        (1000, ["eu"]),
        (pytest.approx(1000.01), ["us"]),
        (1200, []),
    ]


def test_what_fails_is_tried_in_between_where_nobody_is_kept_waiting() -> None:
    """As long as it takes to be given up before the others' round; half an interval where they come faster."""
    for interval, alone in ((400, 545.4545), (240, 480.01)):
        rounds = Rounds({"us": 0, "eu": 1}, *[{"us": 0}] * int(alone // interval), {"eu": 1}, {"us": 0})
        rounds.run(interval=interval)
        assert rounds.began[-2] == pytest.approx(alone)


def test_a_fleet_that_cant_be_read_fails_for_all_of_it() -> None:
    """Each of its targets backs off, from where it was; what is no failure, such as a stale head, is none of theirs."""
    rounds = Rounds({"us": 0, "eu": 1}, {"us": 0}, GitError("no"), StalePlan("no"), {"eu": 0})
    rounds.run(interval=100)
    assert list(zip(rounds.began, rounds.waited, strict=True)) == [
        (0, []),
        (100, ["eu"]),
        (200, ["eu"]),
        (pytest.approx(200.01), ["us"]),
        (pytest.approx(300.01), ["us"]),
    ]


def test_what_is_logged_is_told_as_data() -> None:
    """Each round's begin and end, with the code of each target; when each target's next one begins."""
    rounds = Rounds({"us": 3, "eu": 1}, GitError("no"))
    rounds.seconds = 2
    rounds.run(interval=100)
    now = FakeClock().now()
    assert rounds.told == [
        RoundBegun(now, frozenset()),
        RoundEnded(now + 2, 2, 1, {"us": 3, "eu": 1}),
        RoundScheduled(now + 2, now + 102, {"us": Due(now + 102, 0), "eu": Due(now + 202, 1)}),
        RoundBegun(now + 102, frozenset({"eu"})),
        RoundEnded(now + 104, 2, 1, {}, (Problem("git", "no"),)),
    ]


def test_when_the_next_round_begins_is_logged() -> None:
    """Its moment, how long that is, and how many rounds have failed in a row; never after the last."""
    rounds = Rounds(1, 0, 0)
    with capture_logs() as logs:
        rounds.run(interval=100)
    told = {"event": "round.scheduled", "log_level": "info"}
    assert [log for log in logs if log["event"] == "round.scheduled"] == [
        {**told, "at": "2027-01-15T08:03:20.000Z", "seconds": 200.0, "failures": 1},
        {**told, "at": "2027-01-15T08:05:00.000Z", "seconds": 100.0, "failures": 0},
    ]


def test_a_folder_that_has_moved_on_starts_a_round_at_once() -> None:
    """Within five seconds, once a move, and told; the round after it is an interval away again."""
    rounds = Rounds(0, 0, 0, 0, moves=[61])
    with capture_logs() as logs:
        rounds.run()
    assert rounds.began == [0, 65, 365, 665]
    assert [log for log in logs if log["event"] == "folder.moved"] == [
        {"event": "folder.moved", "log_level": "info", "seconds_early": 235.0}
    ]


def test_a_folder_that_moves_during_a_round_starts_the_next_at_once() -> None:
    """What came too late for the round was not seen by it."""
    rounds = Rounds(0, 0, 0, moves=[5])
    rounds.seconds = 20
    rounds.run()
    assert rounds.began == [0, 25, 345]


def test_a_folder_that_has_moved_on_ends_the_backoff() -> None:
    """What failed was something else; a round that fails again waits from the start."""
    rounds = Rounds(1, 1, 1, 1, 0, moves=[250])
    rounds.run(interval=100)
    assert rounds.began == [0, 200, 250, 450, 850]


def test_a_stop_ends_the_wait_at_once() -> None:
    """With the code of the last round."""
    rounds = Rounds(0, 4, 0)
    assert rounds.run(stop_at=400) == 4
    assert (rounds.began, rounds.clock.seconds) == ([0, 300], 400)


@pytest.mark.parametrize(
    ("end", "code"), [(0, 0), (1, 1), (4, 4), (GitError("no"), 1), (UsageError("no"), 64), (StalePlan("no"), 4)]
)
def test_once_is_one_round_and_ends_as_that_command_would(end: int | Exception, code: int) -> None:
    """For cron: the round's own exit code, an error's too, and no wait."""
    rounds = Rounds(end, 0)
    assert rounds.run(once=True) == code
    assert (rounds.began, rounds.clock.seconds) == ([0], 0)


def test_an_error_is_told_with_all_that_is_wrong() -> None:
    """One event a problem: what, where, and how to mend it; then the round's end."""
    problems = [
        Problem(
            "manifest", "shard_count is 0", "it must be at least 1", cluster="orders", file="m.yaml", line=3, column=14
        ),
        Problem("manifest", "the file is not UTF-8"),
    ]
    with capture_logs() as logs:
        Rounds(InvalidManifests(problems)).run(once=True)
    failed = {"event": "round.failed", "log_level": "error", "kind": "manifest"}
    assert logs == [
        {
            **failed,
            "error": "shard_count is 0",
            "cluster": "orders",
            "place": "m.yaml:3:14",
            "remedy": "it must be at least 1",
        },
        {**failed, "error": "the file is not UTF-8", "cluster": None, "place": None, "remedy": None},
        {"event": "round.ended", "log_level": "info", "exit_code": 1, "seconds": 0.0},
    ]


def test_a_broken_program_does_not_go_on() -> None:
    """Only the program's own errors are survived."""
    with pytest.raises(ZeroDivisionError):
        Rounds(ZeroDivisionError(), 0).run()
