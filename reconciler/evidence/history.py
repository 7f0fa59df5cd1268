"""How clusters came to be declared as they are: the first-parent history of a commit, by target and name.

A log is walked from its oldest commit on, to know which target a file belonged to; a cluster's commits are then read
from the newest on, and no further than is asked: most files of a long history are never parsed. A log that doesn't go
back to the beginning tells what lies wholly within it, and says of all else nothing.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import NamedTuple

from reconciler.desired.files import is_manifest
from reconciler.desired.layout import FLEET_FILE, Layout
from reconciler.evidence.git import Git
from reconciler.evidence.revision import Reader, Tree, name_of
from reconciler.evidence.walk import Log, LogEntry, Touched
from reconciler.model.declaration import Declaration

_AT_ONCE = 200
"""Commits whose files are read together: few questions, and git walks on meanwhile."""


class Revision(NamedTuple):
    """A commit of base's first-parent history that changed one cluster's declaration."""

    commit: str
    before: Declaration | None
    after: Declaration | None

    def sets(self, path: str) -> bool:
        """Whether it changed what is declared of a path, or the cluster as a whole."""
        if self.before is None or self.after is None:
            return True
        return self.before.managed.get(path) != self.after.managed.get(path)


@dataclass(frozen=True, slots=True, eq=False)
class _Version:
    """A file as a commit left it, and what it was before: None where it wasn't there, or spoke of no cluster."""

    blob: str
    commit: str
    layout: Layout | None
    earlier: "_Version | None"


@dataclass(slots=True)
class _Past:
    """The files of our target that speak of a cluster, by now, and the commits that changed any of them.

    Each commit has what these files were before it, so that the walk back knows at each commit all that spoke.
    """

    files: dict[str, _Version] = field(default_factory=dict)
    changes: list[tuple[LogEntry, dict[str, _Version | None]]] = field(default_factory=list)

    def add(self, entry: LogEntry, file: str, before: _Version | None, after: _Version | None) -> None:
        """Add what a commit, the newest by now, made of a file."""
        if not self.changes or self.changes[-1][0] is not entry:
            self.changes.append((entry, {}))
        self.changes[-1][1][file] = before
        if after is None:
            self.files.pop(file, None)
        else:
            self.files[file] = after


class _BuriedError(Exception):
    """What a file last said stands in a commit that the log doesn't go back to."""


def read_histories(
    git: Git, reader: Reader, logs: Iterable[Log], root: str, asked: Mapping[str, Collection[str] | None]
) -> Mapping[str, tuple[Revision, ...]]:
    """The commits that changed what a cluster is declared as, newest first.

    Each of the logs goes back further than the one before, the last to the beginning: none is asked for but by what the
    ones before it couldn't tell. `asked` are the clusters by name, each with the paths whose last change is asked for,
    or None for the newest. A file that only moved, or only mentions a cluster, or whose comments changed, changes
    nothing; nor does one that doesn't parse: as long as it is broken, and speaks of a cluster, it says of it what it
    last said.
    """
    told: dict[str, tuple[Revision, ...]] = {}
    for log in logs:
        told |= _told(git, reader, log, root, {name: paths for name, paths in asked.items() if name not in told})
        if len(told) == len(asked):
            break
    return told


def _told(
    git: Git, reader: Reader, log: Log, root: str, asked: Mapping[str, Collection[str] | None]
) -> Mapping[str, tuple[Revision, ...]]:
    """The histories that one log can tell."""
    if log.ground is not None and reader.layout(Tree(git, log.ground, root)) is None:
        return {}
    pasts = {name: _Past() for name in asked}
    walk = _Walk(git, reader, root)
    log_entries = chain(_as_beginning(git, log.ground), log.entries)
    while entries := list(islice(log_entries, _AT_ONCE)):
        reader.fetch(blob for entry in entries for t in entry.touched for blob in (t.before, t.after) if blob)
        for entry in entries:
            for file, before, after in walk.changes(entry):
                for name in _spoken_of(reader, before) | _spoken_of(reader, after):
                    if name in pasts:
                        pasts[name].add(entry, file, before, after)
    found = {name: _within(reader, name, pasts[name], paths, log.ground) for name, paths in asked.items()}
    return {name: revisions for name, revisions in found.items() if revisions is not None}


def _as_beginning(git: Git, ground: str | None) -> Iterator[LogEntry]:
    """What the log stands on, as if one commit had added all of it."""
    if ground is not None:
        yield LogEntry(ground, tuple(Touched(path, None, blob) for path, blob in git.files(ground, git.prefix).items()))


def _within(
    reader: Reader, name: str, past: _Past, paths: Collection[str] | None, ground: str | None
) -> tuple[Revision, ...] | None:
    """One cluster's commits; None where the answer lies, or may lie, in what the log stands on or before it."""
    try:
        revisions = tuple(_revisions(_states(reader, name, past, ground), paths))
    except _BuriedError:
        return None
    if ground is None:
        return revisions
    if any(revision.commit == ground for revision in revisions):
        return None
    is_told = bool(revisions) if paths is None else all(any(r.sets(path) for r in revisions) for path in paths)
    return revisions if is_told else None


class _Walk:
    """Walks from the oldest commit on, and remembers the targets, and the files of all of them."""

    def __init__(self, git: Git, reader: Reader, root: str) -> None:
        self._git = git
        self._reader = reader
        self._root = root
        self._fleet_file = git.prefix + FLEET_FILE
        self._layout: Layout | None = None
        self._files: dict[str, _Version] = {}

    def changes(self, entry: LogEntry) -> Iterator[tuple[str, _Version | None, _Version | None]]:
        """Which files a commit changed for our target, each as it was and as it is; None where it isn't ours.

        Where the fleet file reads them otherwise, by moved targets or other defaults, that's every file.
        """
        layout = self._layout
        if layout is None or any(touched.path == self._fleet_file for touched in entry.touched):
            self._layout = self._reader.layout(Tree(self._git, entry.sha, self._root)) or layout
        were = dict(self._touched(entry))
        if self._reader.view(layout) != self._reader.view(self._layout):
            were = {**self._read_anew(entry, self._files.keys() - were.keys()), **were}
        for file, was in were.items():
            before = was if self._reader.counts(file, layout) else None
            after = self._files.get(file) if self._reader.counts(file, self._layout) else None
            if before is not after:
                yield file, before, after

    def _read_anew(self, entry: LogEntry, files: Iterable[str]) -> dict[str, _Version]:
        """Have files say what they say by the new fleet file; what they were."""
        were = {file: self._files[file] for file in sorted(files)}
        for file, was in were.items():
            self._files[file] = _Version(was.blob, entry.sha, self._layout, was)
        return were

    def _touched(self, entry: LogEntry) -> Iterator[tuple[str, _Version | None]]:
        """The manifests that a commit touched and that speak of a cluster, each as it was."""
        for touched in entry.touched:
            speaks = bool(self._reader.spoken_of(touched.after))
            if not speaks and not self._reader.spoken_of(touched.before):
                continue
            file = name_of(touched.path, self._git, self._root)
            if is_manifest(file[len(self._root) :]):
                was = self._files.pop(file, None)
                if touched.after and speaks:
                    self._files[file] = _Version(touched.after, entry.sha, self._layout, was)
                yield file, was


def _spoken_of(reader: Reader, version: _Version | None) -> frozenset[str]:
    return reader.spoken_of(version.blob if version else None)


def _revisions(
    states: Iterable[tuple[LogEntry, Declaration | None]], paths: Collection[str] | None
) -> Iterator[Revision]:
    """One cluster's changes, newest first, until the last change of each path is told."""
    open_paths = None if paths is None else set(paths)
    later: LogEntry | None = None
    became: Declaration | None = None
    for entry, was in states:
        if later is not None and _differ(was, became):
            revision = Revision(later.sha, was, became)
            yield revision
            if open_paths is not None:
                open_paths = {path for path in open_paths if not revision.sets(path)}
            if not open_paths:
                return
        later, became = entry, was
    if later is not None and became is not None:
        yield Revision(later.sha, None, became)


def _states(
    reader: Reader, name: str, past: _Past, ground: str | None
) -> Iterator[tuple[LogEntry, Declaration | None]]:
    """What a cluster was declared as after each commit, newest first.

    Commits are passed over where it isn't declared but by what may be in a file that never parsed.
    """
    said: dict[str, Declaration | None] = {}
    files: Mapping[str, _Version | None] = past.files
    for entry, before in reversed(past.changes):
        for file, version in files.items():
            declared = _said(reader, name, file, version, ground)
            said.pop(file, None)
            if declared is None or name in declared:
                said[file] = declared[name] if declared else None
        readable = [declaration for _, declaration in sorted(said.items()) if declaration]
        if readable or not said:
            yield entry, readable[-1] if readable else None
        files = before


def _said(
    reader: Reader, name: str, file: str, version: _Version | None, ground: str | None
) -> Mapping[str, Declaration] | None:
    """What a file last said, as far back as it goes on to speak of a cluster; None where none of that parses.

    Raises _BuriedError where that may lie below what the log stands on.
    """
    if name not in _spoken_of(reader, version):
        return {}
    while version is not None and name in _spoken_of(reader, version):
        declared = reader.of_file(file, version.blob, version.commit, version.layout)
        if declared is not None:
            return declared
        if version.commit == ground:
            raise _BuriedError
        version = version.earlier
    return None


def _differ(one: Declaration | None, other: Declaration | None) -> bool:
    if one is None or other is None:
        return one is not other
    return (one.values, one.lifecycle) != (other.values, other.lifecycle)
