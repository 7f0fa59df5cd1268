"""In what a service may differ from another that fits the document as well: each is a switch, all can be combined.

This page knows how they are written and what they are called; what they do is `lifecycle`'s and the store's.
"""

import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any, Literal, TypeAlias

from reconciler.clock import parse_duration

SCALARS = ("description", "node_instance_type", "shard_count", "replication_factor", "enforce_shard_multi_az")
FIELDS = (*SCALARS, "shard_placements")
"""What PUT takes."""

UpdatesListed: TypeAlias = Literal["at-once", "settled"]


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A service that holds another value than it was sent: `pattern` in the field's text becomes `replacement`.

    What isn't text is rewritten as its JSON, and stays as it is where that would make another type of it.
    """

    field: str
    pattern: re.Pattern[str]
    replacement: str

    def __call__(self, value: Any) -> Any:
        """The value that is held for the one that was sent."""
        if isinstance(value, str):
            return self.pattern.sub(self.replacement, value)
        try:
            held = json.loads(self.pattern.sub(self.replacement, json.dumps(value)))
        except ValueError:
            return value
        return held if type(held) is type(value) else value

    @classmethod
    def parse(cls, text: str) -> "Rewrite":
        r"""`node_instance_type/^cache\.//`: field, pattern and replacement, none of them with a slash in it."""
        field, *rest = text.split("/")
        if field not in SCALARS or len(rest) != 3 or rest[2]:
            raise ValueError(f"{text!r} is not FIELD/REGEX/NEW/, with FIELD one of {', '.join(SCALARS)}")
        try:
            pattern = re.compile(rest[0])
            pattern.sub(rest[1], "")
        except (re.error, IndexError) as error:
            raise ValueError(f"{text!r}: {error}") from error
        return cls(field, pattern, rest[1])


@dataclass(frozen=True, slots=True)
class Window:
    """The clusters whose names match, for so many seconds from the moment on at which they settled."""

    names: str
    seconds: float = math.inf

    def covers(self, name: str, since_settled: float) -> bool:
        """Whether a cluster is in it, so many seconds after it settled."""
        return 0 <= since_settled < self.seconds and fnmatchcase(name, self.names)

    @classmethod
    def parse(cls, text: str) -> "Window":
        """`GLOB` or `GLOB:DURATION`."""
        names, colon, duration = text.partition(":")
        return cls(names, parse_duration(duration)) if colon else cls(names)


@dataclass(frozen=True, slots=True)
class Switches:
    """How the service behaves; without arguments, as simply as the document allows."""

    reveal_placements: bool = False
    drop: tuple[str, ...] = ()
    rewrite: tuple[Rewrite, ...] = ()
    list_lag_seconds: float = 0.0
    updates_listed: UpdatesListed = "at-once"
    vanish: tuple[Window, ...] = ()
    busy: tuple[Window, ...] = ()
    unavailable: tuple[str, ...] = ()
    failed_statuses: bool = False
    quota: int | None = None

    @classmethod
    def parse(cls, texts: Iterable[str]) -> "Switches":
        """Each `NAME` or `NAME=VALUE`, as KNOWN has them. Raises ValueError, its text fit to be shown."""
        switches = cls()
        for text in texts:
            name, equals, value = text.partition("=")
            switch = next((known for known in KNOWN if known.name == name), None)
            if switch is None or not (value if switch.value else not equals):
                usages = ", ".join(known.usage for known in KNOWN)
                raise ValueError(f"{text!r} is not a switch: give {usages}")
            try:
                switches = switch.turned(switches, value)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        return switches


FAITHFUL = Switches()
"""As simply as the document allows."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch as people meet it; `turned` gives the switches with this one turned to a value too."""

    name: str
    value: str
    help: str
    turned: Callable[[Switches, str], Switches]

    @property
    def usage(self) -> str:
        """Such as `list-lag=DURATION`."""
        return f"{self.name}={self.value}" if self.value else self.name


KNOWN = (
    Switch(
        "reveal-placements",
        "",
        "List the placements that it chose by itself, too.",
        lambda switches, _: replace(switches, reveal_placements=True),
    ),
    Switch(
        "drop",
        "FIELD",
        "Neither keep nor answer with this field.",
        lambda switches, value: replace(switches, drop=(*switches.drop, _field(value))),
    ),
    Switch(
        "rewrite",
        "FIELD/REGEX/NEW/",
        r"Hold another value than was sent, such as node_instance_type/^cache\.//.",
        lambda switches, value: replace(switches, rewrite=(*switches.rewrite, Rewrite.parse(value))),
    ),
    Switch(
        "list-lag",
        "DURATION",
        "List everything as it stood so long ago.",
        lambda switches, value: replace(switches, list_lag_seconds=parse_duration(value)),
    ),
    Switch(
        "updates-listed",
        "at-once|settled",
        "When an update's values are listed.",
        lambda switches, value: replace(switches, updates_listed=_updates_listed(value)),
    ),
    Switch(
        "vanish",
        "GLOB[:DURATION]",
        "Leave these clusters out of the list, for so long after they settled.",
        lambda switches, value: replace(switches, vanish=(*switches.vanish, Window.parse(value))),
    ),
    Switch(
        "busy",
        "GLOB[:DURATION]",
        "409 to PUT and DELETE of these clusters, for so long after they settled.",
        lambda switches, value: replace(switches, busy=(*switches.busy, Window.parse(value))),
    ),
    Switch(
        "unavailable",
        "GLOB",
        "Accept these instance types, and fail on them: as on those that don't exist.",
        lambda switches, value: replace(switches, unavailable=(*switches.unavailable, value)),
    ),
    Switch(
        "failed-statuses",
        "",
        "What fails ends in CreationFailed or UpdateFailed: not in its errors alone.",
        lambda switches, _: replace(switches, failed_statuses=True),
    ),
    Switch(
        "quota",
        "NUMBER",
        "400 to a create beyond so many clusters of an account.",
        lambda switches, value: replace(switches, quota=_number(value)),
    ),
)
"""Every switch there is. Those with a GLOB, FIELD or REGEX add up when they are given again."""


def _field(text: str) -> str:
    if text not in FIELDS:
        raise ValueError(f"{text!r} is not a field: give one of {', '.join(FIELDS)}")
    return text


def _updates_listed(text: str) -> UpdatesListed:
    match text:
        case "at-once" | "settled":
            return text
        case _:
            raise ValueError(f"{text!r} is neither at-once nor settled")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise ValueError(f"{text!r} is not a number")
    return int(text)
