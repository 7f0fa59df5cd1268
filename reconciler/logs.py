"""structlog, set up once a process: one event a line.

How a line looks, and what must not stand in it, is told from outside; event names stand in `docs/commands.md`.
"""

import logging
from collections.abc import Callable, MutableMapping
from typing import Any, Final, TypeAlias

import structlog

LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

LogEvent: TypeAlias = MutableMapping[str, Any]


def configure(
    write_line: Callable[[str], object],
    *,
    level: str,
    render: Callable[[LogEvent], str],
    timestamp: Callable[[], str],
    run_id: str,
    is_shown: Callable[[str], bool] = lambda _level: True,
) -> None:
    """Write all events of this process, each as the one line that `render` makes of it.

    `write_line` must not raise: a log that can't be written ends no run. `is_shown` says of an event's level whether
    it is written now.
    """

    def dropped_unless_shown(_logger: object, method: str, event: LogEvent) -> LogEvent:
        if not is_shown(method):
            raise structlog.DropEvent
        return event

    def stamp(_logger: object, _method: str, event: LogEvent) -> LogEvent:
        return {"timestamp": timestamp(), "run_id": run_id, **event}

    def rendered(_logger: object, _method: str, event: LogEvent) -> str:
        return render(event)

    structlog.reset_defaults()
    structlog.configure(
        processors=[
            dropped_unless_shown,
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            stamp,
            rendered,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda: _Lines(write_line),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.clear_contextvars()
    logging.basicConfig(level=logging.WARNING, handlers=[_Libraries()], force=True)


def drop_unless_configured() -> None:
    """Drop all events where nobody has said where they go: left alone, structlog would print them to stdout."""
    if not structlog.is_configured():
        structlog.configure(processors=[_drop])


def _drop(_logger: object, _method: str, _event: LogEvent) -> LogEvent:
    raise structlog.DropEvent


class _Libraries(logging.Handler):
    """What asyncio and other libraries warn of, as events: left alone it would be lines of their own on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one."""
        log = structlog.get_logger()
        level = logging.ERROR if record.levelno >= logging.ERROR else logging.WARNING
        log.log(level, "library.warned", library=record.name, error=record.getMessage(), exc_info=record.exc_info)


class _Lines:
    """What structlog hands finished lines to."""

    def __init__(self, write_line: Callable[[str], object]) -> None:
        self._write_line = write_line

    def msg(self, line: str) -> None:
        """Write one."""
        self._write_line(f"{line}\n")

    debug = info = warning = error = critical = msg
