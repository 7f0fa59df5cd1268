"""The git server and the clones of the runs: a real repository, its objects written without a process.

What it holds is what git would have written; who made which commit of which is known here without asking git.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from reconciler.clock import Clock
from reconciler.evidence.objects import object_id

RECORDS: Final = "refs/reconciler/record/"
_LIKE: Final = "0" * 40

Files = Mapping[str, bytes]


class Server:
    """A bare repository with a main branch, on which people merge."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self._clock = clock
        for part in ("objects", "refs/heads"):
            (folder / part).mkdir(parents=True)
        (folder / "HEAD").write_text("ref: refs/heads/main\n")
        (folder / "config").write_text("[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
        self.main: list[str] = []
        self._files: dict[str, Files] = {}
        self._parents: dict[str, tuple[str, ...]] = {}
        self._histories: dict[str, frozenset[str]] = {}
        self._order: dict[str, int] = {}

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
        (self.folder / "refs/heads/main").write_text(f"{sha}\n")

    def write_commit(self, tree: str, parents: Sequence[str], message: str) -> str:
        """A commit, dated by the simulated clock."""
        who = f"A <a@example.com> {self._clock.now():.0f} +0000"
        lines = [f"tree {tree}", *(f"parent {one}" for one in parents), f"author {who}", f"committer {who}", ""]
        sha = self.write("commit", "\n".join([*lines, message]).encode())
        self._parents[sha] = tuple(parents)
        self._order.setdefault(sha, len(self._order))
        return sha

    def write(self, kind: str, data: bytes) -> str:
        """A loose object; its hash."""
        sha = object_id(kind, data, _LIKE)
        path = self.folder / "objects" / sha[:2] / sha[2:]
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(zlib.compress(b"%s %d\x00" % (kind.encode(), len(data)) + data, 1))
        return sha

    def write_tree(self, entries: Iterable[tuple[str, str, str]]) -> str:
        """A tree of mode, name and hash; its hash."""
        ordered = sorted(entries, key=lambda entry: f"{entry[1]}/" if entry[0] == "40000" else entry[1])
        return self.write("tree", b"".join(f"{m} {n}\x00".encode() + bytes.fromhex(sha) for m, n, sha in ordered))

    def clone(self, folder: Path, head: str) -> None:
        """A clone as a workflow checks it out: HEAD is a commit, the main branch known as the remote's."""
        git = folder / ".git"
        for part in ("objects/info", "refs/remotes/origin"):
            (git / part).mkdir(parents=True, exist_ok=True)
        (folder / "manifests").mkdir(exist_ok=True)
        (git / "HEAD").write_text(f"{head}\n")
        (git / "objects/info/alternates").write_text(f"{self.folder / 'objects'}\n")
        (git / "refs/remotes/origin/main").write_text(f"{self.main[-1]}\n")
        (git / "config").write_text(
            f'[core]\n\trepositoryformatversion = 0\n\tbare = false\n[remote "origin"]\n\turl = {self.folder}\n'
        )

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
