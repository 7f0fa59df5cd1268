"""Errors, refusals and risky changes as SARIF 2.1.0, so that code scanning shows them beside their lines.

A result has a place; what has none is a notification of the run, since a code scanner drops results without places.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args
from urllib.parse import quote

from reconciler import __version__
from reconciler.errors import KIND_MEANINGS, Place, Problem
from reconciler.model.guards import GUARDS
from reconciler.model.text import printable
from reconciler.plan.change import Cause, Change
from reconciler.plan.document import PlanDocument
from reconciler.plan.plan import Plan
from reconciler.report.fields import field_text
from reconciler.report.json_text import json_text
from reconciler.report.sections import topic_of
from reconciler.report.values import LONGEST_MESSAGE, name_text
from reconciler.report.words import RISKS, TOPICS

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_CAUSES: Final[tuple[Cause, ...]] = ("conflict", "adoption", "drift")
"""Causes that a reader of the code should know of: the file no longer says what is live."""

_Level: TypeAlias = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class _Finding:
    rule: str
    level: _Level
    message: str
    place: Place | None


def plans_sarif(document: PlanDocument) -> str:
    """Every error, refusal, risk, conflict, adoption and drift."""
    found = [*map(_error, document.errors)]
    for plan in document.targets:
        found += [*_refusals(plan), *(finding for change in plan.changes for finding in _change(change))]
    return _document(found, succeeded=not document.errors)


def errors_sarif(errors: Sequence[Problem]) -> str:
    """What is wrong with manifests."""
    return _document([*map(_error, errors)], succeeded=not errors)


def rules() -> dict[str, str]:
    """Every rule and what it is about, from the lists of errors, guards, risks and causes."""
    return {
        **{f"error/{kind}": f"An error: {meaning}" for kind, meaning in KIND_MEANINGS.items()},
        **{f"guard/{guard.name}": f"A guard refuses: {guard.refuses}" for guard in GUARDS},
        **{f"risk/{risk}": f"A change is risky: {word.text}" for risk, word in RISKS.items()},
        **{f"cause/{cause}": TOPICS[cause].title for cause in get_args(Cause) if cause in _CAUSES},
    }


def _error(problem: Problem) -> _Finding:
    about = f"cluster {name_text(problem.cluster)}: " if problem.cluster else ""
    remedy = f" → {printable(problem.remedy, LONGEST_MESSAGE)}" if problem.remedy else ""
    message = f"{about}{printable(problem.message, LONGEST_MESSAGE)}{remedy}"
    return _Finding(f"error/{problem.kind}", "error", message, problem.place)


def _refusals(plan: Plan) -> Iterator[_Finding]:
    for violation in plan.violations:
        place = Place(violation.file, violation.line) if violation.file and violation.line else None
        yield _Finding(f"guard/{violation.guard}", "error", printable(violation.message, LONGEST_MESSAGE), place)


def _change(change: Change) -> Iterator[_Finding]:
    stands = Place(change.source.file, change.source.line) if change.source else None
    title = f"{change.action} {name_text(change.name)}"
    for risk in change.risks:
        yield _Finding(f"risk/{risk}", "warning", f"{title}: {risk}: {RISKS[risk].text}", stands)
    for cause in _CAUSES:
        fields = [field for field in change.fields if field.cause == cause]
        if not fields:
            continue
        told = ", ".join(str(field_text(field, change, topic_of(change))) for field in fields)
        first = fields[0]
        place = Place(first.file or stands.file, first.line) if stands and first.line else stands
        level: _Level = "note" if cause == "drift" else "warning"
        yield _Finding(f"cause/{cause}", level, f"{title}: {told}", place)


def _document(found: Sequence[_Finding], *, succeeded: bool) -> str:
    known = rules()
    order = {rule: index for index, rule in enumerate(known)}
    tool = {
        "name": "reconciler",
        "version": __version__,
        "rules": [{"id": rule, "shortDescription": {"text": text}} for rule, text in known.items()],
    }
    run = {
        "tool": {"driver": tool},
        "invocations": [
            {
                "executionSuccessful": succeeded,
                "toolExecutionNotifications": [_notification(finding) for finding in found if finding.place is None],
            }
        ],
        "results": [_result(f, f.place, order[f.rule]) for f in found if f.place is not None],
    }
    return json_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _notification(finding: _Finding) -> dict[str, Any]:
    return {
        "descriptor": {"id": printable(finding.rule)},
        "level": finding.level,
        "message": {"text": _message(finding.message)},
    }


def _result(finding: _Finding, place: Place, index: int) -> dict[str, Any]:
    column = {} if place.column is None else {"startColumn": place.column}
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.level,
        "message": {"text": _message(finding.message)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(place.file, safe="/", errors="surrogatepass")},
                    "region": {"startLine": place.line, **column},
                }
            }
        ],
    }


def _message(text: str) -> str:
    """Neither a link nor a placeholder, which SARIF reads in a message."""
    return re.sub(r"\{(\d+)\}", r"{{\1}}", re.sub(r"\](?=\()", r"\\]", text)) or " "
