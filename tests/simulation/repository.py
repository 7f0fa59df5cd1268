"""The git server and the clones of the runs: a repository whose objects are written without a process.

What it holds is what git would have written. It is all known here, too; for most days it is only here, and `plumbing`
stands in for git.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.clock import Clock
from reconciler.evidence.objects import Object, object_id
from reconciler.evidence.walk import Log, LogEntry, Touched

RECORDS: Final = "refs/reconciler/record/"
_LIKE: Final = "0" * 40

Files = Mapping[str, bytes]


class Refs:
    """The refs of a repository: its files, or, where git is stood in for, none."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._known: dict[str, str] = {}

    def below(self, name: str) -> list[tuple[str, str]]:
        """Those whose names begin so, sorted."""
        if self._folder is not None:
            files = (path for path in (self._folder / name).parent.rglob("*") if path.is_file())
            self._known = {str(file.relative_to(self._folder)): file.read_text().strip() for file in files}
        return sorted((ref, sha) for ref, sha in self._known.items() if ref.startswith(name))

    def get(self, ref: str) -> str | None:
        """Where one is."""
        return dict(self.below(ref)).get(ref) if "/" in ref else None

    def put(self, ref: str, sha: str | None) -> None:
        """Move one, or take it away."""
        if self._folder is not None:
            path = self._folder / ref
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True) if sha is None else path.write_text(f"{sha}\n")
        elif sha is None:
            self._known.pop(ref, None)
        else:
            self._known[ref] = sha


@dataclass(frozen=True, slots=True)
class Clone:
    """A clone in a folder, with a HEAD that is detached; it has the server's objects."""

    folder: Path
    head: str
    refs: Refs


class Server:
    """A bare repository with a main branch, on which people merge."""

    def __init__(self, folder: Path | None, clock: Clock) -> None:
        self.folder = folder
        self.refs = Refs(folder)
        self.objects: dict[str, Object] = {}
        self._clock = clock
        if folder is not None:
            for part in ("objects", "refs/heads"):
                (folder / part).mkdir(parents=True)
            (folder / "HEAD").write_text("ref: refs/heads/main\n")
            (folder / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
        self.main: list[str] = []
        self._clones: dict[Path, Refs] = {}
        self._files: dict[str, Files] = {}
        self._parents: dict[str, tuple[str, ...]] = {}
        self._histories: dict[str, frozenset[str]] = {}
        self._order: dict[str, int] = {}
        self._moments: dict[str, float] = {}

    def files(self, commit: str) -> Files:
        """What a commit holds, by path."""
        return self._files[commit]

    def parents(self, commit: str) -> tuple[str, ...]:
        """A commit's parents."""
        return self._parents[commit]

    def history(self, commit: str) -> frozenset[str]:
        """A commit and all that it stands on."""
        if commit not in self._histories:
            above = (self.history(parent) for parent in self._parents.get(commit, ()))
            self._histories[commit] = frozenset({commit}).union(*above)
        return self._histories[commit]

    def log(self, commit: str, below: str, most: int | None) -> Log:
        """The first-parent history of a folder; of its newest commits, where it has more."""
        chain = [commit]
        while parents := self._parents[chain[-1]]:
            chain.append(parents[0])
        cut = len(chain) if most is None else most
        return Log(chain[cut] if cut < len(chain) else None, self._entries(chain, below, cut))

    def _entries(self, chain: Sequence[str], below: str, cut: int) -> Iterator[LogEntry]:
        for sha, parent in reversed([*zip(chain, [*chain[1:], None], strict=True)][:cut]):
            now, was = self._files[sha], self._files[parent] if parent is not None else {}
            paths = sorted(path for path in {**now, **was} if now.get(path) != was.get(path) and path.startswith(below))
            if paths:
                yield LogEntry(sha, tuple(Touched(path, _blob(was.get(path)), _blob(now.get(path))) for path in paths))

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor; the youngest of several."""
        common = self.history(one) & self.history(other)
        best = common.difference(*(self.history(parent) for sha in common for parent in self._parents.get(sha, ())))
        return max(best, key=lambda sha: self._order[sha], default=None)

    def commit(self, files: Files, parents: Sequence[str]) -> str:
        """A commit of these files; no branch moves."""
        sha = self.write_commit(self._tree(files), parents, "change\n")
        self._files[sha] = files
        return sha

    def merge(self, sha: str) -> None:
        """The main branch goes on to this commit."""
        self.main.append(sha)
        self.refs.put("refs/heads/main", sha)

    def write_commit(self, tree: str, parents: Sequence[str], message: str) -> str:
        """A commit, dated by the simulated clock."""
        at = round(self._clock.now())
        who = f"A <a@example.com> {at} +0000"
        lines = [f"tree {tree}", *(f"parent {one}" for one in parents), f"author {who}", f"committer {who}", ""]
        sha = self.write("commit", "\n".join([*lines, message]).encode())
        self._parents[sha] = tuple(parents)
        self._order.setdefault(sha, len(self._order))
        self._moments[sha] = float(at)
        return sha

    def write(self, kind: str, data: bytes) -> str:
        """A loose object; its hash."""
        sha = object_id(kind, data, _LIKE)
        if sha not in self.objects and self.folder is not None:
            path = self.folder / "objects" / sha[:2] / sha[2:]
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(zlib.compress(b"%s %d\x00" % (kind.encode(), len(data)) + data, 1))
        self.objects[sha] = Object(sha, kind, data)
        return sha

    def write_tree(self, entries: Iterable[tuple[str, str, str]]) -> str:
        """A tree of mode, name and hash; its hash."""
        ordered = sorted(entries, key=lambda entry: f"{entry[1]}/" if entry[0] == "40000" else entry[1])
        return self.write("tree", b"".join(f"{m} {n}\x00".encode() + bytes.fromhex(sha) for m, n, sha in ordered))

    def clone(self, folder: Path, head: str) -> Clone:
        """A clone as a workflow checks it out, the main branch known as the remote's; one that is there goes on."""
        git = folder / ".git"
        refs = self._clones.setdefault(folder, Refs(None if self.folder is None else git))
        refs.put("refs/remotes/origin/main", self.main[-1])
        if self.folder is not None:
            (git / "objects/info").mkdir(parents=True, exist_ok=True)
            (folder / "manifests").mkdir(exist_ok=True)
            (git / "HEAD").write_text(f"{head}\n")
            (git / "objects/info/alternates").write_text(f"{self.folder / 'objects'}\n")
            remote = f'[remote "origin"]\n\turl = {self.folder}\n'
            (git / "config").write_text(f"[core]\n\trepositoryformatversion = 0\n\tbare = false\n{remote}")
        return Clone(folder, head, refs)

    def _tree(self, files: Files) -> str:
        entries: dict[str, tuple[str, str, str]] = {}
        below: dict[str, dict[str, bytes]] = {}
        for path, data in files.items():
            name, slash, rest = path.partition("/")
            if slash:
                below.setdefault(name, {})[rest] = data
            else:
                entries[name] = ("100644", name, self.write("blob", data))
        entries |= {name: ("40000", name, self._tree(inside)) for name, inside in below.items()}
        return self.write_tree(entries.values())


def _blob(data: bytes | None) -> str | None:
    return object_id("blob", data, _LIKE) if data is not None else None
