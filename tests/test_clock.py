"""Time, and durations as people write them."""

import asyncio

import pytest

from reconciler.clock import SeededRandom, format_duration, iso_timestamp, parse_duration, parse_moment, sleep_until
from tests.fakes import FakeClock


@pytest.mark.parametrize(
    ("text", "seconds"), [("250ms", 0.25), ("90s", 90), ("1.5m", 90), ("1h30m", 5400), ("2h", 7200), ("30d", 2592000)]
)
def test_a_duration_has_a_unit(text: str, seconds: float) -> None:
    """Numbers and units, one after the other."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "5 m", "5M", "5m!", "1e3s", "٣s", "inf", "9" * 400 + "d"])
def test_no_unit_is_guessed(text: str) -> None:
    """What isn't a duration is refused, with a way to write one."""
    with pytest.raises(ValueError, match="is not a duration: write a number and a unit, such as 30s, 5m, 2h or 30d"):
        parse_duration(text)


def test_moments_and_durations_are_short() -> None:
    """Two units at most, milliseconds that aren't cut off, always UTC."""
    written = [format_duration(seconds) for seconds in (0, 0.4, 9.96, 59.6, 185, 3600, 90061, 2592000)]
    assert written == ["0s", "0.4s", "10s", "1m", "3m 5s", "1h", "1d 1h", "30d"]
    assert iso_timestamp(1_769_903_999.123) == "2026-01-31T23:59:59.123Z"
    assert iso_timestamp(1.001) == "1970-01-01T00:00:01.001Z"


def test_a_sleep_ends_when_it_is_over_or_when_the_event_comes() -> None:
    """Whichever is first; it says which."""

    async def sleeper(clock: FakeClock, event_at: float | None) -> tuple[bool, float]:
        event = asyncio.Event()
        if event_at is not None:
            asyncio.get_running_loop().call_at(event_at, event.set)
        return await sleep_until(event, clock, 10), clock.seconds

    def outcome(event_at: float | None) -> tuple[bool, float]:
        clock = FakeClock()
        return clock.run(sleeper(clock, event_at))

    assert [outcome(at) for at in (None, 4, 0, 20)] == [(False, 10), (True, 4), (True, 0), (False, 10)]


def test_a_clock_that_fails_is_no_clock_that_is_done() -> None:
    """Its error comes through: a loop must not spin."""

    class Broken(FakeClock):
        async def sleep(self, seconds: float) -> None:
            raise RuntimeError(f"no sleep of {seconds}")

    with pytest.raises(RuntimeError, match="no sleep of 10"):
        asyncio.run(sleep_until(asyncio.Event(), Broken(), 10))


def test_chance_with_a_seed_repeats_itself() -> None:
    """What happened once can be made to happen again."""
    first, second = SeededRandom(7), SeededRandom(7)
    drawn = [first.uniform(2, 3) for _ in range(5)]
    assert drawn == [second.uniform(2, 3) for _ in range(5)]
    assert all(2 <= number <= 3 for number in drawn)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2027-01-15T08:00Z", 1_800_000_000),
        ("2027-01-15T08:00:30.5Z", 1_800_000_030.5),
        ("2027-01-15T10:00:00+02:00", 1_800_000_000),
        ("2027-01-15 08:00Z", 1_800_000_000),
    ],
)
def test_a_moment_is_read_as_people_write_it(text: str, moment: float) -> None:
    """With Z or an offset."""
    assert parse_moment(text) == moment


@pytest.mark.parametrize(
    "text", ["", "2027-01-15", "2027-01-15T08:00", "08:00Z", "2027-13-15T08:00Z", "soon", "1800000000"]
)
def test_what_names_no_moment_is_refused(text: str) -> None:
    """A local time least of all: it is another in each place."""
    with pytest.raises(ValueError, match="is not a date and time: write a date, a time and Z or an offset"):
        parse_moment(text)
