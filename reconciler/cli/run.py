"""`reconciler run`."""

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import parameters

if TYPE_CHECKING:
    from reconciler.cli.console import Console

OF_APPLYING = ("wait", "timeout", "keep_going", "concurrency", "lease")
"""What a run that only plans would take and ignore."""


@click.command("run", cls=parameters.Command)
@parameters.selection
@parameters.connection
@parameters.intent
@parameters.option(
    "--interval",
    type=parameters.Duration(),
    default="5m",
    show_default=True,
    help="From the end of a round to the next, plus or minus 10%.",
)
@parameters.option("--once", is_flag=True, help="End after one round, for cron.")
@parameters.option("--apply", "applies", is_flag=True, help="Apply each plan; without it, plans are only shown.")
@parameters.option(
    "--listen", metavar="ADDR", help="Serve a page, metrics, probes and the state on IP:PORT; 127.0.0.1 needs no token."
)
@parameters.applying
@parameters.option(
    "--lease",
    metavar="NAMESPACE/NAME",
    help="In Kubernetes: apply only while holding this lease, so that one replica at a time does.",
)
@parameters.output
@click.pass_context
def command(
    context: click.Context,
    /,
    *,
    interval: float,
    once: bool,
    applies: bool,
    listen: str | None,
    lease: str | None,
    **options: Any,
) -> int:
    """Plan, or apply, again and again; at once where a pull moved the folder. Never fetches. A signal ends it."""
    from reconciler.cli.looping import LoopOptions, run_loop  # noqa: PLC0415  # --help imports none of it
    from reconciler.cli.options import RunOptions, take_apply_options  # noqa: PLC0415
    from reconciler.cli.signals import Runner  # noqa: PLC0415

    if not applies:
        parameters.refuse_given(
            context, OF_APPLYING, "says how to apply, and this only plans", "leave it out, or --apply"
        )
    if once:
        parameters.refuse_given(context, ("listen",), "shows a loop, and this is one round", "leave --once out")
    console: Console = context.obj
    apply_options = take_apply_options(options)
    loop = LoopOptions(
        interval,
        once,
        apply_options if applies else None,
        (listen or None) if not once else None,
        (lease or None) if applies else None,
    )
    with Runner(console.signals) as runner:
        return run_loop(loop, RunOptions(**options), console, runner)
