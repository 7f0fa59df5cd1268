"""`reconciler apply`."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import parameters
from reconciler.errors import EXIT_FAILED, EXIT_OK, EXIT_REFUSED, EXIT_STALE, UsageError, first_exit

if TYPE_CHECKING:
    from reconciler.cli.parts import Options
    from reconciler.plan.plan import Plan

OF_THE_PLAN = ("manifests", "targets", "only", "base", "prune", "adopt", "allow")
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
    help="Where a change stands in no plan of --expect: refuse, or go on if it doesn't delete, conflict or adopt.",
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
    unreviewed: str | None,
    out: str | None,
    **options: Any,
) -> int:
    """Make the clusters as the manifests say: plan, ask, apply, wait until all has settled.

    PLAN is one that was saved with `reconciler plan --out`: then only what still is as it was is touched.
    """
    from reconciler.cli.output import refuse_unwritable, tell  # noqa: PLC0415  # --help imports none of it
    from reconciler.cli.parts import Options, Parts, run_until_stopped, take_apply_options  # noqa: PLC0415
    from reconciler.cli.saved import Held, hold_against, read_whole_plan, refuse_other  # noqa: PLC0415
    from reconciler.cli.telling import tell_plans, tell_reports  # noqa: PLC0415
    from reconciler.reconcile import apply_all, plan_all, refuse_stale_heads  # noqa: PLC0415

    apply_options = take_apply_options(options)
    saved: Sequence[Plan] | None = None
    if plan is not None:
        _refuse_given(context)
        saved = read_whole_plan(plan)
        options |= _of_plan(saved)
    parts = Parts(Options(**options))
    shared = parts.options
    intent = shared.intent()
    asks = sys.stdin.isatty() and sys.stderr.isatty() and shared.manifests != "-"
    if not (yes or dry_run or asks):
        raise UsageError("apply can't ask here: this is no terminal", remedy="say --yes, or look first with --dry-run")
    if out is not None:
        refuse_unwritable(out)

    async def work() -> int:
        chosen = sites()
        refuse_stale_heads(chosen)
        planned = await plan_all(chosen, intent, parts.clock, fingerprint=shared.saves(plan), saved=saved)
        if saved is not None:
            refuse_other(saved, planned.plans)
        shown = planned.plans if saved is None or planned.refused else saved
        refused = any(plan.violations for plan in shown)
        if not dry_run:
            _show(shown, shared)
        held = hold_against(shown, expect, harmless_too=unreviewed == "harmless") if expect or unreviewed else Held()
        tell("".join(f"{note}\n" for note in held.notes))
        stops = dry_run or refused or bool(held.refusals)
        declined = not (stops or yes) and any(p.sends for p in shown) and not _confirmed()
        if stops or declined:
            codes = {
                EXIT_FAILED: declined or bool(planned.errors),
                EXIT_STALE: bool(held.refusals),
                EXIT_REFUSED: refused,
            }
            code = first_exit(code for code, holds in codes.items() if holds)
            return tell_plans(parts, shown, planned.errors + held.refusals, code, out=out)
        parts.stop.graceful = True
        applied = await apply_all(planned, chosen, apply_options, parts.clock, parts.stop, saved=saved)
        errors = planned.errors + applied.errors
        codes_of_targets = (report.exit_code for report in applied.reports)
        code = first_exit([EXIT_FAILED if errors else EXIT_OK, *codes_of_targets])
        return tell_reports(parts, applied.reports, errors, code, out=out)

    with parts.sites() as sites:
        return run_until_stopped(parts, work())


def _show(plans: "Sequence[Plan]", options: "Options") -> None:
    """Tell a person what is about to be done."""
    from reconciler.cli.output import tell, wants_color  # noqa: PLC0415
    from reconciler.report.render import render_plans  # noqa: PLC0415

    if not options.quiet and any(plan.changes for plan in plans):
        color = wants_color(is_terminal=sys.stderr.isatty(), no_color=options.no_color)
        tell(render_plans(plans, (), "text", color=color) + "\n")


def _refuse_given(context: click.Context) -> None:
    """Raise UsageError for an option that a saved plan decides."""
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "") is click.core.ParameterSource.COMMANDLINE
        if parameter.name in OF_THE_PLAN and given:
            raise UsageError(
                f"{parameter.opts[0]} doesn't go with a saved plan: it is applied as it was made",
                remedy="leave it out, or make another plan",
            )


def _of_plan(plans: "Sequence[Plan]") -> dict[str, Any]:
    first = plans[0]
    named = first.base.commit if first.intent.base and first.base else first.intent.base
    if first.intent.base == "HEAD":
        named = None  # that is what `drift` takes: nobody meant to go back by it
    return {
        "manifests": first.folder,
        "targets": tuple(plan.target for plan in plans),
        **first.intent.model_dump(),
        "base": named,
    }


def _confirmed() -> bool:
    from reconciler.cli.parts import plain_signals  # noqa: PLC0415

    with plain_signals():
        return click.confirm("Apply these changes?", default=False, err=True)
