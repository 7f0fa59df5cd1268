"""`reconciler show`."""

from typing import Any

import click

from reconciler.cli import parameters
from reconciler.errors import EXIT_OK


@click.command("show", cls=parameters.Command)
@click.argument("plan", metavar="PLAN")
@parameters.output
def command(plan: str, **options: Any) -> int:
    """Show a plan that was saved with `reconciler plan --out`, in any format. Reads nothing else."""
    import sys  # noqa: PLC0415  # --help imports none of it

    from reconciler.cli.output import emit, tell_problems, wants_color  # noqa: PLC0415
    from reconciler.cli.saved import read_plan  # noqa: PLC0415
    from reconciler.report.render import render_plans  # noqa: PLC0415

    document = read_plan(plan)
    tell_problems(document.errors)
    color = wants_color(is_terminal=sys.stdout.isatty(), no_color=options["no_color"])
    emit(render_plans(document.targets, document.errors, options["format_name"], color=color))
    return EXIT_OK
