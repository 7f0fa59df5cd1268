"""Manifests as they stood at a commit: which cluster was declared for one endpoint, and how.

Keys are endpoint and name, never paths. A target that a revision sent elsewhere doesn't count, nor does what doesn't
parse; a target without an endpoint of its own counts if it is ours by its name, or the only one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce

from reconciler.desired.files import is_manifest, shown
from reconciler.desired.fleet import fleet_file_name, read_layout, target_of
from reconciler.desired.git import Git
from reconciler.desired.manifests import parse_manifests
from reconciler.errors import Problem
from reconciler.model.declaration import Declaration
from reconciler.model.fleet import Target
from reconciler.model.guards import Guards

_NAMES = re.compile(rb"[A-Za-z0-9._~-]+")

Layout = tuple[Target, ...]


class Tree:
    """The files of a commit's folder of manifests, by the names that the work tree's have."""

    def __init__(self, git: Git, commit: str, root: str) -> None:
        self.root = root
        self.commit = commit
        self._git = git
        below = git.files(commit, git.prefix)
        names = {name_of(path, git, root): blob for path, blob in below.items()}
        self._blobs = {name: names[name] for name in sorted(names) if is_manifest(name[len(root) :])}

    def names(self) -> list[str]:
        """Every manifest file, sorted."""
        return list(self._blobs)

    def blob(self, name: str) -> str | None:
        """The blob of a file; None where there is none."""
        return self._blobs.get(name)

    def read(self, names: Iterable[str]) -> Iterator[bytes | Problem]:
        """Their contents, in order."""
        return self._git.blobs(self._blobs[name] for name in names)

    def has_folder(self, name: str) -> bool:  # noqa: ARG002  # a Source's
        """Always: git holds no empty folder, and one that isn't there declares nothing."""
        return True


class Reader:
    """Reads what was declared for one endpoint; remembers what it has read, and what didn't parse.

    `names` are the clusters that are asked about, None for all: files that speak of none of them are not parsed.
    """

    def __init__(self, git: Git, root: str, target: str, endpoint: str, names: Iterable[str] | None) -> None:
        self._git = git
        self._root = root
        self._target = target
        self._endpoint = endpoint
        self._names = None if names is None else frozenset(name.encode() for name in names)
        self._contents: dict[str, bytes] = {}
        self._spoken_of: dict[str, frozenset[str]] = {}
        self._layouts: dict[str | None, Layout | None] = {}
        self._parsed: dict[tuple[str, str], Mapping[str, Declaration] | None] = {}
        self.unreadable: list[str] = []

    def layout(self, tree: Tree) -> Layout | None:
        """The targets at a commit; None where its fleet file doesn't parse."""
        blob = tree.blob(fleet_file_name(self._root))
        if blob not in self._layouts:
            targets, problems = read_layout(tree)
            self._layouts[blob] = None if problems else targets
            if problems:
                self.unreadable.append(f"{fleet_file_name(self._root)} of {tree.commit[:10]}")
        return self._layouts[blob]

    def counts(self, name: str, layout: Layout | None) -> bool:
        """Whether a file's clusters are declared for our endpoint."""
        target = target_of(name, layout or ())
        return target is not None and self.is_ours(target, layout or ())

    def is_ours(self, target: Target, layout: Layout) -> bool:
        """Whether a target of a layout is sent to our endpoint."""
        if target.endpoint is None:
            return target.name == self._target or len(layout) == 1
        return target.endpoint == self._endpoint

    def declared(self, commit: str) -> Mapping[str, Declaration]:
        """What a commit declares for our endpoint, of the names asked about."""
        tree = Tree(self._git, commit, self._root)
        layout = self.layout(tree)
        files = {name: blob for name in tree.names() if self.counts(name, layout) and (blob := tree.blob(name))}
        self.fetch(files.values())
        here: dict[str, Declaration] = {}
        elsewhere: dict[str, Declaration] = {}
        for name, blob in files.items():
            target = target_of(name, layout or ())
            found = here if target is not None and target.name == self._target else elsewhere
            found |= self.of_file(name, blob, commit) or {}
        return elsewhere | here

    def stands_here(self, declaration: Declaration, commit: str) -> bool:
        """Whether a commit's declaration is our own target's, rather than another's of the endpoint."""
        target = target_of(declaration.file, self.layout(Tree(self._git, commit, self._root)) or ())
        return target is not None and target.name == self._target

    def limits(self, commit: str) -> Guards | None:
        """Our target's limits at a commit, or at the last one before it whose fleet file parses; None where it is new.

        A renamed target has the strictest of all that its endpoint had.
        """
        found = self._git.commit(commit)
        while found is not None:
            layout = self.layout(Tree(self._git, found.sha, self._root))
            if layout is not None:
                named = [target for target in layout if target.name == self._target]
                limits = [target.guards for target in named or layout if named or self.is_ours(target, layout)]
                return reduce(Guards.stricter, limits) if limits else None
            found = self._git.commit(f"{found.sha}^1")
        return None

    def fetch(self, blobs: Iterable[str]) -> None:
        """Read these blobs in few steps; those that speak of none of the names are forgotten at once."""
        wanted = [blob for blob in dict.fromkeys(blobs) if blob not in self._contents]
        for blob, data in zip(wanted, self._git.blobs(wanted), strict=True):
            if self._names is None:
                self._contents[blob] = data
                continue
            spoken = self._names if b"\\" in data else self._names.intersection(_NAMES.findall(data))
            self._contents[blob] = data if spoken else b""
            if spoken:
                self._spoken_of[blob] = frozenset(name.decode() for name in spoken)

    def spoken_of(self, blob: str | None) -> frozenset[str]:
        """The names that a fetched blob may speak of."""
        return self._spoken_of.get(blob or "", frozenset())

    def of_file(self, name: str, blob: str | None, commit: str) -> Mapping[str, Declaration] | None:
        """What one fetched file declares, of the names asked about; None where any of it doesn't parse."""
        data = self._contents.get(blob or "", b"")
        if not data or blob is None:
            return {}
        if (name, blob) not in self._parsed:
            declarations, problems = parse_manifests(data, name)
            if problems:
                self.unreadable.append(f"{name} of {commit[:10]}")
            wanted = (d for d in declarations if self._names is None or d.name.encode() in self._names)
            self._parsed[name, blob] = None if problems else {d.name: d for d in wanted}
        return self._parsed[name, blob]


def name_of(path: str, git: Git, root: str) -> str:
    """How a file of the repository is shown: as if it were read from the folder of manifests."""
    return f"{root.rstrip('/')}/{shown(path[len(git.prefix) :])}"
