"""Log events as lines: JSON for machines, a readable line for a terminal; every value harmless, and without any key."""

import json
from collections.abc import Callable, Iterable
from typing import Any, Final, Literal, TypeAlias

from reconciler.logs import LogEvent
from reconciler.model.secret import ApiKey, redact_values
from reconciler.model.text import printable

LogFormat: TypeAlias = Literal["auto", "console", "json"]

_LONGEST_TEXT: Final = 1000
_LONGEST_VALUE: Final = 4000
"""Characters of a value of an event, whoever reads it; a store of logs drops, or breaks, a line that is a page."""
_LONGEST_TRACEBACK: Final = 20_000
_MOST_ITEMS: Final = 1000


def line_of(*, as_json: bool, keys: Iterable[ApiKey]) -> Callable[[LogEvent], str]:
    """What makes a line of an event; `keys` may still grow, and never appear in one."""

    def rendered(event: LogEvent) -> str:
        clean: Any = _cut(redact_values(_plain(event), keys))  # half a key would not be found
        return json_line(clean) if as_json else console_line(clean)

    return rendered


def _plain(value: object) -> object:
    """JSON values; what is none is the text that it shows itself by, so that a key in it is found."""
    match value:
        case dict():
            return {str(name): _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case str() | bool() | int() | float() | None:
            return value
    return str(value)


def _cut(value: Any, key: str = "") -> Any:
    """What is no longer than a line may be: of a text its beginning, of a traceback its end, which says what it was."""
    match value:
        case str() if key == "exception" and len(value) > _LONGEST_TRACEBACK:
            return f"…{value[1 - _LONGEST_TRACEBACK :]}"
        case str() if key != "exception" and len(value) > _LONGEST_VALUE:
            return f"{value[: _LONGEST_VALUE - 1]}…"
        case dict():
            return {name: _cut(item, name) for name, item in value.items()}
        case list():
            more = [f"… {len(value) - _MOST_ITEMS} more"] if len(value) > _MOST_ITEMS else []
            return [*map(_cut, value[:_MOST_ITEMS]), *more]
    return value


def json_line(event: LogEvent) -> str:
    """One event as one line of ASCII JSON; fields that are None are left out."""
    ordered = {key: event[key] for key in ("timestamp", "level", "event") if key in event}
    values = {key: value for key, value in {**ordered, **event}.items() if value is not None}
    return json.dumps(values, ensure_ascii=True).replace("##", "#\\u0023")


def console_line(event: LogEvent) -> str:
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
