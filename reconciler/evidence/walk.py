"""The first-parent history of a folder: which commits changed which of its files, by plumbing alone.

`git rev-list`, `git cat-file --batch-check` and `git diff-tree` do the same whatever the user's configuration says.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from reconciler.evidence.process import GitCommand


class Touched(NamedTuple):
    """A file that a commit changed, by its path from the repository's root; a blob is None where there is none."""

    path: str
    before: str | None
    after: str | None


class LogEntry(NamedTuple):
    """A commit of the first-parent history with the files that it changed against its first parent."""

    sha: str
    touched: tuple[Touched, ...]


class Log(NamedTuple):
    """The first-parent history of a folder, oldest first, without the commits that left the folder alone.

    `ground` is the commit that it stands on, where it doesn't go back to the beginning.
    """

    ground: str | None
    entries: Iterable[LogEntry]


def walk(command: GitCommand, commit: str, below: str, most: int | None) -> Log:
    """The log of a folder as a commit has it; of its `most` newest commits, where it has more."""
    limit = () if most is None else (f"--max-count={most + 1}",)
    walked = command.run("rev-list", "--first-parent", "--parents", "--reverse", *limit, commit, "--").out
    chain = [line.split(" ")[:2] for line in walked.decode().splitlines()]
    ground = chain[0][0] if most is not None and len(chain) > most else None
    trees = [*_trees(command, [sha for sha, *_ in chain], below)]
    changing = [one for one, was, tree in zip(chain, [None, *trees[:-1]], trees, strict=True) if tree != was]
    return Log(ground, _differences(command, [one for one in changing if one[0] != ground], below))


def _trees(command: GitCommand, commits: Iterable[str], below: str) -> Iterator[bytes | None]:
    """The folder's hash at each commit; None where it wasn't."""
    asked = os.fsencode("".join(f"{sha}:{below.rstrip('/')}\n" for sha in commits))
    found = command.run("cat-file", "--batch-check=%(objectname)", "--buffer", given=asked).out
    return (None if line.endswith(b" missing") else line for line in found.split(b"\n")[:-1])


def _differences(command: GitCommand, commits: Iterable[Sequence[str]], below: str) -> Iterator[LogEntry]:
    """What each commit changed below a folder, against the parent given with it.

    All paths are taken and ours picked here: to git, a path to look for is dearer than the paths it would spare, since
    these commits are known to have changed the folder.
    """
    asked = "".join(f"{' '.join(commit)}\n" for commit in commits).encode()
    prefix = os.fsencode(below)
    sha, touched = "", list[Touched]()
    fields = command.stream("diff-tree", "--stdin", "--root", "-r", "-z", "--no-renames", given=asked)
    for field in fields:
        if not field.startswith(b":"):
            if touched:
                yield LogEntry(sha, tuple(touched))
            sha, touched = field.decode(), []
        elif (path := next(fields)).startswith(prefix):
            touched += _touched(field, path)
    if touched:
        yield LogEntry(sha, tuple(touched))


def _touched(raw: bytes, path: bytes) -> Iterator[Touched]:
    """One line of `--raw`; only regular files count: links and submodules are nobody's manifests."""
    mode_before, mode_after, sha_before, sha_after = raw[1:].decode().split(" ")[:4]
    before = sha_before if mode_before.startswith("100") else None
    after = sha_after if mode_after.startswith("100") else None
    if before != after:
        yield Touched(os.fsdecode(path), before, after)
