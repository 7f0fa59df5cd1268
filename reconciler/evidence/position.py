"""Where a folder stands: the cheap question whether it was moved on since, asked between rounds."""

import os
from dataclasses import dataclass

from reconciler.errors import GitError
from reconciler.evidence.git import Git


@dataclass(frozen=True, slots=True)
class Position:
    """A folder's real path, which swapping a symbolic link changes, and HEAD's commit, which a pull changes.

    Not the files' own times: git moves HEAD when all files are there, so what has moved can be read whole. `commit` is
    None where git has none, or can't be read: the round itself tells that.
    """

    path: str
    commit: str | None


def position_of(folder: str) -> Position:
    """Where the folder stands now."""
    path = os.path.realpath(folder)
    try:
        git = Git.open(path)
        if git is None:
            return Position(path, None)
        try:
            head = git.commit("HEAD")
        finally:
            git.close()
    except GitError:
        return Position(path, None)
    return Position(path, head.sha if head is not None else None)
