"""A value held against a model: typed, or every reason why not, each with its path, its message and its remedy."""

from collections.abc import Callable
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from reconciler.desired.marks import KeyPath
from reconciler.desired.problems import MOST_IN_A_FILE
from reconciler.desired.words import meant_path, named, reason_words
from reconciler.desired.yaml import Document

M = TypeVar("M", bound=BaseModel)

_NULL = "give it a value, or leave it out"


class Reason(NamedTuple):
    """One thing that is wrong at a path of a document.

    `at_key`: with the key, rather than with its value. `missing`: nothing stands there.
    """

    path: KeyPath
    message: str
    remedy: str
    at_key: bool = False
    missing: bool = False


def validated(
    model: type[M],
    value: object,
    document: Document,
    may_be_null: Callable[[KeyPath], bool] = lambda _path: False,
) -> tuple[M | None, list[Reason]]:
    """A document's value as the model, or None with the reasons.

    `value` may hold more than the document, as defaults do. A null is wrong even where a field may be left out: whoever
    writes one means something that can't be guessed. `may_be_null` names the exceptions.
    """
    reasons = [Reason(path, f"{named(path)} is null", _NULL) for path in document.nulls if not may_be_null(path)]
    try:
        valid = model.model_validate(value)
    except ValidationError as error:
        nulls = {reason.path for reason in reasons}
        details: list[Any] = [
            detail
            for detail in islice(error.errors(include_url=False), MOST_IN_A_FILE + 1)
            if detail["loc"] not in nulls
        ]
        misspelt = {meant_path(detail["loc"], model) for detail in details if detail["type"] == "extra_forbidden"}
        reasons += [
            _reason(detail, model, document)
            for detail in details
            if detail["type"] != "missing" or detail["loc"] not in misspelt  # told once, where it is misspelt
        ]
        return None, reasons
    return (None, reasons) if reasons else (valid, [])


def _reason(detail: Any, model: type[BaseModel], document: Document) -> Reason:
    path: KeyPath = tuple(key for key in detail["loc"] if key != "[key]")
    message, remedy = reason_words(detail, path, model, document.words.get(path))
    kind = detail["type"]
    return Reason(path, message, remedy, kind == "extra_forbidden" or "[key]" in detail["loc"], kind == "missing")
