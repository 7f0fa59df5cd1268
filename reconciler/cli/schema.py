"""`reconciler schema`."""

from typing import TYPE_CHECKING

import click

from reconciler.cli import parameters
from reconciler.errors import EXIT_OK, UsageError

if TYPE_CHECKING:
    from reconciler.cli.console import Console


@click.command("schema", cls=parameters.Command)
@parameters.option("--fleet", is_flag=True, help="Of the fleet file.")
@parameters.option("--plan", is_flag=True, help="Of a plan, as --format json and --out write it.")
@parameters.option("--report", is_flag=True, help="Of a report, as apply writes it.")
@parameters.logs
@click.pass_obj
def command(console: "Console", /, *, fleet: bool, plan: bool, report: bool) -> int:
    """Print the JSON Schema of a manifest, or of another document: draft-07, for editors and other programs."""
    from reconciler.desired.schema import fleet_schema, manifest_schema  # noqa: PLC0415  # --help imports none of it
    from reconciler.report.json_text import json_text  # noqa: PLC0415
    from reconciler.report.schema import plan_schema, report_schema  # noqa: PLC0415

    if fleet + plan + report > 1:
        raise UsageError("several schemas are asked for", remedy="ask for one at a time")
    schema = fleet_schema if fleet else plan_schema if plan else report_schema if report else manifest_schema
    console.result(json_text(schema()))
    return EXIT_OK
