"""`reconciler apply`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import click

from reconciler.cli import exits, parameters
from reconciler.errors import UsageError
from reconciler.problem import Problem

if TYPE_CHECKING:
    from reconciler.cli.console import Console
    from reconciler.plan.plan import Plan
    from reconciler.plan.reviewed import Reviewed, Unreviewed
    from reconciler.reconcile.planning import Planned

OF_THE_PLAN = ("manifests", "targets", "only", "base", "prune", "adopt", "replace", "allow")
"""What a saved plan brings along."""


@click.command("apply", cls=parameters.Command)
@click.argument("plan", required=False, metavar="[PLAN]")
@parameters.selection
@parameters.connection
@parameters.intent
@parameters.option("--dry-run", is_flag=True, help="Show the plan, and send nothing.")
@click.option("-y", "--yes", is_flag=True, help="Don't ask.")
@click.option(
    "--expect", multiple=True, metavar="DIGEST|PLAN", help="Refuse a plan that isn't the one reviewed; repeatable."
)
@parameters.option(
    "--unreviewed",
    type=click.Choice(["refuse", "harmless"]),
    help="Where a change is in no plan of --expect: refuse, or go on if it risks nothing.",
)
@parameters.option("--out", metavar="FILE", help="Save the report as JSON; the plan, where none of it is carried out.")
@parameters.applying
@parameters.output
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    plan: str | None,
    dry_run: bool,
    yes: bool,
    expect: tuple[str, ...],
    unreviewed: "Unreviewed | None",
    **options: Any,
) -> int:
    """Make the clusters as the manifests say: plan, ask, apply, wait until all has settled.

    PLAN is one that was saved with `reconciler plan --out`: a cluster that has changed since then is not touched.
    """
    from reconciler.cli.options import RunOptions, take_apply_options  # noqa: PLC0415  # --help imports none of it
    from reconciler.cli.saved import options_of, read_reviewed, read_whole_plan, refuse_other  # noqa: PLC0415
    from reconciler.cli.signals import Runner  # noqa: PLC0415
    from reconciler.cli.sites import Sites  # noqa: PLC0415
    from reconciler.cli.telling import show_before_apply, tell_plans, tell_reports  # noqa: PLC0415
    from reconciler.reconcile.applying import apply_all  # noqa: PLC0415
    from reconciler.reconcile.planning import PlanRequest, plan_all, refuse_stale_heads  # noqa: PLC0415

    console: Console = context.obj
    apply_options = take_apply_options(options)
    saved: Mapping[str, Plan] | None = None
    if plan is not None:
        why = "doesn't go with a saved plan: it is applied as it was made"
        parameters.refuse_given(context, OF_THE_PLAN, why, "leave it out, or make another plan")
        saved = read_whole_plan(plan)
        options |= options_of(saved)
    shared = RunOptions(**options)
    if not (yes or dry_run or (console.can_ask and shared.manifests != "-")):
        raise UsageError(
            "apply can't ask here: this is not a terminal", remedy="say --yes, or look first with --dry-run"
        )
    reviewed = read_reviewed(expect) if expect or unreviewed else None
    request = PlanRequest(shared.intent(), console.saves or saved is not None, reviewed, saved)
    with Runner(console.signals) as runner, Sites(shared, console, runner).opened() as sites:
        ground = sites()
        refuse_stale_heads(ground, request.intent)
        with console.progress("planning"):
            planned = runner.run(plan_all(ground, request))
        if saved is not None and not planned.errors:
            refuse_other(saved, planned.plans)
        if not dry_run:
            show_before_apply(console, planned.document())
        refusals = _hold_against(console, planned, reviewed, unreviewed or "refuse") if reviewed else ()
        consent = _consent(console, planned, stops=dry_run or bool(refusals), yes=yes)
        if consent != "given":
            declined = consent == "declined"
            code = exits.of_stopped(planned.plans, planned.errors, unexpected=refusals, declined=declined)
            code = tell_plans(console, planned.document(refusals), code, invocation=shared.invocation())
            if declined:
                console.tell("declined: nothing was sent\n")
            return code
        with console.progress("applying") as on_progress:
            applied = runner.run_gracefully(
                apply_all(ground, planned, request, apply_options, runner.clock, runner.stop, on_progress=on_progress)
            )
    errors = planned.errors + applied.errors
    code = exits.of_reports(applied.reports, errors)
    return tell_reports(console, applied.document(planned.errors), code, invocation=shared.invocation())


def _hold_against(
    console: "Console", planned: "Planned", reviewed: "Reviewed", unreviewed: "Unreviewed"
) -> tuple[Problem, ...]:
    """What no reviewed plan shows, and isn't to be done for that; what is done all the same is said."""
    from reconciler.plan.reviewed import hold_against  # noqa: PLC0415

    refusals = list[Problem]()
    for plan in planned.plans:
        verdict = hold_against(plan, reviewed, unreviewed)
        refusals += verdict.refusals
        for note in verdict.notes:
            console.warn("change.unreviewed", f"target {plan.target}: {note}")
    return tuple(refusals)


def _consent(
    console: "Console", planned: "Planned", *, stops: bool, yes: bool
) -> Literal["given", "not asked", "declined"]:
    """Whether the plans that were shown are carried out: asked for where that was not given before."""
    from reconciler.report.counts import question  # noqa: PLC0415

    if stops or planned.refused:
        return "not asked"
    if yes or not any(plan.sends for plan in planned.to_apply):
        return "given"
    return "given" if console.confirm(question(planned.to_apply)) else "declined"
