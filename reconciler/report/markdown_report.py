"""A report's page: what was deleted, what failed and why, what else wasn't done, and then what was."""

from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.report.blocks import SHORT, Block
from reconciler.report.inline import code, term
from reconciler.report.look import Look
from reconciler.report.notes import place_text
from reconciler.report.outcomes import (
    AlikeResults,
    alike_results,
    deleted,
    deleted_text,
    report_title,
    result_fields,
    unreviewed_text,
    worst_settling,
)
from reconciler.report.values import all_sandboxes, counted, duration_text, names_text
from reconciler.report.words import OUTCOMES, RISKS, SETTLES, SETTLING, TOPICS
from reconciler.results import Outcome, ReportDocument, Result, SettlingOutcome, TargetReport

_ALERTS: Final[dict[Outcome, str]] = {"failed": "CAUTION", "unknown": "CAUTION", "stale": "WARNING"}
_MANY = 10
"""More than so many lines that need nobody's eye are closed."""
_FIELDS_TOLD = 3
_NAMES_TOLD = 40
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
    unseen = unreviewed_text(reports)
    return [
        *([Block(f"\n### {' · '.join(told)}\n")] if told else []),
        *([Block(f"\n**{unseen}**\n")] if unseen else []),
    ]


def report_blocks(reports: Sequence[TargetReport], look: Look) -> list[Block]:
    """All results by how they ended, the worst first, whatever their target; by name."""
    several = len(reports) > 1
    return [
        *_warnings(reports),
        *(block for outcome in OUTCOMES for block in _outcome(outcome, reports, look, several=several)),
        *_settling(reports, look, several=several),
    ]


def deleted_blocks(reports: Sequence[TargetReport]) -> Iterator[Block]:
    """What is gone, and what may be: every name, above everything else."""
    several = len(reports) > 1
    lines = [
        Block(f"> - {code(result.name)}{_where(report, several=several)}{perhaps}\n", SHORT, "deleted")
        for found, perhaps in (
            (deleted(reports, "applied"), ""),
            (deleted(reports, "unknown"), " · **perhaps**: no answer came"),
        )
        for report, result in found
    ]
    if lines:
        yield Block(f"\n> [!CAUTION]\n> **{deleted_text(reports)}**\n", inside=lines)


def _where(report: TargetReport, *, several: bool) -> str:
    return f" in {code(report.target)}" if several else ""


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
    """What was done, why, and at what risk; what went wrong and the fields on lines of their own, where it did."""
    result, count = alike.first, len(alike.results)
    what = code(result.name) if count == 1 else f"{count} clusters"
    action = "" if result.outcome == "left" else f"{result.action} "
    told = [f"**{action}{what}**{_where(report, several=several)}", *_why(result, look)]
    if result.source is not None and count == 1:
        told.insert(1, code(place_text(result.source)))
    fields, ended = list(_fields(result)), list(_ended(result, alone=count == 1))
    if result.error is None:
        lines = [" · ".join((*told, *fields, *ended))]
    else:
        lines = [" · ".join(told), ", ".join((code(result.error.message), *ended)), " · ".join(fields)]
    names = names_text((one.name for one in alike.results), code, _NAMES_TOLD) if count > 1 else ""
    return "<br>".join(filter(None, (*lines, names)))


def _why(result: Result, look: Look) -> Iterator[str]:
    """Why it was to be done, at what risk, and whether anybody had seen it."""
    if result.cause is not None:
        yield term(TOPICS[result.cause].text, TOPICS[result.cause], look.docs)
    if result.risks:
        yield ", ".join(f"**{term(risk, RISKS[risk], look.docs)}**" for risk in result.risks)
    if result.reviewed is False:
        yield "**not reviewed**"


def _fields(result: Result) -> Iterator[str]:
    """What was changed, as far as a line holds it."""
    if result.action != "update":
        return
    fields = list(result_fields(result))
    yield from (code(str(field)) for field in fields[:_FIELDS_TOLD])
    if len(fields) > _FIELDS_TOLD:
        yield f"and {len(fields) - _FIELDS_TOLD} more"


def _ended(result: Result, *, alone: bool) -> Iterator[str]:
    """How long it took, and where the cluster stands."""
    tried = f"after {result.attempts} attempts" if result.attempts > 1 else ""
    took = f"in {duration_text(result.seconds)}" if result.attempts and alone else ""
    if tried or took:
        yield " ".join(filter(None, (tried, took)))
    if result.status and result.outcome != "applied":
        yield f"last seen {code(result.status)}"


def _settling(reports: Sequence[TargetReport], look: Look, *, several: bool) -> Iterator[Block]:
    """What was in transition without a change of ours: each that didn't settle, and in one line what did."""
    lines = []
    for report in reports:
        where = _where(report, several=several)
        for one in worst_settling(report):
            if one.outcome != "settled":
                seen = f", last seen {code(one.status)}" if one.status else ""
                text = f"- {SETTLING[one.outcome].text}: {code(one.name)}{where}{seen}\n"
                lines.append(Block(text, _SETTLING_RANKS[one.outcome], "settling"))
        if settled := [one.name for one in report.settling if one.outcome == "settled"]:
            names = names_text(sorted(settled), code, _NAMES_TOLD)
            lines.append(Block(f"- {SETTLING['settled'].text}{where}: {names}\n", _SETTLING_RANKS["settled"]))
    if lines:
        yield Block(f"\n**{term('Waited for', SETTLES, look.docs)}**\n\n", inside=lines)


def report_provenance(reports: Sequence[TargetReport]) -> Iterator[str]:
    """Where each was carried out, and the digest of what was."""
    several = len(reports) > 1
    for report in reports:
        yield f"{f'{code(report.target)} ' if several else ''}endpoint {code(report.endpoint)}"
        yield f"digest {code(report.digest)}"
