"""Git is the state file: what was applied, why a thing differs, and whose it is, as a user of the command sees them."""

import json
import signal
from pathlib import Path

import pytest

from tests.acceptance.conftest import Checkout, Ended


def _everything(checkout: Checkout) -> tuple[str, ...]:
    """All that a command could change in a repository, save what was applied."""
    refs = checkout.git("for-each-ref").splitlines()
    return (
        *(ref for ref in refs if "refs/reconciler/applied/" not in ref),
        checkout.git("symbolic-ref", "HEAD"),
        checkout.git("ls-files", "--stage"),
        checkout.git("status", "--porcelain"),
        checkout.git("stash", "list"),
        (checkout.folder / ".git/config").read_text(),
    )


def _causes(ended: Ended) -> dict[str, str]:
    return {change["name"]: change["cause"] for change in ended.targets[0]["changes"]}


def _deletes(ended: Ended) -> list[str]:
    assert ended.code == 0, ended.err
    return [c["name"] for target in ended.targets for c in target["changes"] if c["action"] == "delete"]


def _left(ended: Ended) -> dict[str, str]:
    return {unmanaged["name"]: unmanaged["ownership"] for unmanaged in ended.targets[0]["unmanaged"]}


@pytest.mark.slow
def test_a_whole_clean_apply_is_recorded_and_nothing_else_is_written(checkout: Checkout) -> None:
    """The ref moves by an apply of all that ends 0 from a clean tree, to HEAD, never backwards, and by nothing else."""
    service = checkout.service()
    checkout.declare("orders", "sessions")
    first = checkout.commit()
    before = _everything(checkout)
    checkout.environment["MOMENTO_API_KEY"] = "sandbox-readonly"
    assert checkout.run("apply --yes --no-wait").code == 1
    checkout.environment["MOMENTO_API_KEY"] = "sandbox-admin"
    assert checkout.run("apply --dry-run").code == 0
    assert checkout.run("apply --yes --no-wait --only orders").code == 0
    assert checkout.run("apply --yes --no-wait --sandbox -q").code == 0
    checkout.declare("not-committed")
    assert checkout.run("apply --yes --no-wait").code == 0
    checkout.remove("not-committed")
    assert (checkout.applied(), _everything(checkout)) == ([], before)

    assert checkout.run("apply --yes").code == 0
    assert (checkout.applied(), _everything(checkout)) == ([first], before)
    checkout.declare("orders", shard_count=2)
    second = checkout.commit()
    assert checkout.run("apply --yes --no-wait").code == 0
    checkout.git("reset", "--quiet", "--hard", first)
    assert checkout.run("apply --yes --no-wait --base HEAD").code == 0
    assert checkout.applied() == [second]
    host = service.url.removeprefix("http://").replace(":", "%3A")
    assert host in checkout.git("for-each-ref", "--format=%(refname)", "refs/reconciler/applied")


@pytest.mark.slow
def test_an_apply_elsewhere_than_the_fleet_file_says_is_not_recorded(checkout: Checkout) -> None:
    """Nor does it prove what is ours: what isn't declared there is unknown."""
    service = checkout.service()
    checkout.write("manifests/fleet.yaml", "targets: {a: {endpoint: https://elsewhere.example.com}}\n")
    checkout.declare("orders", "other", folder="manifests/a")
    checkout.commit()
    checkout.remove("other", folder="manifests/a")
    checkout.commit()
    service.put("other")
    assert checkout.run(f"apply --yes --no-wait --endpoint {service.url}").code == 0
    assert checkout.applied() == []
    plan = checkout.run(f"plan --prune --format json --endpoint {service.url}")
    assert (_deletes(plan), _left(plan)) == ([], {"other": "unknown"})


@pytest.mark.slow
def test_an_embedded_sandbox_knows_nothing_of_what_was_applied_for_real(checkout: Checkout) -> None:
    """What was applied to the endpoint of the fleet file is not missing from the sandbox: it is yet to be applied there."""
    service = checkout.service()
    checkout.write("manifests/fleet.yaml", f"targets: {{a: {{endpoint: '{service.url}'}}}}\n")
    checkout.declare("one", "two", "three", "four", folder="manifests/a")
    old = checkout.commit()
    checkout.declare("five", folder="manifests/a")
    checkout.commit()
    assert checkout.run("apply --yes --no-wait").code == 0
    checkout.git("checkout", "--quiet", "--detach", old)
    applied = checkout.run("apply --yes --no-wait --sandbox --format json")
    assert (applied.code, len(applied.outcomes)) == (0, 4)
    assert checkout.run("drift --sandbox").code == 0


def test_an_interrupted_apply_is_not_recorded(checkout: Checkout) -> None:
    """What was accepted and not seen to settle is not applied."""
    checkout.service(settle_seconds=600)
    checkout.declare("orders")
    checkout.commit()
    process = checkout.start("apply --yes --log-format json")
    assert process.stderr is not None
    next(line for line in process.stderr if '"change.accepted"' in line)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert (process.returncode, checkout.applied()) == (143, [])


@pytest.mark.slow
def test_every_difference_has_its_cause(checkout: Checkout) -> None:
    """A branch's plan tells what it does from what was merged before, from drift, and from what nobody reviewed.

    `drift` compares HEAD, whatever the work tree holds: 2 while something drifted, 5 while all that differs is merged
    and not applied, 0 in sync.
    """
    service = checkout.service()
    names = ("changed", "contested", "drifted", "merged", "same")
    checkout.declare(*names)
    applied = checkout.commit()
    assert checkout.run("apply --yes --no-wait").code == 0
    checkout.declare("merged", shard_count=2)
    merged = checkout.commit("Merge the second")
    service.put("drifted", node_instance_type="m6g.large")
    service.put("contested", shard_count=7)
    checkout.git("switch", "--quiet", "--create", "topic")
    checkout.declare("changed", shard_count=3)
    checkout.declare("contested", shard_count=4)
    checkout.commit()

    plan = checkout.run("plan --format json --detailed-exitcode")
    target = plan.targets[0]
    assert plan.code == 2
    assert _causes(plan) == {
        "changed": "revision",
        "contested": "conflict",
        "drifted": "drift",
        "merged": "pending",
    }
    assert (target["base"]["commit"], target["base"]["reason"]) == (merged, "where HEAD left main")
    assert target["applied"] == {"commit": applied, "inferred": False}
    text = checkout.run("plan")
    assert text.code == 0
    expected = (
        f"  base {merged[:10]} (where HEAD left main); applied {applied[:10]}\n"
        "\n"
        "  conflicts: would overwrite what nobody reviewed\n"
        "\n"
        "  ~ update contested  manifests/contested.yaml:1\n"
        "      shard_count: 7 → 4  :3\n"
        "      risk: resharding\n"
        "\n"
        "  this change\n"
        "\n"
        "  ~ update changed  manifests/changed.yaml:1\n"
        "      shard_count: 1 → 3  :3\n"
        "      risk: resharding\n"
        "\n"
        "  merged before, not applied yet\n"
        "\n"
        "  ~ update merged  manifests/merged.yaml:1\n"
        f"      shard_count: 1 → 2  :3  pending since {merged[:10]}\n"
        "      risk: resharding\n"
        "\n"
        "  drift: changed behind git's back\n"
        "\n"
        "  ~ update drifted  manifests/drifted.yaml:1\n"
        "      node_instance_type: m6g.large → t4g.small  :2\n"
        "      risk: node-replacement\n"
    )
    assert expected in text.out

    checkout.git("switch", "--quiet", "main")
    checkout.write("manifests/half-written.yaml", "name: [\n")
    drift = checkout.run("drift --format json")
    assert (drift.code, drift.targets[0]["dirty"]) == (2, False)
    assert _causes(drift) == {"contested": "drift", "drifted": "drift", "merged": "pending"}
    assert checkout.run("drift --only merged").code == 5
    service.put("drifted", "contested")
    service.put("merged", shard_count=2)
    assert checkout.run("drift").code == 0


def test_a_prune_deletes_what_git_proves_to_be_ours_and_nothing_else(checkout: Checkout) -> None:
    """By its history, or by what was applied; it cites the commit that removed it, and where it last stood."""
    service = checkout.service()
    stay = ("one", "two", "three", "four")
    checkout.declare(*stay, "ours", "long-ago")
    checkout.declare("kept", lifecycle={"on_remove": "keep"})
    checkout.commit(days_ago=400)
    checkout.remove("long-ago")
    checkout.commit(days_ago=390)
    checkout.declare("somebodys", shard_count=5)
    checkout.commit("Declare what is somebody else's", days_ago=3)
    checkout.remove("somebodys")
    declared = checkout.commit("Revert that", days_ago=3)
    checkout.remove("ours", "kept")
    removed = checkout.commit(days_ago=2)
    for _ in range(3):
        checkout.git("commit", "--quiet", "--allow-empty", "--message=Something else")
    service.put(*stay, "ours", "long-ago", "somebodys", "kept", "never")

    left = {
        "kept": "released",
        "long-ago": "formerly-managed",
        "never": "never-declared",
        "somebodys": "unproven",
    }
    without = checkout.run("plan --format json")
    assert (_deletes(without), _left(without)) == ([], {**left, "ours": "owned"})
    assert "ours (owned, removed in " in checkout.run("plan").out
    assert checkout.run("drift").code == 5
    plan = checkout.run("plan --prune --format json")
    assert (_deletes(plan), _left(plan)) == (["ours"], left)
    source = {"file": "manifests/ours.yaml", "line": 1, "commit": removed}
    assert plan.targets[0]["changes"][0]["source"] == source

    at_any_rate = checkout.run("plan --prune=all --format json --allow max-deletes --allow max-delete-fraction")
    assert _deletes(at_any_rate) == ["long-ago", "never", "ours", "somebodys"]

    service.put("ours", shard_count=9)
    assert _left(checkout.run("plan --prune --format json"))["ours"] == "unproven"
    host = service.url.removeprefix("http://").replace(":", "%3A")
    checkout.git("update-ref", f"refs/reconciler/applied/http%3A%2F%2F{host}/default", declared)
    assert _deletes(checkout.run("plan --prune --format json")) == ["ours"]
    service.answers.clear()
    assert checkout.run("apply --yes --prune --no-wait").code == 0
    assert service.writes() == ["DELETE /cluster/ours 204"]


@pytest.mark.parametrize(
    "way",
    [
        pytest.param("merge --no-ff", marks=pytest.mark.slow),
        pytest.param("merge --squash", marks=pytest.mark.slow),
        "rebase",
    ],
)
def test_a_branch_that_names_a_foreign_cluster_for_a_moment_claims_nothing(checkout: Checkout, way: str) -> None:
    """However it is integrated: the cluster isn't as it was declared."""
    service = checkout.service()
    checkout.declare("orders")
    checkout.commit()
    checkout.git("switch", "--quiet", "--create", "topic")
    checkout.declare("foreign", shard_count=2)
    checkout.commit()
    checkout.remove("foreign")
    checkout.declare("another")
    checkout.commit()
    checkout.git("switch", "--quiet", "main")
    if way == "rebase":
        checkout.git("rebase", "--quiet", "topic")
    else:
        checkout.git(*way.split(), "--quiet", "topic", *(() if "squash" in way else ("--message=Merge",)))
        if "squash" in way:
            checkout.commit()
    service.put("foreign", "orders", "another", shard_count=1)
    plan = checkout.run("plan --prune --format json")
    assert _deletes(plan) == []
    assert _left(plan) == {"foreign": "unproven" if way == "rebase" else "never-declared"}


@pytest.mark.slow
def test_a_protected_cluster_goes_in_two_applied_steps(checkout: Checkout) -> None:
    """Removing it is refused; so are lifting the protection and removing it in two merges without an apply between."""
    service = checkout.service()
    checkout.declare("orders", "sessions")
    checkout.declare("ledger", lifecycle={"prevent_destroy": True})
    first = checkout.commit()
    assert checkout.run("apply --yes --no-wait").code == 0
    checkout.remove("ledger")
    checkout.commit()
    service.answers.clear()
    at_once = checkout.run("apply --yes --prune")
    assert at_once.code == 3
    assert (
        "refused by protected: ledger would be deleted, but prevent_destroy stands at manifests/ledger.yaml:6: take it "
        "out in a change of its own, and apply that, before the manifest is removed\n"
    ) in at_once.out
    checkout.git("reset", "--quiet", "--hard", first)
    checkout.declare("ledger")
    lifted = checkout.commit()
    checkout.remove("ledger")
    removed = checkout.commit()
    assert checkout.run("apply --yes --prune").code == 3
    assert service.writes() == []
    checkout.git("checkout", "--quiet", "--detach", lifted)
    assert checkout.run("apply --yes").code == 0
    checkout.git("checkout", "--quiet", "--detach", removed)
    assert checkout.run("apply --yes --prune --no-wait").code == 0
    assert service.writes() == ["DELETE /cluster/ledger 204"]


@pytest.mark.parametrize("selected", [pytest.param("", marks=pytest.mark.slow), " --target a"])
@pytest.mark.parametrize("prune", [pytest.param("owned", marks=pytest.mark.slow), "all"])
def test_targets_of_one_endpoint_never_delete_each_others(checkout: Checkout, prune: str, selected: str) -> None:
    """Whether the fleet file or the environment says where they are, and whichever is selected."""
    service = checkout.service()
    checkout.environment |= {"A_KEY": "sandbox-admin", "B_KEY": "sandbox-readonly"}
    checkout.write("manifests/fleet.yaml", "targets: {a: {api_key_env: A_KEY}, b: {api_key_env: B_KEY}}\n")
    checkout.declare("moved", "mine", folder="manifests/a")
    checkout.declare("theirs", folder="manifests/b")
    checkout.commit()
    service.put("moved", "mine", "theirs")
    checkout.git("mv", "manifests/a/moved.yaml", "manifests/b/moved.yaml")
    checkout.commit()
    assert _deletes(checkout.run(f"plan --format json --prune={prune}{selected}")) == []


@pytest.mark.slow
def test_moving_and_renaming_deletes_nothing(checkout: Checkout) -> None:
    """A file, a folder, a target: keys are endpoint and name, never paths. Nothing is created or adopted either."""
    service = checkout.service()
    fleet = "targets:\n  {}: {{endpoint: '" + service.url + "', manifests: {}}}\n"
    checkout.write("manifests/fleet.yaml", fleet.format("one", "here"))
    checkout.declare("orders", "sessions", folder="manifests/here")
    checkout.commit()
    service.put("orders", "sessions")
    checkout.git("mv", "manifests/here/orders.yaml", "manifests/here/renamed.yml")
    checkout.commit("A file")
    checkout.git("mv", "manifests/here", "manifests/there")
    checkout.write("manifests/fleet.yaml", fleet.format("one", "there"))
    checkout.commit("A folder")
    checkout.write("manifests/fleet.yaml", fleet.format("two", "there"))
    checkout.commit("A target")
    for base in ("HEAD~1", "HEAD~2", "HEAD~3"):
        plan = checkout.run(f"plan --prune --format json --base {base}")
        assert (plan.targets[0]["changes"], plan.targets[0]["unmanaged"]) == ([], [])


@pytest.mark.slow
def test_a_shallow_clone_plans_but_proves_nothing_until_it_is_mended(checkout: Checkout) -> None:
    """--prune is refused with the very command that mends it; a plan works, and says what it couldn't see."""
    service = checkout.service()
    checkout.declare("orders", "ours")
    checkout.commit()
    checkout.remove("ours")
    checkout.commit()
    service.put("orders", "ours")
    origin = checkout.folder.as_uri()
    checkout.git("clone", "--quiet", "--depth=1", origin, "clone")
    checkout.folder /= "clone"
    plan = checkout.run("plan --format json")
    assert (_deletes(plan), _left(plan)) == ([], {"ours": "unknown"})
    refused = checkout.run("plan --prune")
    assert (refused.code, refused.out) == (1, "")
    assert "this clone is shallow: git fetch --unshallow brings the history" in refused.err
    checkout.git("fetch", "--quiet", "--unshallow")
    assert _deletes(checkout.run("plan --prune --format json")) == ["ours"]
    assert checkout.run("plan --prune --base none").code == 64


@pytest.mark.slow
def test_an_old_job_that_runs_again_changes_nothing(checkout: Checkout) -> None:
    """Exit 4 and no request at all, behind what was applied or behind its own branch; an explicit base lifts it."""
    service = checkout.service()
    checkout.declare("orders")
    old = checkout.commit()
    checkout.declare("orders", shard_count=2)
    new = checkout.commit()
    assert checkout.run("apply --yes --no-wait").code == 0
    service.answers.clear()
    checkout.git("checkout", "--quiet", "--detach", old)
    again = checkout.run("apply --yes --format json")
    assert (again.code, again.out, service.answers) == (4, "", [])
    assert f"error: default: HEAD {old[:10]} is older than what was applied, {new[:10]}\n" in again.err
    checkout.git("switch", "--quiet", "main")
    checkout.git("clone", "--quiet", ".", "clone")
    checkout.git("-C", "clone", "reset", "--quiet", "--hard", old)
    checkout.folder /= "clone"
    behind = checkout.run("apply --yes")
    assert (behind.code, service.answers) == (4, [])
    assert f"HEAD {old[:10]} is behind origin/main, {new[:10]}" in behind.err
    assert checkout.run("apply --yes --no-wait --base HEAD").code == 0
    assert service.writes() == ["PUT /cluster/orders 200"]


@pytest.mark.slow
def test_a_branch_that_was_forced_elsewhere_is_applied(checkout: Checkout, tmp_path: Path) -> None:
    """The ref follows; a prune by the commit before that push is refused, and says how to name a base."""
    service = checkout.service()
    checkout.declare("orders", "sessions")
    checkout.commit()
    checkout.declare("orders", shard_count=2)
    before = checkout.commit()
    assert checkout.run("apply --yes --no-wait").code == 0
    checkout.git("reset", "--quiet", "--hard", "HEAD~1")
    checkout.declare("orders", shard_count=3)
    checkout.remove("sessions")
    forced = checkout.commit()
    event = {"before": before, "repository": {"default_branch": "main"}}
    (tmp_path / "event.json").write_text(json.dumps(event))
    workflow = {
        "GITHUB_EVENT_NAME": "push",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_REF": "refs/heads/main",
    }
    checkout.environment |= workflow
    plan = checkout.run("plan --format json")
    assert (plan.code, plan.targets[0]["base"]["commit"], _causes(plan)) == (0, before, {"orders": "revision"})
    refused = checkout.run("apply --yes --prune")
    assert refused.code == 1
    assert "name a base with --base REF" in refused.err or "name one that is with --base REF" in refused.err
    service.answers.clear()
    assert checkout.run("apply --yes --prune --no-wait --base HEAD~1").code == 0
    assert service.writes() == ["DELETE /cluster/sessions 204", "PUT /cluster/orders 200"]
    assert checkout.applied() == [forced]


@pytest.mark.slow
def test_run_follows_the_folder_and_survives_a_stale_head(checkout: Checkout) -> None:
    """Each round reads git afresh: what is committed is applied and recorded, a HEAD that went back is a failed round."""
    checkout.service()
    checkout.declare("orders")
    first = checkout.commit()
    process = checkout.start("run --apply --no-wait --interval 50ms --format json --log-format json --log-level error")
    out, err = process.stdout, process.stderr
    assert out is not None
    assert err is not None
    names: list[str] = []
    while "orders" not in names:
        names += [result["name"] for result in json.loads(out.readline())["targets"][0]["results"]]
    out.readline()
    assert checkout.applied() == [first]
    checkout.declare("sessions")
    second = checkout.commit()
    while "sessions" not in names:
        names += [result["name"] for result in json.loads(out.readline())["targets"][0]["results"]]
    while checkout.applied() != [second]:
        out.readline()
    checkout.git("reset", "--quiet", "--hard", first)
    assert "is older than what was applied" in next(line for line in err if '"round.failed"' in line)
    checkout.git("reset", "--quiet", "--hard", second)
    while json.loads(out.readline())["targets"][0]["results"]:
        pass
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert (process.returncode, names) == (143, ["orders", "sessions"])
