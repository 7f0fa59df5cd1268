"""The fleet file that a single file belongs to: looked for from the file upward, as far as its repository goes."""

import os
from dataclasses import dataclass
from pathlib import Path

from reconciler.desired.files import read_file, shown_path
from reconciler.desired.fleet_file import is_fleet_file, read_targets
from reconciler.desired.layout import FLEET_FILE, Layout


@dataclass(frozen=True, slots=True)
class FleetFileAbove:
    """A fleet file's folder, as it is on disk and as it is shown, and the file's content."""

    folder: Path
    root: str
    data: bytes

    @property
    def name(self) -> str:
        """The fleet file, as it is shown."""
        return f"{self.root.rstrip('/')}/{FLEET_FILE}"

    def layout(self) -> Layout:
        """What it says; its targets' folders are those on disk."""
        return read_targets(self.data, self.name, self.root, self._has_folder)

    def is_at(self, path: str) -> bool:
        """Whether a path is the fleet file's own."""
        return _absolute(path) == self.folder / FLEET_FILE

    def name_of(self, path: str) -> str:
        """A file's name below the root: what tells its target."""
        return f"{self.root.rstrip('/')}/{shown_path(os.path.relpath(_absolute(path), self.folder))}"

    def _has_folder(self, name: str) -> bool:
        return (self.folder / os.path.relpath(name, self.root)).is_dir()


class Above:
    """Finds the fleet files of many files, and looks into each folder once."""

    def __init__(self) -> None:
        self._found: dict[Path, FleetFileAbove | None] = {}

    def fleet_file(self, path: str) -> FleetFileAbove | None:
        """The nearest one beside a file or above it; None where there is none."""
        seen: list[Path] = []
        found: FleetFileAbove | None = None
        for folder in _absolute(path).parents:
            if folder in self._found:
                found = self._found[folder]
                break
            seen.append(folder)
            found = _in(folder, relative=not Path(path).is_absolute())
            if found is not None or (folder / ".git").exists():
                break
        self._found |= dict.fromkeys(seen, found)
        return found


def _absolute(path: str) -> Path:
    """Without resolving a link: where a file stands tells whose it is, not where it leads."""
    return Path(os.path.abspath(path))  # noqa: PTH100


def _in(folder: Path, *, relative: bool) -> FleetFileAbove | None:
    path = folder / FLEET_FILE
    data = read_file(str(path), shown_path(str(path))) if os.path.lexists(path) else b""
    if not isinstance(data, bytes) or not data or not is_fleet_file(data):
        return None
    return FleetFileAbove(folder, shown_path(os.path.relpath(folder) if relative else str(folder)), data)
