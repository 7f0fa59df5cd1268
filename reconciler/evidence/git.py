"""The local git of a folder of manifests, asked with as few processes as can be.

Never a checkout, never the work tree, never the network: no lazy fetch, no replace refs. One `git cat-file` resolves
names and reads commits, trees and blobs; plumbing does the walking. What is written are objects, and refs of the
record's own. Where the repository is (`discovery`), how git is run (`process`) and how a server is spoken to
(`remote`) is told elsewhere.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from reconciler.errors import GitError
from reconciler.evidence.discovery import Found, find_repository
from reconciler.evidence.objects import Object, Objects, tree_entries
from reconciler.evidence.process import DAMAGED, GitCommand, text_lines
from reconciler.evidence.walk import Log, walk
from reconciler.model.text import printable

_MOST_FILES = 300_000
_LONGEST_MOMENT = 12
"""Digits of a commit's moment: more are no time that can be written as one."""
_NEVER_A_NAME = re.compile(r"[\x00-\x1f\x7f\ud800-\udc7f\udd00-\udfff]")
"""What no line holds, or no bytes: control characters, and surrogates that stand for no byte."""

_UNWRITABLE = "the record is kept in the repository's .git: make it writable, or look for a *.lock that was left there"

_NO_ROOM = "the record is kept in the repository's .git: make room there, and run again"


class Commit(NamedTuple):
    """A commit. `message` has what isn't UTF-8 replaced; `at` is the committer's moment, in epoch seconds."""

    sha: str
    parents: tuple[str, ...]
    tree: str
    message: str
    at: float


class RefUpdate(NamedTuple):
    """What becomes of one ref: `was` and `to` are commits, None where there is none before, or after."""

    ref: str
    was: str | None
    to: str | None


class Git:
    """One repository, seen from a folder inside it; `prefix` is that folder from the root, empty or ending in `/`."""

    def __init__(self, found: Found, environment: Mapping[str, str]) -> None:
        self.root = found.root
        self.prefix = found.prefix
        self.shallow = found.shallow
        self.command = GitCommand(found.root, found.git_dir, environment)
        self._objects = Objects(self.command)

    @classmethod
    def open(cls, folder: str, environment: Mapping[str, str] | None = None) -> "Git | None":
        """The repository that holds the folder; None where no repository does, or where there is no git.

        `environment` is what git may pick from, None for this process's. Raises GitError where there is one that git
        refuses to read.
        """
        environment = os.environ if environment is None else environment
        found = find_repository(folder, environment)
        return cls(found, environment) if found is not None else None

    @cached_property
    def partial(self) -> bool:
        """Whether some objects were left on the server."""
        return bool(self.command.run("config", "--get-regexp", r"^remote\..*\.promisor$", ask_anyway=True).out)

    @cached_property
    def hides_files(self) -> bool:
        """Whether git was told to look away from files of the folder: a sparse checkout does."""
        below = ("--", self.prefix) if self.prefix else ()
        listed = self.command.run("ls-files", "-v", "-z", *below).out.split(b"\x00")
        return any(line.startswith(b"S") or line[:1].islower() for line in listed)

    def close(self) -> None:
        """End what was started."""
        self._objects.close()

    def commit(self, revision: str) -> Commit | None:
        """The commit that a name or a hash stands for; None where there is none, here."""
        if not revision or _NEVER_A_NAME.search(revision):
            return None
        (found,) = self._objects.find([f"{revision}^{{commit}}"])
        return _commit(found) if found is not None and found.kind == "commit" else None

    def kind(self, name: str) -> str | None:
        """What an object is, in git's word: `commit`, `tree`, `blob`, `tag`; None for one that isn't here."""
        (found,) = self._objects.find([name], most=0)
        return found.kind if found is not None else None

    def files(self, commit: str, below: str) -> dict[str, str]:
        """Blob by path, of every regular file below a folder (a path from the root that is empty or ends in `/`).

        Raises GitError where there are too many: a tree that names another ten times, and that one so, has no end.
        """
        found: dict[str, str] = {}
        folders = [("", f"{commit}^{{tree}}")]
        while folders:
            trees = self._objects.read([name for _, name in folders])
            around, folders = folders, []
            for (folder, _), tree in zip(around, trees, strict=True):
                for entry in tree_entries(tree):
                    path = f"{folder}{entry.name}"
                    if entry.is_file:
                        if path.startswith(below):
                            found[path] = entry.sha
                    elif entry.is_folder and (path.startswith(below) or below.startswith(f"{path}/")):
                        folders.append((f"{path}/", entry.sha))
            if len(found) + len(folders) > _MOST_FILES:
                raise GitError(
                    f"commit {commit[:10]} has more than {_MOST_FILES} files where manifests are looked for",
                    remedy="keep manifests in a folder of their own; or name another commit: --base REF",
                )
        return found

    def blobs(self, shas: Iterable[str], most: int | None = None) -> Iterator[bytes]:
        """The contents of blobs, in order; of one with more bytes than `most`, that many and one more.

        Raises GitError for what is none: a tree has bytes, too, and an empty one is no empty file.
        """
        names = list(shas)
        for name, found in zip(names, self._objects.read(names, most), strict=True):
            if found.kind != "blob":
                raise GitError(f"{printable(name)} is no file, but a {found.kind}", remedy=DAMAGED)
            yield found.data

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor of two commits that are here; None where there is none."""
        if one == other:
            return one
        ended = self.command.run("merge-base", one, other, ask_anyway=True)
        if ended.code > 1:
            raise GitError(f"git merge-base failed: {ended.words}")
        return ended.out.decode().split("\n")[0] or None

    def is_ancestor(self, one: str, other: str) -> bool:
        """Whether `other` contains `one`; a commit contains itself."""
        return self.merge_base(one, other) == one

    def is_known_ancestor(self, one: str, other: str) -> bool:
        """Whether it is known here that `other` contains `one`: either may have been cut off, or never fetched."""
        return one == other or (
            self.commit(one) is not None and self.commit(other) is not None and self.is_ancestor(one, other)
        )

    def beyond(self, commit: str, tips: Iterable[str]) -> frozenset[str]:
        """Of the history of these tips, the commits that `commit` doesn't contain."""
        asked = [*tips]
        return frozenset(self.command.run("rev-list", *asked, f"^{commit}", "--").out.decode().split() if asked else ())

    def had(self, path: str) -> bool:
        """Whether HEAD's history, as far as it is here, ever had something at this path from the root."""
        return bool(self.command.run("rev-list", "--max-count=1", "HEAD", "--", path).out)

    def remotes(self) -> list[str]:
        """The names of the servers that it knows."""
        return text_lines(self.command.run("remote").out)

    def log(self, commit: str, below: str, most: int | None = None) -> Log:
        """The first-parent history of a folder; of its `most` newest commits, where it has more."""
        return walk(self.command, commit, below, most)

    def branch(self) -> str | None:
        """The branch that is checked out; None for a detached HEAD."""
        ref = os.fsdecode(self.command.run("symbolic-ref", "--quiet", "HEAD", ask_anyway=True).out).strip()
        return ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else None

    def refs(self, below: str) -> dict[str, str]:
        """What each ref below a path that ends in `/` points to, by its full name, sorted."""
        listed = self.command.run("for-each-ref", "--format=%(objectname) %(refname)", below).out
        lines = (line.partition(" ") for line in text_lines(listed))
        return {ref: sha for sha, _, ref in lines}

    def write_commit(self, files: Mapping[str, bytes], parents: Sequence[str], message: str) -> str:
        """A commit of its own, of these files at its root; its hash. No ref is moved. Raises GitError."""
        tree = "".join(f"100644 blob {self._write('blob', data)}\t{name}\n" for name, data in sorted(files.items()))
        made = self._written("mktree", given=tree.encode())
        descent = [part for parent in parents for part in ("-p", parent)]
        return self._written("commit-tree", *descent, "-F", "-", made, given=message.encode())

    def move(self, updates: Iterable[RefUpdate]) -> bool:
        """Move refs, all of them or none; False where one is no longer where it was. Raises GitError."""
        asked = [*updates]
        zeros = "0" * len(next(sha for one in asked for sha in (one.to, one.was) if sha))
        lines = "".join(f"update {one.ref}\x00{one.to or zeros}\x00{one.was or zeros}\x00" for one in asked)
        ended = self.command.run("update-ref", "-z", "--stdin", given=os.fsencode(lines), ask_anyway=True)
        if ended.code == 0:
            return True
        if any(self.ref(one.ref) != one.was for one in asked):
            return False
        raise _unwritten(ended.words)

    def ref(self, ref: str) -> str | None:
        """The commit of a ref, by its full name."""
        return self.refs(ref).get(ref)

    def _write(self, kind: str, data: bytes) -> str:
        return self._written("hash-object", "-t", kind, "-w", "--no-filters", "--stdin", given=data)

    def _written(self, *arguments: str, given: bytes) -> str:
        ended = self.command.run(*arguments, given=given, ask_anyway=True)
        if ended.code != 0:
            raise _unwritten(ended.words)
        return ended.out.decode().strip()


def _unwritten(words: str) -> GitError:
    full = "No space left on device" in words or "Disk quota exceeded" in words
    return GitError(f"the record can't be written: {words}", remedy=_NO_ROOM if full else _UNWRITABLE)


def _commit(found: Object) -> Commit:
    head, _, message = found.data.partition(b"\n\n")
    lines = [line.partition(b" ") for line in head.split(b"\n")]
    parents = tuple(value.decode() for key, _, value in lines if key == b"parent")
    committed = next((value.split(b" ") for key, _, value in lines if key == b"committer"), [])
    told = committed[-2] if len(committed) > 2 else b""
    at = float(told) if told.isdigit() and len(told) <= _LONGEST_MOMENT else 0.0
    return Commit(found.sha, parents, lines[0][2].decode(), message.decode(errors="replace"), at)
