"""The tour that `make demo` gives, over real HTTP, on a repository of its own with a copy of `manifests/`.

Plan, apply, and the record of it; then somebody changes things by hand, and a branch changes others: who did what, and
back.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time  # noqa: TID251  # the tour is no test: it waits as a person would
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

ROOT = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, "-m", "reconciler"]
BY_HAND, BRANCH, MERGE = "by hand", "a branch", "a merge"
TOUR = (
    ("plan --sandbox", 0),
    ("apply --sandbox --yes -q", 0),
    ("record show", 0),
    (BY_HAND, 0),
    ("drift --sandbox", 2),
    (BRANCH, 0),
    ("plan --sandbox --prune --target us-east-1", 0),
    (MERGE, 0),
    ("apply --sandbox --prune --yes -q", 0),
    ("drift --sandbox", 0),
)


def main() -> int:
    """Run the tour; 0 if every step ended as it should."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        shutil.copytree(ROOT / "manifests", folder / "manifests")
        git(folder, "init", "--quiet")
        git(folder, "symbolic-ref", "HEAD", "refs/heads/main")
        commit(folder, "The fleet as it is")
        for step, expected in TOUR:
            if step == BY_HAND:
                change_by_hand(folder)
            elif step == BRANCH:
                change_on_a_branch(folder)
            elif step == MERGE:
                say("# merged into main\n")
                git(folder, "checkout", "--quiet", "main")
                git(folder, "merge", "--quiet", "--no-ff", "--message", "Merge flags", "flags")
            else:
                say(f"$ reconciler {step}")
                ended = subprocess.run([*COMMAND, *step.split(), "--log-level", "warning"], cwd=folder, check=False)
                say(f"(exit {ended.returncode})\n")
                if ended.returncode != expected:
                    say(f"this should have ended in {expected}")
                    return 1
    return 0


def change_by_hand(folder: Path) -> None:
    """Do what a console would do behind git's back."""
    with served(folder) as base:
        account = f"{base}/accounts/us-east-1/cluster"
        sessions = next(cluster for cluster in call("GET", account) if cluster["name"] == "sessions")
        body = {key: value for key, value in sessions.items() if key not in {"name", "status", "errors"}}
        say("# meanwhile, by hand: sessions gets 6 shards of m7g.2xlarge")
        call("PUT", f"{account}/sessions", {**body, "node_instance_type": "m7g.2xlarge", "shard_count": 6})
        say("# meanwhile, by hand: somebody creates load-test\n")
        call("PUT", f"{account}/load-test", {**body, "description": "Friday's load test"})
        for _ in range(100):
            if all(cluster["status"] == "Active" for cluster in call("GET", account)):
                return
            time.sleep(0.1)


def change_on_a_branch(folder: Path) -> None:
    """Do what a pull request would do."""
    git(folder, "checkout", "--quiet", "-b", "flags")
    flags, catalog = (folder / "manifests/us-east-1" / f"{name}.yaml" for name in ("feature-flags", "catalog"))
    say("# on a branch: feature-flags gets larger nodes, catalog-search goes\n")
    flags.write_text(flags.read_text().replace("t4g.medium", "m7g.large"))
    catalog.write_text(catalog.read_text().partition("---\n")[0])
    commit(folder, "Larger nodes for feature-flags; search is cached elsewhere now")


def commit(folder: Path, message: str) -> None:
    """Commit all manifests."""
    git(folder, "add", "manifests")
    git(folder, "commit", "--quiet", "--message", message)


def git(folder: Path, *arguments: str) -> None:
    """Run git, by nobody's configuration."""
    who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in WHO.items()}
    environment = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", *arguments], cwd=folder, env=environment, check=True)


WHO = {"NAME": "platform", "EMAIL": "platform@example.com", "DATE": "2026-01-05T09:00:00Z"}
"""Always the same, so that the commits are, too."""


def call(method: str, url: str, body: object = None) -> list[dict[str, object]]:
    """One request to the sandbox, as its admin."""
    headers = {"Authorization": "sandbox-admin", "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body is not None else None
    with urlopen(Request(url, data, headers, method=method)) as answer:  # noqa: S310  # loopback
        clusters: list[dict[str, object]] = json.load(answer)
        return clusters


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """`reconciler sandbox` over the folder's store; its base URL."""
    arguments = [*COMMAND, "sandbox", "--port", "0"]
    with subprocess.Popen(arguments, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def say(text: str) -> None:
    """Print at once: the commands' output comes in between."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    for variable in [name for name in os.environ if name.startswith(("RECONCILER_", "GITHUB_", "GIT_"))]:
        del os.environ[variable]
    sys.exit(main())
