"""JSON from outside, read so that what a hostile body costs is bounded: a list entry by entry, each of bounded size.

Bytes that are no UTF-8 become lone surrogates, so that they spoil the entry that they stand in and no other. A number
of more digits than an integer needs becomes a float: no integer, wherever one belongs.
"""

import json
import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Any

LARGEST_VALUE = 1024 * 1024
"""Bytes of one value: a cluster, a comment."""

MOST_ENTRIES = 200_000
"""Of one list."""

_SLICES = (1024, 4096, 16 * 1024, 64 * 1024, 256 * 1024, LARGEST_VALUE)
"""Most entries are in the first; what it cuts off is read again with the next, four times as long and no more."""

_BEHIND = 3
"""Bytes behind a slice that are read along: they tell whether a number ends in it, or goes on with `e+1`."""

_SPACE = re.compile(rb"[ \t\n\r]*")
_COMMA = re.compile(rb"[ \t\n\r]*(,?)[ \t\n\r]*")
_DECODER = json.JSONDecoder(parse_int=lambda digits: int(digits) if len(digits) <= 20 else float(digits))


class NotJsonError(ValueError):
    """The text is no JSON, or breaks off."""


class TooMuchError(ValueError):
    """More, longer or deeper than anything that is read; its text says which."""


def read_value(body: bytes) -> Any:
    """The one value of the body. Raises NotJsonError, TooMuchError."""
    value, at = _decode(body, _start(body))
    if _past_space(body, at) != len(body):
        raise NotJsonError("more than one value")
    return value


def read_entries(body: bytes) -> Iterator[Any]:
    """The entries of the body's list, each as soon as it is read. Raises NotJsonError, TooMuchError, on the way."""
    at = _past_space(body, _start(body) + 1)
    more = body[at : at + 1] != b"]"
    for _ in range(MOST_ENTRIES):
        if not more:
            break
        value, at = _decode(body, at)
        yield value
        between = _COMMA.match(body, at)
        at, more = (between.end(), bool(between[1])) if between else (at, False)
    if more:
        raise TooMuchError(f"more than {MOST_ENTRIES} entries")
    if body[at : at + 1] != b"]":
        raise NotJsonError("no comma between two entries")
    if _past_space(body, at + 1) != len(body):
        raise NotJsonError("more than one value")


def is_list(body: bytes) -> bool:
    """Whether a list begins there."""
    start = _start(body)
    return body[start : start + 1] == b"["


def _decode(body: bytes, at: int) -> tuple[Any, int]:
    """The value that begins there, and where it ends."""
    for size in _SLICES:
        part = body[at : at + size + _BEHIND]
        try:
            value, length = _DECODER.raw_decode(part.decode("latin-1"))
        except RecursionError as error:
            raise TooMuchError("it is nested too deeply") from error
        except ValueError as error:
            if at + size >= len(body):
                raise NotJsonError("no value") from error
        else:
            if length <= size:
                return value if part.isascii() else _as_utf8(part[:length]), at + length
    raise TooMuchError(f"one value has more than {LARGEST_VALUE} bytes")


def _as_utf8(value: bytes) -> Any:
    """One value, whose end was found by its bytes: all that JSON itself is written in is ASCII."""
    return _DECODER.raw_decode(value.decode("utf-8", errors="surrogateescape"))[0]


def _start(body: bytes) -> int:
    return _past_space(body, len(BOM_UTF8) if body.startswith(BOM_UTF8) else 0)


def _past_space(body: bytes, at: int) -> int:
    found = _SPACE.match(body, at)
    return found.end() if found else at
