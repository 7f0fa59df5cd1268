"""A folder of manifests that live clusters are exported to, as the command does it."""

from collections.abc import Iterable
from pathlib import Path

from reconciler.desired.files import Folder
from reconciler.desired.fleet import read_fleet_to_write, read_layout
from reconciler.export.exports import ExportOptions, Found, TargetExport, export_target
from reconciler.model.cluster import LiveCluster


def export_to(
    folder: Path, clusters: Iterable[LiveCluster], target: str = "default", **options: object
) -> TargetExport:
    """Write what is to be written; what was decided."""
    files = Folder(str(folder))
    fleet = read_fleet_to_write(files)
    head = fleet.head(target)
    defaults = read_layout(files, lambda _folder: True).defaults_of(head.target)
    export = export_target(head, Found(tuple(clusters)), defaults, files, ExportOptions(**options))  # type: ignore[arg-type]
    for file in export.files:
        path = Path(files.new_path(file.name) if file.is_new else files.path_of(file.name))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(file.text.encode())
    return export
