"""The first-parent history of a folder: which commits changed which of its files, by plumbing alone.

`git rev-list`, `git cat-file --batch-check` and `git diff-tree` do the same whatever the user's configuration says.
"""

import os
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from reconciler.evidence.process import GitCommand


class Touched(NamedTuple):
    """A file that a commit changed, by its path from the repository's root; a blob is None where there is none."""

    path: str
    before: str | None
    after: str | None


class LogEntry(NamedTuple):
    """A commit of the first-parent history with the files that it changed against its first parent.

    `parent` is None for the first commit; `at` is the committer's time, in epoch seconds.
    """

    sha: str
    parent: str | None
    at: float
    touched: tuple[Touched, ...]


def walk(command: GitCommand, commit: str, below: str) -> Iterator[LogEntry]:
    """The first-parent history of a folder, oldest first; commits that left it alone are passed over."""
    walked = command.run("rev-list", "--first-parent", "--parents", "--timestamp", "--reverse", commit, "--").out
    chain = [line.split(" ")[:3] for line in walked.decode().splitlines()]
    changing = {}
    before: bytes | None = None
    for (at, sha, *parent), tree in zip(chain, _trees(command, [sha for _, sha, *_ in chain], below), strict=True):
        if tree != before:
            changing[sha] = (parent[0] if parent else None, float(at))
        before = tree
    for sha, touched in _differences(command, [(sha, parent) for sha, (parent, _) in changing.items()], below):
        yield LogEntry(sha, *changing[sha], touched)


def _trees(command: GitCommand, commits: Iterable[str], below: str) -> Iterator[bytes | None]:
    """The folder's hash at each commit; None where it wasn't."""
    asked = os.fsencode("".join(f"{sha}:{below.rstrip('/')}\n" for sha in commits))
    found = command.run("cat-file", "--batch-check=%(objectname)", "--buffer", given=asked).out
    return (None if line.endswith(b" missing") else line for line in found.split(b"\n")[:-1])


def _differences(
    command: GitCommand, commits: Iterable[tuple[str, str | None]], below: str
) -> Iterator[tuple[str, tuple[Touched, ...]]]:
    """What each commit changed below a folder, against the parent given.

    All paths are taken and ours picked here: to git, a path to look for is dearer than the paths it would spare, since
    these commits are known to have changed the folder.
    """
    asked = "".join(f"{sha} {parent}\n" if parent else f"{sha}\n" for sha, parent in commits).encode()
    prefix = os.fsencode(below)
    sha, touched = "", list[Touched]()
    fields = command.stream("diff-tree", "--stdin", "--root", "-r", "-z", "--no-renames", given=asked)
    for field in fields:
        if not field.startswith(b":"):
            if touched:
                yield sha, tuple(touched)
            sha, touched = field.decode(), []
        elif (path := next(fields)).startswith(prefix):
            touched += _touched(field, path)
    if touched:
        yield sha, tuple(touched)


def _touched(raw: bytes, path: bytes) -> Iterator[Touched]:
    """One line of `--raw`; only regular files count: links and submodules are nobody's manifests."""
    mode_before, mode_after, sha_before, sha_after = raw[1:].decode().split(" ")[:4]
    before = sha_before if mode_before.startswith("100") else None
    after = sha_after if mode_after.startswith("100") else None
    if before != after:
        yield Touched(os.fsdecode(path), before, after)
