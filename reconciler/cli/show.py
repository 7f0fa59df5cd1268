"""`reconciler show`."""

from typing import TYPE_CHECKING

import click

from reconciler.cli import parameters
from reconciler.errors import EXIT_OK

if TYPE_CHECKING:
    from reconciler.cli.console import Console


@click.command("show", cls=parameters.Command)
@click.argument("file", metavar="FILE")
@parameters.output
@click.pass_obj
def command(console: "Console", /, file: str) -> int:
    """Show a plan, or a report, that was saved with --out, in any format. Reads nothing else."""
    from reconciler.cli.posting import read_document  # noqa: PLC0415  # --help imports none of it
    from reconciler.report.render import render_plans, render_reports, without_places  # noqa: PLC0415
    from reconciler.results import ReportDocument  # noqa: PLC0415

    document = read_document(file)
    console.problems(document.errors)
    format_name, look = console.settings.format_name, console.look
    if isinstance(document, ReportDocument):
        console.result(render_reports(document, without_places(format_name), look))
    else:
        console.result(render_plans(document, format_name, look))
    return EXIT_OK
