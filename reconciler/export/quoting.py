"""A value as YAML that every reader takes for the same: plain where that is beyond doubt, else in double quotes.

'Every reader' is those of YAML 1.1 and 1.2, and our own, which refuses what the two read differently.
"""

import re
from typing import Final

from reconciler.desired.scalars import NUMBER_STARTS, SPECIAL, plain_number
from reconciler.model.text import is_printable

_INDICATORS: Final = frozenset("-?:,[]{}#&*!|>'\"%@`=~<")
"""What a plain text doesn't start with, though some of them may."""
_ENDS_PLAIN: Final = re.compile(r":(\s|$)|\s#")
_FLOW: Final = frozenset(",[]{}:")
"""What doesn't stand in a plain text between brackets."""
_OLD_WORDS: Final = frozenset("yYnN")
"""Booleans to the letter of YAML 1.1, and to few of its readers."""
_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def one_line(value: str | int | bool, *, inside_brackets: bool = False) -> str:  # noqa: FBT001  # a field's value
    """A scalar that needs no second line."""
    if not isinstance(value, str):
        return str(value).lower()
    return value if _may_be_plain(value) and not (inside_brackets and _FLOW & {*value}) else _quoted(value)


def block(value: str | int | bool, indent: int) -> str:  # noqa: FBT001  # a field's value
    """A scalar behind a key of a block mapping; its further lines, where it has any, stand at an indent."""
    if not isinstance(value, str) or not _may_be_literal(value):
        return one_line(value)
    lines = "".join(f"\n{' ' * indent}{line}" if line else "\n" for line in value.removesuffix("\n").split("\n"))
    return ("|" if value.endswith("\n") else "|-") + lines


def _may_be_plain(text: str) -> bool:
    return not (
        not text
        or text != text.strip()
        or text[0] in _INDICATORS
        or text in SPECIAL
        or text in _OLD_WORDS
        or (text[0] in NUMBER_STARTS and plain_number(text) != text)
        or _ENDS_PLAIN.search(text)
        or not is_printable(text)
    )


def _may_be_literal(text: str) -> bool:
    """Whether it has several lines that can stand as they are: at most one break at the end, no space at the start."""
    lines = text.removesuffix("\n").split("\n")
    return len(lines) > 1 and bool(lines[-1].strip()) and lines[0][:1].strip() != "" and all(map(is_printable, lines))


def _quoted(text: str) -> str:
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if is_printable(character):
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
