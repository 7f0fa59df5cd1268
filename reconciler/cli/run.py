"""`reconciler run`."""

from collections.abc import Coroutine
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import parameters

if TYPE_CHECKING:
    from reconciler.cli.console import Console
    from reconciler.cli.signals import Runner
    from reconciler.lease.lease import Lease

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
    from reconciler.cli.listening import MARGIN_SECONDS, listening  # noqa: PLC0415  # --help imports none of it
    from reconciler.cli.options import RunOptions, take_apply_options  # noqa: PLC0415
    from reconciler.cli.rounds import Rounds  # noqa: PLC0415
    from reconciler.cli.signals import Runner  # noqa: PLC0415
    from reconciler.cli.sites import Sites  # noqa: PLC0415
    from reconciler.evidence.position import position_of  # noqa: PLC0415
    from reconciler.loop import repeat  # noqa: PLC0415
    from reconciler.reconcile.planning import PlanRequest  # noqa: PLC0415
    from reconciler.serve.events import Exchanged  # noqa: PLC0415
    from reconciler.serve.picture import Picture  # noqa: PLC0415
    from reconciler.wire.client import always  # noqa: PLC0415

    if not applies:
        parameters.refuse_given(
            context, OF_APPLYING, "says how to apply, and this only plans", "leave it out, or --apply"
        )
    if once:
        parameters.refuse_given(context, ("listen",), "shows a loop, and this is one round", "leave --once out")
    console: Console = context.obj
    apply_options = take_apply_options(options)
    shared = RunOptions(**options)
    longest = MARGIN_SECONDS + (2 * apply_options.timeout_seconds if applies else 0)
    with Runner(console.signals) as runner:
        held = _lease(lease, console, runner) if lease and applies else None
        permit = held.permit if held else always
        watched = listening(listen, console, runner.clock, Picture(applies, longest)) if listen and not once else None
        with watched or nullcontext(lambda _event: None) as tell:
            sites = Sites(shared, console, runner, lambda method, status: tell(Exchanged(method, status)), permit)
            with sites.opened() as read:
                request, options_of_apply = PlanRequest(shared.intent()), apply_options if applies else None
                rounds = Rounds(
                    console, read, request, shared.invocation(), options_of_apply, runner.clock, runner.stop, tell
                )
                repeated = repeat(
                    rounds.one,
                    interval_seconds=interval,
                    clock=runner.clock,
                    random=runner.random,
                    stop=runner.stop.requested,
                    position=lambda: None if shared.manifests == "-" else position_of(shared.manifests),
                    once=once,
                    tell=tell,
                )
                return runner.run_gracefully(_leased(held, repeated, console, runner) if held else repeated)


def _lease(text: str, console: "Console", runner: "Runner") -> "Lease":
    from reconciler.cli.leased import lease_of  # noqa: PLC0415  # few runs have one

    return lease_of(text, console, runner)


async def _leased(lease: "Lease", rounds: Coroutine[Any, Any, int], console: "Console", runner: "Runner") -> int:
    from reconciler.cli.leased import leased  # noqa: PLC0415

    return await leased(lease, rounds, console, runner)
