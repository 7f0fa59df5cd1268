"""A repository with a long history of manifests, made by `git fast-import` in a second or two."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.bench import fleet

STARTED = 1_700_000_000
"""The first commit's moment, in epoch seconds; each other one comes a minute after its parent."""


def write(folder: Path, commits: int, manifests: int, restored: int = 0) -> Path:
    """A repository whose branch `main` has so many commits, each of which changes one manifest; its folder.

    The first commit declares all clusters. One more commit brings the last `restored` manifests back to what it said.
    """
    folder.mkdir(parents=True)
    _git(folder, "init", "--quiet", "--initial-branch=main")
    _git(folder, "fast-import", "--quiet", given=b"".join(_stream(commits, manifests, restored)))
    _git(folder, "reset", "--quiet", "--hard")
    return folder / "manifests"


def committed(folder: Path) -> Path:
    """A repository around a folder of manifests, of one commit; the folder."""
    _git(folder.parent, "init", "--quiet", "--initial-branch=main")
    _git(folder.parent, "add", folder.name)
    _git(folder.parent, "commit", "--quiet", "--message", "All")
    return folder


def clone(repository: Path, folder: Path) -> Path:
    """A clone of one commit, with the record, as a workflow has it; its folder of manifests."""
    _git(repository, "clone", "--quiet", "--depth=1", f"file://{repository}", str(folder))
    _git(folder, "fetch", "--quiet", "origin", "refs/reconciler/*:refs/reconciler/*")
    return folder / "manifests"


def record(repository: Path, url: str, manifests: int) -> None:
    """The record of an apply of the first commit, which is what the service lists."""
    from reconciler.evidence.git import Git
    from reconciler.evidence.record import Records
    from reconciler.model.record import Line, Record
    from reconciler.model.view import live_cluster

    git = Git.open(str(repository))
    assert git is not None
    first = os.fsdecode(_git(repository, "rev-list", "--max-parents=0", "HEAD")).strip()
    lines = {
        name: Line(name, first, float(STARTED), _path(number), 1, "created", declared=live_cluster(entry).values)
        for number, entry in enumerate(map(fleet.cluster, range(manifests)))
        for name in [fleet.name(number)]
    }
    Records(git, "bench").write(Record("default", url, "MOMENTO_API_KEY", lines=lines, revision=first), "bench")
    git.close()


def _git(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    """What git prints; by nobody's configuration."""
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
        **{f"GIT_{who}_{what}": "a@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    command = ["git", *arguments]
    return subprocess.run(command, cwd=folder, input=given, check=True, env=environment, stdout=subprocess.PIPE).stdout


def _stream(commits: int, manifests: int, restored: int) -> Iterator[bytes]:
    for number in range(commits + bool(restored)):
        said = f"Change number {number}".encode()
        yield b"commit refs/heads/main\ncommitter A <a@example.com> %d +0000\n" % (STARTED + 60 * number)
        yield b"data %d\n%s\n" % (len(said), said)
        if number == 0:
            yield from (_file(cluster, fleet.manifest(cluster)) for cluster in range(manifests))
        elif number == commits:
            yield from (_file(cluster, fleet.manifest(cluster)) for cluster in range(manifests - restored, manifests))
        else:
            cluster = number % manifests
            yield _file(cluster, fleet.manifest(cluster).replace("shard_count: 3", f"shard_count: {3 + number}"))


def _file(cluster: int, text: str) -> bytes:
    data = text.encode()
    return b"M 100644 inline %s\ndata %d\n%s\n" % (_path(cluster).encode(), len(data), data)


def _path(cluster: int) -> str:
    return f"manifests/{fleet.name(cluster)}.yaml"
