"""What an export has written and what it hasn't, as a person reads it, and as a program does."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from reconciler import __version__
from reconciler.export.exports import LeftOut, TargetExport
from reconciler.model.text import printable
from reconciler.problem import Problem

_NEXT: Final = "next: commit them, then `reconciler plan`: it changes nothing, and says what the first apply takes over"


def export_text(exports: Sequence[TargetExport]) -> str:
    """Target by target; ends in a line break, and in the next step where anything was written."""
    lines = [line for export in exports for line in _target(export)]
    if any(export.files for export in exports):
        lines.append(_NEXT)
    return "".join(f"{line}\n" for line in lines)


def export_document(exports: Sequence[TargetExport], errors: Sequence[Problem]) -> dict[str, Any]:
    """The same as plain JSON values; `errors` say what kept a target, or a cluster, out of it."""
    told = [{name: getattr(error, name) for name in Problem.__slots__} for error in errors]
    targets = [_as_json(export) for export in exports]
    return {"kind": "export", "format_version": 1, "tool_version": __version__, "errors": told, "targets": targets}


def _as_json(export: TargetExport) -> dict[str, Any]:
    return {
        "target": export.target,
        "files": [{"name": one.name, "new": one.is_new, "clusters": [*one.clusters]} for one in export.files],
        "declared": [*export.declared],
        "left_out": [asdict(one) for one in export.left_out],
        "unplaced": [asdict(one) for one in export.unplaced],
        "unsettled": [asdict(one) for one in export.unsettled],
    }


def _target(export: TargetExport) -> Iterator[str]:
    new = sum(len(file.clusters) for file in export.files if file.is_new)
    edited = sum(len(file.clusters) for file in export.files if not file.is_new)
    counts = [f"{_counted(new, 'manifest')} written"]
    counts += [f"{edited} brought up to date"] if edited else []
    counts += [f"{len(export.declared)} declared already"] if export.declared else []
    counts += [f"{len(export.left_out)} left out"] if export.left_out else []
    yield f"{export.target}: {', '.join(counts)}"
    for file in export.files:
        verb = "wrote" if file.is_new else "edited"
        clusters = "" if len(file.clusters) < 2 else f" ({_counted(len(file.clusters), 'cluster')})"
        yield f"  {verb} {printable(file.name)}{clusters}"
    yield from _asides("left out", export.left_out)
    yield from _asides("without its placements", export.unplaced)
    yield from _asides("written as it is listed now, and not settled yet", export.unsettled)


def _asides(what: str, clusters: Iterable[LeftOut]) -> Iterator[str]:
    for one in clusters:
        yield f"  {what}: {printable(one.name, 255)}: {printable(one.reason, 300)}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
