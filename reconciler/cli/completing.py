"""What a shell is offered after an option: names that the folder of manifests has, regions, folders.

Whatever is wrong there, nothing is offered and nothing is said: somebody is in the middle of a line.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from reconciler.errors import ReconcilerError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def folders(_context: click.Context, _option: click.Parameter, start: str) -> "list[CompletionItem]":
    """The shell's own."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415  # only where it is asked for

    return [CompletionItem(start, type="dir")]


def regions(_context: click.Context, _option: click.Parameter, start: str) -> list[str]:
    """The published ones."""
    from reconciler.model.endpoint import REGIONS  # noqa: PLC0415

    return _starting(REGIONS, start)


def targets(context: click.Context, _option: click.Parameter, start: str) -> list[str]:
    """The fleet file's."""
    from reconciler.desired.files import Folder  # noqa: PLC0415
    from reconciler.desired.fleet import read_layout  # noqa: PLC0415

    try:
        layout = read_layout(Folder(_folder(context)))
    except ReconcilerError:
        return []
    return _starting((target.name for target in layout.targets), start)


def clusters(context: click.Context, _option: click.Parameter, start: str) -> list[str]:
    """Those that the targets declare that the line names, or all."""
    from reconciler.desired.fleet import read_fleet  # noqa: PLC0415

    try:
        fleet = read_fleet(_folder(context))
        selected = fleet.selected(context.params.get("targets") or ())
    except ReconcilerError:
        return []
    return _starting((name for target in selected for name in fleet.declarations[target.name]), start)


def _folder(context: click.Context) -> str:
    return context.params.get("manifests") or "manifests"


def _starting(names: Iterable[str], start: str) -> list[str]:
    return sorted({name for name in names if name.startswith(start)})
