"""A report's page: what was deleted, what failed and why, what else wasn't done, and then what was."""

from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.report.blocks import SHORT, Block
from reconciler.report.inline import code, term
from reconciler.report.look import Look
from reconciler.report.outcomes import (
    AlikeResults,
    alike_results,
    deleted,
    report_title,
    result_fields,
    worst_settling,
)
from reconciler.report.values import all_sandboxes, counted, duration_text, names_text
from reconciler.report.words import OUTCOMES, RISKS, SETTLING, TOPICS
from reconciler.results import Outcome, ReportDocument, Result, SettlingOutcome, TargetReport

_ALERTS: Final[dict[Outcome, str]] = {"failed": "CAUTION", "unknown": "CAUTION", "stale": "WARNING"}
_MANY = 10
"""More than so many lines that need nobody's eye are closed."""
_FIELDS_TOLD = 3
_NAMES_TOLD = 200
_SETTLING_RANKS: Final[dict[SettlingOutcome, int]] = {"failed": 2, "unknown": 3, "settled": 9}


def report_lead(document: ReportDocument) -> list[Block]:
    """The counts."""
    reports, errors = document.targets, len(document.errors)
    told = [counted(errors, "error")] if errors else []
    told += ["sandbox"] if all_sandboxes(report.endpoint for report in reports) else []
    if len(reports) == 1:
        told.append(report_title(reports, code(reports[0].target)))
    elif reports:
        told.append(report_title(reports, f"{len(reports)} targets"))
    elif errors:
        told.append("nothing was applied")
    return [Block(f"\n### {' · '.join(told)}\n")] if told else []


def report_blocks(reports: Sequence[TargetReport], look: Look) -> list[Block]:
    """All results by how they ended, the worst first, whatever their target; by name."""
    several = len(reports) > 1
    return [
        *_warnings(reports),
        *(block for outcome in OUTCOMES for block in _outcome(outcome, reports, look, several=several)),
        *_settling(reports, several=several),
        *_provenance(reports),
    ]


def deleted_blocks(reports: Sequence[TargetReport]) -> Iterator[Block]:
    """What is gone, and what may be: every name, above everything else."""
    lines, several = [], len(reports) > 1
    for report, result in deleted(reports):
        where = f" in {code(report.target)}" if several else ""
        perhaps = "" if result.outcome == "applied" else " · **perhaps**: no answer came"
        lines.append(Block(f"> - {code(result.name)}{where}{perhaps}\n", SHORT, "deleted"))
    if lines:
        yield Block(f"\n> [!CAUTION]\n> **{counted(len(lines), 'cluster')} deleted**\n", inside=lines)


def _warnings(reports: Sequence[TargetReport]) -> Iterator[Block]:
    lines = [Block(f"- **warning** {code(text)}\n", 3, "warnings") for report in reports for text in report.warnings]
    if lines:
        yield Block("\n", inside=lines)


def _outcome(outcome: Outcome, reports: Sequence[TargetReport], look: Look, *, several: bool) -> Iterator[Block]:
    told = [
        (alike, _line(alike, report, look, several=several))
        for report in reports
        for alike in alike_results(report)
        if alike.first.outcome == outcome
    ]
    if not told:
        return
    count = sum(len(alike.results) for alike, _ in told)
    word, rank, alert = OUTCOMES[outcome], tuple(OUTCOMES).index(outcome) + 1, _ALERTS.get(outcome)
    quote = "> " if alert else ""
    lines = [Block(f"{quote}- {line}\n", rank, outcome) for _, line in told]
    head = f"{word.title} ({count})"
    if alert:
        yield Block(f"\n> [!{alert}]\n> **{term(head, word, look.docs)}**\n", inside=lines)
    elif len(lines) > _MANY:
        yield Block(f"\n<details><summary>{head}</summary>\n\n", inside=lines, end="\n</details>\n")
    else:
        yield Block(f"\n**{term(head, word, look.docs)}**\n\n", inside=lines)


def _line(alike: AlikeResults, report: TargetReport, look: Look, *, several: bool) -> str:
    result, count = alike.first, len(alike.results)
    what = code(result.name) if count == 1 else f"{count} clusters"
    where = f" in {code(report.target)}" if several else ""
    tried = f" after {result.attempts} attempts" if result.attempts > 1 else ""
    took = f" in {duration_text(result.seconds)}" if result.attempts and count == 1 else ""
    because = f": {code(result.error.message)}" if result.error else ""
    names = f": {names_text((one.name for one in alike.results), code, _NAMES_TOLD)}" if count > 1 else ""
    told = [f"{result.action} {what}{where}{tried}{took}{because}", *_details(result, look)]
    return " · ".join(told) + names


def _details(result: Result, look: Look) -> Iterator[str]:
    """What was done to it, why, and at what risk; whether anybody had seen it; where it stands."""
    fields = list(result_fields(result))
    if result.action == "update":
        yield from (code(str(field)) for field in fields[:_FIELDS_TOLD])
        if len(fields) > _FIELDS_TOLD:
            yield f"and {len(fields) - _FIELDS_TOLD} more"
    if result.cause is not None:
        yield term(TOPICS[result.cause].text, TOPICS[result.cause], look.docs)
    if result.risks:
        yield ", ".join(f"**{term(risk, RISKS[risk], look.docs)}**" for risk in result.risks)
    if result.reviewed is False:
        yield "**not reviewed**"
    if result.status and result.outcome != "applied":
        yield f"last seen {code(result.status)}"


def _settling(reports: Sequence[TargetReport], *, several: bool) -> Iterator[Block]:
    lines = []
    for report in reports:
        where = f" in {code(report.target)}" if several else ""
        for one in worst_settling(report):
            seen = f", last seen {code(one.status)}" if one.status and one.outcome != "settled" else ""
            text = f"- {SETTLING[one.outcome].text}: {code(one.name)}{where}{seen}\n"
            lines.append(Block(text, _SETTLING_RANKS[one.outcome], "settling"))
    if lines:
        yield Block("\n", inside=lines)


def _provenance(reports: Sequence[TargetReport]) -> Iterator[Block]:
    several = len(reports) > 1
    for report in reports:
        where = f"{code(report.target)} · " if several else ""
        yield Block(f"\n<sub>{where}endpoint {code(report.endpoint)} · digest {code(report.digest)}</sub>\n", 6)
