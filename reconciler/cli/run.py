"""`reconciler run`."""

from typing import Any

import click

from reconciler.cli import parameters
from reconciler.errors import EXIT_FAILED, EXIT_OK, EXIT_REFUSED, first_exit


@click.command("run", cls=parameters.Command)
@parameters.selection
@parameters.connection
@parameters.intent
@parameters.option(
    "--interval",
    type=parameters.Duration(),
    default="5m",
    show_default=True,
    help="From the end of a round to the next, give or take a tenth.",
)
@parameters.option("--once", is_flag=True, help="One round, for cron.")
@parameters.option("--apply", "applies", is_flag=True, help="Apply each plan; without it, plans are only shown.")
@parameters.applying
@parameters.output
def command(
    *,
    interval: float,
    once: bool,
    applies: bool,
    **options: Any,
) -> int:
    """Plan, or apply, again and again. Reads the folder afresh each round; never fetches. A signal ends it."""
    from reconciler.cli.parts import Options, Parts, run_until_stopped, take_apply_options  # noqa: PLC0415  # for --help
    from reconciler.cli.telling import tell_plans, tell_reports  # noqa: PLC0415
    from reconciler.loop import repeat  # noqa: PLC0415
    from reconciler.reconcile import apply_all, plan_all, refuse_stale_heads  # noqa: PLC0415

    apply_options = take_apply_options(options)
    parts = Parts(Options(**options))
    shared = parts.options
    intent = shared.intent()

    async def one_round() -> int:
        chosen = sites()
        if applies:
            refuse_stale_heads(chosen)
        planned = await plan_all(chosen, intent, parts.clock)
        if not applies or planned.refused:
            refused = EXIT_REFUSED if planned.refused else EXIT_OK
            code = first_exit([EXIT_FAILED if planned.errors else EXIT_OK, refused])
            return tell_plans(parts, planned.plans, planned.errors, code, one_line=True)
        applied = await apply_all(planned, chosen, apply_options, parts.clock, parts.stop)
        errors = planned.errors + applied.errors
        codes_of_targets = (report.exit_code for report in applied.reports)
        code = first_exit([EXIT_FAILED if errors else EXIT_OK, *codes_of_targets])
        return tell_reports(parts, applied.reports, errors, code, one_line=True)

    with parts.sites() as sites:
        parts.stop.graceful = True
        rounds = repeat(
            one_round,
            interval_seconds=interval,
            clock=parts.clock,
            random=parts.random,
            stop=parts.stop.requested,
            once=once,
        )
        return run_until_stopped(parts, rounds)
