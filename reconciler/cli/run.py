"""`reconciler run`."""

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import exits, parameters
from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from reconciler.apply.options import ApplyOptions
    from reconciler.cli.console import Console
    from reconciler.cli.signals import Runner
    from reconciler.lease.lease import Lease
    from reconciler.reconcile.ground import Ground
    from reconciler.reconcile.planning import PlanRequest

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
    help="From the end of a round to the next, give or take a tenth.",
)
@parameters.option("--once", is_flag=True, help="One round, for cron.")
@parameters.option("--apply", "applies", is_flag=True, help="Apply each plan; without it, plans are only shown.")
@parameters.applying
@parameters.option(
    "--lease", metavar="NAMESPACE/NAME", help="In a Kubernetes cluster, of several replicas one at a time applies."
)
@parameters.output
@click.pass_context
def command(
    context: click.Context, /, *, interval: float, once: bool, applies: bool, lease: str | None, **options: Any
) -> int:
    """Plan, or apply, again and again; at once where a pull moved the folder. Never fetches. A signal ends it."""
    from reconciler.cli.options import RunOptions, take_apply_options  # noqa: PLC0415  # --help imports none of it
    from reconciler.cli.signals import Runner  # noqa: PLC0415
    from reconciler.cli.sites import Sites  # noqa: PLC0415
    from reconciler.evidence.position import position_of  # noqa: PLC0415
    from reconciler.loop import repeat  # noqa: PLC0415
    from reconciler.reconcile.planning import PlanRequest  # noqa: PLC0415
    from reconciler.wire.client import always  # noqa: PLC0415

    if not applies:
        parameters.refuse_given(
            context, OF_APPLYING, "says how to apply, and this only plans", "leave it out, or --apply"
        )
    console: Console = context.obj
    apply_options = take_apply_options(options)
    shared = RunOptions(**options)
    request = PlanRequest(shared.intent())
    with Runner(console.signals) as runner:
        held = _lease(lease, console, runner) if lease and applies else None
        with Sites(shared, console, runner, permit=held.permit if held else always).opened() as sites:
            options_of_round = apply_options if applies else None
            rounds = repeat(
                lambda: _told_round(console, _round(console, sites, request, runner, options_of_round)),
                interval_seconds=interval,
                clock=runner.clock,
                random=runner.random,
                stop=runner.stop.requested,
                position=lambda: None if shared.manifests == "-" else position_of(shared.manifests),
                once=once,
            )
            return runner.run_gracefully(_leased(held, rounds, console, runner) if held else rounds)


def _lease(text: str, console: "Console", runner: "Runner") -> "Lease":
    from reconciler.cli.leased import lease_of  # noqa: PLC0415  # few runs have one

    return lease_of(text, console, runner)


async def _leased(lease: "Lease", rounds: Coroutine[Any, Any, int], console: "Console", runner: "Runner") -> int:
    from reconciler.cli.leased import leased  # noqa: PLC0415

    return await leased(lease, rounds, console, runner)


async def _told_round(console: "Console", work: Coroutine[Any, Any, int]) -> int:
    """A round that fails has a line, too; the loop logs why, and goes on."""
    from reconciler.cli.telling import leave_document  # noqa: PLC0415

    try:
        return await work
    except ReconcilerError as error:
        leave_document(console, error.problems(), error.exit_code)
        raise


async def _round(
    console: "Console",
    sites: "Callable[[], Ground]",
    request: "PlanRequest",
    runner: "Runner",
    apply_options: "ApplyOptions | None",
) -> int:
    """One round, and its line; `apply_options` are None where it only plans."""
    from reconciler.cli.telling import tell_plans, tell_reports  # noqa: PLC0415
    from reconciler.reconcile.applying import apply_all  # noqa: PLC0415
    from reconciler.reconcile.planning import plan_all, refuse_stale_heads  # noqa: PLC0415

    ground = sites()
    if apply_options is not None:
        refuse_stale_heads(ground, request.intent)
    planned = await plan_all(ground, request)
    if apply_options is None or planned.refused:
        return tell_plans(console, planned.document(), exits.of_plans(planned.plans, planned.errors))
    applied = await apply_all(ground, planned, request, apply_options, runner.clock, runner.stop)
    errors = planned.errors + applied.errors
    return tell_reports(console, applied.document(planned.errors), exits.of_reports(applied.reports, errors))
