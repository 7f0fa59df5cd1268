"""`reconciler wait`."""

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import exits, parameters

if TYPE_CHECKING:
    from reconciler.cli.console import Console


@click.command("wait", cls=parameters.Command)
@parameters.selection
@parameters.connection
@parameters.option(
    "--timeout", type=parameters.Duration(), default="2h", show_default=True, help="How long each may take to settle."
)
@parameters.option("--out", metavar="FILE", help="Save the report as JSON.")
@parameters.output
@click.pass_obj
def command(console: "Console", /, *, timeout: float, **options: Any) -> int:
    """Wait until all that is declared has settled. Sends nothing but GET.

    Exit 2 where what is declared isn't what is live: that is for an apply.
    """
    from reconciler.apply.options import ApplyOptions  # noqa: PLC0415  # --help imports none of it
    from reconciler.cli.options import RunOptions  # noqa: PLC0415
    from reconciler.cli.signals import Runner  # noqa: PLC0415
    from reconciler.cli.sites import Sites  # noqa: PLC0415
    from reconciler.cli.telling import tell_reports  # noqa: PLC0415
    from reconciler.reconcile.applying import wait_all  # noqa: PLC0415
    from reconciler.reconcile.planning import PlanRequest, plan_all  # noqa: PLC0415
    from reconciler.report.counts import actions_text  # noqa: PLC0415
    from reconciler.report.nextsteps import pending_steps  # noqa: PLC0415

    shared = RunOptions(**options)
    request = PlanRequest(shared.intent())
    with Runner(console.signals) as runner, Sites(shared, console, runner).opened() as sites:
        ground = sites()
        with console.progress("planning"):
            planned = runner.run(plan_all(ground, request))
        apply_options = ApplyOptions(timeout_seconds=timeout)
        with console.progress("waiting") as on_progress:
            waiting = wait_all(ground, planned, apply_options, runner.clock, runner.stop, on_progress=on_progress)
            waited = runner.run_gracefully(waiting)
        with console.progress("planning"):
            planned = runner.run(plan_all(ground, request))
    for plan in planned.plans:
        if plan.sends:
            message = f"target {plan.target} isn't as declared: {actions_text(plan.sends)}"
            console.warn("wait.pending", message, remedy="look with reconciler plan, then apply")
    errors = planned.errors + waited.errors
    code = exits.of_waited(waited.reports, planned.plans, errors)
    pending = pending_steps(planned.plans)
    return tell_reports(
        console, waited.document(planned.errors), code, also_next=pending, invocation=shared.invocation()
    )
