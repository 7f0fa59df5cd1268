"""What a workflow's later steps ask for, as the text of GitHub's output file."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, get_args

from reconciler.model.text import printable
from reconciler.plan.change import Cause
from reconciler.plan.plan import Plan, Summary
from reconciler.report.sections import ACTIONS

if TYPE_CHECKING:
    from reconciler.results import TargetReport


def step_outputs(outcome: "Sequence[Plan] | Sequence[TargetReport]", exit_code: int, *, delimiter: str) -> str:
    """Counts over all targets, the digests, one a line, and how the command ended.

    `delimiter` must be beyond guessing; it grows where a value holds it, so that no value ends early.
    """
    if not delimiter or "\n" in delimiter or "\r" in delimiter:
        raise ValueError("a delimiter is one line, and not empty")
    plans = [one for one in outcome if isinstance(one, Plan)]
    reports = [one for one in outcome if not isinstance(one, Plan)]
    values = {
        "exit_code": str(exit_code),
        "digest": "\n".join(printable(one.digest) for one in outcome),
        **{name: str(count) for name, count in (_of_reports(reports) if reports else _of_plans(plans)).items()},
    }
    while any(delimiter in value for value in values.values()):
        delimiter += "_"
    return "".join(f"{name}<<{delimiter}\n{value}\n{delimiter}\n" for name, value in values.items())


def _of_plans(plans: Sequence[Plan]) -> Mapping[str, int]:
    counts: Counter[str] = Counter()
    for plan in plans:
        counts.update(plan.summary.model_dump())
        counts.update(change.cause for change in plan.changes if change.cause)
        counts["violations"] += len(plan.violations)
    return {name: counts[name] for name in (*Summary.model_fields, *get_args(Cause), "violations")}


def _of_reports(reports: "Sequence[TargetReport]") -> Mapping[str, int]:
    from reconciler.results import OUTCOMES  # noqa: PLC0415  # a plan has none

    counts: Counter[str] = Counter(result.action for report in reports for result in report.results)
    counts.update(result.outcome for report in reports for result in report.results)
    counts["settling"] = sum(one.outcome != "settled" for report in reports for one in report.settling)
    causes = Counter(result.cause for report in reports for result in report.results if result.cause)
    return {name: counts[name] for name in (*ACTIONS, *OUTCOMES, "settling")} | {
        cause: causes[cause] for cause in get_args(Cause)
    }
