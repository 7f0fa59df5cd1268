"""Git is the state file: why a thing differs, whose it is, and whether HEAD may be applied, as a user sees them."""

import json
import signal
from collections.abc import Callable
from typing import Any

import pytest

from tests.acceptance.conftest import Checkout, Ended, Service


def _ends(ended: Ended, code: int = 0) -> Ended:
    assert ended.code == code, ended.out + ended.err
    return ended


def _deletes(ended: Ended) -> list[str]:
    assert ended.code == 0, ended.out + ended.err
    return [c["name"] for target in ended.targets for c in target["changes"] if c["action"] == "delete"]


def _applied(checkout: Checkout, *names: str) -> tuple[Service, str]:
    """A service on which these are applied, and the commit that was."""
    service = checkout.service()
    checkout.declare(*names)
    commit = checkout.commit()
    _ends(checkout.run("apply --yes"))
    service.sent()
    return service, commit


@pytest.mark.slow
def test_on_first_use_a_strangers_cluster_needs_a_word_and_an_equal_one_none(checkout: Checkout) -> None:
    """What is declared as it is live is taken over, and said; what would be changed is refused until somebody says so."""
    service = checkout.service()
    service.put("equal", "theirs")
    checkout.declare("equal", "new")
    checkout.declare("theirs", shard_count=2)
    checkout.commit()
    plan = checkout.run("plan --format json")
    assert (plan.code, plan.guards, plan.causes["theirs"]) == (3, ["adopt"], "adoption")
    assert plan.targets[0]["taken_over"] == ["equal"]
    assert checkout.run("apply --yes").code == 3
    assert service.sent() == []
    _ends(checkout.run("apply --yes --adopt=theirs"))
    assert sorted(service.sent()) == ["PUT new 200", "PUT theirs 200"]
    origins = {name: line["origin"] for name, line in checkout.recorded().items()}
    assert origins == {"equal": "adopted", "new": "created", "theirs": "adopted"}
    assert checkout.run("plan --detailed-exitcode").code == 0


@pytest.mark.slow
def test_a_manifest_can_say_that_it_may_take_over(checkout: Checkout) -> None:
    """`lifecycle: {adopt: true}` is consent; the cause is still told."""
    service = checkout.service()
    service.put("theirs")
    checkout.declare("theirs", shard_count=2, lifecycle={"adopt": True})
    checkout.commit()
    assert _ends(checkout.run("plan --format json")).causes == {"theirs": "adoption"}
    _ends(checkout.run("apply --yes"))
    assert service.sent() == ["PUT theirs 200"]


@pytest.mark.slow
def test_every_difference_has_its_cause(checkout: Checkout) -> None:
    """Every row of the table, on a branch, and the same from a clone of depth 1 but for who set what."""
    service, _ = _applied(
        checkout, "changed", "contested", "drifted", "merged", "same", "gone", "goes", "went", "lost", "noticed"
    )
    checkout.declare("merged", shard_count=2)
    checkout.declare("late")
    checkout.remove("went")
    merged = checkout.commit("Merge the second")
    checkout.with_origin()
    service.put("drifted", node_instance_type="m6g.large")
    service.put("contested", shard_count=7)
    service.put("theirs", shard_count=5)
    service.delete("lost", "gone")
    checkout.git("switch", "--quiet", "--create", "topic")
    checkout.declare("changed", shard_count=3)
    checkout.declare("contested", shard_count=4)
    checkout.declare("theirs", "new")
    checkout.remove("goes", "gone")
    head = checkout.commit()
    _ends(checkout.run("record push"))
    checkout.git("push", "--quiet", "origin", "topic")

    expected = {
        "changed": "revision",
        "contested": "conflict",
        "drifted": "drift",
        "goes": "revision",
        "late": "pending",
        "lost": "drift",
        "merged": "pending",
        "new": "revision",
        "theirs": "adoption",
        "went": "pending",
    }
    whole = checkout.run("plan --prune --adopt --format json --allow max-deletes")
    assert (whole.code, whole.causes, whole.targets[0]["base"]["commit"]) == (0, expected, merged)
    fields = {change["name"]: change["fields"] for change in whole.targets[0]["changes"]}
    assert [(f["before"], f["after"], f["recorded"]) for f in fields["contested"]] == [(7, 4, 1)]
    assert [(f["path"], f["commit"]) for f in fields["merged"]] == [("shard_count", merged)]

    shallow = checkout.cloned("shallow", "--depth=1", "--branch=topic")
    shallow.git("fetch", "--quiet", "--depth=1", "origin", merged)
    cut = shallow.run(f"plan --prune --adopt --format json --allow max-deletes --remote origin --base {merged}")
    assert (cut.code, cut.causes, cut.targets[0]["revision"]) == (0, expected, head)
    assert cut.targets[0]["digest"] == whole.targets[0]["digest"]


@pytest.mark.slow
def test_drift_compares_head_and_tells_what_is_only_pending_from_it(checkout: Checkout) -> None:
    """Whatever the work tree holds: 2 while something drifted, 5 while all that differs is merged, 0 in sync."""
    service, _ = _applied(checkout, "drifted", "merged", "one", "two")
    checkout.declare("merged", shard_count=2)
    checkout.commit()
    service.put("drifted", shard_count=9)
    checkout.write("manifests/half-written.yaml", "name: [\n")
    drift = checkout.run("drift --format json")
    assert (drift.code, drift.targets[0]["dirty"]) == (2, False)
    assert drift.causes == {"drifted": "drift", "merged": "pending"}
    assert checkout.run("drift --only merged").code == 5
    service.put("drifted")
    service.put("merged", shard_count=2)
    assert checkout.run("drift").code == 0


@pytest.mark.slow
@pytest.mark.parametrize("on_drift", ["revert", "report"])
def test_a_partial_failure_costs_neither_fix_nor_revert_nor_the_next_merge(checkout: Checkout, on_drift: str) -> None:
    """One cluster fails: it alone is pending; a fix and a revert are this change; a README changes nothing."""
    checkout.write("manifests/fleet.yaml", f"targets: {{t: {{on_drift: {on_drift}, max_failures: 9}}}}\n")
    service = checkout.service(switches=("unavailable=m9*",))

    def declared(name: str, **fields: object) -> str:
        checkout.declare(name, folder="manifests/t", **fields)
        return checkout.commit()

    for name in ("breaks", "steady"):
        declared(name)
    _ends(checkout.run("apply --yes"))
    checkout.declare("steady", folder="manifests/t", shard_count=2)
    broken = declared("breaks", node_instance_type="m9.large")
    _ends(checkout.run("apply --yes"), 1)
    assert checkout.recorded("t")["steady"]["commit"] == broken
    checkout.write("manifests/README.md", "Something else\n")
    checkout.commit("An unrelated merge")
    assert checkout.run("plan --format json").causes == {"breaks": "pending"}
    fixed = declared("breaks", node_instance_type="m6g.large")
    plan = _ends(checkout.run("plan --format json --base HEAD~1"))
    assert (plan.causes, plan.guards) == ({"breaks": "revision"}, [])
    checkout.git("revert", "--no-edit", "--no-commit", fixed, broken)
    checkout.commit("Revert both")
    plan = _ends(checkout.run("plan --format json --base HEAD~2"))
    assert set(plan.causes) == {"breaks", "steady"}
    assert set(plan.causes.values()) == {"revision"}
    service.sent()
    _ends(checkout.run("apply --yes"))
    assert sorted(service.sent()) == ["PUT breaks 200", "PUT steady 200"]
    assert {name: one["errors"] for name, one in service.live().items()} == {"breaks": [], "steady": []}
    assert _ends(checkout.run("plan --detailed-exitcode --format json")).causes == {}


@pytest.mark.slow
def test_a_run_that_was_killed_after_a_request_left_is_known(checkout: Checkout) -> None:
    """What was under way is ours and pending, never drift or an adoption; the second run ends where the first would."""
    service = checkout.service(faults="latency=50ms,seed=1")
    names = [f"c{number}" for number in range(6)]
    checkout.declare(*names)
    checkout.commit()
    process = checkout.start("apply --yes --concurrency 1 --log-format json")
    assert process.stderr is not None
    next(line for line in process.stderr if '"change.accepted"' in line)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    stood = set(service.live())
    assert 0 < len(stood) < len(names)
    assert {name for name, line in checkout.recorded().items() if line["unsettled"]} >= stood
    plan = _ends(checkout.run("plan --format json"))
    assert (plan.causes, plan.targets[0]["taken_over"]) == (dict.fromkeys(sorted({*names} - stood), "pending"), [])
    _ends(checkout.run("apply --yes"))
    assert {line["unsettled"] for line in checkout.recorded().values()} == {None}
    assert {line["origin"] for line in checkout.recorded().values()} == {"created"}
    assert checkout.run("plan --detailed-exitcode").code == 0


@pytest.mark.slow
def test_what_an_unmerged_branch_applied_is_a_conflict_on_main(checkout: Checkout) -> None:
    """Nobody on main has reviewed it; and it is not drift, for this tool wrote it."""
    _applied(checkout, "orders", "other")
    checkout.git("switch", "--quiet", "--create", "topic")
    checkout.declare("orders", shard_count=3)
    checkout.commit()
    _ends(checkout.run("apply --yes"))
    checkout.git("switch", "--quiet", "main")
    assert _ends(checkout.run("plan --format json")).causes == {"orders": "conflict"}
    assert checkout.run("drift").code == 2


@pytest.mark.slow
def test_a_branch_that_was_forced_elsewhere_is_applied(checkout: Checkout) -> None:
    """The push's `before` is no ancestor any more: what it applied is known all the same, and its prune too."""
    service, _ = _applied(checkout, "orders", "sessions", "other", "more")
    checkout.declare("orders", shard_count=2)
    before = checkout.commit()
    _ends(checkout.run("apply --yes"))
    checkout.git("reset", "--quiet", "--hard", "HEAD~1")
    checkout.declare("orders", shard_count=3)
    checkout.remove("sessions")
    checkout.commit()
    checkout.write("event.json", json.dumps({"before": before, "repository": {"default_branch": "main"}}))
    checkout.environment |= {"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": "event.json", "GITHUB_REF": "refs/heads/main"}  # fmt: skip
    plan = _ends(checkout.run("plan --prune --format json"))
    assert plan.targets[0]["base"]["commit"] == before
    assert plan.causes == {"orders": "revision", "sessions": "revision"}
    service.sent()
    _ends(checkout.run("apply --yes --prune"))
    assert service.sent() == ["PUT orders 200", "DELETE sessions 204"]


@pytest.mark.slow
def test_a_prune_deletes_what_the_record_has_and_nothing_else(checkout: Checkout) -> None:
    """Nor what only git's history declares; it cites the commit that removed it, and where it last stood."""
    stay = ("one", "two", "three", "four")
    checkout.declare("long-ago", "never-applied")
    checkout.commit()
    checkout.remove("long-ago", "never-applied")
    checkout.declare("kept", lifecycle={"on_remove": "keep"})
    service, _ = _applied(checkout, *stay, "ours")
    service.put("long-ago", "never-applied", "stranger")
    checkout.remove("ours", "kept")
    removed = checkout.commit()
    left = {"kept": "released", "long-ago": "not-ours", "never-applied": "not-ours", "stranger": "not-ours"}

    def unmanaged(ended: Ended) -> dict[str, str]:
        return {one["name"]: one["ownership"] for one in ended.targets[0]["unmanaged"]}

    without = checkout.run("plan --format json")
    assert (_deletes(without), unmanaged(without)) == ([], {**left, "ours": "owned"})
    assert checkout.run("drift").code == 5
    plan = checkout.run("plan --prune --format json")
    assert (_deletes(plan), unmanaged(plan)) == (["ours"], left)
    source = {"file": "manifests/ours.yaml", "line": 1, "commit": removed}
    assert plan.targets[0]["changes"][0]["source"] == source
    at_any_rate = checkout.run("plan --prune=all --format json --allow max-deletes --allow max-delete-fraction")
    assert _deletes(at_any_rate) == ["long-ago", "never-applied", "ours", "stranger"]
    _ends(checkout.run("apply --yes --prune"))
    assert service.sent() == ["DELETE ours 204"]
    service.put("ours", shard_count=5)
    again = checkout.run("plan --prune --format json")
    assert (_deletes(again), unmanaged(again)["ours"]) == ([], "not-ours")


@pytest.mark.slow
def test_a_protected_cluster_goes_in_two_applied_steps(checkout: Checkout) -> None:
    """Removing it is refused; so are lifting the protection and removing it in two merges without an apply between."""
    checkout.declare("ledger", lifecycle={"prevent_destroy": True})
    service, first = _applied(checkout, "orders", "sessions")
    checkout.remove("ledger")
    checkout.commit()
    at_once = checkout.run("apply --yes --prune")
    assert at_once.code == 3
    assert "refused by protected: ledger would be deleted, but " in at_once.out
    checkout.git("reset", "--quiet", "--hard", first)
    checkout.declare("ledger")
    lifted = checkout.commit()
    checkout.remove("ledger")
    checkout.commit()
    assert checkout.run("apply --yes --prune").code == 3
    assert service.sent() == []
    checkout.git("reset", "--quiet", "--hard", lifted)
    _ends(checkout.run("apply --yes"))
    checkout.remove("ledger")
    checkout.commit()
    _ends(checkout.run("apply --yes --prune"))
    assert service.sent() == ["DELETE ledger 204"]


@pytest.mark.slow
@pytest.mark.parametrize("prune", ["owned", "all"])
def test_two_accounts_of_one_endpoint_never_share_anything(checkout: Checkout, prune: str) -> None:
    """The same names in both: each is declared, owned, protected and pruned in its own account alone."""
    service = checkout.service()
    keys = {name: f"sandbox-admin:{name}" for name in ("staging", "prod")}
    checkout.environment |= {f"MOMENTO_{name.upper()}": key for name, key in keys.items()}
    checkout.write("manifests/fleet.yaml", "targets: {staging: {api_key_env: MOMENTO_STAGING}, prod: {api_key_env: MOMENTO_PROD}}\n")  # fmt: skip
    for target, shards in (("staging", 1), ("prod", 3)):
        checkout.declare("orders", "stays", "also", folder=f"manifests/{target}", shard_count=shards)
    checkout.declare("ledger", folder="manifests/prod", lifecycle={"prevent_destroy": True})
    checkout.declare("ledger", folder="manifests/staging")
    checkout.commit()
    _ends(checkout.run("apply --yes"))
    assert {name: service.live(key=key)["orders"]["shard_count"] for name, key in keys.items()} == {
        "staging": 1,
        "prod": 3,
    }
    checkout.remove("orders", "ledger", folder="manifests/staging")
    checkout.commit()
    service.put("foreign", key=keys["prod"])
    service.sent()
    allowed = "--allow max-delete-fraction" + (" --target staging" if prune == "all" else "")
    _ends(checkout.run(f"apply --yes --prune={prune} {allowed}"))
    assert sorted(service.sent()) == ["DELETE ledger 204", "DELETE orders 204"]
    assert {name: sorted(service.live(key=key)) for name, key in keys.items()} == {
        "staging": ["also", "stays"],
        "prod": ["also", "foreign", "ledger", "orders", "stays"],
    }
    checkout.remove("ledger", folder="manifests/prod")
    checkout.commit()
    refused = checkout.run("apply --yes --prune --format json")
    assert (refused.code, refused.guards, service.sent()) == (3, ["protected"], [])


@pytest.mark.slow
def test_an_old_job_that_runs_again_changes_nothing(checkout: Checkout) -> None:
    """Behind what was applied: exit 4 and nothing sent; `--allow stale-head` says that going back is meant."""
    service, old = _applied(checkout, "orders")
    checkout.declare("orders", shard_count=2)
    new = checkout.commit()
    _ends(checkout.run("apply --yes"))
    service.answers.clear()
    checkout.git("checkout", "--quiet", "--detach", old)
    again = checkout.run("apply --yes --format json")
    assert (again.code, again.targets, service.sent()) == (4, [], [])
    assert f"HEAD {old[:10]} is older than {new[:10]}, which was applied to target default" in again.err
    assert "--allow stale-head" in again.err
    _ends(checkout.run("apply --yes --allow stale-head"))
    assert service.sent() == ["PUT orders 200"]


@pytest.mark.slow
@pytest.mark.parametrize("depth", [(), ("--depth=1",)])
def test_a_stale_head_is_seen_though_the_clone_is_cut_and_its_remote_branch_lies(
    checkout: Checkout, depth: tuple[str, ...]
) -> None:
    """As the real checkout leaves it: the old commit, fetched by force into the remote-tracking branch."""
    service, old = _applied(checkout, "orders")
    checkout.with_origin()
    checkout.git("config", "-f", f"{checkout.folder.with_name('origin.git')}/config", "uploadpack.allowAnySHA1InWant", "true")  # fmt: skip
    checkout.declare("orders", shard_count=2)
    checkout.commit(days_ago=-1)
    checkout.git("push", "--quiet")
    clone = checkout.cloned("clone", *depth)
    clone.git("fetch", "--quiet", *depth, "--force", "origin", f"+{old}:refs/remotes/origin/main")
    clone.git("checkout", "--quiet", "--force", "-B", "main", "refs/remotes/origin/main")
    behind = clone.run("apply --yes --remote origin --adopt")
    assert (behind.code, service.sent()) == (4, [])
    assert f"HEAD {old[:10]} is behind main" in behind.err
    _ends(checkout.run("apply --yes --remote origin"))
    service.sent()
    assert (clone.run("apply --yes --remote origin").code, service.sent()) == (4, [])
    _ends(clone.run("apply --yes --remote origin --allow stale-head"))
    assert service.sent() == ["PUT orders 200"]


@pytest.mark.slow
def test_run_follows_the_folder_and_survives_a_stale_head(checkout: Checkout) -> None:
    """Each round reads git afresh: what is committed is applied and recorded, a HEAD that went back is a failed round."""
    checkout.service()
    checkout.declare("orders")
    first = checkout.commit()
    process = checkout.start("run --apply --interval 50ms --format json -q")
    rounds = process.stdout
    assert rounds is not None

    def first_round(wanted: Callable[[Any], object]) -> Any:
        return next(document for document in map(json.loads, rounds) if wanted(document))

    def applies(document: Any) -> bool:
        return any(target.get("results") for target in document["targets"])

    first_round(applies)
    checkout.declare("sessions")
    second = checkout.commit()
    first_round(applies)
    first_round(lambda document: not applies(document))
    assert set(checkout.recorded()) == {"orders", "sessions"}
    assert second != first
    checkout.git("checkout", "--quiet", "--detach", first)
    failed = first_round(lambda document: document["errors"])
    assert {error["kind"] for error in failed["errors"]} == {"stale-head"}
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 143


@pytest.mark.slow
def test_a_commit_starts_a_round_at_once(checkout: Checkout) -> None:
    """Nobody waits an hour for what git has brought, nor for a signal to end it; all is in the record."""
    service = checkout.service()
    checkout.declare("first")
    checkout.commit()
    process = checkout.start("run --apply --interval 1h --format json -q")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["targets"][0]["summary"]["applied"] == 1
    checkout.declare("second")
    checkout.commit()
    assert json.loads(process.stdout.readline())["targets"][0]["summary"]["applied"] == 1
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 143
    assert service.writes() == ["PUT /cluster/first 200", "PUT /cluster/second 200"]
    assert set(checkout.recorded()) == {"first", "second"}
