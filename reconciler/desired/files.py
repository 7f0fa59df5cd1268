"""Files of a folder, read without being led astray: no symbolic link is followed, only regular files are opened.

What looks like a manifest and can't be one is a problem: who passes over it takes its cluster for removed.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, Protocol

from reconciler.desired.yaml import LARGEST_FILE
from reconciler.errors import UsageError
from reconciler.problem import Problem

SUFFIXES: Final = (".yaml", ".yml")


class ManifestFiles(Protocol):
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


class Beside(NamedTuple):
    """What else a folder holds, by shown name: what can't be a manifest though it looks like one, what is hidden.

    `occupied` are the folders that hold other files.
    """

    problems: tuple[Problem, ...] = ()
    hidden: tuple[str, ...] = ()
    occupied: frozenset[str] = frozenset()


NOTHING_BESIDE: Final = Beside()


class Folder:
    """The files of a folder of the work tree, shown below `root`. Raises UsageError where it can't be listed."""

    def __init__(self, path: str, root: str | None = None) -> None:
        self.root = shown_path(path.rstrip("/") or "/") if root is None else root
        self._path = path
        listing = _Listing(path, self.root)
        self._paths = listing.manifests
        self.beside = Beside(tuple(listing.problems), tuple(listing.hidden), frozenset(listing.occupied))

    def names(self) -> list[str]:
        """Every manifest file, in the order of the folders."""
        return list(self._paths)

    def path_of(self, name: str) -> str:
        """Where a file is on disk. Raises KeyError for a name that isn't one of these."""
        return self._paths[name]

    def read(self, names: Iterable[str]) -> Iterator[bytes | Problem]:
        """Their contents, in order, or why one can't be read."""
        return (read_file(self._paths[name], name) for name in names)

    def new_path(self, name: str) -> str:
        """Where a file that isn't there would be."""
        return os.path.join(self._path, os.path.relpath(name, self.root))  # noqa: PTH118

    def has_folder(self, name: str) -> bool:
        """Whether there is such a folder."""
        return os.path.isdir(os.path.join(self._path, os.path.relpath(name, self.root)))  # noqa: PTH112, PTH118


def is_manifest(name: str) -> bool:
    """Whether a path below the folder of manifests is a manifest's: its ending, and nothing of it hidden."""
    return name.endswith(SUFFIXES) and "/." not in f"/{name}"


def read_file(path: str, name: str) -> bytes | Problem:
    """A regular file's bytes, at most one more than are taken; or why it can't be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return _problem(name, f"it can't be opened: {error.strerror}", "check its kind and permissions")
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            return _not_regular(name)
        # One byte more than it has, so that one read is all; a file that grows meanwhile is read as it was.
        return os.read(descriptor, min(status.st_size, LARGEST_FILE) + 1)
    except OSError as error:
        return _problem(name, f"it can't be read: {error.strerror}", "check the disk")
    finally:
        os.close(descriptor)


def read_named(path: str, name: str) -> bytes | Problem:
    """The bytes of what somebody named: links are followed, and a pipe is read to its end, within the same bound."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # its name may be no text
            return file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        return _problem(name, "there is no such file", "check its name")
    except OSError as error:
        return _problem(name, f"it can't be read: {error.strerror}", "check its kind and permissions")


def shown_path(path: str) -> str:
    """A path that can be encoded."""
    return path if path.isascii() else os.fsencode(path).decode("utf-8", errors="backslashreplace")


class _Listing:
    """Everything below a folder, sorted. A shown name is the folder as it was given, then `/`."""

    def __init__(self, path: str, name: str) -> None:
        self.manifests: dict[str, str] = {}
        self.problems: list[Problem] = []
        self.hidden: list[str] = []
        self.occupied: set[str] = set()
        folders = self._walk(_root_entries(path), name)
        while folders:
            below, name_below = folders.pop()
            try:
                entries = _entries(below)
            except OSError as error:
                message = f"the folder can't be read: {error.strerror}"
                self.problems.append(_problem(name_below, message, "check its permissions"))
            else:
                folders += self._walk(entries, name_below)

    def _walk(self, entries: Iterable[os.DirEntry[str]], name: str) -> list[tuple[str, str]]:
        """Take in one folder's entries; its folders come back, the last one first."""
        inner = []
        for entry in entries:
            below = f"{name.rstrip('/')}/{shown_path(entry.name)}"
            looks = entry.name.lower().endswith(SUFFIXES)
            if entry.name.startswith("."):
                self._hide(entry, below, looks=looks)
            elif entry.is_symlink():
                if looks or not _leads_to_file(entry):
                    self.problems.append(
                        _problem(below, "symbolic links are not followed", "put what it leads to here")
                    )
            elif entry.is_dir(follow_symlinks=False):
                inner.append((entry.path, below))
            elif not looks:
                self.occupied.add(name)
            elif not entry.is_file(follow_symlinks=False):
                self.problems.append(_not_regular(below))
            elif entry.name.endswith(SUFFIXES):
                self.manifests[below] = entry.path
            else:
                ending = shown_path(entry.name).rpartition(".")[2]
                message = f"a manifest's name ends in .yaml or .yml, not in .{ending}"
                self.problems.append(_problem(below, message, "rename it"))
        return inner[::-1]

    def _hide(self, entry: os.DirEntry[str], name: str, *, looks: bool) -> None:
        if entry.name != ".git" and (looks or entry.is_dir(follow_symlinks=False)):
            self.hidden.append(name)


def _entries(path: str) -> list[os.DirEntry[str]]:
    with os.scandir(path) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _root_entries(path: str) -> list[os.DirEntry[str]]:
    try:
        return _entries(path)
    except FileNotFoundError as error:
        raise UsageError(
            f"there is no folder {shown_path(path)}", remedy="name the folder of manifests: --manifests DIR"
        ) from error
    except OSError as error:
        raise UsageError(
            f"the folder {shown_path(path)} can't be read: {error.strerror}", remedy="name another: --manifests DIR"
        ) from error


def _leads_to_file(link: os.DirEntry[str]) -> bool:
    """Whether a link is known to lead to a file; one that leads nowhere, or round, may be meant for a folder."""
    try:
        return link.is_file()
    except OSError:
        return False


def _not_regular(name: str) -> Problem:
    return _problem(name, "it is not a regular file", "move it elsewhere")


def _problem(name: str, message: str, remedy: str) -> Problem:
    return Problem("manifest", message, remedy, file=name, line=1)
