"""`reconciler drift`."""

from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import exits, parameters
from reconciler.errors import UsageError

if TYPE_CHECKING:
    from reconciler.cli.console import Console


@click.command("drift", cls=parameters.Command)
@parameters.selection_of_folder
@parameters.connection
@parameters.remote
@parameters.option("--out", metavar="FILE", help="Save what was found, as JSON.")
@parameters.output
@click.pass_obj
def command(console: "Console", /, **options: Any) -> int:
    """Compare git's HEAD with what is live, whatever the work tree holds.

    Exit 2 for drift, conflicts, adoptions and unhealthy clusters; 5 where all that differs is merged and not applied,
    owned and not pruned, or still settling.
    """
    from reconciler.cli.options import RunOptions  # noqa: PLC0415  # --help imports none of it
    from reconciler.cli.signals import Runner  # noqa: PLC0415
    from reconciler.cli.sites import Sites  # noqa: PLC0415
    from reconciler.cli.telling import tell_plans  # noqa: PLC0415
    from reconciler.reconcile.planning import PlanRequest, plan_all  # noqa: PLC0415

    asked = RunOptions(**options)
    if asked.manifests == "-":
        raise UsageError(
            "drift compares git's HEAD: standard input has none", remedy="name the folder: --manifests DIR"
        )
    shared = asked._replace(base="HEAD")
    request = PlanRequest(shared.intent(), console.saves)
    with (
        Runner(console.signals) as runner,
        Sites(shared, console, runner).opened(at_head=True) as sites,
        console.progress("planning"),
    ):
        planned = runner.run(plan_all(sites(), request))
    code = exits.of_drift(planned.plans, planned.errors)
    return tell_plans(console, planned.document(), code, invocation=asked.invocation())
