"""structlog, set up once a process: one event a line on stderr, JSON for machines, a readable line for a terminal.

Event names are stable, dotted and in the past tense: `plan.computed`, `change.accepted`, `change.applied`,
`change.failed`, `change.skipped`, `change.stale`, `change.unknown`, `cluster.settled`, `clusters.awaited`,
`applied.recorded`, `applied.superseded`, `applied.unrecorded`, `apply.cancelled`, `endpoint.ignored`,
`manifest.skipped`, `poll.failed`, `request.retried`, `round.ended`, `round.failed`, `round.broke`, `run.interrupted`,
`github.untold`. They carry `run_id`, and `target`, `cluster`, `action`, `seconds`, `attempt`, `http_status` where these
apply.
"""

import json
import logging
from collections.abc import Callable, Collection, MutableMapping
from typing import Any, Literal, TextIO, TypeAlias

import structlog

from reconciler.clock import Clock, iso_timestamp
from reconciler.model.secret import ApiKey, redact
from reconciler.model.text import printable

LogFormat: TypeAlias = Literal["auto", "console", "json"]
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}

_Event: TypeAlias = MutableMapping[str, Any]
_LONGEST_TEXT = 1000


def configure(
    stream: TextIO, *, level: str, log_format: LogFormat, clock: Clock, keys: Collection[ApiKey], run_id: str
) -> None:
    """Send all events of this process to the stream; `keys` may still grow, and never appear in an event."""
    as_json = log_format == "json" or (log_format == "auto" and not stream.isatty())

    def stamp(_logger: object, _method: str, event: _Event) -> _Event:
        return {"timestamp": iso_timestamp(clock.now()), "run_id": run_id, **event}

    def write(_logger: object, _method: str, event: _Event) -> str:
        clean = {name: _without_keys(value, keys) for name, value in event.items()}
        line = json_line(clean) if as_json else console_line(clean)
        return redact(line, keys)  # once more: an object may show one only when it is written

    structlog.reset_defaults()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            stamp,
            write,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=_to(stream),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.clear_contextvars()


def _without_keys(value: object, keys: Collection[ApiKey]) -> object:
    """The value without any key, before it is cut or escaped: half of a key, or one escaped twice, isn't found."""
    match value:
        case str():
            return redact(value, keys)
        case dict():
            return {name: _without_keys(item, keys) for name, item in value.items()}
        case list() | tuple():
            return [_without_keys(item, keys) for item in value]
    return value


def json_line(event: _Event) -> str:
    """One event as one line of ASCII JSON; fields that are None are left out."""
    ordered = {key: event[key] for key in ("timestamp", "level", "event") if key in event}
    values = {key: value for key, value in {**ordered, **event}.items() if value is not None}
    return json.dumps(values, default=str, ensure_ascii=True).replace("##", "#\\u0023")


def console_line(event: _Event) -> str:
    """`02:00:17 change.applied cluster=orders seconds=1.2`: time, event, then fields, each made harmless."""
    time = str(event.get("timestamp", ""))[11:19]
    level = str(event.get("level", ""))
    fields = {k: v for k, v in event.items() if k not in {"timestamp", "level", "event", "run_id"} and v is not None}
    said = "".join(f" {key}={_field(key, value)}" for key, value in fields.items())
    loud = f" {level}:" if level in {"warning", "error"} else ""
    return f"{time}{loud} {printable(str(event.get('event', '')))}{said}"


def _field(key: str, value: object) -> str:
    limit = None if key == "exception" else _LONGEST_TEXT  # a traceback says at its end what happened
    text = printable(str(value), limit)
    return json.dumps(text, ensure_ascii=False) if not text or any(c in text for c in ' "=') else text


def _to(stream: TextIO) -> Callable[..., structlog.WriteLogger]:
    return structlog.WriteLoggerFactory(file=stream)
