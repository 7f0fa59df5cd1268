"""What is to be known of files' lines: errors, refusals, risky changes, and where they no longer say what is live."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from reconciler.model.guards import GUARDS
from reconciler.model.text import printable
from reconciler.plan.change import Cause, Change
from reconciler.plan.document import PlanDocument
from reconciler.plan.plan import Plan
from reconciler.problem import KIND_MEANINGS, Place, Problem
from reconciler.report.fields import field_text
from reconciler.report.sections import topic_of
from reconciler.report.values import LONGEST_MESSAGE, name_text
from reconciler.report.words import RISKS, TOPICS

_CAUSES: Final[tuple[Cause, ...]] = ("conflict", "adoption", "drift")
"""Causes that a reader of the code should know of: the file no longer says what is live."""

Level: TypeAlias = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One of them; `rule` is one of `rules`, and without a place it is of the whole run."""

    rule: str
    level: Level
    message: str
    place: Place | None


def plan_findings(document: PlanDocument) -> Sequence[Finding]:
    """Every error, refusal, risk, conflict, adoption and drift."""
    found = [*error_findings(document.errors)]
    for plan in document.targets:
        found += [*_refusals(plan), *(finding for change in plan.changes for finding in _change(change))]
    return found


def error_findings(errors: Sequence[Problem]) -> Sequence[Finding]:
    """What is wrong with manifests."""
    return [*map(_error, errors)]


def rules() -> dict[str, str]:
    """Every rule and what it is about, from the lists of errors, guards, risks and causes."""
    return {
        **{f"error/{kind}": f"An error: {meaning}" for kind, meaning in KIND_MEANINGS.items()},
        **{f"guard/{guard.name}": f"A guard refuses: {guard.refuses}" for guard in GUARDS},
        **{f"risk/{risk}": f"A change is risky: {word.text}" for risk, word in RISKS.items()},
        **{f"cause/{cause}": TOPICS[cause].title for cause in get_args(Cause) if cause in _CAUSES},
    }


def _error(problem: Problem) -> Finding:
    about = f"cluster {name_text(problem.cluster)}: " if problem.cluster else ""
    remedy = f" → {printable(problem.remedy, LONGEST_MESSAGE)}" if problem.remedy else ""
    message = f"{about}{printable(problem.message, LONGEST_MESSAGE)}{remedy}"
    return Finding(f"error/{problem.kind}", "error", message, problem.place)


def _refusals(plan: Plan) -> Iterator[Finding]:
    for violation in plan.violations:
        place = Place(violation.file, violation.line) if violation.file and violation.line else None
        yield Finding(f"guard/{violation.guard}", "error", printable(violation.message, LONGEST_MESSAGE), place)


def _change(change: Change) -> Iterator[Finding]:
    stands = Place(change.source.file, change.source.line) if change.source else None
    title = f"{change.action} {name_text(change.name)}"
    for risk in change.risks:
        yield Finding(f"risk/{risk}", "warning", f"{title}: {risk}: {RISKS[risk].text}", stands)
    for cause in _CAUSES:
        fields = [field for field in change.fields if field.cause == cause]
        if not fields:
            continue
        told = ", ".join(str(field_text(field, change, topic_of(change))) for field in fields)
        first = fields[0]
        place = Place(first.file or stands.file, first.line) if stands and first.line else stands
        level: Level = "note" if cause == "drift" else "warning"
        yield Finding(f"cause/{cause}", level, f"{title}: {told}", place)
