"""Manifests as they stood at a commit: which clusters a target declared, and how.

A target is known by its name; one that was renamed, by its endpoint and key. What doesn't parse says nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from reconciler.desired.files import is_manifest, shown_path
from reconciler.desired.fleet import fleet_file_name, read_layout
from reconciler.desired.layout import Layout
from reconciler.desired.manifests import parse_manifests
from reconciler.desired.yaml import LARGEST_FILE
from reconciler.evidence.git import Git
from reconciler.model.declaration import Declaration
from reconciler.model.fleet import Target
from reconciler.problem import Problem

_NAMES = re.compile(rb"[A-Za-z0-9._~-]+")


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
        return self._git.blobs((self._blobs[name] for name in names), LARGEST_FILE)

    def has_folder(self, name: str) -> bool:  # noqa: ARG002  # a ManifestFiles'
        """Always: git holds no empty folder, and one that isn't there declares nothing."""
        return True


def same_target(target: Target, layout: Layout | None) -> Target | None:
    """The target of another revision that is this one: by name; else, renamed, by endpoint and key.

    A revision's only target, where either leaves its endpoint to the command line, is known by the key alone.
    """
    targets = layout.targets if layout is not None else ()
    named = next((other for other in targets if other.name == target.name), None)
    if named is not None:
        return named
    same = [other for other in targets if other.api_key_env == target.api_key_env]
    if len(targets) > 1 or None not in {target.endpoint, *(other.endpoint for other in same)}:
        same = [other for other in same if other.endpoint is not None and other.endpoint == target.endpoint]
    return same[0] if len(same) == 1 else None


class Reader:
    """Reads what one target declared; remembers what it has read, and what didn't parse.

    `names` are the clusters that are asked about, None for all: files that speak of none of them are not parsed.
    """

    def __init__(self, git: Git, root: str, target: Target, names: Iterable[str] | None) -> None:
        self._git = git
        self._root = root
        self._target = target
        self._names = None if names is None else frozenset(name.encode() for name in names)
        self._contents: dict[str, bytes] = {}
        self._spoken_of: dict[str, frozenset[str]] = {}
        self._layouts: dict[str | None, Layout | None] = {}
        self._parsed: dict[tuple[str, str, bytes], Mapping[str, Declaration] | None] = {}
        self.unreadable: list[str] = []

    def layout(self, tree: Tree) -> Layout | None:
        """The targets at a commit; None where its fleet file doesn't parse."""
        blob = tree.blob(fleet_file_name(self._root))
        if blob not in self._layouts:
            layout = read_layout(tree)
            self._layouts[blob] = None if layout.problems else layout
            if layout.problems:
                self.unreadable.append(f"{fleet_file_name(self._root)} of {tree.commit[:10]}")
        return self._layouts[blob]

    def counts(self, name: str, layout: Layout | None) -> Target | None:
        """The target, as a layout has it, that a file's clusters are declared for, if that is ours."""
        ours = same_target(self._target, layout)
        return ours if layout is not None and ours is not None and layout.target_of(name) is ours else None

    def view(self, layout: Layout | None) -> object:
        """What decides which files are ours and what they declare: equal for layouts that make no difference."""
        ours = same_target(self._target, layout)
        if layout is None or ours is None:
            return None
        return ours.name, [(target.name, target.folder) for target in layout.targets], layout.defaults_of(ours).values

    def declared(self, commit: str) -> Mapping[str, Declaration]:
        """What a commit declares for our target, of the names asked about."""
        tree = Tree(self._git, commit, self._root)
        layout = self.layout(tree)
        files = {name: blob for name in tree.names() if self.counts(name, layout) and (blob := tree.blob(name))}
        self.fetch(files.values())
        found: dict[str, Declaration] = {}
        for name, blob in files.items():
            found |= self.of_file(name, blob, commit, layout) or {}
        return found

    def fetch(self, blobs: Iterable[str]) -> None:
        """Read these blobs in few steps; those that speak of none of the names are forgotten at once."""
        wanted = [blob for blob in dict.fromkeys(blobs) if blob not in self._contents]
        for blob, data in zip(wanted, self._git.blobs(wanted, LARGEST_FILE), strict=True):
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

    def of_file(
        self, name: str, blob: str | None, commit: str, layout: Layout | None
    ) -> Mapping[str, Declaration] | None:
        """What one fetched file declares, of the names asked about; None where any of it doesn't parse."""
        data, target = self._contents.get(blob or "", b""), self.counts(name, layout)
        if not data or blob is None or target is None or layout is None:
            return {}
        key = (name, blob, layout.data)
        if key not in self._parsed:
            parsed = parse_manifests(data, name, layout.defaults_of(target))
            if parsed.problems and (unreadable := f"{name} of {commit[:10]}") not in self.unreadable:
                self.unreadable.append(unreadable)
            wanted = (d for d in parsed.declarations if self._names is None or d.name.encode() in self._names)
            self._parsed[key] = None if parsed.problems else {d.name: d for d in wanted}
        return self._parsed[key]


def name_of(path: str, git: Git, root: str) -> str:
    """How a file of the repository is shown: as if it were read from the folder of manifests."""
    return f"{root.rstrip('/')}/{shown_path(path[len(git.prefix) :])}"
