"""Which repository holds a folder: found from above, by the `.git` of a folder around it, and then held against git.

Never by what a folder looks like: `HEAD`, `config`, `objects/` and `refs/` can be tracked files, and git takes a folder
that has them for a bare repository. A `.git` can't be tracked.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from reconciler.desired.files import shown_path
from reconciler.errors import GitError
from reconciler.evidence.process import GitCommand

_ASKED = ("--is-inside-work-tree", "--is-shallow-repository", "--absolute-git-dir")


class Found(NamedTuple):
    """A repository, and a folder of its work tree: `prefix` is from the root, empty or ending in `/`."""

    root: str
    git_dir: str
    prefix: str
    shallow: bool


def find_repository(folder: str, environment: Mapping[str, str]) -> Found | None:
    """The repository of a folder; None where none holds it, or where there is no git.

    Raises GitError where there is one that git refuses to read, and where the folder is reached by a link that the
    repository itself holds: history knows the folder by another name, and would say that all of it is new.
    """
    inside = Path(os.path.realpath(folder))
    root = next((path for path in (inside, *inside.parents) if os.path.lexists(path / ".git")), None)
    if root is None or not inside.is_dir():
        return None
    _refuse_links_within(root, folder, inside)
    try:
        told = GitCommand(str(root), None, environment).run("rev-parse", *_ASKED, ask_anyway=True)
    except GitError as error:
        if isinstance(error.__cause__, OSError):
            return None
        raise
    if told.out.startswith(b"false") or "not a git repository" in told.err:
        return None
    if told.code != 0:
        raise _refusal(str(root), told.err)
    _, shallow, git_dir = os.fsdecode(told.out).removesuffix("\n").split("\n", 2)
    if not _is_git_dir_of(root, git_dir) or inside.is_relative_to(git_dir):
        return None
    prefix = "".join(f"{part}/" for part in inside.relative_to(root).parts)
    if "\n" in prefix:
        raise GitError(f"the folder {shown_path(prefix)!r} has a line break in its name", remedy="rename it")
    return Found(str(root), git_dir, prefix, shallow == "true")


def _refuse_links_within(root: Path, folder: str, inside: Path) -> None:
    named = Path(os.path.abspath(folder))  # noqa: PTH100  # not resolved: it is the links that are looked for
    for path in (named, *named.parents):
        if path.is_symlink() and Path(os.path.realpath(path.parent)).is_relative_to(root):
            raise GitError(
                f"the folder {shown_path(folder)} is reached by a link, {shown_path(str(path))}: it is not followed",
                remedy=f"name the folder itself: --manifests {shown_path(os.path.relpath(inside))}",
            )


def _is_git_dir_of(root: Path, git_dir: str) -> bool:
    """Whether git found what stands in the root's `.git`, and not something else in it or above it."""
    entry = root / ".git"
    if entry.is_dir():
        return os.path.realpath(entry) == os.path.realpath(git_dir)
    try:
        named = entry.read_bytes().removeprefix(b"gitdir:").strip()
    except OSError:
        return False
    return os.path.realpath(root / os.fsdecode(named)) == os.path.realpath(git_dir)


def _refusal(root: str, said: str) -> GitError:
    """Why git doesn't read a repository that is there, with the command that it names to mend it."""
    mends = [line.strip() for line in said.splitlines() if line.strip().startswith("git config ")]
    if "dubious ownership" in said or "unsafe repository" in said:
        return GitError(
            f"git refuses to read the repository {shown_path(root)}: it belongs to somebody else",
            remedy=mends[0] if mends else None,
        )
    return GitError(
        f"git can't read the repository {shown_path(root)}: {said.strip()}", remedy="look with `git status`"
    )
