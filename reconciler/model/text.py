"""Strings from outside, made harmless for a line of text.

Manifests, the service and GitHub are hostile until shown otherwise: a name may hold an escape sequence, a description a
line break, an error body a whole page.
"""

import re
import unicodedata

_UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_PLAIN = re.compile(r"[\x20-\x7e]*")


def printable(text: str, limit: int | None = None) -> str:
    r"""One line that steers nothing: control, format, bidi and unassigned characters become `\n`, `\x1b`, `\u202e`.

    `limit` cuts to so many characters, the last of which is then an ellipsis. A backslash is doubled only where the
    text had to be escaped at all, so that what is ordinary reads as it was written.
    """
    if limit is not None and len(text) > limit:
        text = printable(text[: limit - 1]) + "…"
        return text[: limit - 1].removesuffix("…") + "…"
    if _PLAIN.fullmatch(text) or all(unicodedata.category(c) not in _UNSAFE_CATEGORIES for c in text):
        return text
    return "".join(_escape(c) for c in text)


def _escape(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if unicodedata.category(character) in _UNSAFE_CATEGORIES:
        return character.encode("unicode_escape").decode("ascii")
    return character
