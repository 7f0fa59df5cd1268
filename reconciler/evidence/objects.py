"""The objects of a repository: one `git cat-file --batch` that is asked again and again, and what trees say."""

import hashlib
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from typing import IO, NamedTuple

from reconciler.errors import GitError
from reconciler.evidence.process import DAMAGED, INTERRUPTED, GitCommand, end, exit_code

LARGEST_OBJECT = 256 << 20
"""Bytes of an object that are read; a larger one is an error."""

_BATCH = 60
"""Objects asked for at once: their names fit the smallest of pipes, so neither side ever waits for the other."""

_CHUNK = 1 << 16
"""Bytes read at once."""

_ENTRIES = {size: re.compile(rb"([0-7]+) ([^\0]+)\0(.{%d})" % size, re.DOTALL) for size in (20, 32)}
"""Mode, name and hash of each entry of a tree, by the bytes that a hash has."""


class Object(NamedTuple):
    """One object; `kind` is git's word: `commit`, `tree`, `blob`, `tag`."""

    sha: str
    kind: str
    data: bytes


class TreeEntry(NamedTuple):
    """A file or a folder of a tree; the mode as git writes it."""

    mode: bytes
    name: str
    sha: str

    @property
    def is_folder(self) -> bool:
        """Whether it is a tree."""
        return self.mode == b"40000"

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file: neither a link nor a submodule."""
        return self.mode.startswith(b"100")


class Objects:
    """Reads objects by any name that git knows. The process is started by the first question."""

    def __init__(self, command: GitCommand) -> None:
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._answering = False

    def close(self) -> None:
        """End what was started."""
        if self._process is not None:
            end(self._process)
            self._process = None

    def find(self, names: Sequence[str], most: int | None = None) -> Iterator[Object | None]:
        """Objects, in order; None for one that isn't here. A name must not hold a line break.

        Of one with more bytes than `most` come that many and one more. Raises GitError for one that is too large.
        """
        for start in range(0, len(names), _BATCH):
            yield from self._ask(names[start : start + _BATCH], most)

    def read(self, names: Sequence[str], most: int | None = None) -> Iterator[Object]:
        """Objects that must be here: what is missing isn't empty. Raises GitError."""
        for name, found in zip(names, self.find(names, most), strict=True):
            if found is None:
                raise GitError(f"git doesn't have {name} here", remedy=DAMAGED)
            yield found

    def _ask(self, names: Sequence[str], most: int | None) -> Iterator[Object | None]:
        if self._answering:
            raise RuntimeError("asked before the last answers were taken: each would be another's")
        self._answering, whole = True, False
        try:
            process = self._process = self._process or self._command.start("cat-file", "--batch")
            answers = _asked(process, names)
            for left in range(len(names), 0, -1):
                found = _answer(answers, most)
                whole = left == 1
                yield found
        except (OSError, EOFError) as error:
            was_stopped = self._process is not None and exit_code(self._process) < 0
            raise GitError(
                "git could not read an object of this repository", remedy=INTERRUPTED if was_stopped else DAMAGED
            ) from error
        finally:
            self._answering = False
            if not whole:
                self.close()  # what it would say next answers another question


def tree_entries(tree: Object) -> list[TreeEntry]:
    """What stands in a tree. Raises GitError for what is none."""
    found = _ENTRIES[len(tree.sha) // 2].findall(tree.data)
    if sum(len(mode) + len(name) + len(sha) + 2 for mode, name, sha in found) != len(tree.data):
        raise GitError(f"the tree {tree.sha} of this repository is damaged", remedy=DAMAGED)
    return [TreeEntry(mode, os.fsdecode(name), sha.hex()) for mode, name, sha in found]


def object_id(kind: str, data: bytes, like: str) -> str:
    """The hash that git has for an object, by the algorithm of another hash of the repository."""
    algorithm = hashlib.sha1 if len(like) == 40 else hashlib.sha256
    return algorithm(b"%s %d\0" % (kind.encode(), len(data)) + data, usedforsecurity=False).hexdigest()


def _asked(process: "subprocess.Popen[bytes]", names: Sequence[str]) -> IO[bytes]:
    """Where the answers come from, one for each name."""
    questions, answers = process.stdin, process.stdout
    if questions is None or answers is None:
        raise EOFError
    questions.write(b"".join(os.fsencode(name) + b"\n" for name in names))
    questions.flush()
    return answers


def _answer(answers: IO[bytes], most: int | None) -> Object | None:
    line = answers.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    header = line.decode(errors="replace").split()
    if len(header) != 3 or not header[2].isdecimal():
        return None  # `NAME missing`, or `NAME ambiguous`
    size = int(header[2])
    if most is None and size > LARGEST_OBJECT:
        raise GitError(f"{header[1]} {header[0]} has {size} bytes: more than {LARGEST_OBJECT} are not read")
    data = _exactly(answers, size if most is None else min(size, most + 1))
    rest = size - len(data) + 1  # and a line break
    while rest:
        rest -= len(_exactly(answers, min(rest, _CHUNK)))
    return Object(header[0], header[1], data)


def _exactly(answers: IO[bytes], size: int) -> bytes:
    data = answers.read(size)
    if len(data) != size:
        raise EOFError
    return data
