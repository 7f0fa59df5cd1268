"""What GitHub shows beside the lines of a pull request, as workflow commands: one a line, ten of a kind at most."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from posixpath import join, normpath
from typing import Literal, TypeAlias

from reconciler.model.text import printable
from reconciler.plan.change import Cause, Change
from reconciler.plan.document import PlanDocument
from reconciler.plan.plan import Plan, Violation
from reconciler.problem import Place, Problem
from reconciler.report.fields import field_text
from reconciler.report.notes import Telling, destroys, notes
from reconciler.report.sections import destroyed, successors, topic_of
from reconciler.report.values import LONGEST_MESSAGE, name_text

_MOST = 10
"""GitHub keeps so many of a kind from one step, and drops the others without a word."""
_FIELDS_TOLD = 5

_Kind: TypeAlias = Literal["error", "warning", "notice"]


_Annotation: TypeAlias = tuple[str, str, Place | None]
"""Title, message, and where it stands."""


def annotations(document: PlanDocument, folder: str = "") -> str:
    """Errors and limits that have a place; deletes and conflicts as warnings, drift as notices; at their lines.

    This change's stand before all others, so that these are the ones that are cut. `folder` is the one that the
    document's paths start from, as the repository has it: GitHub shows nothing at a path that isn't the repository's.
    """
    plans = document.targets
    own = [(plan, change) for plan in plans for change in plan.changes if change.action != "delete"]
    own.sort(key=lambda planned: topic_of(planned[1]) != "revision")
    conflicts = [_fields(plan, change, "conflict") for plan, change in own if change.cause == "conflict"]
    drifted = [_fields(plan, change, "drift") for plan, change in own if change.cause == "drift"]
    refused = [_refusal(violation) for plan in plans for violation in plan.violations if violation.file]
    kinds: tuple[tuple[_Kind, list[_Annotation]], ...] = (
        ("error", [*(_error(problem) for problem in document.errors if problem.place), *refused]),
        ("warning", [*_deletes(plans), *conflicts]),
        ("notice", drifted),
    )
    return "".join(
        f"{_command(kind, title, message, place and _below(folder, place))}\n"
        for kind, found in kinds
        for title, message, place in _capped(found)
    )


def _below(folder: str, place: Place) -> Place:
    return replace(place, file=normpath(join(folder, place.file)))


def _capped(found: Sequence[_Annotation]) -> Iterable[_Annotation]:
    if len(found) <= _MOST:
        return found
    more = len(found) - _MOST + 1
    return (*found[: _MOST - 1], (f"{more} more", "the job summary has them all", None))


def _error(problem: Problem) -> _Annotation:
    title = f"cluster {name_text(problem.cluster)}" if problem.cluster else problem.kind
    remedy = f" → {printable(problem.remedy, LONGEST_MESSAGE)}" if problem.remedy else ""
    return title, f"{printable(problem.message, LONGEST_MESSAGE)}{remedy}", problem.place


def _refusal(violation: Violation) -> _Annotation:
    place = Place(violation.file, violation.line) if violation.file and violation.line else None
    return f"refused by {violation.guard}", printable(violation.message, LONGEST_MESSAGE), place


def _deletes(plans: Sequence[Plan]) -> Iterator[_Annotation]:
    following = successors(plans)
    found = sorted(destroyed(plans), key=lambda planned: planned[1].cause != "revision")
    for plan, change in found:
        told = ", ".join((*change.risks, *destroys(change, plan, following, Telling())))
        yield f"{name_text(change.name)} would be deleted", told, _place(change)


def _fields(plan: Plan, change: Change, cause: Cause) -> _Annotation:
    """One annotation for all fields of one cause, at the first of them that has a line."""
    fields = [field for field in change.fields if field.cause == cause]
    told = [str(field_text(field, change, topic_of(change))) for field in fields[:_FIELDS_TOLD]]
    if len(fields) > _FIELDS_TOLD:
        told.append(f"and {len(fields) - _FIELDS_TOLD} more")
    if change.action == "create":
        told = list(notes(change, plan, Telling()))
    at = next((field for field in fields if field.line), None)
    place = Place(at.file or change.source.file, at.line) if at and at.line and change.source else _place(change)
    said = "would overwrite what nobody reviewed" if cause == "conflict" else "changed outside git"
    return f"{change.action} {name_text(change.name)}: {said}", ", ".join(told), place


def _place(change: Change) -> Place | None:
    return Place(change.source.file, change.source.line) if change.source else None


def _command(kind: _Kind, title: str, message: str, place: Place | None) -> str:
    """One command; no text can end it, or its properties, and begin another."""
    properties = {"title": title}
    if place is not None:
        column = {} if place.column is None else {"col": str(place.column)}
        properties = {"file": place.file, "line": str(place.line), **column, **properties}
    told = ",".join(
        f"{key}={_escape(value).replace(':', '%3A').replace(',', '%2C')}" for key, value in properties.items()
    )
    return f"::{kind} {told}::{_escape(message)}"


def _escape(text: str) -> str:
    """A text whose percent signs aren't read as escapes; line breaks are written out already."""
    return printable(text).replace("%", "%25")
