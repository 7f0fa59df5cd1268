"""Plans, results and problems as text for a terminal: counts, then deletes, then the rest, old → new, with its line."""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.clock import format_duration
from reconciler.errors import Problem
from reconciler.model.text import printable
from reconciler.plan.change import Change, FieldChange
from reconciler.plan.plan import Plan
from reconciler.report.style import Style
from reconciler.report.values import (
    SIGNS,
    Group,
    counts,
    groups,
    left_alone,
    name_text,
    nodes,
    notes,
    outcome_counts,
    provenance,
    removed_text,
    unhealthy_text,
    value_text,
    why_text,
    worst_first,
)
from reconciler.results import Result, TargetReport

_LONGEST_MESSAGE = 600


def plans_text(plans: Sequence[Plan], *, style: Style) -> str:
    """What would be done, target by target, in the fleet file's order."""
    return "\n".join("\n".join(_plan_lines(plan, style)) + "\n" for plan in plans)


def reports_text(reports: Sequence[TargetReport], *, style: Style) -> str:
    """How each change ended, what went wrong first."""
    return "\n".join("\n".join(_report_lines(report, style)) + "\n" for report in reports)


def problems_text(problems: Iterable[Problem], *, style: Style) -> str:
    """Each problem: where, what, and what to do next; empty for none."""
    return "".join(f"{line}\n" for problem in problems for line in _problem_lines(problem, style))


def _problem_lines(problem: Problem, style: Style) -> Iterator[str]:
    where = [f"{printable(str(problem.place))}:"] if problem.place else []
    if problem.place is None and problem.target is not None:
        where.append(f"{printable(problem.target)}:")
    if problem.cluster is not None:
        where.append(f"cluster {printable(problem.cluster, 255)}:")
    yield " ".join([style.red("error:"), *where, printable(problem.message, _LONGEST_MESSAGE)])
    if problem.remedy:
        yield f"  {style.dim('→')} {printable(problem.remedy, _LONGEST_MESSAGE)}"


def _heading(of: Plan | TargetReport, style: Style) -> str:
    return f"{style.bold(printable(of.target))} {style.dim(f'({printable(of.endpoint)})')}"


def _plan_lines(plan: Plan, style: Style) -> Iterator[str]:
    if not plan.live_read:
        yield style.yellow("offline: base against head, from git alone; what is live was not read")
    yield f"{_heading(plan, style)}: {counts(plan)}"
    if plan.changes and provenance(plan):
        yield f"  {style.dim(provenance(plan))}"
    for warning in plan.warnings:
        yield f"  {style.yellow('warning:')} {printable(warning, _LONGEST_MESSAGE)}"
    for group in groups(plan.changes):
        if group.title and plan.base is not None:
            yield ""
            yield f"  {style.bold(group.title)}"
        for change in group.changes:
            yield ""
            yield from _change_lines(change, group, style)
    if plan.changes:
        yield ""
        yield f"  {nodes(plan)}"
    yield from _closing_lines(plan, style)


def _closing_lines(plan: Plan, style: Style) -> Iterator[str]:
    for cluster in plan.unhealthy:
        yield f"  {style.yellow('unhealthy:')} {unhealthy_text(cluster)}"
    for blocked in plan.blocked:
        yield f"  {style.red('blocked:')} {name_text(blocked.name)} takes no update: delete it, then apply creates it"
    if plan.unmanaged:
        yield f"  {left_alone(plan, name_text)}"
    for violation in plan.violations:
        yield f"  {style.red(f'refused by {violation.guard}:')} {printable(violation.message, _LONGEST_MESSAGE)}"
    if plan.changes:
        yield f"  {style.dim(f'digest {plan.digest}')}"


def _change_lines(change: Change, group: Group, style: Style) -> Iterator[str]:
    paint = {"delete": style.red, "create": style.green, "update": style.yellow}[change.action]
    where = f"  {style.dim(f'{printable(change.source.file)}:{change.source.line}')}" if change.source else ""
    removed = f"  {style.dim(removed_text(change))}" if removed_text(change) else ""
    yield f"  {paint(f'{SIGNS[change.action]} {change.action}')} {style.bold(name_text(change.name))}{where}{removed}"
    for field in change.fields:
        yield f"      {_field_text(field, change)}{_aside(field, change, group, style)}"
    for note in notes(change):
        yield f"      {note}"
    if change.risks:
        yield f"      {style.red('risk:')} {', '.join(change.risks)}"


def _aside(field: FieldChange, change: Change, group: Group, style: Style) -> str:
    """Where a field stands, and what sets it apart."""
    line = style.dim(f"  :{field.line}") if field.line and change.action == "update" else ""
    why = why_text(field, group) if change.action == "update" else ""
    return line + (f"  {style.yellow(why)}" if why else "")


def _field_text(field: FieldChange, change: Change) -> str:
    before = "" if change.action == "create" else f"{value_text(field.before)} → "
    return f"{field.path}: {before}{value_text(field.after)}"


def _report_lines(report: TargetReport, style: Style) -> Iterator[str]:
    yield f"{_heading(report, style)}: {outcome_counts(report)}"
    width = max((len(result.outcome) for result in report.results), default=0)
    for result in worst_first(report.results):
        yield from _result_lines(result, width, style)


def _result_lines(result: Result, width: int, style: Style) -> Iterator[str]:
    paint = style.green if result.outcome == "applied" else style.red
    took = f"  {style.dim(format_duration(result.seconds))}" if result.attempts else ""
    outcome = paint(result.outcome.ljust(width))
    yield f"  {outcome}  {result.action} {style.bold(name_text(result.name))}{took}"
    if result.error is not None:
        attempts = f"after {result.attempts} attempts: " if result.attempts > 1 else ""
        yield f"      {attempts}{printable(result.error.message, _LONGEST_MESSAGE)}"
