"""`reconciler validate`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import exits, parameters
from reconciler.errors import InvalidManifests
from reconciler.problem import Problem

if TYPE_CHECKING:
    from reconciler.cli.console import Console
    from reconciler.model.fleet import Fleet


@click.command("validate", cls=parameters.Command)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@parameters.selection
@parameters.output_with_places
@click.pass_context
def command(
    context: click.Context,
    /,
    paths: tuple[str, ...],
    *,
    manifests: str,
    targets: tuple[str, ...],
    only: tuple[str, ...],
) -> int:
    """Check manifests, without network; report every error with its place.

    PATH is a folder, a file, or - for standard input; default: the folder of --manifests.
    """
    from reconciler.model.fleet import Selection  # noqa: PLC0415  # --help imports none of it
    from reconciler.report.render import render_validation  # noqa: PLC0415

    console: Console = context.obj
    if paths:
        parameters.refuse_given(context, ("manifests",), "doesn't go with a PATH", "name it as one more PATH")
    fleets: list[Fleet] = []
    problems: list[Problem] = []
    try:
        fleets += _read(paths, manifests, console)
    except InvalidManifests as error:
        problems += error.problems()
    checked: dict[str, list[str]] = {}
    for fleet in fleets:
        for target in fleet.selected(targets):
            checked.setdefault(target.name, []).extend(fleet.declarations[target.name])
        for warning in (text for target in fleet.selected(targets) for text in fleet.warnings.get(target.name, ())):
            console.warn("manifest.doubted", warning)
    selects = Selection(only)
    if not problems:
        selects.refuse_unmatched((name for names in checked.values() for name in names), "declared here")
    counts = {target: sum(map(selects, names)) for target, names in checked.items()}
    console.problems(problems)
    console.result(render_validation(counts, problems, console.settings.format_name, console.look))
    return exits.of_problems(problems)


def _read(paths: Sequence[str], manifests: str, console: "Console") -> "Iterator[Fleet]":
    """Folders each by itself; single files together, as a pre-commit hook hands them over."""
    from reconciler.desired.fleet import read_files, read_fleet, read_stream  # noqa: PLC0415

    folders = [path for path in paths or (manifests,) if path != "-" and (Path(path).is_dir() or not paths)]
    files = [path for path in paths if path != "-" and path not in folders]
    for folder in folders:
        yield read_fleet(folder)
    if "-" in (paths or (manifests,)):
        yield read_stream(console.read_stdin())
    if files:
        yield from read_files(files)
