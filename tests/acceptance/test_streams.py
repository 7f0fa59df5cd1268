"""What is read on the way out never ends what is under way: real processes, with streams closed, full, or left."""

import json
import os
import pty
import signal
import subprocess
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.acceptance.conftest import RECONCILER, Checkout, Ended, Workplace


def shell(place: Workplace, command: str, **environment: str) -> Ended:
    """A line of shell in which $R is the command."""
    ended = subprocess.run(
        ["bash", "-c", command],
        cwd=place.folder,
        env={**place.environment, "R": RECONCILER, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def applied(place: Workplace) -> dict[str, str]:
    """The outcomes of the report that was saved."""
    return Ended(0, (place.folder / "report.json").read_text(), "").outcomes


@pytest.mark.slow
@pytest.mark.parametrize(
    ("redirect", "code"),
    [
        (">&-", 0),
        ("2>&-", 0),
        ("<&- >&- 2>&-", 0),
        ("2>/dev/full", 0),
        (">/dev/full", 1),
        ("2> >(head -1 >/dev/null)", 0),
        ("> >(:)", 1),
    ],
)
def test_an_apply_is_finished_and_reported_on_what_is_left(checkout: Checkout, redirect: str, code: int) -> None:
    """Every cluster is made, and the report is in its file; only a result that somebody misses makes it fail."""
    service = checkout.service()
    names = [f"c{number}" for number in range(5)]
    checkout.declare(*names)
    checkout.commit()
    ended = shell(checkout, f"$R apply --yes --out report.json {redirect}")
    if redirect != "> >(:)":  # whether the reader has gone by then is not ours to say
        assert ended.code == code
    assert "Traceback" not in ended.out + ended.err
    assert applied(checkout) == dict.fromkeys(names, "applied")
    assert len(service.writes()) == 5


@pytest.mark.slow
def test_a_full_disk_behind_the_report_is_a_failure_and_no_bad_usage(one_cluster: Workplace) -> None:
    """The report is on stdout; the exit is 1, for the command line made sense."""
    one_cluster.service()
    ended = one_cluster.run("apply --yes -q --format json --out /dev/full")
    assert (ended.code, ended.outcomes) == (1, {"orders": "applied"})
    assert ended.err == (
        "error: /dev/full can't be written: No space left on device\n  → make room, or name another with --out\n"
    )


@pytest.mark.slow
def test_out_is_looked_at_before_anything_is_sent(one_cluster: Workplace) -> None:
    """A folder that isn't there is bad usage, for all commands that save."""
    service = one_cluster.service()
    for command in ("plan", "drift", "apply --yes"):
        ended = one_cluster.run(f"{command} --out nowhere/x.json")
        assert (ended.code, "its folder isn't there" in ended.err) == (64, True)
    assert service.answers == []


@pytest.mark.slow
@pytest.mark.parametrize("command", ["plan", "drift", "apply --yes", "apply --dry-run", "run --once"])
def test_json_is_one_document_whatever_goes_wrong(one_cluster: Workplace, command: str) -> None:
    """No key, bad manifests, an option that isn't: the document holds the errors, on stdout and in the file."""
    one_cluster.service()
    key = one_cluster.environment.pop("MOMENTO_API_KEY")
    saves = "" if command.startswith("run") else "--out out.json"
    for kind, code in (("credentials", 1), ("manifest", 1), ("usage", 64)):
        option = "--no-such-option" if kind == "usage" else ""
        ended = one_cluster.run(f"{command} --format json -q {saves} {option}")
        document = json.loads(ended.out)
        assert (ended.code, document["kind"], document["targets"]) == (code, "plan", [])
        assert {error["kind"] for error in document["errors"]} == {kind}
        if saves and kind != "usage":
            assert json.loads((one_cluster.folder / "out.json").read_text()) == document
        one_cluster.environment["MOMENTO_API_KEY"] = key
        one_cluster.write("manifests/orders.yaml", "name: orders\n")


@pytest.mark.slow
def test_every_line_of_stderr_is_an_event_where_that_is_asked_for(one_cluster: Workplace) -> None:
    """Errors, warnings, the plan before it is applied, what click refuses; on GitHub, too."""
    one_cluster.service()
    one_cluster.environment["GITHUB_ACTIONS"] = "true"
    one_cluster.write("manifests/.hidden.yaml", "")
    commands = (
        "validate",
        "plan --only nothing",
        "plan --no-such-option",
        "apply --yes --unreviewed harmless",
        "frobnicate",
    )
    events = []
    for command in commands:
        ended = one_cluster.run(f"{command} --log-format json")
        events.append([json.loads(line)["event"] for line in ended.err.splitlines()])
    assert events[0] == ["manifest.doubted"]
    assert events[1][-1] == events[2][-1] == events[4][-1] == "problem.found"
    assert {"change.planned", "change.unreviewed", "change.applied"} <= set(events[3])


@pytest.mark.slow
def test_a_warning_of_validate_stands_before_no_json(one_cluster: Workplace) -> None:
    """Stdout is the document; a file that is named is read though it is a link, or a pipe."""
    one_cluster.write("manifests/.hidden.yaml", "")
    ended = one_cluster.run("validate --format json --log-format json")
    assert json.loads(ended.out)["errors"] == []
    assert '"manifest.doubted"' in ended.err
    (one_cluster.folder / "link.yaml").symlink_to("manifests/orders.yaml")
    for command in ("$R validate <(cat manifests/orders.yaml)", "$R validate link.yaml"):
        assert shell(one_cluster, command).out == "1 manifest: valid\n"


@pytest.mark.slow
def test_what_a_dry_run_saved_is_applied(checkout: Checkout) -> None:
    """It is a whole plan, like one of `plan --out`."""
    service = checkout.service()
    checkout.declare("new")
    checkout.commit()
    assert checkout.run("apply --dry-run --out plan.json").code == 0
    assert service.writes() == []
    ended = checkout.run("apply plan.json --yes --format json")
    assert (ended.code, ended.outcomes) == (0, {"new": "applied"})


@pytest.mark.slow
def test_an_option_that_would_be_ignored_is_refused(one_cluster: Workplace) -> None:
    """Each with its name, before anything is reached."""
    service = one_cluster.service()
    for command, option in (
        ("plan --offline --endpoint http://127.0.0.1:1", "--endpoint"),
        ("plan --offline --region us-east-1", "--region"),
        ("plan --offline --api-key-file key", "--api-key-file"),
        ("run --once --keep-going", "--keep-going"),
        ("run --once --timeout 5m", "--timeout"),
        ("validate manifests --manifests other", "--manifests"),
        ("plan --manifests - --base HEAD", "--base"),
        ("plan --manifests - --prune", "--prune"),
        ("drift --manifests -", "name the folder: --manifests DIR"),
    ):
        ended = one_cluster.run(command)
        assert (ended.code, option in ended.err) == (64, True), command
    assert service.answers == []


class AnyKey(BaseHTTPRequestHandler):
    """A service that takes every key and has no clusters."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.slow
@pytest.mark.parametrize("key", ["1", "true", "null", "name", "plan", "create", "k1", '"', "{", "0", "version"])
def test_an_odd_key_breaks_no_plan(one_cluster: Workplace, key: str) -> None:
    """What is printed and saved is what any other key prints and saves, and it can be read again."""
    with ThreadingHTTPServer(("127.0.0.1", 0), AnyKey) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        one_cluster.environment["MOMENTO_ENDPOINT"] = f"http://127.0.0.1:{server.server_port}"
        documents = []
        for one in (key, "an-ordinary-api-key"):
            one_cluster.environment["MOMENTO_API_KEY"] = one
            documents.append(one_cluster.run("plan --format json --out plan.json").out)
            assert (one_cluster.folder / "plan.json").read_text() == documents[-1]
            assert one_cluster.run("show plan.json").code == 0
        assert documents[0] == documents[1]
        server.shutdown()


@pytest.mark.slow
def test_a_key_that_stands_in_a_manifest_is_not_shown(one_cluster: Workplace) -> None:
    """In no error, however long it is, and on no page: it is known before the manifests are read."""
    key = "an-api-key-" + "0123456789" * 40
    one_cluster.environment["MOMENTO_API_KEY"] = key
    one_cluster.write("manifests/orders.yaml", f"name: orders\nshard_count: {key}\n{key}: 1\ndescription: {key}\n")
    for command in ("validate", "plan --endpoint http://127.0.0.1:1", "plan --log-format json --format json"):
        ended = one_cluster.run(command)
        assert ended.code in {1, 64}
        assert key[:12] not in ended.out + ended.err


INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signals", "code"), [([INT], 130), ([TERM], 143), ([HUP], 129), ([TERM, TERM], 143), ([HUP, INT], 130)]
)
def test_a_signal_in_mid_apply_leaves_a_whole_report(
    checkout: Checkout, signals: list[signal.Signals], code: int
) -> None:
    """Nothing more is sent; one result for every change, on stdout and in the file, though a second signal comes."""
    service = checkout.service(faults="latency=50ms,seed=1")
    names = [f"c{number:02}" for number in range(30)]
    checkout.declare(*names)
    checkout.commit()
    process = checkout.start("apply --yes --concurrency 2 --format json --log-format json --out report.json")
    assert process.stderr is not None
    next(line for line in process.stderr if '"change.accepted"' in line)
    for number in signals:
        process.send_signal(number)
    out, _ = process.communicate()
    assert process.returncode == code
    outcomes = Ended(code, out, "").outcomes
    assert set(outcomes) == set(names)
    sent = [outcome for outcome in outcomes.values() if outcome != "skipped"]
    assert 0 < len(service.writes()) <= len(sent) < 30
    assert applied(checkout) == outcomes


@pytest.mark.slow
def test_a_plan_that_nobody_reads_ends_by_a_signal(checkout: Checkout) -> None:
    """Though its pipe is full and it can't go on."""
    checkout.service()
    checkout.declare(*(f"cluster-{number}" for number in range(150)))
    process = checkout.start("plan --format json -q --out plan.json")
    reading = process.stdout
    assert reading is not None
    assert os.read(reading.fileno(), 1) == b"{"
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 143
    assert json.loads((checkout.folder / "plan.json").read_text())["kind"] == "plan"


@pytest.mark.slow
def test_a_terminal_shows_one_line_of_progress_in_the_place_of_what_goes_well(one_cluster: Workplace) -> None:
    """It is rewritten, and gone at the end; with `--log-level debug` the events are there instead."""
    service = one_cluster.service(settle_seconds=1.2)
    one_cluster.environment["MOMENTO_API_KEY"] = "sandbox-admin"
    told = on_a_terminal(one_cluster, f"apply --yes --endpoint {service.url}")
    lines = told.split("\r\x1b[K")
    assert lines[1] == "planning"
    assert any(line.startswith("applying: 0 of 1 done") for line in lines)
    assert "applying: 0 of 1 done, 1 awaited, the longest for " in told
    assert lines[-1] == ""
    assert "change.applied" not in told
    assert on_a_terminal(one_cluster, f"plan --endpoint {service.url}").split("\r\x1b[K") == ["", "planning", ""]
    service.put("other")
    told = on_a_terminal(one_cluster, f"apply --yes --endpoint {service.url} --log-level debug")
    assert "applying: " not in told


def on_a_terminal(workplace: Workplace, command: str) -> str:
    """What a terminal gets of stderr."""
    screen, line = pty.openpty()
    ended = subprocess.Popen(
        [RECONCILER, *command.split()],
        cwd=workplace.folder,
        env=workplace.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=line,
    )
    os.close(line)
    read = b""
    with suppress(OSError), os.fdopen(screen, "rb", buffering=0) as terminal:
        while piece := terminal.read(4096):
            read += piece
    assert ended.wait() == 0
    return read.decode()


@pytest.mark.slow
def test_a_step_whose_files_or_folders_are_odd_is_planned_all_the_same(one_cluster: Workplace) -> None:
    """A summary that is a pipe nobody reads is a warning, and no wait without an end; so is a workspace that loops."""
    service = one_cluster.service()
    os.mkfifo(one_cluster.folder / "pipe")
    (one_cluster.folder / "loop").symlink_to("loop")
    one_cluster.environment |= {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": "pipe",
        "GITHUB_WORKSPACE": str(one_cluster.folder / "loop"),
        "MOMENTO_API_KEY": "sandbox-admin",
    }
    planned = one_cluster.run(f"plan --endpoint {service.url}")
    assert planned.code == 0
    assert "1 to create" in planned.out
