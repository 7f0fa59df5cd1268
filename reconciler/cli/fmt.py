"""`reconciler fmt`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import exits, parameters
from reconciler.errors import EXIT_FAILED, EXIT_OK, InvalidManifests, OutputError, UsageError, first_exit
from reconciler.problem import Problem

if TYPE_CHECKING:
    from reconciler.cli.console import Console


@click.command("fmt", cls=parameters.Command)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@parameters.folder
@parameters.option("--check", is_flag=True, help="Change nothing; exit 1 where a file isn't in order.")
@parameters.logs
@click.pass_context
def command(context: click.Context, /, paths: tuple[str, ...], *, manifests: str, check: bool) -> int:
    """Bring the keys of manifests into one order, with their comments; print the files that change.

    PATH is a folder or a file; default: the folder of --manifests. Nothing else of a file is touched, and one that
    can't be read as manifests not at all.
    """
    from reconciler.cli.files import rewrite  # noqa: PLC0415  # --help imports none of it

    console: Console = context.obj
    if paths:
        parameters.refuse_given(context, ("manifests",), "doesn't go with a PATH", "name it as one more PATH")
    problems: list[Problem] = []
    changed = 0
    for path, name, data in _files(paths or (manifests,)):
        try:
            new = _formatted(data, name)
            if new != data and not check:
                rewrite(path, new, unique=console.run_id)
        except (InvalidManifests, OutputError) as error:
            problems += error.problems()
            continue
        if new != data:
            changed += 1
            console.result(f"{name}\n")
    console.problems(problems)
    return first_exit([exits.of_problems(problems), EXIT_FAILED if check and changed else EXIT_OK])


def _files(paths: Sequence[str]) -> "Iterator[tuple[str, str, bytes | Problem]]":
    """Each file's path, its name as it is shown, and its bytes, or why it has none; a link is never followed."""
    from reconciler.desired.files import Folder, read_file, shown_path  # noqa: PLC0415

    for path in dict.fromkeys(paths):
        name = shown_path(path)
        if path == "-":
            raise UsageError("fmt brings files into order: standard input is not one", remedy="name a folder or a file")
        if not Path(path).is_dir():
            yield path, name, read_file(path, name)
            continue
        folder = Folder(path)
        for problem in folder.beside.problems:
            yield path, name, problem
        names = folder.names()
        for below, data in zip(names, folder.read(names), strict=True):
            yield folder.path_of(below), below, data


def _formatted(data: "bytes | Problem", name: str) -> bytes:
    """In order; a fleet file stays as it is. Raises InvalidManifests."""
    from reconciler.desired.fleet_file import is_fleet_file  # noqa: PLC0415
    from reconciler.desired.formatting import formatted  # noqa: PLC0415
    from reconciler.desired.layout import FLEET_FILE  # noqa: PLC0415

    if isinstance(data, Problem):
        raise InvalidManifests([data])
    return data if Path(name).name == FLEET_FILE and is_fleet_file(data) else formatted(data, name)
