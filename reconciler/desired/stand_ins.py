"""What libyaml reads otherwise than YAML 1.2 says: while it reads, something of the same length stands in its place.

So values stay whole, and lines and columns are counted right. U+0085, U+2028 and U+2029 are line breaks to libyaml, and
characters like any other to YAML 1.2. A character beyond the first plane that JSON writes as two escapes is an error to
libyaml, and one character to YAML 1.2, since every JSON text is YAML.
"""

import re
from typing import Final

_BREAKS: Final = {0x85: "\ufdd0", 0x2028: "\ufdd1", 0x2029: "\ufdd2"}
"""Stood in for by characters that no text holds."""
_BREAKS_BACK: Final = {ord(stand_in): chr(character) for character, stand_in in _BREAKS.items()}

_ESCAPED_PAIR = r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
_ESCAPED_STAND_IN = r"(?<!\\)((?:\\\\)*)\\u([eE][0-3][0-9a-fA-F]{2})\\u([eE][4-7][0-9a-fA-F]{2})"
_STAND_IN = "[\ue000-\ue3ff][\ue400-\ue7ff]"
_PRIVATE = "[\ue000-\ue7ff]|\\\\[uU](?:0000)?[eE][0-7]"
_HIGH, _LOW = 0xE000 - 0xD800, 0xE400 - 0xDC00


def readable(text: str) -> str:
    """What libyaml is given instead. Pairs are left alone where the text has characters of the range that they take."""
    if not text.isascii():
        text = text.translate(_BREAKS)
    if "\\u" not in text or re.search(_PRIVATE, text):
        return text
    return re.sub(_ESCAPED_PAIR, lambda found: _moved(found, _HIGH, _LOW), text)


def restored(value: str, style: str | None) -> str:
    """A scalar as the file has it; only in double quotes an escape is one."""
    value = value.translate(_BREAKS_BACK)
    if style == '"':
        return re.sub(_STAND_IN, lambda found: _joined(found[0]), value)
    return re.sub(_ESCAPED_STAND_IN, lambda found: _moved(found, -_HIGH, -_LOW), value)


def _moved(found: "re.Match[str]", by_high: int, by_low: int) -> str:
    return f"{found[1]}\\u{_hex(found[2], by_high)}\\u{_hex(found[3], by_low)}"


def _hex(digits: str, by: int) -> str:
    """In the case that it was written in."""
    return format(int(digits, 16) + by, "04x" if digits.islower() else "04X")


def _joined(pair: str) -> str:
    return chr(0x10000 + ((ord(pair[0]) - 0xE000) << 10) + (ord(pair[1]) - 0xE400))
