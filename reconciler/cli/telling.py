"""How a command's result reaches everybody who should know: a file, GitHub, stdout.

Whoever fails to be told, the others are.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import structlog

from reconciler.cli import exits
from reconciler.cli.console import Console
from reconciler.plan.document import PlanDocument
from reconciler.plan.plan import Plan
from reconciler.problem import Problem
from reconciler.report.look import PLAIN, Look
from reconciler.report.nextsteps import NextStep
from reconciler.report.render import Format, render_plans, render_reports, render_validation, without_places

if TYPE_CHECKING:
    from reconciler.cli.github import Github
    from reconciler.report.invocation import Invocation
    from reconciler.results import ReportDocument, TargetReport

log = structlog.get_logger()


def tell_plans(console: Console, document: PlanDocument, code: int, *, invocation: "Invocation | None" = None) -> int:
    """Tell plans, and why others could not be made; the exit code comes back."""
    console.problems(document.errors)
    if console.settings.format_name != "text" or console.only_events:
        console.problems(refusals(document.targets))
    if console.github is not None:
        console.tell(console.github.annotations(document))
    return _tell_everybody(console, _of_plans(document), code, invocation)


def tell_reports(
    console: Console,
    document: "ReportDocument",
    code: int,
    *,
    also_next: Sequence[NextStep] = (),
    invocation: "Invocation | None" = None,
) -> int:
    """Tell how changes ended, and what else there is to do next; the exit code comes back."""
    console.problems(document.errors)
    return _tell_everybody(console, _Told(document, partial(_render_reports, document, also_next)), code, invocation)


def tell_failure(console: Console, problems: Sequence[Problem], code: int) -> int:
    """Tell why there is no result, as the document that was asked for: one that is missing can't say why."""
    if console.has_result or console.settings.result is None:
        console.problems(problems)
        return code
    if console.settings.result == "validation":
        console.problems(problems)
        console.result(render_validation({}, problems, console.settings.format_name, console.look))
        return code
    return tell_plans(console, PlanDocument(errors=tuple(problems), targets=()), code)


def leave_document(console: Console, problems: Sequence[Problem], code: int) -> int:
    """Tell why there are no plans where the result is expected, and not on stderr: there it is known."""
    if console.settings.result != "plan":
        return code
    document = PlanDocument(errors=tuple(problems), targets=())
    return _tell_everybody(console, _of_plans(document), code)


def show_before_apply(console: Console, document: PlanDocument) -> None:
    """Tell a person what is about to be done; where stderr has events alone, one a change."""
    if console.only_events:
        for plan in document.targets:
            for change in plan.changes:
                what = {"cluster": change.name, "action": change.action, "cause": change.cause, "risks": change.risks}
                log.info("change.planned", target=plan.target, **what)
    elif not console.settings.quiet and any(plan.changes for plan in document.targets):
        look = Look(color=console.stderr_style.color, ends_in_steps=False)
        console.tell(render_plans(document, "text", look) + "\n")


class _Told(NamedTuple):
    """A result, and how it reads in each format."""

    document: "PlanDocument | ReportDocument"
    rendered: Callable[[Format, Look], str]


def _of_plans(document: PlanDocument) -> _Told:
    return _Told(document, partial(render_plans, document))


def _render_reports(document: "ReportDocument", also_next: Sequence[NextStep], format_name: Format, look: Look) -> str:
    return render_reports(document, without_places(format_name), look, also_next=also_next)


def _tell_everybody(console: Console, told: _Told, code: int, invocation: "Invocation | None" = None) -> int:
    """Save it, tell GitHub, and print it."""
    try:
        console.save(lambda: told.rendered("json", PLAIN))
        code = exits.of_process(code, (), untold=console.unsaved)
        if console.github is not None:
            page = told.rendered("markdown", console.github.look(told.document)._replace(invocation=invocation))
            _tell_github(console, console.github, page, told.document.targets, code)
    finally:
        console.result(told.rendered(console.settings.format_name, console.look._replace(invocation=invocation)))
    return code


def _tell_github(
    console: Console, github: "Github", page: str, outcome: "Sequence[Plan] | Sequence[TargetReport]", code: int
) -> None:
    try:
        github.summarize(console.redactor.text(page))
        github.set_outputs(outcome, code, delimiter=f"reconciler_{console.run_id}")
    except OSError as error:
        log.warning("github.untold", error=str(error))


def refusals(plans: Sequence[Plan]) -> tuple[Problem, ...]:
    """Which guards refuse: a person sees it on stderr where stdout is for a machine."""
    return tuple(
        Problem("guard", f"refused by {violation.guard}: {violation.message}", target=plan.target)
        for plan in plans
        for violation in plan.violations
    )
