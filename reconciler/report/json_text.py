"""A document as JSON that is safe in a CI's log, and valid whatever numbers it holds."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, Final

_ON_ONE_LINE: Final = json.JSONEncoder(allow_nan=False)
_INDENTED: Final = json.JSONEncoder(allow_nan=False, indent=2)

_DEPTH_OF_ITEMS: Final = 4
"""Of a change, a result, a finding: what there may be thousands of, in a list of each of a few."""


def json_text(document: dict[str, Any] | list[Any], *, one_line: bool = False) -> str:
    """A document, in ASCII: no character of it steers a terminal, and none starts a workflow command.

    JSON has no NaN and no infinity: they become null.
    """
    try:
        text = _text(document, one_line=one_line)
    except ValueError:
        text = _text(_finite(document), one_line=one_line)
    return re.sub(r"#(?=#\w*\[)", r"\\u0023", text)


def _text(document: Any, *, one_line: bool) -> str:
    return f"{_ON_ONE_LINE.encode(document)}\n" if one_line else "".join((*_indented(document, 0), "\n"))


def _indented(value: Any, depth: int) -> Iterator[str]:
    """The encoder's text, a piece an item: by itself it would hold each brace and each name until the end."""
    margin = "\n" + "  " * depth
    match value:
        case dict() if value and depth < _DEPTH_OF_ITEMS:
            for number, (name, item) in enumerate(value.items()):
                yield f"{',' if number else '{'}{margin}  {_ON_ONE_LINE.encode(name)}: "
                yield from _indented(item, depth + 1)
            yield f"{margin}}}"
        case list() if value and depth < _DEPTH_OF_ITEMS:
            for number, item in enumerate(value):
                yield f"{',' if number else '['}{margin}  "
                yield from _indented(item, depth + 1)
            yield f"{margin}]"
        case _:
            yield _INDENTED.encode(value).replace("\n", margin)


def _finite(value: Any) -> Any:
    match value:
        case dict():
            return {key: _finite(item) for key, item in value.items()}
        case list():
            return [_finite(item) for item in value]
        case float() if not math.isfinite(value):
            return None
        case _:
            return value
