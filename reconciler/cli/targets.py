"""`reconciler targets`."""

from typing import TYPE_CHECKING

import click

from reconciler.cli import parameters
from reconciler.errors import EXIT_OK, InvalidManifests

if TYPE_CHECKING:
    from reconciler.cli.console import Console


@click.command("targets", cls=parameters.Command)
@parameters.folder
@parameters.targets
@parameters.output_for_programs
@click.pass_obj
def command(console: "Console", /, *, manifests: str, targets: tuple[str, ...]) -> int:
    """List the targets of the fleet, one name a line, so that each can have a job of its own.

    With --format json it is what GitHub takes as a job's matrix, on one line. Only the fleet file is read: manifests
    that are wrong are told by the jobs.
    """
    from reconciler.desired.files import Folder  # noqa: PLC0415  # --help imports none of it
    from reconciler.desired.fleet import read_layout  # noqa: PLC0415
    from reconciler.model.fleet import select_targets  # noqa: PLC0415
    from reconciler.report.json_text import json_text  # noqa: PLC0415

    layout = read_layout(Folder(manifests), lambda _folder: True)
    if layout.problems:
        raise InvalidManifests(layout.problems)
    selected = select_targets(layout.targets, targets)
    if console.settings.format_name == "json":
        jobs = [{"target": t.name, "endpoint": t.endpoint, "api_key_env": t.api_key_env} for t in selected]
        console.result(json_text({"include": jobs}, one_line=True))
    else:
        console.result("".join(f"{target.name}\n" for target in selected))
    return EXIT_OK
