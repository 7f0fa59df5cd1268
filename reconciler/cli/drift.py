"""`reconciler drift`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import parameters
from reconciler.errors import EXIT_FAILED, EXIT_PENDING, EXIT_UNAPPLIED, first_exit

if TYPE_CHECKING:
    from reconciler.plan.plan import Plan


@click.command("drift", cls=parameters.Command)
@parameters.selection
@parameters.connection
@parameters.option("--out", metavar="FILE", help="Save what was found, as JSON.")
@parameters.output
def command(*, out: str | None, **options: Any) -> int:
    """Compare git's HEAD with what is live, whatever the work tree holds.

    Exit 2 for drift, conflicts and unhealthy clusters; 5 where all that differs is merged and not applied, or owned and
    not pruned.
    """
    from reconciler.cli.parts import Options, Parts, run_until_stopped  # noqa: PLC0415  # --help imports none of it
    from reconciler.cli.telling import tell_plans  # noqa: PLC0415
    from reconciler.reconcile import plan_all  # noqa: PLC0415

    parts = Parts(Options(**options, base="HEAD"))
    intent = parts.options.intent()

    async def work() -> int:
        planned = await plan_all(sites(), intent, parts.clock, fingerprint=parts.options.saves(out))
        code = first_exit([*([EXIT_FAILED] if planned.errors else []), *map(_exit_code, planned.plans)])
        return tell_plans(parts, planned.plans, planned.errors, code, out=out)

    with parts.sites(at_head=True) as sites:
        return run_until_stopped(parts, work())


def _exit_code(plan: "Plan") -> int:
    return first_exit(_reasons(plan))


def _reasons(plan: "Plan") -> Iterator[int]:
    if plan.unhealthy or any(change.cause not in {"pending", "revision"} for change in plan.changes):
        yield EXIT_PENDING
    if plan.changes or any(unmanaged.ownership == "owned" for unmanaged in plan.unmanaged):
        yield EXIT_UNAPPLIED
