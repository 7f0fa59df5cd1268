"""Real repositories, made by git itself; each commit is a day younger than the one before."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from reconciler.event import WorkflowEvent
from reconciler.evidence.git import Git

NOBODYS = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
DAY = 86400
FIRST = 1_700_000_000
EVENT = WorkflowEvent()
ENDPOINT = "https://api.cache.example.com"

_FIELDS = "node_instance_type: m6g.large\nshard_count: 2\nreplication_factor: 1\nenforce_shard_multi_az: true\n"

_AUTHOR = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}

Files = Mapping[str | bytes, str | bytes | None]


class Repo:
    """A repository's work tree, and what a person does there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.commits = 0

    @classmethod
    def new(cls, folder: Path, *options: str) -> "Repo":
        folder.mkdir(parents=True)
        repo = cls(folder)
        repo.git("init", "--quiet", "--initial-branch=main", *options)
        return repo

    def git(self, *arguments: str, given: bytes | None = None) -> str:
        """What git prints."""
        when = dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), f"@{FIRST + DAY * self.commits} +0000")
        kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        ended = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=self.folder,
            env={**kept, **NOBODYS, **_AUTHOR, **when},
            input=given,
            capture_output=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr.decode()
        return os.fsdecode(ended.stdout).strip()

    def write(self, files: Files) -> None:
        """Files by path; None takes one away."""
        for name, content in files.items():
            path = self.folder / os.fsdecode(name)
            if content is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode() if isinstance(content, str) else content)

    def commit(self, files: Files, message: str = "change") -> str:
        """A commit of these files; its hash."""
        self.write(files)
        self.git("add", "--all")
        return self.record("commit", "--allow-empty", "--message", message)

    def record(self, *arguments: str) -> str:
        """Run what makes a commit; HEAD's hash."""
        self.commits += 1
        self.git(*arguments)
        return self.head

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def on(self, branch: str, start: str = "HEAD") -> None:
        """Check out a new branch."""
        self.git("checkout", "--quiet", "-b", branch, start)

    def clone(self, folder: Path, *options: str) -> "Repo":
        """A clone over a transport, as from a server that allows what GitHub does."""
        for setting in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
            self.git("config", setting, "true")
        self.git("clone", "--quiet", *options, f"file://{self.folder}", str(folder))
        return Repo(folder)


def text(name: str, shards: int = 2) -> str:
    """A manifest."""
    return f"name: {name}\n{_FIELDS}".replace("shard_count: 2", f"shard_count: {shards}")


@contextmanager
def git_of(folder: Path) -> Iterator[Git]:
    """The code under test, in a folder that is in a repository."""
    git = Git.open(str(folder))
    assert git is not None
    try:
        yield git
    finally:
        git.close()


def script(path: Path, command: str) -> str:
    """A program; its path."""
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)
    return str(path)
