"""`run --listen`: the real command, asked over real HTTP while it reconciles."""

import json
import re
import signal
import subprocess
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from reconciler.clock import SystemClock, iso_timestamp
from tests.acceptance.conftest import Checkout, Workplace, manifest

TOKEN = "0123456789abcdef-token"
FLEET = """\
    targets:
      us: {endpoint: http://127.0.0.1:1}
      eu: {endpoint: http://127.0.0.1:2%s}
    """


class Loop:
    """A loop that listens: its address, and its log as it comes."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.url: str = self.wait_for("listen.began")["url"]

    def wait_for(self, event: str) -> dict[str, Any]:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            found: dict[str, Any] = json.loads(line)
            if found["event"] == event:
                return found
        raise AssertionError(f"it ended without {event}")

    def ask(self, path: str, token: str | None = None) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            with urlopen(Request(self.url + path, headers=headers)) as answer:  # noqa: S310  # loopback
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()

    def state(self) -> Any:
        return json.loads(self.ask("/api/state")[1])

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate()
        return self.process.returncode


def start(place: Workplace, options: str = "") -> Loop:
    return Loop(place.start(f"run --sandbox --listen 127.0.0.1:0 --log-format json {options}"))


@pytest.mark.slow
def test_a_loop_shows_what_it_did(checkout: Checkout) -> None:
    """From the first round on: page, state, metrics and probes say the same; a signal ends it with 143."""
    checkout.declare("orders", "carts")
    commit = checkout.commit()
    loop = start(checkout, "--apply --interval 1h")
    loop.wait_for("round.scheduled")
    (target,) = loop.state()["targets"]
    assert (target["condition"], target["in_sync"], target["revision"]) == ("in-sync", 2, commit)
    assert {(line["name"], line["commit"]) for line in target["last_applied"]} == {
        ("orders", commit),
        ("carts", commit),
    }
    [apply] = target["last_applies"]
    assert (apply["outcome"], apply["revision"]) == ("2 applied", commit)
    assert loop.ask("/readyz") == (200, "ready\n")
    metrics = loop.ask("/metrics")[1].splitlines()
    assert 'reconciler_changes_total{action="create",outcome="applied"} 2.0' in metrics
    assert 'reconciler_in_sync_clusters{target="default"} 2.0' in metrics
    assert 'reconciler_http_requests_total{code="200",method="PUT"} 2.0' in metrics
    assert "2 clusters in sync" in loop.ask("/")[1]
    assert loop.end() == 143


@pytest.mark.slow
def test_what_is_under_way_is_seen_while_it_settles(checkout: Checkout) -> None:
    """Cluster by cluster, on the page and in the state; it is ready meanwhile, and a signal ends it in good order."""
    checkout.service(settle_seconds=7200)
    checkout.declare("orders")
    checkout.commit()
    loop = Loop(checkout.start("run --apply --listen 127.0.0.1:0 --log-format json"))
    loop.wait_for("change.accepted")
    while not (seen := loop.state()["targets"][0]["ongoing"]) or seen[0]["doing"] == "sending":
        pass  # until the next list, within a second
    [orders] = seen
    assert (orders["name"], orders["action"], orders["status"]) == ("orders", "create", "Creating")
    assert {field["path"]: field["after"] for field in orders["fields"]}["shard_count"] == 1
    assert re.search(r"<h3>Under way .*\n.*\n.*<h4>create orders .*manifests/orders.yaml:[0-9]+<", loop.ask("/")[1])
    assert loop.ask("/readyz") == (200, "ready\n")
    assert loop.end() == 143


@pytest.mark.slow
def test_a_pull_is_seen_on_the_page(checkout: Checkout) -> None:
    """What HEAD says anew is planned at once, and shown with its cause."""
    checkout.declare("orders")
    checkout.commit()
    loop = start(checkout, "--interval 1h")
    loop.wait_for("round.scheduled")
    assert loop.state()["targets"][0]["condition"] == "pending"
    checkout.declare("carts")
    checkout.commit()
    loop.wait_for("folder.moved")
    loop.wait_for("round.scheduled")
    assert [change["name"] for change in loop.state()["targets"][0]["changes"]] == ["carts", "orders"]


@pytest.mark.slow
def test_manifests_that_cant_be_read_are_told_and_not_ready(workplace: Workplace) -> None:
    """With their place; the process lives."""
    workplace.write("manifests/orders.yaml", manifest("orders"))
    loop = start(workplace, "--interval 1s")
    loop.wait_for("round.scheduled")
    workplace.write("manifests/orders.yaml", manifest("orders", shard_count="three"))
    loop.wait_for("round.failed")
    ended = loop.wait_for("round.ended")
    document = loop.state()
    (failed,) = document["failed_rounds"]
    assert (failed["round"], failed["targets"]) == (ended["round"], ["default"])
    assert [(one["kind"], one["file"], one["line"]) for one in failed["errors"]] == [
        ("manifest", "manifests/orders.yaml", 3)
    ]
    assert document["targets"][0]["condition"] == "failed"
    assert "The last round failed" in loop.ask("/")[1]
    assert loop.ask("/healthz") == (200, "ok\n")


@pytest.mark.slow
def test_a_suspended_target_is_shown_and_left_alone(workplace: Workplace) -> None:
    """By run and by apply, until its moment has come; page, state, metrics, text, Markdown and log say why."""
    later = iso_timestamp(SystemClock().now() + 3600)
    suspended = FLEET % f', suspend: {{reason: "failover <b>test</b>", until: "{later}"}}'
    workplace.write("manifests/fleet.yaml", suspended)
    workplace.write("manifests/us/orders.yaml", manifest("orders"))
    workplace.write("manifests/eu/carts.yaml", manifest("carts"))
    loop = start(workplace, "--apply --interval 1h")
    assert loop.wait_for("target.suspended")["reason"] == "failover <b>test</b>"
    loop.wait_for("round.ended")
    loop.wait_for("round.scheduled")
    us, eu = loop.state()["targets"]
    assert (us["condition"], eu["condition"], eu["failures"]) == ("in-sync", "pending", 0)
    assert eu["suspended"]["reason"] == "failover <b>test</b>"
    assert [(one["outcome"], one["error"]["kind"]) for one in eu["changes"]] == [("left", "suspended")]
    assert 'reconciler_suspended{target="eu"} 1.0' in loop.ask("/metrics")[1]
    assert "failover &lt;b&gt;test&lt;/b&gt;" in loop.ask("/")[1]
    assert loop.end() == 143
    planned = workplace.run("plan --sandbox")
    assert f"suspended until {later[:19]}Z, nothing is applied to it: failover <b>test</b>" in planned.out
    applied = workplace.run("apply --sandbox --yes --format json")
    assert (applied.code, applied.targets[1]["summary"]["left"]) == (0, 1)
    assert "suspended until" in workplace.run("plan --sandbox --format markdown").out
    workplace.write("manifests/fleet.yaml", FLEET % ', suspend: {reason: over, until: "2026-01-01T00:00Z"}')
    assert workplace.run("apply --sandbox --yes --format json").targets[1]["summary"]["applied"] == 1


@pytest.mark.slow
def test_a_token_is_asked_for_and_stands_nowhere(workplace: Workplace) -> None:
    """On loopback, too, where there is one; not even where somebody names a cluster after it."""
    workplace.environment["RECONCILER_LISTEN_TOKEN"] = TOKEN
    workplace.write("manifests/orders.yaml", manifest("orders", description=f"what {TOKEN} is"))
    loop = start(workplace, "--interval 1h")
    loop.wait_for("round.scheduled")
    assert loop.ask("/")[0] == loop.ask("/metrics")[0] == 401
    for path in ("/", "/metrics", "/api/state"):
        status, text = loop.ask(path, TOKEN)
        assert status == 200
        assert TOKEN not in text
    loop.process.send_signal(signal.SIGTERM)
    out, err = loop.process.communicate()
    assert TOKEN not in out + err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("listen", "token", "message"),
    [
        ("0.0.0.0:0", "", "other machines reach 0.0.0.0, and RECONCILER_LISTEN_TOKEN is not set"),
        ("0.0.0.0:0", "short", "RECONCILER_LISTEN_TOKEN is not a token: it has fewer than 16 characters"),
        ("example.com:80", "", "--listen: 'example.com:80' is not an address"),
    ],
)
def test_what_would_be_open_to_everybody_is_bad_usage(
    workplace: Workplace, listen: str, token: str, message: str
) -> None:
    """It says what to do, and nothing is read or sent."""
    workplace.environment["RECONCILER_LISTEN_TOKEN"] = token
    ended = workplace.run(f"run --sandbox --listen {listen}")
    assert ended.code == 64
    assert message in ended.err
    assert not token or token not in ended.err.replace(message, "")


@pytest.mark.slow
def test_once_shows_no_loop(workplace: Workplace) -> None:
    """Said on the command line it is bad usage; a variable is for the loops of the same machine."""
    workplace.write("manifests/orders.yaml", manifest("orders"))
    assert workplace.run("run --sandbox --once --listen 127.0.0.1:0").code == 64
    workplace.environment["RECONCILER_LISTEN"] = "127.0.0.1:0"
    ended = workplace.run("run --sandbox --once")
    assert (ended.code, "listen.began" in ended.err) == (0, False)


@pytest.mark.slow
def test_without_the_extra_it_says_how_to_get_it(workplace: Workplace, tmp_path: Path) -> None:
    """And a loop that doesn't listen loads none of it."""
    workplace.write("manifests/orders.yaml", manifest("orders"))
    absent = tmp_path / "absent"
    absent.mkdir()
    for module in ("jinja2", "prometheus_client"):
        (absent / f"{module}.py").write_text(f"raise ModuleNotFoundError('no {module}', name='{module}')\n")
    workplace.environment["PYTHONPATH"] = str(absent)
    ended = workplace.run("run --sandbox --listen 127.0.0.1:0")
    assert ended.code == 64
    assert re.search(r"--listen needs \w+, which is not installed", ended.err)
    assert "pip install 'momento-reconciler[serve]'" in ended.err
    assert workplace.run("run --sandbox --once").code == 0
