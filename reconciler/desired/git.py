"""The local git, asked with as few processes as can be.

Never a checkout, never the index or the work tree, never the network: no lazy fetch, no replace refs, no hooks. One
`git cat-file --batch` resolves names and reads commits, trees and blobs; `git rev-list`, `git merge-base` and
`git diff-tree` do the walking: plumbing, which does the same whatever the user's configuration says.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import IO

from reconciler.desired.files import shown
from reconciler.errors import GitError

_CONFIGURATION = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", os.devnull),
    ("protocol.allow", "never"),
    ("diff.ignoreSubmodules", "all"),
)
_ENVIRONMENT = {
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",  # what keeps an older git from fetching lazily
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_KEPT = ("GIT_CONFIG_", "GIT_EXEC_PATH", "GIT_DISCOVERY_ACROSS_FILESYSTEM")
"""Of git's own variables, those that don't say which repository is meant, or what of it."""

_LOOK = "look with `git fsck`; clone the whole of it anew"
_PLACE = ("--is-inside-work-tree", "--is-shallow-repository", "--show-cdup", "--show-prefix")

_BATCH = 60
"""Objects asked for at once: their names fit the smallest of pipes, so neither side ever waits for the other."""

_CHUNK = 1 << 16
"""Bytes read at once."""

_NEVER_A_NAME = re.compile(r"[\x00-\x1f\x7f\ud800-\udc7f\udd00-\udfff]")
"""What no line holds, or no bytes: control characters, and surrogates that stand for no byte."""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit."""

    sha: str
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Touched:
    """A file that a commit changed, by its path from the repository's root; a blob is None where there is none."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A commit of the first-parent history with the files that it changed against its first parent.

    `parent` is None for the first commit; `at` is the committer's time, in epoch seconds.
    """

    sha: str
    parent: str | None
    at: float
    touched: tuple[Touched, ...]


class Git:
    """One repository, seen from a folder inside it; `prefix` is that folder from the root, empty or ending in `/`."""

    def __init__(self, folder: str, root: str, prefix: str, *, shallow: bool) -> None:
        self.folder = folder
        self.root = root
        self.prefix = prefix
        self.shallow = shallow
        self._objects: subprocess.Popen[bytes] | None = None

    @classmethod
    def open(cls, folder: str) -> "Git | None":
        """The repository that holds the folder; None where no repository does, or where there is no git.

        Raises GitError where there is one that git refuses to read.
        """
        try:
            found = _run(folder, "rev-parse", *_PLACE)
        except OSError:
            return None
        said = found.stderr.decode(errors="replace")
        if found.stdout.startswith(b"false") or "not a git repository" in said:
            return None
        if found.returncode != 0:
            raise _refusal(folder, said)
        _, shallow, up, prefix = os.fsdecode(found.stdout).removesuffix("\n").split("\n", 3)
        if "\n" in prefix:
            raise GitError(f"the folder {shown(prefix)!r} has a line break in its name", remedy="rename it")
        return cls(folder, os.path.join(folder, up), prefix, shallow=shallow == "true")  # noqa: PTH118  # bytes stay

    @cached_property
    def partial(self) -> bool:
        """Whether some objects were left on the server."""
        return bool(self._git("config", "--get-regexp", r"^remote\..*\.promisor$", may_find_nothing=True))

    @cached_property
    def hides_files(self) -> bool:
        """Whether git was told to look away from files of the folder: a sparse checkout does."""
        listed = self._git("ls-files", "-v", "-z", "--", ".", in_folder=True).split(b"\x00")
        return any(line.startswith(b"S") or line[:1].islower() for line in listed)

    def close(self) -> None:
        """End what was started."""
        if self._objects is not None:
            for stream in (self._objects.stdin, self._objects.stdout):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()
            self._objects.wait()
            self._objects = None

    def commit(self, revision: str) -> Commit | None:
        """The commit that a name or a hash stands for; None where there is none, here."""
        if not revision or _NEVER_A_NAME.search(revision):
            return None
        (found,) = self._read([f"{revision}^{{commit}}"])
        if found is None or found[1] != "commit":
            return None
        head = found[2].partition(b"\n\n")[0].split(b"\n")
        parents = tuple(line[7:].decode() for line in head if line.startswith(b"parent "))
        return Commit(found[0], parents)

    def files(self, commit: str, below: str) -> dict[str, str]:
        """Blob by path, of every regular file below a folder (a path from the root that is empty or ends in `/`)."""
        found: dict[str, str] = {}
        folders = [("", f"{commit}^{{tree}}")]
        while folders:
            trees = self._contents([name for _, name in folders])
            around, folders = folders, []
            for (folder, _), (hash_bytes, tree) in zip(around, trees, strict=True):
                for mode, name, sha in _tree_entries(tree, hash_bytes):
                    path = f"{folder}{name}"
                    if mode == b"40000" and (path.startswith(below) or below.startswith(f"{path}/")):
                        folders.append((f"{path}/", sha))
                    elif mode.startswith(b"100") and path.startswith(below):
                        found[path] = sha
        return found

    def blobs(self, shas: Iterable[str]) -> Iterator[bytes]:
        """The contents of blobs, in order."""
        return (data for _, data in self._contents(list(shas)))

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor; None where there is none."""
        found = self._git("merge-base", one, other, may_find_nothing=True)
        return found.decode().split("\n")[0] or None

    def is_ancestor(self, one: str, other: str) -> bool:
        """Whether `other` contains `one`; a commit contains itself."""
        return one == other or self.merge_base(one, other) == one

    def on_first_parent_chain(self, sha: str, head: str) -> bool:
        """Whether `head`'s first-parent history has this commit."""
        if sha == head:
            return True
        listed = self._git("rev-list", "--first-parent", head, f"^{sha}^@").decode().split()
        return sha in listed

    def log(self, commit: str, below: str) -> Iterator[LogEntry]:
        """The first-parent history of a folder, oldest first; commits that left it alone are passed over."""
        walked = self._git("rev-list", "--first-parent", "--parents", "--timestamp", "--reverse", commit)
        chain = [line.split(" ")[:3] for line in walked.decode().splitlines()]
        changing = {}
        before: bytes | None = None
        for (at, sha, *parent), tree in zip(chain, self._trees([sha for _, sha, *_ in chain], below), strict=True):
            if tree != before:
                changing[sha] = (parent[0] if parent else None, float(at))
            before = tree
        for sha, touched in self._differences([(sha, parent) for sha, (parent, _) in changing.items()], below):
            yield LogEntry(sha, *changing[sha], touched)

    def _trees(self, commits: Iterable[str], below: str) -> Iterator[bytes | None]:
        """The folder's hash at each commit; None where it wasn't."""
        asked = os.fsencode("".join(f"{sha}:{below.rstrip('/')}\n" for sha in commits))
        found = self._git("cat-file", "--batch-check=%(objectname)", "--buffer", given=asked)
        return (None if line.endswith(b" missing") else line for line in found.split(b"\n")[:-1])

    def _differences(
        self, commits: Iterable[tuple[str, str | None]], below: str
    ) -> Iterator[tuple[str, tuple[Touched, ...]]]:
        """What each commit changed below a folder, against the parent given.

        All paths are taken and ours picked here: to git, a path to look for is dearer than the paths it would spare,
        since these commits are known to have changed the folder.
        """
        asked = "".join(f"{sha} {parent}\n" if parent else f"{sha}\n" for sha, parent in commits).encode()
        prefix = os.fsencode(below)
        sha, touched = "", list[Touched]()
        fields = self._said("diff-tree", "--stdin", "--root", "-r", "-z", "--no-renames", given=asked)
        for field in fields:
            if not field.startswith(b":"):
                if touched:
                    yield sha, tuple(touched)
                sha, touched = field.decode(), []
            elif (path := next(fields)).startswith(prefix):
                touched += _touched(field, path)
        if touched:
            yield sha, tuple(touched)

    def dirty(self) -> bool:
        """Whether the folder differs from HEAD: staged, changed, untracked, ignored or hidden files alike."""
        options = ("--porcelain", "-z", "--untracked-files=all", "--ignored=matching", "--no-renames")
        return bool(self._git("status", *options, "--", ".", in_folder=True)) or self.hides_files

    def changed_files(self, since: str, until: str | None) -> set[str]:
        """The folder's files that differ between two commits, or from one to the work tree, by path from the root."""
        ends = (since,) if until is None else (since, until)
        said = self._git(
            "diff",
            "--name-only",
            "--no-relative",
            f"-O{os.devnull}",
            "-z",
            "--no-renames",
            "--no-ext-diff",
            *ends,
            "--",
            ".",
            in_folder=True,
        )
        if until is None:
            said += self._git("ls-files", "--others", "--full-name", "-z", "--", ".", in_folder=True)
        return {os.fsdecode(path) for path in said.split(b"\x00") if path}

    def branch(self) -> str | None:
        """The branch that is checked out; None for a detached HEAD."""
        ref = os.fsdecode(self._git("symbolic-ref", "--quiet", "HEAD", may_find_nothing=True)).strip()
        return ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else None

    def move(self, ref: str, to: str, was: str | None) -> None:
        """Move a ref, if it still is where it was. Raises GitError."""
        self._git("update-ref", "--create-reflog", "-m", "reconciler: applied", ref, to, was or "0" * len(to))

    def _git(
        self, *arguments: str, given: bytes = b"", in_folder: bool = False, may_find_nothing: bool = False
    ) -> bytes:
        try:
            finished = _run(self.folder if in_folder else self.root, *arguments, given=given)
        except OSError as error:
            raise GitError(f"git can't be run: {error.strerror}") from error
        if finished.returncode not in {0, int(may_find_nothing)}:
            said = finished.stderr.decode(errors="replace").strip().splitlines()
            raise GitError(f"git {arguments[0]} failed: {said[-1] if said else finished.returncode}")
        return finished.stdout

    def _said(self, *arguments: str, given: bytes) -> Iterator[bytes]:
        """What git says, up to each NUL, while it is still busy with the rest."""
        with tempfile.TemporaryFile() as asked:
            asked.write(given)
            asked.seek(0)
            with subprocess.Popen(
                _command(self.root, *arguments),
                stdin=asked,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
            ) as process:
                rest = b""
                while data := process.stdout.read(_CHUNK) if process.stdout else b"":
                    *whole, rest = (rest + data).split(b"\x00")
                    yield from whole
        if process.returncode != 0:
            raise GitError(f"git {arguments[0]} failed: {process.returncode}", remedy=_LOOK)

    def _contents(self, names: Sequence[str]) -> Iterator[tuple[int, bytes]]:
        """The contents of objects that must be here, and the length of their hashes: what is missing isn't empty."""
        for start in range(0, len(names), _BATCH):
            batch = names[start : start + _BATCH]
            for name, found in zip(batch, self._read(batch), strict=True):
                if found is None:
                    raise GitError(f"git doesn't have {name} here", remedy=_LOOK)
                yield len(found[0]) // 2, found[2]

    def _read(self, names: Sequence[str]) -> list[tuple[str, str, bytes] | None]:
        """Hash, kind and contents of a few objects, by any name that git knows; None for one that isn't here."""
        try:
            objects = self._objects = self._objects or subprocess.Popen(
                _command(self.root, "cat-file", "--batch"),
                bufsize=_CHUNK,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
            )
            return _ask(objects, names)
        except (OSError, EOFError) as error:
            self.close()
            raise GitError("git could not read an object of this repository", remedy=_LOOK) from error


def _ask(objects: "subprocess.Popen[bytes]", names: Sequence[str]) -> list[tuple[str, str, bytes] | None]:
    requests, answers = objects.stdin, objects.stdout
    if requests is None or answers is None:
        raise EOFError
    requests.write(b"".join(os.fsencode(name) + b"\n" for name in names))
    requests.flush()
    return [_object(answers) for _ in names]


def _object(answers: IO[bytes]) -> tuple[str, str, bytes] | None:
    line = answers.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    header = line.decode(errors="replace").split()
    if len(header) != 3 or not header[2].isdecimal():
        return None  # `NAME missing`, or `NAME ambiguous`
    size = int(header[2])
    data = answers.read(size + 1)
    if len(data) != size + 1:
        raise EOFError
    return header[0], header[1], data[:-1]


def _tree_entries(data: bytes, hash_bytes: int) -> Iterator[tuple[bytes, str, str]]:
    at = 0
    while at < len(data):
        end = data.index(b"\x00", at)
        mode, name = data[at:end].split(b" ", 1)
        at = end + 1 + hash_bytes
        yield mode, os.fsdecode(name), data[end + 1 : at].hex()


def _touched(raw: bytes, path: bytes) -> Iterator[Touched]:
    """One line of `--raw`; only regular files count: links and submodules are nobody's manifests."""
    mode_before, mode_after, sha_before, sha_after = raw[1:].decode().split(" ")[:4]
    before = sha_before if mode_before.startswith("100") else None
    after = sha_after if mode_after.startswith("100") else None
    if before != after:
        yield Touched(os.fsdecode(path), before, after)


def _command(folder: str, *arguments: str) -> list[str]:
    settings = [part for name, value in _CONFIGURATION for part in ("-c", f"{name}={value}")]
    return ["git", "--no-pager", "--literal-pathspecs", "-C", folder, *settings, *arguments]


def _environment() -> dict[str, str]:
    """Ours, without what would point git elsewhere (a hook's variables do)."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_") or key.startswith(_KEPT)}
    return {**kept, **_ENVIRONMENT}


def _run(folder: str, *arguments: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        _command(folder, *arguments), input=given, capture_output=True, env=_environment(), check=False
    )


def _refusal(folder: str, said: str) -> GitError:
    """Why git doesn't read a repository that is there, with the command that it names to mend it."""
    mends = [line.strip() for line in said.splitlines() if line.strip().startswith("git config ")]
    if "dubious ownership" in said:
        return GitError(
            f"git refuses to read the repository of {shown(folder)}: it belongs to somebody else",
            remedy=mends[0] if mends else None,
        )
    return GitError(
        f"git can't read the repository of {shown(folder)}: {said.strip()}", remedy="look with `git status`"
    )
