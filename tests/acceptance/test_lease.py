"""Two replicas as deploy/kubernetes has them, beside a clone as git-sync keeps it: one applies at a time."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.acceptance.conftest import Checkout
from tests.lease.fake_kubernetes import FakeKubernetes
from tests.lease.served import served
from tests.test_deploy import FILES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates"),
]
CONTAINERS = FILES["run.yaml"][0]["spec"]["template"]["spec"]["containers"]
[ARGUMENTS] = [one["args"] for one in CONTAINERS]


class GitSync:
    """A replica's clone: each commit in a work tree of its own, and a link to the newest."""

    def __init__(self, origin: Path, folder: Path, checkout: Checkout) -> None:
        self.folder = folder
        self._git = checkout.git
        self._git("clone", "--quiet", "--no-checkout", origin.as_uri(), str(folder))
        self.sync()

    def sync(self) -> None:
        """Bring what is new."""
        inside = ("-C", str(self.folder))
        self._git(*inside, "fetch", "--quiet", "origin", "main")
        commit = self._git(*inside, "rev-parse", "FETCH_HEAD")
        self._git(*inside, "worktree", "add", "--quiet", "--detach", f".worktrees/{commit}", commit)
        link = self.folder / "next"
        link.symlink_to(f".worktrees/{commit}")
        os.replace(link, self.folder / "current")  # noqa: PTH105  # as git-sync does it, at once


def until(process: "subprocess.Popen[str]", event: str, **fields: object) -> dict[str, Any]:
    """What a replica logs next under this name, with these fields."""
    assert process.stderr is not None
    for line in process.stderr:
        logged: dict[str, Any] = json.loads(line)
        if logged["event"] == event and fields.items() <= logged.items():
            return logged
    raise AssertionError(f"it ended before {event}")


def probe(page: str) -> tuple[int, str]:
    """What Kubernetes' readiness probe gets."""
    [path] = {one["readinessProbe"]["httpGet"]["path"] for one in CONTAINERS}
    with urlopen(page + path) as answer:  # noqa: S310  # loopback
        return answer.status, answer.read().decode()


def test_one_of_two_replicas_applies(checkout: Checkout, tmp_path: Path) -> None:
    """The first applies, the second waits, both are ready; the second goes on where the first ends, and ends where its lease goes."""
    service = checkout.service()
    checkout.declare("orders")
    checkout.commit()
    origin = checkout.with_origin()
    clones = [GitSync(origin, tmp_path / name, checkout) for name in ("a", "b")]
    kubernetes = FakeKubernetes()
    with served(kubernetes, tmp_path / "account") as pod:
        checkout.environment |= pod.environment

        def start(clone: GitSync) -> "subprocess.Popen[str]":
            here = " ".join(ARGUMENTS).replace("/git/clone", str(clone.folder))
            return checkout.start(here.replace("0.0.0.0:8080", "127.0.0.1:0"))

        first = start(clones[0])
        pages = [until(first, "listen.began")["url"]]
        until(first, "round.ended", exit_code=0)
        assert service.sent() == ["PUT orders 200"]
        second = start(clones[1])
        pages.append(until(second, "listen.began")["url"])
        awaited = until(second, "lease.awaited")
        assert awaited["holder"] == kubernetes.holder()
        assert list(map(probe, pages)) == [(200, "ready\n"), (200, "waiting for the lease\n")]

        first.send_signal(signal.SIGTERM)
        until(first, "lease.released")
        assert first.wait() == 143
        until(second, "round.ended", exit_code=0)
        assert service.sent() == []
        assert probe(pages[1]) == (200, "ready\n")

        checkout.declare("sessions")
        checkout.commit()
        checkout.git("push", "--quiet", "origin", "main")
        clones[1].sync()
        until(second, "round.ended", exit_code=0)
        assert service.sent() == ["PUT sessions 200"]

        kubernetes.leases["fleet", "reconciler"]["spec"]["holderIdentity"] = "somebody"
        kubernetes.edit("fleet", "reconciler")
        assert until(second, "lease.lost")["error"] == "somebody holds it"
        assert second.wait() == 1
        assert (kubernetes.holder(), service.sent(), kubernetes.complaints) == ("somebody", [], [])
    checkout.git("fetch", "--quiet", "origin", "+refs/reconciler/*:refs/reconciler/*")
    assert set(checkout.recorded()) == {"orders", "sessions"}


def test_a_lease_is_for_who_applies_in_a_cluster(checkout: Checkout) -> None:
    """Elsewhere it is bad usage, and says what to do; so is it where nothing is applied."""
    checkout.declare("orders")
    checkout.service()
    outside = checkout.run("run --once --apply --lease fleet/reconciler")
    assert (outside.code, "run it in a cluster; or leave --lease out" in outside.err) == (64, True)
    planned = checkout.run("run --once --lease fleet/reconciler")
    assert (planned.code, "--lease says how to apply" in planned.err) == (64, True)
