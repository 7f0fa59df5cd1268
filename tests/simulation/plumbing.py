"""git's plumbing without its processes: what the program asks of a clone and of the server, answered from what is known.

Nine tenths of a simulated day would else be spent on starting git. `test_simulation` plays the same stories on git
itself, and they must go the same way.
"""

from collections.abc import Iterator, Sequence

from reconciler.evidence.discovery import Found
from reconciler.evidence.git import Git
from reconciler.evidence.objects import Object, Objects, tree_entries
from reconciler.evidence.process import GitCommand, GitOutput
from reconciler.evidence.walk import Log
from tests.simulation.repository import Clone, Refs, Server

_RECENT = 3
_DONE = GitOutput(0, b"", "")
_NOTHING = GitOutput(1, b"", "")


class KnownGit(Git):
    """The program's git, of a clone whose objects are all known."""

    def __init__(self, clone: Clone, server: Server) -> None:
        super().__init__(Found(str(clone.folder), str(clone.folder / ".git"), "manifests/", shallow=False), {})
        self._objects = KnownObjects(self.command, clone, server)
        self._server = server

    def log(self, commit: str, below: str, most: int | None = None) -> Log:
        """The first-parent history of a folder; where it is cut, then early: stories are short."""
        return self._server.log(commit, below, None if most is None else _RECENT)


class KnownObjects(Objects):
    """The objects of a clone, without a process to ask."""

    def __init__(self, command: GitCommand, clone: Clone, server: Server) -> None:
        super().__init__(command)
        self._clone = clone
        self._server = server

    def find(self, names: Sequence[str], most: int | None = None) -> Iterator[Object | None]:  # noqa: ARG002
        """Objects, in order and whole; None for one that isn't here."""
        return (self._find(name) for name in names)

    def _find(self, name: str) -> Object | None:
        objects, (start, _, path) = self._server.objects, name.partition(":")
        revision, _, kind = start.partition("^")
        sha = self._clone.head if revision == "HEAD" else self._clone.refs.get(revision) or revision
        found = objects.get(sha)
        if found is not None and found.kind == "commit" and (kind == "{tree}" or path):
            found = objects[found.data[5:45].decode()]
        if found is None or not path:
            return found
        return next((objects[entry.sha] for entry in tree_entries(found) if entry.name == path), None)


def answered(server: Server, clone: Clone, arguments: tuple[str, ...], given: bytes) -> GitOutput | None:
    """What git would answer; None for what isn't known here."""
    return _of_clone(server, clone.refs, arguments, given) or _of_server(server, arguments)


def _of_clone(server: Server, refs: Refs, arguments: tuple[str, ...], given: bytes) -> GitOutput | None:
    match arguments:
        case ("for-each-ref", _, below):
            return _said(*(f"{sha} {ref}" for ref, sha in refs.below(below)))
        case ("update-ref", "-z", "--stdin"):
            return _update(refs, [*filter(None, given.decode().split("\x00"))])
        case ("merge-base", one, other):
            met = server.merge_base(one, other)
            return _said(met) if met is not None else _NOTHING
        case ("rev-list", *tips, "--") if not tips[0].startswith("-"):
            without = [server.history(tip[1:]) for tip in tips if tip.startswith("^")]
            within = [server.history(tip) for tip in tips if not tip.startswith("^")]
            return _said(*sorted(frozenset[str]().union(*within).difference(*without)))
        case ("symbolic-ref", *_) | ("config", "--get-regexp", _):
            return _NOTHING  # HEAD is detached, and no clone is partial
    return None


def _of_server(server: Server, arguments: tuple[str, ...]) -> GitOutput | None:
    match arguments:
        case ("remote",):
            return _said("origin")
        case ("version",):
            return _said("git version 2.40.0")
        case ("ls-remote", "--refs", _, below):
            return _said(*(f"{sha}\t{ref}" for ref, sha in server.refs.below(below.rstrip("*"))))
        case ("fetch", *_):
            return _DONE  # a clone has the server's objects
        case ("push", *rest):
            leases = [part.partition("=")[2] for part in rest if part.startswith("--force-with-lease=")]
            return _push(server, [part for part in rest if not part.startswith("-")][1:], leases)
    return None


def _said(*lines: str) -> GitOutput:
    return GitOutput(0, "".join(f"{line}\n" for line in lines).encode(), "")


def _update(refs: Refs, fields: list[str]) -> GitOutput:
    """All of them or none: `update REF`, what it becomes, what it was."""
    updates = [(ref.removeprefix("update "), to, was) for ref, to, was in zip(*[iter(fields)] * 3, strict=True)]
    for ref, _, was in updates:
        if refs.get(ref) != _sha(was):
            return GitOutput(128, b"", f"fatal: cannot lock ref '{ref}'")
    for ref, to, _ in updates:
        refs.put(ref, _sha(to))
    return _DONE


def _push(server: Server, specs: list[str], leases: list[str]) -> GitOutput:
    """Each ref by itself; one that can't be pushed keeps no other from it."""
    expected = {ref: sha for ref, _, sha in (lease.rpartition(":") for lease in leases)}
    refused: list[str] = []
    for spec in specs:
        sha, _, ref = spec.partition(":")
        now = server.refs.get(ref)
        if not sha and now != expected[ref]:
            refused.append(f"!\t{spec}\t[rejected] (stale info)\n")
        elif sha and now is not None and now not in server.history(sha):
            refused.append(f"!\t{spec}\t[rejected] (non-fast-forward)\n")
        else:
            server.refs.put(ref, sha or None)
    return GitOutput(1, "".join(refused).encode(), "error: failed to push") if refused else _DONE


def _sha(text: str) -> str | None:
    """Nothing, where git writes zeros."""
    return text if text.strip("0") else None
