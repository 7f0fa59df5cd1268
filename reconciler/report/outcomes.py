"""Results as they are read: the worst first, equal ones as one, what was deleted apart."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from reconciler.model.text import printable
from reconciler.plan.change import FieldChange
from reconciler.report.fields import FieldText
from reconciler.report.values import commit_text, counted, counts_text, value_text
from reconciler.report.words import LEFT, OUTCOMES, RISKS, SETTLING, TOPICS
from reconciler.results import Outcome, Result, SettlingResult, TargetReport

_WORST_FIRST = tuple(OUTCOMES)
_ACTIONS = ("delete", "create", "update")
_SINGLE: frozenset[Outcome] = frozenset({"failed", "unknown", "stale"})
"""What wants a look each, so that it is never told in one line with others."""

DeletedIn: TypeAlias = tuple[TargetReport, Result]
"""A cluster that went, and of which target."""


@dataclass(frozen=True, slots=True)
class AlikeResults:
    """Results of equal changes that ended alike, by name; never none."""

    results: tuple[Result, ...]

    @property
    def first(self) -> Result:
        """One of them, to tell what all are."""
        return self.results[0]


def alike_results(report: TargetReport) -> list[AlikeResults]:
    """The worst first, deletes before all others."""
    found: dict[object, list[Result]] = {}
    order = lambda result: (_WORST_FIRST.index(result.outcome), _ACTIONS.index(result.action), result.name)  # noqa: E731
    for result in sorted(report.results, key=order):
        found.setdefault(_likeness(result), []).append(result)
    return [AlikeResults(tuple(results)) for results in found.values()]


def _likeness(result: Result) -> object:
    if result.outcome in _SINGLE or result.action == "delete":
        return result.name
    fields = tuple((f.path, f.before, f.after, f.cause, f.left) for f in result.fields)
    error = result.error.message if result.error else None
    return (result.outcome, result.action, result.cause, repr(fields), result.risks, result.reviewed, error)


def worst_settling(report: TargetReport) -> list[SettlingResult]:
    """What was in transition without a change of ours: what didn't settle first."""
    order = list(SETTLING)
    return sorted(report.settling, key=lambda one: (order.index(one.outcome), one.name))


def report_title(reports: Sequence[TargetReport], where: str) -> str:
    """`apply of a: 1 failed, 3 applied`; where nothing was to be sent, what became of the rest: `a: 2 settled`."""
    results = Counter(result.outcome for report in reports for result in report.results)
    taken_over = (sum(len(report.taken_over) for report in reports), "taken over")
    if results:
        counts = [(results[outcome], outcome) for outcome in OUTCOMES]
        return f"apply of {where}: {counts_text([*counts, taken_over])}"
    settling = Counter(one.outcome for report in reports for one in report.settling)
    waited = [(settling[outcome], word.text) for outcome, word in SETTLING.items()]
    return f"{where}: {counts_text([*waited, taken_over]) or 'nothing to do'}"


def deleted(reports: Sequence[TargetReport], outcome: Literal["applied", "unknown"]) -> list[DeletedIn]:
    """What was deleted; or what may have been, as no answer came."""
    return [(r, one) for r in reports for one in r.results if one.action == "delete" and one.outcome == outcome]


def deleted_text(reports: Sequence[TargetReport]) -> str:
    """`2 clusters deleted, 1 perhaps`; empty for none."""
    gone, perhaps = len(deleted(reports, "applied")), len(deleted(reports, "unknown"))
    if gone and perhaps:
        return f"{counted(gone, 'cluster')} deleted, {perhaps} perhaps"
    if perhaps:
        return f"{counted(perhaps, 'cluster')} perhaps deleted"
    return f"{counted(gone, 'cluster')} deleted" if gone else ""


def unreviewed_text(reports: Sequence[TargetReport]) -> str:
    """`1 applied change was not reviewed`; empty where all were, or no review was asked for."""
    count = sum(one.reviewed is False and one.outcome == "applied" for report in reports for one in report.results)
    return f"{counted(count, 'applied change')} {'was' if count == 1 else 'were'} not reviewed" if count else ""


def result_notes(result: Result) -> Iterator[str]:
    """Why it was done, what it risked, whether anybody had seen it; where the cluster stands."""
    if result.cause is not None:
        yield f"cause: {TOPICS[result.cause].text}"
    if result.risks and result.action != "delete":
        yield f"risk: {'; '.join(f'{risk} ({RISKS[risk].text})' for risk in result.risks)}"
    if result.reviewed is False:
        yield "not reviewed: no plan that was reviewed shows it"
    if result.status and result.outcome != "applied":
        yield f"last seen {printable(result.status, 60)}"


def result_fields(result: Result) -> Iterator[FieldText]:
    """What was done to each field, in the past tense."""
    for field in result.fields:
        yield _field(field, result)


def _field(field: FieldChange, result: Result) -> FieldText:
    before, after = value_text(field.before), value_text(field.after)
    if result.action == "create":
        return FieldText(field.path, None, after, "")
    if field.left is not None:
        aside, left = f"declared {after}, found {before}", f"left as it was: {LEFT[field.left].text}"
        return FieldText(field.path, before, None, aside, left)
    return FieldText(field.path, before, after, _aside(field, result))


def _aside(field: FieldChange, result: Result) -> str:
    if field.cause == "drift":
        return f"declared {value_text(field.after)}, changed by hand to {value_text(field.before)}"
    if field.cause is None or field.cause == result.cause:
        return ""
    since = f" in {commit_text(field.commit)}" if field.commit else ""
    return TOPICS[field.cause].text + since
