"""The real command in a process of its own, in an empty folder, over real HTTP."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent
from typing import Any
from urllib.request import Request, urlopen

import pytest

from reconciler.clock import Clock, SystemClock
from reconciler.sandbox.faults import Faults
from reconciler.sandbox.server import in_thread
from reconciler.sandbox.store import Store
from reconciler.sandbox.switches import Switches
from tests.schemas import wrong

RECONCILER = str(Path(sys.executable).with_name("reconciler"))
ORDERS = """\
    name: orders
    node_instance_type: m6g.large
    shard_count: 2
    replication_factor: 1
    enforce_shard_multi_az: true
    """
SMALL: dict[str, Any] = {
    "node_instance_type": "t4g.small",
    "shard_count": 1,
    "replication_factor": 0,
    "enforce_shard_multi_az": False,
}
DAY_SECONDS = 86400
KEY = "sandbox-admin"
"""It stands in no output of any command here, and in no file that one leaves."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def targets(self) -> list[Any]:
        """The targets of the one JSON document on stdout, which is as its schema says."""
        document = json.loads(self.out)
        assert wrong(document["kind"], document) == []
        targets: list[Any] = document["targets"]
        return targets

    @property
    def causes(self) -> dict[str, str]:
        """Why each cluster of a plan's first target differs."""
        return {change["name"]: change["cause"] for change in self.targets[0]["changes"]}

    @property
    def guards(self) -> list[str]:
        """The guards that refused, target by target."""
        return [violation["guard"] for target in self.targets for violation in target["violations"]]

    @property
    def outcomes(self) -> dict[str, str]:
        """How each change of a report's first target ended."""
        return {result["name"]: result["outcome"] for result in self.targets[0]["results"]}


def manifest(name: str, **fields: object) -> str:
    """A small cluster's manifest, with other values where given."""
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in {"name": name, **SMALL, **fields}.items())


@dataclass
class Service:
    """A served sandbox: its address, and every answer that it gave."""

    url: str
    store: Store
    answers: list[str] = field(default_factory=list)

    def switch(self, *texts: str) -> None:
        """Make it differ in these ways from now on, and in no other."""
        self.store.switches = Switches.parse(texts)

    def sent(self) -> list[str]:
        """Every write that it has answered since it was asked last, in order: `PUT orders 200`."""
        found = [answer.replace("/cluster/", "") for answer in self.answers if not answer.startswith("GET")]
        self.answers.clear()
        return found

    def writes(self) -> list[str]:
        return sorted(answer for answer in self.answers if not answer.startswith("GET"))

    def put(self, *names: str, account: str = "", key: str = "sandbox-admin", **fields: object) -> None:
        """Create or change clusters behind git's back; that doesn't count among the answers."""
        for name in names:
            self._by_hand("PUT", account, key, name, {**SMALL, **fields})

    def delete(self, *names: str, account: str = "", key: str = "sandbox-admin") -> None:
        """Delete clusters behind git's back."""
        for name in names:
            self._by_hand("DELETE", account, key, name, None)

    def live(self, *, key: str = "sandbox-admin") -> dict[str, Any]:
        """What is listed now to the holder of a key, by name."""
        request = Request(f"{self.url}/cluster", headers={"Authorization": key})  # noqa: S310  # loopback
        with urlopen(request) as answer:  # noqa: S310
            listed = json.load(answer)
        self.answers.pop()
        return {cluster["name"]: cluster for cluster in listed}

    def _by_hand(self, method: str, account: str, key: str, name: str, body: object) -> None:
        url = f"{self.url}{account}/cluster/{name}"
        headers = {"Authorization": key, "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(url, data, headers, method=method)) as answer:  # noqa: S310  # loopback
            answer.read()
        self.answers.pop()


class Workplace:
    """A folder with manifests, and the command to run in it."""

    def __init__(self, folder: Path, cleanup: ExitStack) -> None:
        self.folder = folder
        self.command = RECONCILER
        self._cleanup = cleanup
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(folder)}
        self._written: set[Path] = set()
        cleanup.callback(self._no_file_holds_the_key)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        self._written.add(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))

    def service(
        self,
        *,
        faults: str = "",
        settle_seconds: float = 0.0,
        switches: tuple[str, ...] = (),
        clock: Clock | None = None,
    ) -> Service:
        differing = Switches.parse(switches)
        database = str(self.folder / "service.db")
        store = Store(database, clock=clock or SystemClock(), settle_seconds=settle_seconds, switches=differing)
        self._cleanup.callback(store.close)
        answers: list[str] = []
        wanted = Faults.parse(faults) if faults else None
        serving = in_thread(
            store, SystemClock(), wanted, observer=lambda *answer: answers.append("{} {} {}".format(*answer))
        )
        service = Service(self._cleanup.enter_context(serving), store, answers)
        self.environment |= {"MOMENTO_API_KEY": "sandbox-admin", "MOMENTO_ENDPOINT": service.url}
        return service

    def run(self, command: str, *, stdin: str = "") -> Ended:
        ended = subprocess.run(
            [self.command, *command.split()],
            cwd=self.folder,
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert KEY not in ended.stdout + ended.stderr
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def start(self, command: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [self.command, *command.split()],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._cleanup.callback(self._end, process)
        return process

    @staticmethod
    def _end(process: "subprocess.Popen[str]") -> None:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        out, err = process.communicate()
        assert KEY not in f"{out}{err}"

    def _no_file_holds_the_key(self) -> None:
        """Of whatever the commands left: plans, reports, logs. What the test wrote is its own."""
        theirs = {self.folder / "service.db", *self._written}
        left = [path for path in self.folder.rglob("*") if path.is_file() and path not in theirs]
        assert [path for path in left if KEY.encode() in path.read_bytes()] == []


class Checkout(Workplace):
    """A workplace that is a git repository; nobody's configuration reaches its git."""

    def __init__(self, folder: Path, cleanup: ExitStack, *, fresh: bool = True) -> None:
        super().__init__(folder, cleanup)
        self.environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        if fresh:
            folder.mkdir(exist_ok=True)
            self.git("init", "--quiet", "--initial-branch=main")
        self.write(".git/info/exclude", "service.db*\n.reconciler/\n*.json\n")

    def git(self, *arguments: str, days_ago: int = 0, stdin: str = "") -> str:
        """What git prints; a commit is made so many days ago."""
        identity = ("-c", "user.name=A User", "-c", "user.email=user@example.com", "-c", "commit.gpgsign=false")
        date = f"@{int(SystemClock().now()) - days_ago * DAY_SECONDS} +0000"
        ended = subprocess.run(
            ["git", *identity, *arguments],
            cwd=self.folder,
            env=self.environment | {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    def declare(self, *names: str, folder: str = "manifests", **fields: object) -> None:
        """Write a manifest a name."""
        for name in names:
            self.write(f"{folder}/{name}.yaml", manifest(name, **fields))

    def remove(self, *names: str, folder: str = "manifests") -> None:
        """Remove manifests."""
        for name in names:
            (self.folder / folder / f"{name}.yaml").unlink()

    def commit(self, message: str = "Change", *, days_ago: int = 0) -> str:
        """Commit all manifests as they stand; the commit's hash."""
        self.git("add", "--all", "manifests")
        self.git("commit", "--quiet", f"--message={message}", days_ago=days_ago)
        return self.git("rev-parse", "HEAD")

    def records(self) -> dict[str, str]:
        """The refs of all records, and the commit of each."""
        listed = self.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/reconciler")
        return dict(line.split() for line in listed.splitlines())

    def recorded(self, target: str = "default") -> dict[str, Any]:
        """The lines of a target's record, by name, as its file has them; none where there is no record."""
        refs = [ref for ref in self.records() if ref.startswith(f"refs/reconciler/record/{target}-")]
        lines = [line for ref in refs for line in self.git("show", f"{ref}:clusters.jsonl").splitlines()]
        return {line["name"]: line for line in map(json.loads, lines)}

    def forget_records(self) -> None:
        """Lose every record, as a fresh clone has none."""
        for ref in self.records():
            self.git("update-ref", "-d", ref)

    def cloned(self, name: str, *options: str) -> "Checkout":
        """Another runner's clone of this repository's bare `origin`, or of itself where it has none."""
        origin = self.git("remote", "get-url", "origin") if self.git("remote") else self.folder.as_uri()
        self.git("clone", "--quiet", *options, origin, str(self.folder.with_name(name)))
        clone = Checkout(self.folder.with_name(name), self._cleanup, fresh=False)
        clone.environment |= {**self.environment, "HOME": str(clone.folder)}
        return clone

    def with_origin(self) -> Path:
        """Give it a bare remote, `origin`, and push all branches there."""
        origin = self.folder.with_name("origin.git")
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(origin))
        self.git("remote", "add", "origin", origin.as_uri())
        self.git("push", "--quiet", "--all", "--set-upstream", "origin")
        return origin


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Workplace]:
    """An empty folder."""
    with ExitStack() as cleanup:
        yield Workplace(tmp_path, cleanup)


@pytest.fixture
def one_cluster(workplace: Workplace) -> Workplace:
    """A folder that declares `orders`."""
    workplace.write("manifests/orders.yaml", ORDERS)
    return workplace


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """An empty repository, on `main`."""
    with ExitStack() as cleanup:
        yield Checkout(tmp_path / "checkout", cleanup)
