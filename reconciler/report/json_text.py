"""A document as JSON that is safe in a CI's log, and valid whatever numbers it holds."""

import json
import math
import re
from typing import Any


def json_text(document: dict[str, Any] | list[Any], *, one_line: bool = False) -> str:
    """A document, in ASCII: no character of it steers a terminal, and none starts a workflow command.

    JSON has no NaN and no infinity: they become null.
    """
    indent = None if one_line else 2
    try:
        text = json.dumps(document, indent=indent, ensure_ascii=True, allow_nan=False)
    except ValueError:
        text = json.dumps(_finite(document), indent=indent, ensure_ascii=True, allow_nan=False)
    return re.sub(r"#(?=#\w*\[)", r"\\u0023", text) + "\n"


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
