"""The API key, and how it is kept out of everything.

A key is taken out of values before these are cut, escaped or serialised: half of one, or one escaped twice, would not
be found, and taking one out of finished JSON would break it.
"""

import html
import json
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.model.text import printable

MASK = "(api key)"
"""Not in square brackets: behind `##` these would start a workflow command."""

OWN_WORDS = frozenset(
    {
        *("kind", "format_version", "tool_version", "action", "cause", "outcome", "method", "guard", "risks", "left"),
        *(
            "ownership",
            "waits_for",
            "replace_needs",
            "prune",
            "allow",
            "on_drift",
            "on_remove",
            "ignore_changes",
            "origin",
        ),
        *("digest", "live_digest", "manifests", "commit", "revision"),
        *("timestamp", "level", "event", "run_id"),
    }
)
"""Fields of documents and events whose values are this program's own words or hashes: a key that is such a word, too,
must not take them out."""

FINDING_WORDS = frozenset(
    {
        *("$schema", "version", "name", "id", "ruleId", "level"),  # SARIF's
        *("check_name", "fingerprint", "severity"),  # Code Climate's
    }
)
"""The same of documents in the formats of code scanners."""

_SHORT = 8
"""A shorter key may be an ordinary word, or a digit: it is taken out only where it stands by itself."""


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


def taken_out(value: Any, key: ApiKey) -> Any:
    """JSON values as they came, without the key: what goes on to a plan, a report or the record can't hold it.

    One that may be an ordinary word is left where it stands: taken out of values, it would make them other values.
    """
    text = key.reveal()
    match value:
        case str():
            return value.replace(text, MASK) if len(text) >= _SHORT and text in value else value
        case dict():
            return {name: taken_out(item, key) for name, item in value.items()}
        case list():
            return [taken_out(item, key) for item in value]
    return value


def redact(text: str, keys: Iterable[ApiKey]) -> str:
    """The text with each key replaced by `(api key)`: raw, as JSON, HTML, Python or a line of text write it, or cut.

    A key of fewer than eight characters only where no letter, digit, or part of a name or path stands next to it.
    """
    values = {key.reveal() for key in keys} - {""}
    if not values:
        return text
    forms = {(form, len(value) < _SHORT) for value in values for form in _forms(value)}
    longest_first = sorted(forms, key=lambda form: (-len(form[0]), form))  # one key may be the beginning of another
    text = re.sub("|".join(_pattern(form, alone=alone) for form, alone in longest_first), lambda _: MASK, text)
    if "…" in text:
        for form, alone in longest_first:
            text = text if alone else _without_beginning(text, form)
    return text


def may_be_in(text: str, keys: Iterable[ApiKey]) -> bool:
    """Whether a document of JSON may hold a key, whole or cut: `redact_values` changes none that doesn't."""
    written = {json.dumps(form[:_SHORT])[1:-1] for key in keys for form in _forms(key.reveal()) if form}
    return any(re.search(re.escape(one).replace(r"\#", r"(?:\#|\\u0023)"), text) for one in written)


def redact_values(value: object, keys: Iterable[ApiKey], own_words: Container[str] = OWN_WORDS) -> Any:
    """Plain JSON values without any key: texts as `redact` has them, save those that are this program's own words."""
    known = tuple(keys)
    match value:
        case str():
            return redact(value, known)
        case dict():
            return {
                name: item if name in own_words else redact_values(item, known, own_words)
                for name, item in value.items()
            }
        case list() | tuple():
            return [redact_values(item, known, own_words) for item in value]
    return value


def _forms(value: str) -> Iterator[str]:
    yield from (value, json.dumps(value)[1:-1], html.escape(value), repr(value)[1:-1])
    yield from (printable(value), printable(value).replace('"', '\\"'))


def _pattern(form: str, *, alone: bool) -> str:
    found = re.escape(form)
    return rf"(?<![\w./-])(?<!\w:){found}(?![\w/-]|[.:]\w)" if alone else found


def _without_beginning(text: str, form: str) -> str:
    """The text without what was a key before somebody cut it: its first characters, then an ellipsis."""
    at = text.find(form[:_SHORT])
    while at >= 0:
        end = at
        while end - at < len(form) and text[end : end + 1] == form[end - at]:
            end += 1
        if text[end : end + 1] == "…":
            text = f"{text[:at]}{MASK}{text[end:]}"
        at = text.find(form[:_SHORT], at + 1)
    return text
