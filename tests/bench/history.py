"""A repository with a long history of manifests, made by `git fast-import` in a second or two."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.bench import fleet

STARTED = 1_700_000_000
"""The first commit's moment, in epoch seconds; each other one comes a minute after its parent."""


def write(folder: Path, commits: int, manifests: int, removed: int = 0, restored: int = 0) -> Path:
    """A repository whose branch `main` has so many commits, each of which changes one manifest; its folder.

    The first commit declares all clusters, those from `manifests` on too; the last `removed` commits take them away.
    One more commit brings the last `restored` manifests back to what the first said.
    """
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("GIT_")},
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
    }
    folder.mkdir(parents=True)
    subprocess.run(["git", "init", "--quiet", "--initial-branch=main", folder], check=True, env=environment)
    stream = b"".join(_stream(commits, manifests, removed, restored))
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input=stream, check=True, env=environment)
    subprocess.run(["git", "reset", "--quiet", "--hard"], cwd=folder, check=True, env=environment)
    return folder / "manifests"


def _stream(commits: int, manifests: int, removed: int, restored: int) -> Iterator[bytes]:
    for number in range(commits + bool(restored)):
        said = f"Change number {number}".encode()
        yield b"commit refs/heads/main\ncommitter A <a@example.com> %d +0000\n" % (STARTED + 60 * number)
        yield b"data %d\n%s\n" % (len(said), said)
        if number == 0:
            yield from (_file(cluster, fleet.manifest(cluster)) for cluster in range(manifests + removed))
        elif number == commits:
            yield from (_file(cluster, fleet.manifest(cluster)) for cluster in range(manifests - restored, manifests))
        elif number >= commits - removed:
            yield f"D {_path(manifests + commits - 1 - number)}\n".encode()
        else:
            cluster = number % manifests
            yield _file(cluster, fleet.manifest(cluster).replace("shard_count: 3", f"shard_count: {3 + number}"))


def _file(cluster: int, text: str) -> bytes:
    data = text.encode()
    return b"M 100644 inline %s\ndata %d\n%s\n" % (_path(cluster).encode(), len(data), data)


def _path(cluster: int) -> str:
    return f"manifests/{fleet.name(cluster)}.yaml"
