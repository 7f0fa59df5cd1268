"""Files of a folder, read without being led astray: no symbolic link is followed, only regular files are opened."""

import os
import stat
from collections.abc import Iterable, Iterator
from typing import Protocol

import structlog

from reconciler.desired.yaml import LARGEST_FILE
from reconciler.errors import Problem, UsageError

log = structlog.get_logger()

SUFFIXES = (".yaml", ".yml")


class Source(Protocol):
    """Files by the name that messages show them under: those of a folder, or of a commit."""

    @property
    def root(self) -> str:
        """The folder of manifests, as it is shown, without a trailing slash."""
        ...

    def names(self) -> list[str]:
        """Every manifest file, sorted."""
        ...

    def read(self, names: Iterable[str]) -> Iterator[bytes | Problem]:
        """Their contents, in order, or why one can't be read."""
        ...

    def has_folder(self, name: str) -> bool:
        """Whether there is such a folder."""
        ...


class Folder:
    """The files of a folder of the work tree. Raises UsageError where it can't be listed."""

    def __init__(self, path: str) -> None:
        self.root = shown(path.rstrip("/") or "/")
        self._path = path
        self._paths = {name: file for file, name in manifest_files(path)}

    def names(self) -> list[str]:
        """Every manifest file, in the order of the folders."""
        return list(self._paths)

    def read(self, names: Iterable[str]) -> Iterator[bytes | Problem]:
        """Their contents, in order, or why one can't be read."""
        return (read_file(self._paths[name], name) for name in names)

    def has_folder(self, name: str) -> bool:
        """Whether there is such a folder."""
        return os.path.isdir(os.path.join(self._path, os.path.relpath(name, self.root)))  # noqa: PTH112, PTH118


def is_manifest(name: str) -> bool:
    """Whether a path below the folder of manifests is a manifest's: its ending, and nothing of it hidden."""
    return name.endswith(SUFFIXES) and not any(part.startswith(".") for part in name.split("/"))


def manifest_files(folder: str) -> Iterator[tuple[str, str]]:
    """Path and shown name of every `*.yaml` and `*.yml` below the folder, sorted; hidden ones are passed over.

    A shown name is the folder as it was given, then `/`; bytes that are no UTF-8 are escaped. Raises UsageError where
    the folder can't be listed.
    """
    folders = [(folder, shown(folder.rstrip("/") or "/"))]
    while folders:
        path, name = folders.pop()
        inner = []
        for entry in _entries(path):
            below = f"{name.rstrip('/')}/{shown(entry.name)}"
            if entry.name.startswith("."):
                continue
            if entry.is_symlink():
                if entry.name.endswith(SUFFIXES) or entry.is_dir():
                    log.warning("manifest.skipped", file=below, reason="symbolic links are not followed")
            elif entry.is_dir(follow_symlinks=False):
                inner.append((entry.path, below))
            elif entry.name.endswith(SUFFIXES):
                yield entry.path, below
        folders += reversed(inner)


def read_file(path: str, name: str) -> bytes | Problem:
    """A file's bytes, at most one more than are taken; or why it can't be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return Problem(
            "manifest", f"it can't be opened: {error.strerror}", "check its kind and permissions", file=name, line=1
        )
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return Problem("manifest", "it is no regular file", "move it elsewhere", file=name, line=1)
        # One byte more than it has, so that one read is all; a file that grows meanwhile is read as it was.
        return os.read(descriptor, min(status.st_size, LARGEST_FILE) + 1)
    except OSError as error:
        return Problem("manifest", f"it can't be read: {error.strerror}", "check the disk", file=name, line=1)
    finally:
        os.close(descriptor)


def shown(path: str) -> str:
    """A path that can be encoded."""
    return os.fsencode(path).decode("utf-8", errors="backslashreplace")


def _entries(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError as error:
        raise UsageError(
            f"there is no folder {shown(path)}", remedy="name the folder of manifests: --manifests DIR"
        ) from error
    except OSError as error:
        raise UsageError(
            f"the folder {shown(path)} can't be read: {error.strerror}", remedy="name another: --manifests DIR"
        ) from error
