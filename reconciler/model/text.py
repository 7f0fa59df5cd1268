"""Strings from outside, made harmless for a line of text.

Manifests, the service and GitHub are hostile until shown otherwise: a name may hold an escape sequence, a description a
line break, an error body a whole page.
"""

import re
import unicodedata
from collections.abc import Sequence
from fnmatch import fnmatchcase

_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_PLAIN = re.compile(r"[\x20-\x7e]*")
_COMMAND = re.compile(r"^\s*:(?=:)|#(?=#\w*\[)")
"""What a CI's log takes for a command: `::` where a line starts, `##[` and `##vso[` anywhere in it."""


def printable(text: str, limit: int | None = None) -> str:
    r"""One line that steers nothing: control, format, bidi and unassigned characters become `\n`, `\x1b`, `\u202e`.

    Nor does it hold what starts a command in a CI's log. `limit` cuts what is shown to so many characters, the last of
    which is then an ellipsis. A backslash is doubled only where the text had to be escaped at all, so that what is
    ordinary reads as it was written. What is printable stays as it is.
    """
    if limit is not None:
        shown = printable(text[: limit + 1])
        return shown if len(shown) <= limit else shown[: limit - 1] + "…"
    if not is_printable(text):
        text = "".join(_escape(c) for c in text)
    return _COMMAND.sub(lambda found: f"{found[0][:-1]}\\x{ord(found[0][-1]):02x}", text)


def is_printable(text: str) -> bool:
    """Whether it holds no character that could steer what shows it, or that nobody would see."""
    return bool(_PLAIN.fullmatch(text)) or all(unicodedata.category(c) not in _UNSAFE_CATEGORIES for c in text)


def _escape(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if unicodedata.category(character) in _UNSAFE_CATEGORIES:
        return character.encode("unicode_escape").decode("ascii")
    return character


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """`did you mean shard_count?`, or the list of what is known."""
    close = closest(word, known)
    return f"did you mean {close}?" if close is not None else f"known are {', '.join(known)}"


def closest(word: str, known: Sequence[str]) -> str | None:
    """What of the known is so near to a word that it may be meant; None where nothing is."""
    from difflib import get_close_matches  # noqa: PLC0415  # only where something is wrong

    return next(iter(get_close_matches(word, known, n=1)), None)


def matching_pattern(name: str, patterns: Sequence[str]) -> str | None:
    """The first name pattern that a name matches; None where none does."""
    return next((pattern for pattern in patterns if fnmatchcase(name, pattern)), None)
