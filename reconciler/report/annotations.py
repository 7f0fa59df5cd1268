"""What GitHub shows beside the lines of a pull request, as workflow commands: one a line, ten of a kind at most."""

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from reconciler.errors import Place, Problem
from reconciler.model.text import printable
from reconciler.plan.change import Cause, Change, FieldChange
from reconciler.plan.plan import Plan
from reconciler.report.values import commit_text, name_text, value_text

_MOST = 10
"""GitHub keeps so many of a kind from one step, and drops the others without a word."""
_FIELDS_TOLD = 5
_LONGEST_MESSAGE = 600

_Kind: TypeAlias = Literal["error", "warning", "notice"]


def annotations(plans: Sequence[Plan], problems: Sequence[Problem] = ()) -> str:
    """Errors that have a place, deletes and conflicts as warnings, drift as notices; each at its manifest's line."""
    changes = [change for plan in plans for change in plan.changes]
    deletes = [_delete(change) for change in changes if change.action == "delete"]
    conflicts = [_fields(change, "conflict", "warning") for change in changes if _has(change, "conflict")]
    drifted = [change for change in changes if _has(change, "drift") and not _has(change, "conflict")]
    kinds: tuple[tuple[_Kind, list[str]], ...] = (
        ("error", [_error(problem) for problem in problems if problem.place]),
        ("warning", [*deletes, *conflicts]),
        ("notice", [_fields(change, "drift", "notice") for change in drifted]),
    )
    return "".join(f"{line}\n" for kind, lines in kinds for line in _capped(kind, lines))


def _has(change: Change, cause: Cause) -> bool:
    return change.action != "delete" and (change.cause == cause or any(f.cause == cause for f in change.fields))


def _capped(kind: _Kind, lines: Sequence[str]) -> Iterable[str]:
    if len(lines) <= _MOST:
        return lines
    more = len(lines) - _MOST + 1
    return (*lines[: _MOST - 1], _command(kind, f"{more} more", "the job summary has them all", None))


def _error(problem: Problem) -> str:
    title = f"cluster {name_text(problem.cluster)}" if problem.cluster else problem.kind
    remedy = f" → {printable(problem.remedy, _LONGEST_MESSAGE)}" if problem.remedy else ""
    return _command("error", title, f"{printable(problem.message, _LONGEST_MESSAGE)}{remedy}", problem.place)


def _delete(change: Change) -> str:
    commit = change.source.commit if change.source else None
    removed = f", removed in {commit_text(commit)}" if commit else ""
    message = f"{', '.join(change.risks)}: it is live, and no manifest declares it{removed}"
    return _command("warning", f"{name_text(change.name)} would be deleted", message, _place(change))


def _fields(change: Change, cause: Cause, kind: _Kind) -> str:
    """One annotation for all fields of one cause, at the first of them that has a line."""
    fields = [field for field in change.fields if field.cause == cause]
    told = [_field(field, change) for field in fields[:_FIELDS_TOLD]]
    if len(fields) > _FIELDS_TOLD:
        told.append(f"and {len(fields) - _FIELDS_TOLD} more")
    line = next((field.line for field in fields if field.line), None)
    said = "would overwrite what nobody reviewed" if cause == "conflict" else "changed behind git's back"
    title = f"{change.action} {name_text(change.name)}: {said}"
    return _command(kind, title, ", ".join(told) or "it is gone", _place(change, line))


def _field(field: FieldChange, change: Change) -> str:
    before = "" if change.action == "create" else f"{value_text(field.before)} → "
    return f"{field.path}: {before}{value_text(field.after)}"


def _place(change: Change, line: int | None = None) -> Place | None:
    return Place(change.source.file, line or change.source.line) if change.source else None


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
    return printable(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
