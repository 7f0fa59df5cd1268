"""A report's page: what failed and why, what else wasn't done, and then what was."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from reconciler.clock import format_duration
from reconciler.report.blocks import Block
from reconciler.report.inline import code
from reconciler.results import Outcome, Result, TargetReport

_ORDER: tuple[Outcome, ...] = ("failed", "unknown", "stale", "skipped", "applied")
_WARNED: tuple[Outcome, ...] = ("unknown", "stale")
_MANY = 10
"""More than so many that need nobody's eye are closed."""

_Ended: TypeAlias = tuple[Result, str]
"""A result, and the line that tells it."""


def report_lead(reports: Sequence[TargetReport], errors: int) -> list[Block]:
    """The counts."""
    found = Counter(result.outcome for report in reports for result in report.results)
    counts = ", ".join(f"{found[outcome]} {outcome}" for outcome in _ORDER if found[outcome]) or "nothing to do"
    told = [f"{errors} error{'' if errors == 1 else 's'}"] if errors else []
    if len(reports) == 1:
        told.append(f"{code(reports[0].target)}: {counts}")
    elif reports:
        told.append(f"{counts} in {len(reports)} targets")
    return [Block(f"\n### {' · '.join(told)}\n")] if told else []


def report_blocks(reports: Sequence[TargetReport]) -> list[Block]:
    """All results by how they ended, whatever their target; by name."""
    lines = {
        outcome: [
            (result, _line(report, result, several=len(reports) > 1))
            for report in reports
            for result in report.results
            if result.outcome == outcome
        ]
        for outcome in _ORDER
    }
    warned = [one for outcome in _WARNED for one in lines[outcome]]
    return [
        *_alert("CAUTION", lines["failed"]),
        *_alert("WARNING", warned),
        *_list("skipped", lines["skipped"]),
        *_list("applied", lines["applied"]),
        *_provenance(reports),
    ]


def _alert(sort: str, ended: Sequence[_Ended]) -> Iterator[Block]:
    if ended:
        yield Block(
            f"\n> [!{sort}]\n",
            inside=[
                Block(f"> - **{result.outcome}** {line}\n", _ORDER.index(result.outcome) + 1, result.outcome)
                for result, line in ended
            ],
        )


def _list(outcome: Outcome, ended: Sequence[_Ended]) -> Iterator[Block]:
    lines = [Block(f"- {line}\n", _ORDER.index(outcome) + 1, outcome) for _, line in ended]
    head = f"{len(lines)} {outcome}"
    if len(lines) > _MANY:
        yield Block(f"\n<details><summary>{head}</summary>\n\n", inside=lines, end="\n</details>\n")
    elif lines:
        yield Block(f"\n**{head}**\n\n", inside=lines)


def _line(report: TargetReport, result: Result, *, several: bool) -> str:
    where = f" in {code(report.target)}" if several else ""
    tried = f" after {result.attempts} attempts" if result.attempts > 1 else ""
    took = f" in {format_duration(result.seconds)}" if result.attempts else ""
    because = f": {code(result.error.message)}" if result.error else ""
    seen = f", last seen {code(result.status)}" if result.status and result.outcome != "applied" else ""
    return f"{result.action} {code(result.name)}{where}{tried}{took}{because}{seen}"


def _provenance(reports: Sequence[TargetReport]) -> Iterator[Block]:
    several = len(reports) > 1
    for report in reports:
        if report.results:
            where = f"{code(report.target)} · " if several else ""
            said = f"{where}endpoint {code(report.endpoint)} · digest {code(report.digest)}"
            yield Block(f"\n<sub>{said}</sub>\n", 6)
