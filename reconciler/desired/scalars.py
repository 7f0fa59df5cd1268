"""What a plain scalar is: a string, or what YAML 1.1 and 1.2 both read it as.

What the two read differently is kept as `Odd`: no field takes one, so nothing is guessed. Each pattern takes time in
proportion to the text, and no memory, however long somebody makes it: what repeats is never given back.
"""

import re
from typing import NamedTuple


class Odd(NamedTuple):
    """A plain scalar that isn't what it seems; `reading` says what it is taken for, `instead` what to write."""

    text: str
    reading: str
    instead: str | None = None


OLD_BOOLEANS = {
    **dict.fromkeys(("yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("no", "No", "NO", "off", "Off", "OFF"), False),
}
"""Booleans to YAML 1.1 alone."""

SPECIAL: dict[str, object] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **OLD_BOOLEANS,
    **{str(digit): digit for digit in range(10)},
}
"""Plain scalars that are looked up: words that are no strings, and the numbers that manifests are full of."""
NUMBER_STARTS = frozenset("0123456789+-.")
STARTS = NUMBER_STARTS | {text[:1] for text in SPECIAL}
"""What a plain scalar begins with that is perhaps no string; one without characters is none."""

_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FRACTION = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,18}")
_ODD = (
    (r"[-+]?0(?=[0-7]*[89])[0-9]+", "a string to YAML 1.1, a decimal number to 1.2"),
    (r"[-+]?0[0-9]+", "an octal number to YAML 1.1, a decimal one to 1.2"),
    (r"[-+]?[0-9]+", "a number of more than 18 digits"),
    (r"[-+]?0o[0-7]+", "an octal number to YAML 1.2, a string to 1.1"),
    (r"[-+]?0[xb][0-9a-fA-F_]+", "a number that isn't written in decimals"),
    (r"[-+]?[0-9]++_[0-9_]*+(\.[0-9_]*+)?", "a number to YAML 1.1, a string to 1.2"),
    (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?",
        "a number that isn't written in plain decimals",
    ),
    (r"[-+]?[0-9]+\.[0-9_]*", "a number to YAML 1.1, a string to 1.2"),
    (r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "not a finite number"),
    (
        r"[-+]?[0-9][0-9_]*+(?::[0-5]?[0-9])++(\.[0-9_]*+)?",
        "a number to the base of 60 to YAML 1.1, a string to 1.2",
    ),
    (r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*)?", "a date to YAML 1.1, a string to 1.2"),
)


def plain_value(text: str) -> object:
    """The value of a plain scalar that `STARTS` doesn't rule out."""
    if text in SPECIAL:
        return SPECIAL[text]
    return plain_number(text) if text[0] in NUMBER_STARTS else text


def plain_number(text: str) -> object:
    """The value of a plain scalar that starts like a number."""
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _FRACTION.fullmatch(text):
        return float(text)
    reading = next((reading for pattern, reading in _ODD if re.fullmatch(pattern, text)), None)
    return text if reading is None else Odd(text, reading, _decimal(text))


def _decimal(text: str) -> str | None:
    """What a whole number would be in plain decimals, where that is beyond doubt."""
    if len(text) > 18:
        return None
    try:
        value = float(text) if "e" in text.lower() and "x" not in text.lower() else int(text.replace("_", ""), 0)
    except (ValueError, OverflowError):
        return None
    return str(int(value)) if value == value // 1 and abs(value) < 1e15 else None
