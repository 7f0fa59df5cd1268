"""libyaml's events of a text, which is read as YAML 1.2 says, whatever libyaml itself would make of it."""

from collections.abc import Callable
from typing import Any, TypeAlias

from yaml._yaml import CParser
from yaml.events import ScalarEvent

from reconciler.desired.stand_ins import readable, restored

Key: TypeAlias = str | int
KeyPath: TypeAlias = tuple[Key, ...]
Position: TypeAlias = tuple[int, int]
"""Line and column, from 1."""


def events_of(text: str) -> Callable[[], Any]:
    """Gives one event a call, and None after the last; raises yaml.YAMLError."""
    given = readable(text)
    get_event: Callable[[], Any] = CParser(given).get_event
    return get_event if given == text else _restoring(get_event)


def position_of(mark: Any) -> Position:
    """As people count, of libyaml's mark."""
    return mark.line + 1, mark.column + 1


def _restoring(get_event: Callable[[], Any]) -> Callable[[], Any]:
    def restoring() -> Any:
        event = get_event()
        if type(event) is ScalarEvent:
            event.value = restored(event.value, event.style)
        return event

    return restoring
