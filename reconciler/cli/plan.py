"""`reconciler plan`."""

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import exits, parameters

if TYPE_CHECKING:
    from reconciler.cli.console import Console


@click.command("plan", cls=parameters.Command)
@parameters.selection
@parameters.connection
@parameters.intent
@parameters.option("--out", metavar="FILE", help="Save the plan, for `reconciler apply FILE`.")
@parameters.option("--offline", is_flag=True, help="Compare base with head alone: no key, nothing is reached.")
@parameters.option("--detailed-exitcode", is_flag=True, help="Exit 2 where changes are pending.")
@parameters.output_with_places
@click.pass_obj
def command(console: "Console", /, *, detailed_exitcode: bool, offline: bool, **options: Any) -> int:
    """Show what would change, and why. Sends one GET a target and nothing else."""
    from reconciler.cli.options import RunOptions  # noqa: PLC0415  # --help imports none of it
    from reconciler.cli.signals import Runner  # noqa: PLC0415
    from reconciler.cli.sites import Sites  # noqa: PLC0415
    from reconciler.cli.telling import tell_plans  # noqa: PLC0415
    from reconciler.reconcile.planning import PlanRequest, plan_all  # noqa: PLC0415

    shared = RunOptions(**options)
    request = PlanRequest(shared.intent(), console.saves)
    with (
        Runner(console.signals) as runner,
        Sites(shared, console, runner).opened(offline=offline) as sites,
        console.progress("planning"),
    ):
        planned = runner.run(plan_all(sites(), request))
    code = exits.of_plans(planned.plans, planned.errors, detailed=detailed_exitcode)
    return tell_plans(console, planned.document(), code, invocation=shared.invocation())
