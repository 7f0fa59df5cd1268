"""How a command's result reaches everybody who should know: a file, stdout, stderr, GitHub."""

from collections.abc import Sequence

import structlog

from reconciler.cli import github
from reconciler.cli.output import emit, redacted, save, tell, tell_problems
from reconciler.cli.parts import Parts
from reconciler.errors import Problem
from reconciler.plan.plan import Plan
from reconciler.report.render import render_plans, render_reports
from reconciler.results import TargetReport

log = structlog.get_logger()


def tell_plans(
    parts: Parts,
    plans: Sequence[Plan],
    errors: Sequence[Problem],
    code: int,
    *,
    out: str | None = None,
    one_line: bool = False,
) -> int:
    """Print plans as was asked for, and save them to `out`; the exit code comes back."""
    options = parts.options
    tell_problems(errors)
    if options.format_name != "text":
        tell_problems(_refusals(plans))
    tell(github.annotations_text(plans, ()))
    try:
        if out is not None:
            save(out, render_plans(plans, errors, "json", color=False))
        if github.SWITCH.on:
            page = render_plans(plans, errors, "markdown", color=False, limit=github.SUMMARY_LIMIT_BYTES)
            _tell_github(parts, page, plans, code)
    finally:  # whoever fails to be told, the others are
        emit(render_plans(plans, errors, options.format_name, color=options.color, one_line=one_line))
    return code


def tell_reports(
    parts: Parts,
    reports: Sequence[TargetReport],
    errors: Sequence[Problem],
    code: int,
    *,
    out: str | None = None,
    one_line: bool = False,
) -> int:
    """Print how changes ended as was asked for, and save it to `out`; the exit code comes back."""
    options = parts.options
    tell_problems(errors)
    try:
        if out is not None:
            save(out, render_reports(reports, errors, "json", color=False))
        if github.SWITCH.on:
            page = render_reports(reports, errors, "markdown", color=False, limit=github.SUMMARY_LIMIT_BYTES)
            _tell_github(parts, page, reports, code)
    finally:  # whoever fails to be told, the others are
        emit(render_reports(reports, errors, options.format_name, color=options.color, one_line=one_line))
    return code


def _refusals(plans: Sequence[Plan]) -> tuple[Problem, ...]:
    """Which guards refuse: a person sees it on stderr where stdout is for a machine."""
    return tuple(
        Problem("guard", f"refused by {violation.guard}: {violation.message}", target=plan.target)
        for plan in plans
        for violation in plan.violations
    )


def _tell_github(parts: Parts, page: str, outcome: Sequence[Plan] | Sequence[TargetReport], code: int) -> None:
    try:
        github.summarize(redacted(page))
        github.set_outputs(outcome, code, delimiter=f"reconciler_{parts.run_id}")
    except OSError as error:
        log.warning("github.untold", error=str(error))
