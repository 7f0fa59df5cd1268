"""Events as machines and people read them."""

import io
import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.log_lines import console_line, json_line, line_of
from reconciler.clock import iso_timestamp
from reconciler.logs import configure
from reconciler.model.secret import ApiKey
from reconciler.model.text import printable
from tests.fakes import FakeClock

KEY = "k\"e\\y&<'-very-secret"


Start = Callable[..., io.StringIO]


@pytest.fixture
def start() -> Iterator[Start]:
    """Set the logs up as a process does; the stream that they go to."""

    def configured(
        *,
        level: str = "info",
        as_json: bool = True,
        keys: list[ApiKey] | None = None,
    ) -> io.StringIO:
        stream = io.StringIO()
        known = [ApiKey(KEY)] if keys is None else keys
        render = line_of(as_json=as_json, keys=known)
        configure(
            stream.write,
            level=level,
            render=render,
            timestamp=lambda: iso_timestamp(FakeClock().now()),
            run_id="cafe",
        )
        return stream

    yield configured
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


log = structlog.get_logger()


def failed(why: object, cause: LookupError | None = None) -> LookupError:
    """An error that was raised, in a frame that holds something."""
    held = {"why": why, "value": "a local value"}
    with pytest.raises(LookupError) as caught:
        raise LookupError(held["why"]) from cause
    return caught.value


def test_a_machine_reads_one_json_object_a_line(start: Start) -> None:
    """JSON, in one order, without what isn't known; every event with its run, from any thread."""
    stream = start()
    with structlog.contextvars.bound_contextvars(target="us-east-1"):
        log.info("change.applied", cluster="orders", seconds=1.25, http_status=None)
    thread = threading.Thread(target=lambda: log.warning("request.retried", attempt=1))
    thread.start()
    thread.join()
    stamp = '{"timestamp": "2027-01-15T08:00:00.000Z", "level": '
    assert stream.getvalue() == (
        f'{stamp}"info", "event": "change.applied", "run_id": "cafe", "cluster": "orders",'
        ' "seconds": 1.25, "target": "us-east-1"}\n'
        f'{stamp}"warning", "event": "request.retried", "run_id": "cafe", "attempt": 1}}\n'
    )


def test_a_person_reads_one_plain_line(start: Start) -> None:
    """Time, event, fields; loud where something is wrong, quoted where a value has spaces."""
    stream = start(as_json=False)
    log.info("change.applied", cluster="orders", seconds=1.25, http_status=None)
    log.error("change.failed", cluster="a=b", error='500: "no"\n::error::x', kind="")
    assert stream.getvalue() == (
        "08:00:00 change.applied cluster=orders seconds=1.25\n"
        '08:00:00 error: change.failed cluster="a=b" error="500: \\"no\\"\\\\n::error::x" kind=""\n'
    )


def test_what_is_below_the_level_is_not_told(start: Start) -> None:
    """And what isn't, is."""
    told = {}
    for level in ("debug", "info", "warning", "error"):
        stream = start(level=level)
        for method in ("debug", "info", "warning", "error"):
            getattr(log, method)(f"a.{method}")
        told[level] = [json.loads(line)["level"] for line in stream.getvalue().splitlines()]
    everything = ["debug", "info", "warning", "error"]
    assert told == {level: everything[position:] for position, level in enumerate(everything)}


@pytest.mark.parametrize("as_json", [False, True])
def test_no_event_holds_a_key(start: Start, as_json: bool) -> None:
    """In a text, an escaped text, a list, an error's traceback or at the place where a long value is cut: no piece."""
    keys: list[ApiKey] = []
    stream = start(as_json=as_json, keys=keys)
    keys.append(ApiKey(KEY))  # read after the logs were set up
    log.info("a", raw=KEY, json=json.dumps({"key": KEY}), shown=repr(KEY), listed=[KEY, {"key": KEY}], key=keys[0])
    log.info("b", cut="x" * 990 + KEY, marked=f"##{KEY}")
    log.error("c", exc_info=failed(f"the service said {KEY}"))
    lines = stream.getvalue()
    assert len(lines.splitlines()) == 3
    assert not [KEY[at : at + 5] for at in range(len(KEY) - 4) if KEY[at : at + 5] in lines]
    assert "the service said (api key)" in lines
    assert "##[" not in lines


@pytest.mark.parametrize("as_json", [False, True])
def test_a_traceback_says_what_happened_and_shows_no_local(start: Start, as_json: bool) -> None:
    """To its last line, however long it is; what a frame holds is nobody's business."""
    stream = start(as_json=as_json)
    error = None
    for why in [*range(20), "at the bottom"]:
        error = failed(why, error)
    log.error("round.broke", exc_info=error)
    assert "LookupError: at the bottom" in stream.getvalue()
    assert "a local value" not in stream.getvalue()


@given(st.one_of(st.text(), st.lists(st.sampled_from(["::error::", "##[", "#", "[", "\n", "\r", "\u2028", "\x1b["]))))
def test_no_value_breaks_a_line_or_steers_what_reads_it(value: Any) -> None:
    """One line of harmless characters that starts no workflow command; and JSON keeps the value as it was."""
    text = value if isinstance(value, str) else "".join(value)
    event = {"timestamp": "2027-01-15T08:00:00.000Z", "level": "info", "event": text, "cluster": text, "more": [text]}
    for line in (json_line(event), console_line(event)):
        assert printable(line) == line
        assert not line.lstrip().startswith("::")
        assert "##[" not in line
    assert json.loads(json_line(event)) == event


def test_what_a_library_warns_of_is_an_event(start: Start) -> None:
    """Asyncio does, of what its callbacks raise: as a line of its own it would be none that a machine reads."""
    stream = start()
    logging.getLogger("httpx").info("HTTP Request: GET /cluster")
    logging.getLogger("asyncio").error("Task exception was never retrieved\n%s", KEY, exc_info=failed(KEY))
    (line,) = stream.getvalue().splitlines()
    event = json.loads(line)
    assert (event["level"], event["event"], event["library"]) == ("error", "library.warned", "asyncio")
    assert event["error"] == "Task exception was never retrieved\n(api key)"
    assert "LookupError" in event["exception"]
    assert KEY not in event["exception"]


def test_no_value_of_an_event_is_a_page(start: Start) -> None:
    """Cut when the key is out of it, so that no half of one is left; a traceback keeps its end."""
    stream = start()
    log.warning("request.retried", error="x" * 3990 + KEY + "y" * 100_000, names=["n" * 5000, *["n"] * 1049])
    log.warning("request.retried", error="x" * 4000, exception=KEY + "z" * 100_000 + "last")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first["error"] == "x" * 3990 + "(api key)…"
    assert [len(first["names"]), first["names"][-1]] == [1001, "… 50 more"]
    assert [len(name) for name in first["names"][:2]] == [4000, 1]
    assert second["error"] == "x" * 4000
    assert len(second["exception"]) == 20_000
    assert second["exception"].startswith("…z")
    assert second["exception"].endswith("zlast")
