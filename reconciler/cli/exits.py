"""What each command ends in: from plans, reports and errors to an exit code, and nothing else."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from reconciler.errors import EXIT_FAILED, EXIT_OK, EXIT_PENDING, EXIT_REFUSED, EXIT_STALE, EXIT_UNAPPLIED, first_exit
from reconciler.problem import Problem

if TYPE_CHECKING:
    from reconciler.plan.plan import Plan
    from reconciler.results import Result, TargetReport


def of_plans(plans: "Sequence[Plan]", errors: Sequence[Problem], *, detailed: bool = False) -> int:
    """Of plans that are shown; `detailed`: whether anything isn't as declared counts, too."""
    return first_exit(_of_plans(plans, errors, detailed=detailed))


def of_drift(plans: "Sequence[Plan]", errors: Sequence[Problem]) -> int:
    """Of plans of what HEAD declares: whether anybody has touched it, or it was merged and not applied."""
    return first_exit([_failed(errors), *(code for plan in plans for code in _of_drift(plan))])


def of_stopped(
    plans: "Sequence[Plan]", errors: Sequence[Problem], *, unexpected: Sequence[Problem], declined: bool
) -> int:
    """Of plans that were to be applied, and weren't: refused, not as reviewed, or declined by whoever was asked."""
    stale = EXIT_STALE if unexpected else EXIT_OK
    return first_exit([of_plans(plans, errors), stale, EXIT_FAILED if declined else EXIT_OK])


def of_reports(reports: "Sequence[TargetReport]", errors: Sequence[Problem], *, apart: bool = False) -> int:
    """Of how changes ended; `apart`: a delete that waits for a later round is no failure."""
    return first_exit([_failed(errors), *(code for report in reports for code in _of_report(report, apart=apart))])


def waits_for_others(report: "TargetReport") -> bool:
    """Whether something is yet to be deleted once others are known to stand, or newer manifests are read."""
    return any(map(_waits_for_others, report.results))


def of_targets(names: Iterable[str], own: Mapping[str, int], errors: Iterable[Problem]) -> dict[str, int]:
    """Of each of these targets by itself: its own code, and what is wrong with it, or with none in particular."""
    codes = {name: [own.get(name, EXIT_OK)] for name in names}
    for problem in errors:
        for name in codes.keys() & {problem.target} or codes:
            codes[name].append(EXIT_FAILED)
    return {name: first_exit(found) for name, found in codes.items()}


def of_waited(reports: "Sequence[TargetReport]", plans: "Sequence[Plan]", errors: Sequence[Problem]) -> int:
    """Of waiting: what didn't settle has failed, and what isn't as declared is for an apply."""
    pending = EXIT_PENDING if any(plan.sends or plan.settling for plan in plans) else EXIT_OK
    return first_exit([of_reports(reports, errors), pending])


def of_problems(problems: Sequence[Problem]) -> int:
    """Of a check that found problems, or none."""
    return _failed(problems)


def of_process(code: int, signals: Iterable[int], *, untold: bool) -> int:
    """Of it all: a command's own code, the signals that came, and whether its result could not be written."""
    return first_exit([code, *(of_signal(number) for number in signals), EXIT_FAILED if untold else EXIT_OK])


def of_signal(number: int) -> int:
    """Of a run that a signal ended: 130, 143, 129."""
    return 128 + number


def _failed(problems: Sequence[Problem]) -> int:
    return EXIT_FAILED if problems else EXIT_OK


def _of_plans(plans: "Sequence[Plan]", errors: Sequence[Problem], *, detailed: bool) -> Iterator[int]:
    yield _failed(errors)
    if any(plan.violations for plan in plans):
        yield EXIT_REFUSED
    if detailed and any(plan.sends or plan.blocked for plan in plans):
        yield EXIT_PENDING


def _waits_for_others(result: "Result") -> bool:
    kind = result.error.kind if result.error is not None else None
    return result.outcome == "skipped" and kind in {"other-target", "stale"}


def _of_drift(plan: "Plan") -> Iterator[int]:
    if plan.touched:
        yield EXIT_PENDING
    if plan.unapplied:
        yield EXIT_UNAPPLIED


def _of_report(report: "TargetReport", *, apart: bool) -> Iterator[int]:
    codes = {"applied": EXIT_OK, "left": EXIT_OK, "stale": EXIT_STALE}
    counting = (result for result in report.results if not (apart and _waits_for_others(result)))
    yield from (codes.get(result.outcome, EXIT_FAILED) for result in counting)
    yield from (EXIT_OK if settling.outcome == "settled" else EXIT_FAILED for settling in report.settling)
