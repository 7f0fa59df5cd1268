"""What must hold at odd moments: a clone that can't see, two accounts on one endpoint, a full disk, Ctrl-C at a question."""

import os
import pty
import signal
import socket
import subprocess
from contextlib import suppress

import pytest

from tests.acceptance.conftest import KEY, RECONCILER, Checkout, Workplace


@pytest.mark.slow
def test_a_clone_that_cannot_see_what_is_protected_deletes_nothing(checkout: Checkout) -> None:
    """Without the record even --prune=all is refused, with the command that fetches it; a plan without it works."""
    service = checkout.service()
    checkout.declare("kept")
    checkout.declare("safe", lifecycle={"prevent_destroy": True})
    checkout.commit()
    checkout.remove("safe")
    checkout.commit()
    service.put("kept", "safe")
    checkout.git("clone", "-q", "--depth", "1", f"file://{checkout.folder}", str(checkout.folder / "shallow"))
    refused = checkout.run("apply --yes --prune=all --manifests shallow/manifests")
    assert refused.code == 1
    assert "--prune=all spares what the record protects" in refused.err
    assert "reconciler record fetch" in refused.err
    assert checkout.run("plan --manifests shallow/manifests").code == 0
    assert service.writes() == []


@pytest.mark.slow
def test_a_plan_of_drift_is_as_stale_as_any(checkout: Checkout) -> None:
    """What `drift --out` saved at an old commit brings nothing back that newer work took away."""
    service = checkout.service()
    checkout.declare("kept", "old")
    first = checkout.commit()
    assert checkout.run("drift --out drift.json").code == 5
    checkout.remove("old")
    checkout.commit()
    assert checkout.run("apply --yes").code == 0
    checkout.git("checkout", "-q", first)
    assert checkout.run("apply drift.json --yes").code == 4
    assert service.writes() == ["PUT /cluster/kept 200"]


@pytest.mark.slow
def test_a_plan_for_elsewhere_or_of_no_cluster_is_not_what_was_reviewed(checkout: Checkout) -> None:
    """--expect PLAN means that endpoint, and what was live there."""
    service = checkout.service()
    checkout.declare("new")
    checkout.commit()
    checkout.run("plan --out here.json")
    checkout.run("plan --offline --out offline.json")
    checkout.run(f"plan --out elsewhere.json --endpoint {service.url}/accounts/elsewhere")
    for reviewed in ("offline.json", "elsewhere.json"):
        assert checkout.run(f"apply --yes --expect {reviewed}").code == 4
    assert service.writes() == []
    assert checkout.run("apply --yes --expect here.json").code == 0


@pytest.mark.slow
def test_a_full_disk_behind_stdout_loses_no_report(one_cluster: Workplace) -> None:
    """The report still reaches its file; the error says what is wrong, without a traceback."""
    one_cluster.service()
    with open("/dev/full", "w") as full:  # noqa: PTH123
        ended = subprocess.run(
            [RECONCILER, "apply", "--yes", "-q", "--out", "report.json"],
            cwd=one_cluster.folder,
            env=one_cluster.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (
        1,
        "error: stdout can't be written: No space left on device\n  → make room, or write elsewhere\n",
    )
    assert '"applied": 1' in (one_cluster.folder / "report.json").read_text()


@pytest.mark.slow
def test_ctrl_c_at_the_question_ends_it(one_cluster: Workplace) -> None:
    """Interrupted at the prompt: exit 130, nothing sent."""
    service = one_cluster.service()
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [RECONCILER, "apply", "--no-color"],
        cwd=one_cluster.folder,
        env=one_cluster.environment,
        stdin=theirs,
        stderr=theirs,
        stdout=subprocess.DEVNULL,
    ) as process:
        os.close(theirs)
        shown = ""
        while "Apply? [y/N]: " not in shown:
            shown += os.read(ours, 4096).decode()
        for _ in range(20):  # a signal that comes just before the read is only seen with the next
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1)
                break
        code = process.returncode
    os.close(ours)
    assert (code, service.writes()) == (130, [])


@pytest.mark.parametrize("options", ["--log-level error", "-q", "--format json -q"])
def test_what_a_signal_ends_says_so(one_cluster: Workplace, options: str) -> None:
    """Whatever is logged: who reads a job's log is seldom who sent the signal."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        one_cluster.environment |= {"MOMENTO_ENDPOINT": address, "MOMENTO_API_KEY": KEY}
        plan = one_cluster.start(f"plan {options}")
        with silent.accept()[0]:
            plan.send_signal(signal.SIGINT)
            _, told = plan.communicate()
    assert (plan.returncode, told) == (130, "error: SIGINT ended it before there was a result\n")
