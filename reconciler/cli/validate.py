"""`reconciler validate`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from reconciler.cli import parameters
from reconciler.errors import EXIT_FAILED, EXIT_OK

if TYPE_CHECKING:
    from reconciler.model.fleet import Fleet


@click.command("validate", cls=parameters.Command)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@parameters.selection
@parameters.output
def command(
    paths: tuple[str, ...],
    *,
    manifests: str,
    targets: tuple[str, ...],
    only: tuple[str, ...],
    format_name: Literal["text", "json", "markdown"],
    no_color: bool,
    **_options: Any,
) -> int:
    """Check manifests, without network; report every error with its place.

    PATH is a folder, a file, or - for standard input; default: the folder of --manifests.
    """
    from reconciler.cli.output import emit, tell_problems  # noqa: PLC0415  # --help imports none of it
    from reconciler.errors import InvalidManifests, Problem  # noqa: PLC0415
    from reconciler.model.fleet import Selection  # noqa: PLC0415
    from reconciler.report.render import render_validation  # noqa: PLC0415

    fleets, problems = [], list[Problem]()
    for path in paths or (manifests,):
        try:
            fleets.append(_read(path))
        except InvalidManifests as error:
            problems += error.problems()
    checked: dict[str, list[str]] = {}
    for fleet in fleets:
        for target in fleet.selected(targets):
            checked.setdefault(target.name, []).extend(fleet.declarations[target.name])
    selects = Selection(only)
    if not problems:
        selects.refuse_unmatched((name for names in checked.values() for name in names), "declared here")
    counts = {target: sum(map(selects, names)) for target, names in checked.items()}
    tell_problems(problems, no_color=no_color)
    emit(render_validation(counts, problems, format_name))
    return EXIT_FAILED if problems else EXIT_OK


def _read(path: str) -> "Fleet":
    from reconciler.desired.fleet import read_files, read_fleet, read_stream  # noqa: PLC0415

    if path == "-":
        return read_stream(sys.stdin.buffer.read())
    return read_fleet(path) if Path(path).is_dir() or not Path(path).exists() else read_files([path])
