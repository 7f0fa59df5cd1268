"""`reconciler export`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli import exits, parameters
from reconciler.errors import OutputError, UsageError
from reconciler.problem import Problem

if TYPE_CHECKING:
    from reconciler.cli.console import Console
    from reconciler.cli.options import RunOptions
    from reconciler.desired.files import Folder
    from reconciler.export.exports import ExportOptions, Found, TargetExport, WrittenFile
    from reconciler.model.fleet import Fleet


@click.command("export", cls=parameters.Command)
@parameters.selection_of_folder
@parameters.connection
@click.option(
    "--adopt",
    multiple=True,
    metavar="[=GLOB]",
    help="Write lifecycle.adopt into the new manifests: the clusters may be taken over, and changed; repeatable.",
)
@parameters.option("--placements", is_flag=True, help="Declare where shards live, too; else the service chooses.")
@parameters.option("--single-file", is_flag=True, help="One file a target, instead of one a cluster.")
@parameters.option("--force", is_flag=True, help="Bring manifests up to date with what is live; comments stay.")
@parameters.option(
    "--from-terraform",
    metavar="FILE",
    help="Take the clusters from what `terraform show -json` printed, and reach nothing; - is standard input.",
)
@parameters.output_for_programs
@click.pass_obj
def command(
    console: "Console",
    /,
    *,
    placements: bool,
    single_file: bool,
    force: bool,
    from_terraform: str | None,
    **options: Any,
) -> int:
    """Write manifests for what is live and not declared yet, into the folder of its target.

    No file is overwritten without --force, and a cluster that is declared already is left out. What no manifest should
    say (a cluster that is being deleted, or has errors) is left out and told.
    """
    from reconciler.cli.options import RunOptions  # noqa: PLC0415  # --help imports none of it
    from reconciler.export.exports import ExportOptions  # noqa: PLC0415

    shared = RunOptions(**options)
    folder = _folder(shared.manifests)
    wanted = ExportOptions(shared.only, shared.adopt, placements, single_file, update=force)
    if from_terraform is None:
        fleet, found, errors = _live(console, shared, folder)
    else:
        fleet, found = _of_terraform(console, shared, folder, from_terraform)
        errors = ()
    if not errors:
        _refuse_unmatched(wanted, found)
    exports = _exported(fleet, found, folder, wanted)
    errors += tuple(problem for export in exports for problem in export.not_updated)
    console.problems(errors)
    written = [_written(console, folder, export) for export in exports]
    errors += tuple(problem for _, problems in written for problem in problems)
    _tell(console, [export for export, _ in written], errors)
    return exits.of_problems(errors)


def _folder(manifests: str) -> "Folder":
    """The folder of manifests, made where it isn't there."""
    from reconciler.desired.files import Folder, shown_path  # noqa: PLC0415

    if manifests == "-":
        message = "export writes a folder of manifests: standard input is not one"
        raise UsageError(message, remedy="name the folder: --manifests DIR")
    try:
        Path(manifests).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"the folder {shown_path(manifests)} can't be made: {error.strerror}"
        raise UsageError(message, remedy="name another: --manifests DIR") from error
    return Folder(manifests)


def _live(
    console: "Console", options: "RunOptions", folder: "Folder"
) -> "tuple[Fleet, Mapping[str, Found], tuple[Problem, ...]]":
    """The fleet, what is live of each selected target, and why others couldn't be read."""
    from reconciler.cli.signals import Runner  # noqa: PLC0415
    from reconciler.cli.sites import Sites  # noqa: PLC0415
    from reconciler.export.exports import Found  # noqa: PLC0415
    from reconciler.reconcile.listing import list_all  # noqa: PLC0415

    with Runner(console.signals) as runner, Sites(options, console, runner).opened(to_write=folder) as sites:
        ground = sites()
        listings, errors = runner.run(list_all(ground))
    found = {target: Found(listing.clusters, listing.unreadable) for target, listing in listings.items()}
    return ground.fleet, found, errors


def _of_terraform(
    console: "Console", options: "RunOptions", folder: "Folder", file: str
) -> "tuple[Fleet, Mapping[str, Found]]":
    """The fleet, and what a Terraform state holds, as the one selected target's."""
    from reconciler.desired.files import read_named, shown_path  # noqa: PLC0415
    from reconciler.desired.fleet import read_fleet_to_write  # noqa: PLC0415
    from reconciler.export.terraform import read_state  # noqa: PLC0415

    if options.endpoint or options.region or options.api_key_file or options.sandbox:
        remedy = "leave out --endpoint, --region, --api-key-file and --sandbox"
        raise UsageError("--from-terraform reaches nothing and needs no key", remedy=remedy)
    fleet = read_fleet_to_write(folder)
    selected = fleet.selected(options.targets)
    if len(selected) != 1:
        message = f"a Terraform state is of one target, and there are {len(selected)}"
        raise UsageError(message, remedy="name it with --target")
    name = "standard input" if file == "-" else shown_path(file)
    data = console.read_stdin() if file == "-" else read_named(file, name)
    if isinstance(data, Problem):
        raise UsageError(f"{name}: {data.message}", remedy=data.remedy)
    return fleet, {selected[0].name: read_state(data, name)}


def _refuse_unmatched(options: "ExportOptions", found: "Mapping[str, Found]") -> None:
    from reconciler.model.fleet import Selection  # noqa: PLC0415

    listed = [cluster.name for one in found.values() for cluster in one.clusters]
    Selection(options.only).refuse_unmatched([*listed, *(n for one in found.values() for n in one.unreadable)], "live")


def _exported(
    fleet: "Fleet", found: "Mapping[str, Found]", folder: "Folder", options: "ExportOptions"
) -> "list[TargetExport]":
    from reconciler.desired.fleet import read_layout  # noqa: PLC0415
    from reconciler.export.exports import export_target  # noqa: PLC0415

    layout = read_layout(folder, lambda _folder: True)
    return [
        export_target(fleet.head(target.name), found[target.name], layout.defaults_of(target), folder, options)
        for target in fleet.targets
        if target.name in found
    ]


def _written(
    console: "Console", folder: "Folder", export: "TargetExport"
) -> "tuple[TargetExport, tuple[Problem, ...]]":
    """Write every file that can be: the export of these, and why it isn't of the others."""
    files: list[WrittenFile] = []
    problems: list[Problem] = []
    for file in export.files:
        try:
            _write_one(console, folder.new_path(file.name) if file.is_new else folder.path_of(file.name), file)
        except OutputError as error:
            problems += error.problems()
        else:
            files.append(file)
    console.problems(problems)
    return replace(export, files=tuple(files)), tuple(problems)


def _tell(console: "Console", exports: "Sequence[TargetExport]", errors: "Sequence[Problem]") -> None:
    from reconciler.export.summary import export_document, export_text  # noqa: PLC0415
    from reconciler.report.json_text import json_text  # noqa: PLC0415

    as_json = console.settings.format_name == "json"
    console.result(json_text(export_document(exports, errors)) if as_json else export_text(exports))


def _write_one(console: "Console", path: str, file: "WrittenFile") -> None:
    """Write a file beside its place, and rename it. Raises OutputError."""
    from reconciler.cli.files import create, rewrite  # noqa: PLC0415
    from reconciler.model.secret import MASK  # noqa: PLC0415

    if MASK in console.redactor.text(file.text):  # taken out of what is listed already: written, it would be applied
        message = f"{file.name} is not written: a cluster's description holds the API key"
        raise OutputError(message, remedy="take it out in the Momento console, and make a new key")
    write = create if file.is_new else rewrite
    write(path, file.text.encode(), unique=console.run_id)
