"""Results as text for a terminal: what was deleted, what went wrong, what settled, and what to do next."""

from collections.abc import Iterator, Sequence

from reconciler.model.text import printable
from reconciler.report.invocation import invocation_of_report
from reconciler.report.look import PLAIN, Look
from reconciler.report.nextsteps import NextStep, report_steps
from reconciler.report.notes import place_text
from reconciler.report.outcomes import (
    AlikeResults,
    alike_results,
    deleted,
    deleted_text,
    report_title,
    result_fields,
    result_notes,
    unreviewed_text,
    worst_settling,
)
from reconciler.report.style import Style
from reconciler.report.text import SCREEN, joined, names_lines, rows, steps_lines
from reconciler.report.values import LONGEST_MESSAGE, all_sandboxes, commit_text, duration_text, name_text, names_text
from reconciler.report.words import SETTLING
from reconciler.results import ReportDocument, TargetReport


def reports_text(document: ReportDocument, look: Look = PLAIN, also_next: Sequence[NextStep] = ()) -> str:
    """How each change ended, what went wrong first. It holds no errors: for people these go to stderr."""
    if not document.targets:
        return ""
    style = Style(look.color)
    lines = joined(block for report in document.targets for block in _target(report, style))
    return "\n".join(joined([lines, list(_closing(document, also_next, len(lines), style, look))])) + "\n"


def _closing(
    document: ReportDocument, also_next: Sequence[NextStep], above: int, style: Style, look: Look
) -> Iterator[str]:
    """What to do next; and once more what has scrolled away: the name of each cluster that went, and how it ended."""
    if above > SCREEN:
        where = (
            printable(document.targets[0].target) if len(document.targets) == 1 else f"{len(document.targets)} targets"
        )
        if said := deleted_text(document.targets):
            gone = [*deleted(document.targets, "applied"), *deleted(document.targets, "unknown")]
            yield f"  {style.red(f'{said}:')}"
            yield from (f"    {line}" for line in rows([name_text(result.name) for _, result in gone]))
        yield f"  {report_title(document.targets, style.bold(where))}"
    if look.run:
        yield f"  {style.dim(f'run {printable(look.run)}')}"
    yield from steps_lines(report_steps(document, also_next), look.invocation or invocation_of_report(document), style)


def _target(report: TargetReport, style: Style) -> Iterator[list[str]]:
    head = f", head {commit_text(report.revision)}" if report.revision else ""
    sandbox = " (sandbox)" if all_sandboxes([report.endpoint]) else ""
    where = style.bold(f"{printable(report.target)}{sandbox}")
    lines = [report_title([report], where)]
    lines.append(f"  {style.dim(f'at {printable(report.endpoint)}{head}')}")
    if unseen := unreviewed_text([report]):
        lines.append(f"  {style.yellow(unseen)}")
    yield lines
    yield [
        *(f"  {style.red('- deleted')} {name_text(result.name)}" for _, result in deleted([report], "applied")),
        *(f"  {style.red('- perhaps deleted')} {name_text(result.name)}" for _, result in deleted([report], "unknown")),
    ]
    yield [f"  {style.yellow('warning:')} {printable(warning, LONGEST_MESSAGE)}" for warning in report.warnings]
    for alike in alike_results(report):
        yield list(_alike_lines(alike, style))
    yield list(_settling_lines(report))


def _settling_lines(report: TargetReport) -> Iterator[str]:
    """Each that didn't settle, and in one line what did."""
    for one in worst_settling(report):
        if one.outcome != "settled":
            seen = f", last seen {printable(one.status, 60)}" if one.status else ""
            yield f"  {SETTLING[one.outcome].text}: {name_text(one.name)}{seen}"
    if settled := sorted(one.name for one in report.settling if one.outcome == "settled"):
        yield f"  {SETTLING['settled'].text}: {names_text(settled, most=40)}"


def _alike_lines(alike: AlikeResults, style: Style) -> Iterator[str]:
    result, count = alike.first, len(alike.results)
    paint = style.green if result.outcome == "applied" else style.red
    took = f"  {style.dim(duration_text(result.seconds))}" if result.attempts and count == 1 else ""
    what = name_text(result.name) if count == 1 else f"{count} clusters, all alike"
    place = f"  {style.dim(printable(place_text(result.source)))}" if result.source and count == 1 else ""
    yield f"  {paint(result.outcome)}  {result.action} {style.bold(what)}{place}{took}"
    if result.error is not None:
        attempts = f"after {result.attempts} attempts: " if result.attempts > 1 else ""
        yield f"      {attempts}{printable(result.error.message, LONGEST_MESSAGE)}"
    for line in (*result_notes(result), *map(str, result_fields(result))):
        yield f"      {line}"
    if count > 1:
        yield from names_lines([name_text(one.name) for one in alike.results])
