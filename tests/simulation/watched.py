"""The program's git on a clone: watched, stopped at any moment, and answered for where the machine would play a part.

The record's own objects are always written here, since git would date them by the machine's clock.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.evidence.discovery import find_repository
from reconciler.evidence.git import Git
from reconciler.evidence.process import GitCommand, GitOutput, Reach
from tests.evidence.repositories import NOBODYS
from tests.simulation.plumbing import KnownGit, answered
from tests.simulation.repository import Clone, Server

Before: TypeAlias = Callable[[Reach], GitOutput | None]
"""Asked before each process of git: it may end the run, or give another answer than git would."""


@dataclass(frozen=True, slots=True)
class GitWorld:
    """The server, a clone of it, and what comes `before` each process."""

    server: Server
    clone: Clone
    before: Before

    @property
    def is_real(self) -> bool:
        """Whether git itself is run; else `plumbing` stands in for it."""
        return self.server.folder is not None


@dataclass(frozen=True, slots=True)
class WatchedCommand(GitCommand):
    """git on a clone, but for what goes wrong before it is run, and for what is answered in its place."""

    world: GitWorld | None = None

    def run(self, *arguments: str, given: bytes = b"", reach: Reach = "local", ask_anyway: bool = False) -> GitOutput:
        """Run to the end."""
        world = self.world
        assert world is not None
        instead = world.before(reach)
        if instead is not None and ask_anyway:
            return instead
        answer = written(world.server, arguments, given)
        if answer is None and not world.is_real:
            answer = answered(world.server, world.clone, arguments, given)
        if answer is not None:
            return answer
        return GitCommand.run(self, *arguments, given=given, reach=reach, ask_anyway=ask_anyway)


def written(server: Server, arguments: tuple[str, ...], given: bytes) -> GitOutput | None:
    """What writes an object; None for all else."""
    match arguments:
        case ("hash-object", "-t", kind, *_):
            return GitOutput(0, server.write(kind, given).encode(), "")
        case ("mktree",):
            lines = (line.partition("\t") for line in given.decode().splitlines())
            entries = ((*meta.split(" "), name) for meta, _, name in lines)
            return GitOutput(0, server.write_tree((mode, name, sha) for mode, _, sha, name in entries).encode(), "")
        case ("commit-tree", *descent, "-F", "-", tree):
            return GitOutput(0, server.write_commit(tree, descent[1::2], given.decode()).encode(), "")
    return None


def open_git(world: GitWorld) -> Git:
    """The program's own git, on a clone."""
    clone = world.clone
    environment = {**NOBODYS, "PATH": os.environ["PATH"], "HOME": str(clone.folder)}
    found = find_repository(str(clone.folder / "manifests"), environment) if world.is_real else None
    git = Git(found, environment) if found is not None else KnownGit(clone, world.server)
    git.command = WatchedCommand(git.root, str(clone.folder / ".git"), environment, world=world)
    return git
