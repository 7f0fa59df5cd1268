"""The API key, and how it is kept out of everything."""

import html
import json
from collections.abc import Iterable
from dataclasses import dataclass

MASK = "(api key)"
"""Not in square brackets: behind `##` these would start a workflow command."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that doesn't show itself: `reveal` is called where the header is made, and nowhere else."""

    _value: str

    def reveal(self) -> str:
        """The key itself."""
        return self._value

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__


def redact(text: str, keys: Iterable[ApiKey]) -> str:
    """The text with each key, raw or as JSON, HTML or Python write it, replaced by `(api key)`."""
    written = {form for key in keys if key.reveal() for form in _forms(key.reveal())}
    for form in sorted(written, key=lambda form: (-len(form), form)):  # one key may be the beginning of another
        text = text.replace(form, MASK)
    return text


def _forms(value: str) -> tuple[str, ...]:
    return value, json.dumps(value)[1:-1], html.escape(value), repr(value)[1:-1]
