"""Rounds in virtual time."""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import pytest
import structlog
from structlog.testing import capture_logs

from reconciler.errors import GitError, InvalidManifests, StalePlan, UsageError
from reconciler.loop.events import (
    Due,
    LoopEvent,
    RoundBegun,
    RoundEnded,
    RoundScheduled,
    TargetsEnded,
    TargetsJoined,
    TargetsPutAside,
)
from reconciler.loop.repeat import repeat
from reconciler.loop.steps import Ended, Joined, PutAside, Round, Step
from reconciler.problem import Problem
from tests.fakes import FakeClock, FixedRandom


class Rounds:
    """Ends its rounds as it is told, then stops the loop; `began` are the moments at which they began.

    An end is the exit code of the one target, or of each, or an error. A round takes `seconds`, and the folder moves
    on at each of `moves`. `without` are the targets that each round left out, `told` what was told.
    """

    seconds = 0.0

    def __init__(
        self, *ends: int | Mapping[str, int] | Exception, share: float = 0.5, moves: Sequence[float] = ()
    ) -> None:
        self.without: list[list[str]] = []
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
            lambda asked, step: self._round(stop.set, asked, step),
            interval_seconds=interval,
            clock=self.clock,
            random=self.random,
            stop=stop,
            position=lambda: sum(moment <= self.clock.seconds for moment in self.moves),
            once=once,
            tell=self.told.append,
        )

    async def _round(self, stop: Callable[[], None], asked: Round, step: Callable[[Step], None]) -> None:
        self.began.append(self.clock.seconds)
        self.without.append(sorted(asked.without))
        end = self.ends.pop(0)
        codes = {"default": end} if isinstance(end, int) else end
        if not isinstance(codes, Exception):
            assert not asked.without & codes.keys()
            step(Joined({*codes, *asked.without}))
        await self.clock.sleep(self.seconds)
        if not self.ends:
            stop()
        if isinstance(codes, Exception):
            raise codes
        step(Ended(codes))

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
    """It backs off by itself, and is tried apart from the others, even at the same moment; well again, it is with them."""
    well = {"us": 0}
    rounds = Rounds({**well, "eu": 1}, well, well, {"eu": 1}, well, well, {"eu": 0}, {**well, "eu": 0})
    rounds.run(interval=200)
    assert list(zip(rounds.began, rounds.without, strict=True)) == [
        (0, []),
        (200, ["eu"]),
        (400, ["eu"]),
        (400, ["us"]),
        (600, ["eu"]),
        (800, ["eu"]),
        (pytest.approx(400 + 600 / 1.1), ["us"]),
        (1000, []),
    ]


def test_a_fleet_that_cant_be_read_fails_for_all_of_it() -> None:
    """Each of its targets backs off, from where it was; what is no failure, such as a stale head, is none of theirs."""
    rounds = Rounds({"us": 0, "eu": 1}, {"us": 0}, GitError("no"), StalePlan("no"), {"eu": 0}, {"eu": 0}, {"us": 0})
    rounds.run(interval=100)
    assert list(zip(rounds.began, rounds.without, strict=True)) == [
        (0, []),
        (100, ["eu"]),
        (200, ["eu"]),
        (200, ["us"]),
        (300, ["us"]),
        (400, ["us"]),
        (400, ["eu"]),
    ]


def test_what_is_logged_is_told_as_data() -> None:
    """Each round's begin and end, with the code of each target; when each target's next one begins."""
    rounds = Rounds({"us": 3, "eu": 1}, GitError("no"))
    rounds.seconds = 2
    rounds.run(interval=100)
    now = FakeClock().now()
    both, us = frozenset({"us", "eu"}), frozenset({"us"})
    assert rounds.told == [
        RoundBegun(now, 1, frozenset()),
        TargetsJoined(now, 1, both),
        TargetsEnded(now + 2, 1, 2, {"us": 3, "eu": 1}),
        RoundEnded(now + 2, 1, 2, 1),
        RoundScheduled(now + 2, now + 102, {"us": Due(now + 102, 0), "eu": Due(now + 202, 1)}),
        RoundBegun(now + 102, 2, us),
        TargetsEnded(now + 104, 2, 2, {"us": 1}),
        RoundEnded(now + 104, 2, 2, 1, us, (Problem("git", "no"),)),
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
    assert rounds.began == [0, 20, 340]


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
    failed = {"event": "round.failed", "log_level": "error", "round": 1, "kind": "manifest"}
    assert logs == [
        {
            **failed,
            "error": "shard_count is 0",
            "cluster": "orders",
            "place": "m.yaml:3:14",
            "remedy": "it must be at least 1",
        },
        {**failed, "error": "the file is not UTF-8", "cluster": None, "place": None, "remedy": None},
        {"event": "round.ended", "log_level": "info", "round": 1, "exit_code": 1, "seconds": 0.0},
    ]


def test_what_a_round_logs_says_which_round_it_is_of() -> None:
    """Also while another is under way; what is of none, such as when the next begins, says none."""
    targets = Targets(150, slow=[130], well=[0])
    with capture_logs([structlog.contextvars.merge_contextvars]) as logs:
        targets.run()
    assert [(one["event"], one.get("target"), one.get("round")) for one in logs] == [
        ("seen", "well", 1),
        ("round.scheduled", None, None),
        ("seen", "well", 2),
        ("round.ended", None, 2),
        ("round.scheduled", None, None),
        ("seen", "slow", 1),
        ("round.ended", None, 1),
        ("round.scheduled", None, None),
    ]


def test_a_broken_program_does_not_go_on() -> None:
    """Only the program's own errors are survived."""
    with pytest.raises(ZeroDivisionError):
        Rounds(ZeroDivisionError(), 0).run()


class Targets:
    """Targets that each take as long as they are told to, round by round, the last time again and again.

    `aside` are put aside where others are in the round; `held` ones have something to delete. `rounds` are when each
    round began, and of whom; `until` is when it all stops. The folder moves on at each of `moves`, and from its moment
    on one that is `gone` is not in the fleet.
    """

    def __init__(self, until: float, aside: str = "", held: str = "", **seconds: Sequence[float]) -> None:
        self.rounds: list[tuple[float, list[str]]] = []
        self.patient: list[float] = []
        self.clock = FakeClock()
        self.under_way: list[str] = []
        self.moves: Sequence[float] = ()
        self.gone: Mapping[str, float] = {}
        self.told: list[LoopEvent] = []
        self.broken: float | None = None
        self.second_stop: float | None = None
        self._until = until
        self._held = held
        self._aside = aside
        self._seconds = {name: [*times] for name, times in seconds.items()}

    def run(self) -> int:
        return self.clock.run(self._repeat())

    async def _repeat(self) -> int:
        stop, task = asyncio.Event(), asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().call_at(self._until, stop.set)
        if self.second_stop is not None:
            asyncio.get_running_loop().call_at(self.second_stop, task.cancel)
        return await repeat(
            self._one,
            interval_seconds=100,
            clock=self.clock,
            random=FixedRandom(0.5),
            stop=stop,
            position=lambda: sum(moment <= self.clock.seconds for moment in self.moves),
            tell=self.told.append,
        )

    async def _one(self, asked: Round, step: Callable[[Step], None]) -> None:
        fleet = [name for name in self._seconds if self.gone.get(name, math.inf) > self.clock.seconds]
        names = [name for name in fleet if name not in asked.without]
        self.rounds.append((self.clock.seconds, [*names]))
        self.patient += [self.clock.seconds] if asked.patient else []
        if self.broken == self.clock.seconds:
            raise ZeroDivisionError
        step(Joined(fleet))
        if len(names) > 1 and self._aside in names:
            step(PutAside([self._aside]))
            names.remove(self._aside)
        targets = [asyncio.create_task(self._target(name, step)) for name in names]
        try:
            await asyncio.wait(targets)
        except asyncio.CancelledError:
            for target in targets:
                target.cancel()
            await asyncio.wait(targets)
        for target in targets:
            target.result()

    async def _target(self, name: str, step: Callable[[Step], None]) -> None:
        assert name not in self.under_way
        self.under_way.append(name)
        times = self._seconds[name]
        seconds = times.pop(0) if len(times) > 1 else times[0]
        try:
            await self.clock.sleep(abs(seconds))
        except asyncio.CancelledError:
            if seconds < 0:  # its results come back all the same
                step(Ended({name: 4}))
                return
            raise
        finally:
            self.under_way.remove(name)
        structlog.get_logger().info("seen", target=name)
        step(Ended({name: 0}, frozenset({self._held}) & {name}))


def test_a_target_that_takes_long_slows_no_other() -> None:
    """Its round goes on by itself, and the others have theirs at the interval; then it is with them again."""
    targets = Targets(750, slow=[430, 0], well=[0], other=[10, 0])
    targets.run()
    assert targets.rounds == [
        (0, ["slow", "well", "other"]),
        *((at, ["well", "other"]) for at in (100, 200, 300, 400)),
        *((at, ["slow", "well", "other"]) for at in (500, 600, 700)),
    ]


def test_a_target_that_is_put_aside_is_looked_at_by_itself_at_once() -> None:
    """The others' round goes on without it, and they keep their interval."""
    targets = Targets(250, aside="silent", silent=[90], well=[1])
    targets.run()
    assert targets.rounds == [
        (0, ["silent", "well"]),
        (0, ["silent"]),
        (101, ["silent", "well"]),
        (101, ["silent"]),
        (202, ["silent", "well"]),
        (202, ["silent"]),
    ]
    assert TargetsPutAside(targets.clock.now() - targets.clock.seconds, 1, frozenset({"silent"})) in targets.told


def test_a_round_that_may_delete_waits_for_everybody() -> None:
    """Else a service that is always late would keep for ever what may only go once it is seen to stand."""
    targets = Targets(450, held="well", slow=[150, 0], well=[0])
    targets.run()
    assert targets.rounds == [
        (0, ["slow", "well"]),
        (100, ["well"]),
        *((at, ["slow", "well"]) for at in (200, 300, 400)),
    ]
    assert targets.patient == [200, 300, 400]


def test_a_folder_that_moves_is_seen_by_each_target_as_soon_as_it_can_be() -> None:
    """By one that is in a round as soon as that has ended, and not before."""
    targets = Targets(240, slow=[130, 0], well=[0])
    targets.moves = [42]
    targets.run()
    assert targets.rounds == [
        (0, ["slow", "well"]),
        (45, ["well"]),
        (130, ["slow"]),
        (145, ["slow", "well"]),
    ]


def test_a_target_that_leaves_the_fleet_in_its_round_is_told_of_no_more() -> None:
    """Its round is seen through, and counts; nobody who was told that it is gone hears that it has ended."""
    targets = Targets(240, gone=[130], well=[0])
    targets.moves, targets.gone = [42], {"gone": 42}
    targets.run()
    assert targets.rounds == [(0, ["gone", "well"]), (45, ["well"]), (145, ["well"])]
    assert {name for event in targets.told if isinstance(event, TargetsEnded) for name in event.codes} == {"well"}
    assert sum(isinstance(event, RoundEnded) for event in targets.told) == 3


def test_a_stop_waits_for_all_rounds_and_begins_none() -> None:
    """What is in flight ends in good order; the exit code is the worst of these."""
    targets = Targets(150, slow=[400], other=[0, 60], well=[0])
    assert targets.run() == 0
    assert targets.rounds == [(0, ["slow", "other", "well"]), (100, ["other", "well"])]
    assert (targets.under_way, targets.clock.seconds) == ([], 400)


def test_a_second_stop_cuts_all_rounds_off_and_takes_what_comes_back() -> None:
    """As far as each has come; where one has nothing to tell, there is no code but the signal's."""
    told = Targets(150, slow=[-400], other=[0, -500], well=[0])
    told.second_stop = 160
    assert told.run() == 4
    assert (told.under_way, told.clock.seconds) == ([], 160)
    assert sum(isinstance(event, RoundEnded) for event in told.told) == 2
    untold = Targets(150, slow=[-400], other=[0, 500], well=[0])
    untold.second_stop = 160
    with pytest.raises(asyncio.CancelledError):
        untold.run()
    assert untold.under_way == []


def test_a_broken_program_leaves_no_round_under_way() -> None:
    """Each of them comes back first."""
    targets = Targets(500, slow=[-400], well=[0])
    targets.broken = 100
    with pytest.raises(ZeroDivisionError):
        targets.run()
    assert (targets.under_way, targets.clock.seconds) == ([], 100)
