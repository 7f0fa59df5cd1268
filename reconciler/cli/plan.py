"""`reconciler plan`."""

from typing import Any

import click

from reconciler.cli import parameters
from reconciler.errors import EXIT_FAILED, EXIT_PENDING, EXIT_REFUSED, first_exit


@click.command("plan", cls=parameters.Command)
@parameters.selection
@parameters.connection
@parameters.intent
@parameters.option("--out", metavar="FILE", help="Save the plan, for `reconciler apply FILE`.")
@parameters.option("--offline", is_flag=True, help="Compare base with head alone: no key, nothing is reached.")
@parameters.option("--detailed-exitcode", is_flag=True, help="Exit 2 where changes are pending.")
@parameters.output
def command(*, out: str | None, detailed_exitcode: bool, offline: bool, **options: Any) -> int:
    """Show what would change, and why. Sends one GET a target and nothing else."""
    from reconciler.cli.parts import Options, Parts, run_until_stopped  # noqa: PLC0415  # --help imports none of it
    from reconciler.cli.telling import tell_plans  # noqa: PLC0415
    from reconciler.reconcile import plan_all  # noqa: PLC0415

    parts = Parts(Options(**options))
    intent = parts.options.intent()

    async def work() -> int:
        planned = await plan_all(sites(), intent, parts.clock, fingerprint=parts.options.saves(out))
        pending = detailed_exitcode and any(plan.sends for plan in planned.plans)
        codes = {EXIT_FAILED: bool(planned.errors), EXIT_REFUSED: planned.refused, EXIT_PENDING: pending}
        code = first_exit(code for code, holds in codes.items() if holds)
        return tell_plans(parts, planned.plans, planned.errors, code, out=out)

    with parts.sites(offline=offline) as sites:
        return run_until_stopped(parts, work())
