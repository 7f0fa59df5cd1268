"""git's plumbing without its processes: what the program asks of a clone and of the server, answered from their files.

Nine tenths of a simulated day would else be spent on starting git. `test_simulation` plays the same stories on git
itself, and they must go the same way.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from reconciler.evidence.process import GitOutput
from tests.simulation.repository import Server

_DONE = GitOutput(0, b"", "")
_NOTHING = GitOutput(1, b"", "")


def answered(server: Server, clone: Path, arguments: tuple[str, ...], given: bytes) -> GitOutput | None:
    """What git would answer; None for what isn't known here."""
    return _of_clone(server, clone / ".git", arguments, given) or _of_server(server, arguments)


def _of_clone(server: Server, git: Path, arguments: tuple[str, ...], given: bytes) -> GitOutput | None:
    match arguments:
        case ("for-each-ref", _, below):
            return _said(*(f"{sha} {ref}" for ref, sha in _refs(git, below)))
        case ("update-ref", "-z", "--stdin"):
            return _update(git, [*filter(None, given.decode().split("\x00"))])
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
            return _said(*(f"{sha}\t{ref}" for ref, sha in _refs(server.folder, below.rstrip("*"))))
        case ("fetch", *_):
            return _DONE  # a clone has the server's objects
        case ("push", *rest):
            return _push(server, [part for part in rest if not part.startswith("-")][1:])
    return None


def _said(*lines: str) -> GitOutput:
    return GitOutput(0, "".join(f"{line}\n" for line in lines).encode(), "")


def _refs(git: Path, below: str) -> Iterator[tuple[str, str]]:
    """Refs by full name, sorted: those in a folder, or the one."""
    path = git / below
    files = (
        sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path] if path.is_file() else []
    )
    for file in files:
        yield os.path.relpath(file, git), file.read_text().strip()


def _update(git: Path, fields: list[str]) -> GitOutput:
    """All of them or none: `update REF`, what it becomes, what it was."""
    updates = [(ref.removeprefix("update "), to, was) for ref, to, was in zip(*[iter(fields)] * 3, strict=True)]
    for ref, _, was in updates:
        now = (git / ref).read_text().strip() if (git / ref).exists() else "0" * 40
        if now != was:
            return GitOutput(128, b"", f"fatal: cannot lock ref '{ref}': is at {now} but expected {was}")
    for ref, to, _ in updates:
        _write(git / ref, to)
    return _DONE


def _push(server: Server, specs: list[str]) -> GitOutput:
    for spec in specs:
        sha, _, ref = spec.partition(":")
        path = server.folder / ref
        if sha and path.exists() and path.read_text().strip() not in server.history(sha):
            return GitOutput(1, f"!\t{spec}\t[rejected] (non-fast-forward)\n".encode(), "error: failed to push")
        _write(path, sha or "0" * 40)
    return _DONE


def _write(path: Path, sha: str) -> None:
    if sha.strip("0"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{sha}\n")
    else:
        path.unlink(missing_ok=True)
