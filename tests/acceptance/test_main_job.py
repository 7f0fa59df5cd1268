"""The main job, as its user does it: the real command, over real HTTP."""

import json
import os
import pty
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from tests.acceptance.conftest import RECONCILER, Workplace


def test_manifests_become_clusters_and_a_second_apply_writes_nothing(one_cluster: Workplace) -> None:
    """Plan, apply, in sync: one GET a plan, one PUT a change, and then no PUT and no DELETE at all."""
    service = one_cluster.service()
    plan = one_cluster.run("plan --detailed-exitcode")
    assert (plan.code, service.answers) == (2, ["GET /cluster 200"])
    assert plan.out == (
        "default: 1 to create\n"
        "  nodes 0 → 4 (+4)\n"
        f"  at {service.url}\n"
        "\n"
        "  + create orders  manifests/orders.yaml:1\n"
        "      node_instance_type: m6g.large\n"
        "      shard_count: 2\n"
        "      replication_factor: 1\n"
        "      enforce_shard_multi_az: true\n"
        "\n"
        f"  digest of default: {json.loads(one_cluster.run('plan --format json').out)['targets'][0]['digest']}\n"
        "  next: run the apply workflow; by hand: reconciler apply\n"
    )
    service.answers.clear()
    applied = one_cluster.run("apply --yes --format json")
    assert applied.code == 0
    assert [(r["name"], r["outcome"], r["status"]) for r in json.loads(applied.out)["targets"][0]["results"]] == [
        ("orders", "applied", "Active")
    ]
    assert service.writes() == ["PUT /cluster/orders 200"]
    service.answers.clear()
    again = one_cluster.run("apply --yes")
    assert again.code == 0
    assert again.out == f"default: nothing to do\n  at {service.url}\n"
    assert one_cluster.run("plan --detailed-exitcode").code == 0
    assert service.answers == ["GET /cluster 200"] * 2


def test_a_dry_run_sends_one_get_and_prints_the_plan(one_cluster: Workplace) -> None:
    """Nothing but the GET, and stdout is exactly one JSON document: the plan."""
    service = one_cluster.service()
    ended = one_cluster.run("apply --dry-run --format json")
    assert (ended.code, json.loads(ended.out)["kind"], service.answers) == (0, "plan", ["GET /cluster 200"])


@pytest.mark.slow
def test_nothing_is_deleted_without_prune(one_cluster: Workplace) -> None:
    """What isn't declared is listed and left alone; without git nothing is known to be ours, and nothing goes."""
    service = one_cluster.service()
    one_cluster.run("apply --yes")
    (one_cluster.folder / "manifests/orders.yaml").unlink()
    one_cluster.write(
        "manifests/other.yaml",
        "name: other\nnode_instance_type: t4g.small\nshard_count: 1\nreplication_factor: 0\nenforce_shard_multi_az: false\n",
    )
    service.answers.clear()
    assert "not declared, left alone: orders" in one_cluster.run("plan").out
    bare = one_cluster.run("apply --yes --prune")
    assert (bare.code, service.writes()) == (0, ["PUT /cluster/other 200"])
    every = one_cluster.run("apply --yes --prune=all")
    assert every.code == 1
    assert "error: --prune=all spares what git protects, and no git is at hand\n  → run it in a clone\n" in every.err


@pytest.mark.slow
def test_drift_is_found_and_undone(one_cluster: Workplace) -> None:
    """Exit 2 for a cluster that differs; apply reverts it; then exit 0."""
    service = one_cluster.service()
    one_cluster.run("apply --yes")
    one_cluster.write("other/orders.yaml", (one_cluster.folder / "manifests/orders.yaml").read_text().replace("2", "5"))
    assert one_cluster.run("apply --yes --adopt --manifests other").code == 0
    drifted = one_cluster.run("drift")
    assert drifted.code == 2
    assert "shard_count: 5 → 2" in drifted.out
    service.answers.clear()
    assert one_cluster.run("apply --yes --adopt").code == 0
    assert one_cluster.run("drift").code == 0
    assert service.writes() == ["PUT /cluster/orders 200"]


@pytest.mark.slow
def test_targets_run_side_by_side_and_one_that_fails_does_not_stop_the_others(workplace: Workplace) -> None:
    """Results in the fleet file's order; the failing target's error on stderr and in the document; exit 1."""
    service = workplace.service()
    workplace.environment |= {"MOMENTO_B": "sandbox-readonly", "MOMENTO_Z": "sandbox-expired"}
    workplace.write(
        "manifests/fleet.yaml",
        f"""\
        targets:
          z: {{endpoint: "{service.url}/accounts/z", api_key_env: MOMENTO_Z}}
          b: {{endpoint: "{service.url}/accounts/b", api_key_env: MOMENTO_B}}
          a: {{endpoint: "{service.url}/accounts/a"}}
        """,
    )
    for target in "zba":
        for name in ("one", "two"):
            workplace.write(
                f"manifests/{target}/{name}.yaml",
                f"name: {name}\nnode_instance_type: t4g.small\nshard_count: 1\nreplication_factor: 0\nenforce_shard_multi_az: false\n",
            )
    ended = workplace.run("apply --yes --format json --concurrency 1")
    document = json.loads(ended.out)
    assert ended.code == 1
    assert [(t["target"], [(r["name"], r["outcome"]) for r in t["results"]]) for t in document["targets"]] == [
        ("b", [("one", "failed"), ("two", "skipped")]),
        ("a", [("one", "applied"), ("two", "applied")]),
    ]
    assert [(e["target"], e["kind"]) for e in document["errors"]] == [("z", "unauthenticated")]
    assert "error: z: GET /cluster: 401 Unauthorized: Unauthorized: the API key has expired\n" in ended.err
    assert [a for a in service.answers if a.startswith("PUT /accounts/b")] == ["PUT /accounts/b/cluster/one 403"]


@pytest.mark.slow
def test_every_target_that_lacks_its_key_is_named(workplace: Workplace) -> None:
    """In one run, each once with its line; what the one file of a key lacks is told once for all."""
    workplace.service()
    workplace.write(
        "manifests/fleet.yaml",
        """\
        targets:
          c: {region: us-east-1, api_key_env: MOMENTO_C}
          b: {region: us-east-2}
          a: {region: us-west-2, api_key_env: MOMENTO_A}
        """,
    )
    for target in "abc":
        workplace.write(
            f"manifests/{target}/one.yaml",
            "name: one\nnode_instance_type: t4g.small\nshard_count: 1\nreplication_factor: 0\nenforce_shard_multi_az: false\n",
        )
    ended = workplace.run("plan")
    assert (ended.code, ended.out) == (1, "")
    assert [line for line in ended.err.splitlines() if line.startswith("error")] == [
        "error: manifests/fleet.yaml:2:3: target c: no API key: MOMENTO_C is not set",
        "error: manifests/fleet.yaml:4:3: target a: no API key: MOMENTO_A is not set",
    ]
    assert workplace.run("plan --api-key-file nowhere").err.count("error: ") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "environment", "code", "said"),
    [
        ("plan", {"MOMENTO_API_KEY": ""}, 1, "error: target default: no API key: MOMENTO_API_KEY is not set\n  → set MOMENTO_API_KEY, or name a file with --api-key-file; or try --sandbox\n"),
        ("plan", {"MOMENTO_ENDPOINT": ""}, 64, "error: target default has no endpoint\n  → give --region or --endpoint, write it into the fleet file, or try it on --sandbox\n"),
        ("plan", {"MOMENTO_ENDPOINT": "http://example.com"}, 64, "error: MOMENTO_ENDPOINT: http:// would send the API key to example.com unencrypted: use https://\n  → give https://HOST, or a bare cell host\n"),
        ("plan --region mars", {}, 64, "error: unknown region 'mars'\n  → known are "),
        ("plan --manifests manifest", {}, 64, "error: there is no folder manifest\n  → name the folder of manifests: --manifests DIR\n"),
        ("plan --target defualt", {}, 64, "error: there is no target 'defualt'\n  → did you mean default?\n"),
        ("plan --only x*", {}, 64, "error: --only 'x*' matches no cluster, declared or live\n"),
        ("plan --api-key-file nowhere", {}, 1, "error: the file nowhere can't be read: No such file or directory\n"),
        ("plan --api-key-file /dev/zero", {}, 1, "error: the file /dev/zero is too long for an API key\n"),
        ("apply", {}, 64, "error: apply can't ask here: this is not a terminal\n  → say --yes, or look first with --dry-run\n"),
        ("aply", {}, 64, "no such command: 'aply'; did you mean apply?"),
        ("plan --formt json", {}, 64, "No such option"),
        ("apply --yes --timeout 5", {}, 64, "'5' is not a duration: write a number and a unit, such as 30s, 5m, 2h or 30d"),
        ("plan --sandbox --endpoint https://h", {}, 64, "error: --sandbox has its own endpoint and key\n"),
        ("plan --manifests - --prune=all", {}, 64, "error: --prune needs a folder of manifests"),
        ("sandbox --faults 999=1", {}, 64, "error: --faults: '999=1' is not a fault"),
        ("", {}, 64, "Usage: reconciler"),
    ],
)  # fmt: skip
def test_the_wrong_thing_says_what_would_be_right(
    one_cluster: Workplace, command: str, environment: dict[str, str], code: int, said: str
) -> None:
    """Each ends in its exit code, with what is wrong and how to mend it on stderr, and nothing on stdout."""
    one_cluster.service()
    one_cluster.environment |= environment
    ended = one_cluster.run(command)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err


@pytest.mark.slow
def test_any_error_in_any_manifest_stops_everything(one_cluster: Workplace) -> None:
    """All errors at once, and not even the GET is sent."""
    service = one_cluster.service()
    one_cluster.write("manifests/bad.yaml", "name: bad\nshard_cuont: 3\n")
    for command in ("validate", "plan", "apply --yes", "drift"):
        ended = one_cluster.run(command)
        assert (ended.code, ended.out) == (1, "")
        assert (
            'error: manifests/bad.yaml:2:1: cluster bad: unknown key "shard_cuont"\n'
            "  | shard_cuont: 3\n"
            "  | ^\n"
            "  → did you mean shard_count?\n"
        ) in ended.err
        assert "error: manifests/bad.yaml:1:1: cluster bad: node_instance_type is missing\n" in ended.err
    assert service.answers == []


def test_an_unreadable_list_is_an_error_and_never_an_empty_fleet(one_cluster: Workplace) -> None:
    """At an address that answers 404 nothing is planned, with --prune neither."""
    one_cluster.service()
    one_cluster.environment["MOMENTO_ENDPOINT"] += "/nowhere"
    ended = one_cluster.run("apply --yes --prune --format json")
    assert (ended.code, json.loads(ended.out)["targets"]) == (1, [])
    assert "is this the endpoint?" in ended.err


@pytest.mark.slow
def test_standard_input_is_a_manifest(workplace: Workplace) -> None:
    """`-` reads one target, `default`, from a stream."""
    workplace.service()
    text = (
        "name: x\nnode_instance_type: t4g.small\nshard_count: 1\nreplication_factor: 0\nenforce_shard_multi_az: false\n"
    )
    ended = workplace.run("plan --manifests - --format json", stdin=text)
    assert json.loads(ended.out)["targets"][0]["changes"][0]["source"]["file"] == "<stdin>"
    assert workplace.run("validate -", stdin=text).out == "1 manifest: valid\n"
    assert "+ create x" in workplace.run("plan --sandbox --manifests -", stdin=text).out


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_apply_with_a_report(one_cluster: Workplace, number: signal.Signals, code: int) -> None:
    """Accepted and not settled is unknown; what wasn't sent is skipped; stdout is still one document."""
    one_cluster.service(settle_seconds=600)
    process = one_cluster.start("apply --yes --format json --log-format json")
    assert process.stderr is not None
    for line in process.stderr:
        if '"change.accepted"' in line:
            break
    process.send_signal(number)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == code
    (result,) = json.loads(out)["targets"][0]["results"]
    assert (result["name"], result["outcome"], result["status"]) == ("orders", "unknown", "Creating")


@pytest.mark.slow
def test_killed_in_the_middle_a_second_run_converges(workplace: Workplace) -> None:
    """After SIGKILL the next apply brings the fleet to the same end, and the one after that writes nothing."""
    service = workplace.service()
    for number in range(40):
        workplace.write(
            f"manifests/{number}.yaml",
            f"name: c{number}\nnode_instance_type: t4g.small\nshard_count: 1\nreplication_factor: 0\nenforce_shard_multi_az: false\n",
        )
    process = workplace.start("apply --yes --concurrency 2 --log-format json")
    assert process.stderr is not None
    for line in process.stderr:
        if '"change.accepted"' in line:
            break
    process.kill()
    process.communicate()
    assert 0 < len(service.writes()) < 40
    assert workplace.run("apply --yes --concurrency 20").code == 0
    service.answers.clear()
    assert workplace.run("apply --yes").code == 0
    assert service.answers == ["GET /cluster 200"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_service_that_misbehaves_is_survived(workplace: Workplace, seed: int) -> None:
    """500, 503, 429, resets before and after the write, half bodies: all is applied in the end."""
    workplace.service(faults=f"500=0.05,503=0.05,429=0.02,reset-before=0.05,reset-after=0.05,truncate=0.05,seed={seed}")
    for number in range(30):
        workplace.write(
            f"manifests/{number}.yaml",
            f"name: c{number}\nnode_instance_type: t4g.small\nshard_count: 1\nreplication_factor: 0\nenforce_shard_multi_az: false\n",
        )
    assert workplace.run("apply --yes --concurrency 8").code == 0
    assert json.loads(workplace.run("plan --format json").out)["targets"][0]["summary"]["unchanged"] == 30


@pytest.mark.slow
def test_run_repeats_rounds_one_document_a_line_until_a_signal(one_cluster: Workplace) -> None:
    """`run` applies, then finds nothing to do; SIGTERM ends it with 143; `--once` is one round."""
    one_cluster.service()
    process = one_cluster.start("run --apply --interval 10ms --format json -q")
    assert process.stdout is not None
    first, second = (json.loads(process.stdout.readline())["targets"][0]["summary"]["applied"] for _ in range(2))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert (first, second, process.returncode) == (1, 0, 143)
    once = one_cluster.run("run --once --format json")
    assert (once.code, json.loads(once.out)["kind"], once.out.count("\n")) == (0, "plan", 1)


@pytest.mark.slow
@pytest.mark.parametrize(("answer", "code", "writes"), [("y\n", 0, ["PUT /cluster/orders 200"]), ("n\n", 1, [])])
def test_apply_asks_on_a_terminal(one_cluster: Workplace, answer: str, code: int, writes: list[str]) -> None:
    """The plan, then a question; no is no."""
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
        os.write(ours, answer.encode())
        process.wait()
    with suppress(OSError):  # of a terminal that nobody has open any more
        while more := os.read(ours, 4096).decode():
            shown += more
    os.close(ours)
    assert "+ create orders" in shown
    assert ("declined: nothing was sent" in shown) == (code == 1)
    assert (process.returncode, service.writes()) == (code, writes)


@pytest.mark.slow
def test_the_sandbox_is_kept_beside_the_manifests(one_cluster: Workplace) -> None:
    """--sandbox needs no key and no network, and what it holds is there the next time."""
    assert one_cluster.run("apply --sandbox --yes").code == 0
    assert one_cluster.run("plan --sandbox --detailed-exitcode").out == (
        "default (sandbox): nothing to do\n  1 as declared, nodes 4\n  at sandbox:default\n"
    )
    assert (one_cluster.folder / ".reconciler/sandbox.db").exists()


@pytest.mark.slow
def test_no_command_leaves_anything_else_behind(one_cluster: Workplace) -> None:
    """No lock, no state, no cache: only what the sandbox keeps."""
    one_cluster.service()
    before = sorted(Path(one_cluster.folder).rglob("manifests/**"))
    one_cluster.run("apply --yes")
    assert sorted(p for p in Path(one_cluster.folder).iterdir() if not p.name.startswith("service.db")) == [
        one_cluster.folder / "manifests"
    ]
    assert sorted(Path(one_cluster.folder).rglob("manifests/**")) == before
