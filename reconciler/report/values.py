"""Values, names and counts in words, the same in every medium."""

import math
import re
from collections.abc import Callable, Iterable, Sequence

from reconciler.clock import format_duration
from reconciler.model.cluster import FieldValue
from reconciler.model.command import command_word
from reconciler.model.text import printable
from reconciler.plan.plan import Unhealthy

LONGEST_VALUE = 240
"""Characters of a value that are shown: a description may be a page."""
LONGEST_MESSAGE = 600
_LONGEST_NAME = 255
_NAMES_LISTED = 20

_WORD = re.compile(r"[A-Za-z0-9._~/-]+")
_BARE = re.compile(r"[A-Za-z0-9_./-]([A-Za-z0-9 _./,()-]*[A-Za-z0-9_./)-])?")
_READS_AS_OTHER = re.compile(r"\d+|true|false|null|none", re.IGNORECASE)


def value_text(value: FieldValue | None) -> str:
    """A field's value: texts bare where that can't mislead, else quoted; `none` where there is none."""
    return _value_text(value, _BARE)


def name_text(name: str) -> str:
    """A name: bare where it is a word, as all are that a manifest declares, else quoted."""
    return name if len(name) <= _LONGEST_NAME and _WORD.fullmatch(name) else _quoted(name, _LONGEST_NAME)


def replace_options(cluster: Unhealthy) -> tuple[str, ...]:
    """What makes a blocked cluster anew: `--replace=a`, and `--adopt=a` where it isn't owned."""
    name = command_word(cluster.name)
    return (f"--replace={name}", *([f"--adopt={name}"] if cluster.replace_needs == "adopt" else []))


def _value_text(value: FieldValue | None, bare: re.Pattern[str]) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case tuple():
            return f"[{', '.join(_value_text(item, _WORD) for item in value)}]"
        case str():
            if bare.fullmatch(value) and not _READS_AS_OTHER.fullmatch(value):
                return printable(value, LONGEST_VALUE)
            return _quoted(value, LONGEST_VALUE)


def _quoted(text: str, limit: int) -> str:
    return '"' + printable(text, limit).replace('"', '\\"') + '"'


def names_text(names: Iterable[str], show: Callable[[str], str] = name_text, most: int = _NAMES_LISTED) -> str:
    """`a, b and 3 more`."""
    every = list(names)
    more = len(every) - most
    return ", ".join(map(show, every[:most])) + (f" and {more} more" if more > 0 else "")


def commit_text(commit: str) -> str:
    """A commit, as short as people write it."""
    return printable(commit[:10])


def duration_text(seconds: float) -> str:
    """`0.4s`, `3m 5s`; what is no number of seconds is said to be none."""
    return format_duration(seconds) if math.isfinite(seconds) and seconds >= 0 else "an unknown time"


def all_sandboxes(endpoints: Iterable[str]) -> bool:
    """Whether all that is told of happens in embedded control planes: nothing of it is real."""
    every = list(endpoints)
    return bool(every) and all(endpoint.startswith("sandbox:") for endpoint in every)


def counted(count: int, noun: str) -> str:
    """`1 cluster`, `2 clusters`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def counts_text(counts: Sequence[tuple[int, str]]) -> str:
    """`1 to create, 2 to update`: what isn't there isn't counted; empty for nothing at all."""
    return ", ".join(f"{count} {what}" for count, what in counts if count)
