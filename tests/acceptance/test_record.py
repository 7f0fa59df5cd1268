"""The record: what stands in it after what, who else writes it, and what is told where it is not, or not readable."""

import json
import re
import stat
from typing import Any

import pytest

from tests.acceptance.conftest import SMALL, Checkout, Ended

FREE: dict[str, Any] = {"prevent_destroy": False, "on_remove": "delete", "on_drift": None, "adopt": False, "ignore_changes": []}  # fmt: skip


def _everything_else(checkout: Checkout) -> tuple[str, ...]:
    """All that a command could change in a repository, save the record."""
    refs = checkout.git("for-each-ref").splitlines()
    return (
        *(ref for ref in refs if "refs/reconciler/record/" not in ref),
        checkout.git("symbolic-ref", "HEAD"),
        checkout.git("ls-files", "--stage"),
        checkout.git("status", "--porcelain"),
        checkout.git("stash", "list"),
        (checkout.folder / ".git/config").read_text(),
        *sorted(path.name for path in (checkout.folder / ".git").iterdir()),
    )


def _ends(ended: Ended, code: int = 0) -> Ended:
    assert ended.code == code, ended.out + ended.err
    return ended


def _line(checkout: Checkout, name: str, target: str = "default") -> dict[str, Any]:
    """A line of the record without its moment."""
    return {key: value for key, value in checkout.recorded(target)[name].items() if key != "at"}


def test_an_apply_is_recorded_cluster_by_cluster_and_nothing_else_is_written(checkout: Checkout) -> None:
    """Who is recorded, as what, from where; exactly; in a chain apart from every branch, that says what was done."""
    service = checkout.service()
    checkout.declare("orders", description="Orders", lifecycle={"on_remove": "keep"})
    service.put("sessions", shard_count=3)
    checkout.declare("sessions", shard_count=3)
    commit = checkout.commit()
    before = _everything_else(checkout)
    _ends(checkout.run("apply --yes"))
    assert _everything_else(checkout) == before
    [ref] = checkout.records()
    assert re.fullmatch(r"refs/reconciler/record/default-[0-9a-f]{8}", ref)
    assert checkout.git("ls-tree", "--name-only", ref).split() == ["clusters.jsonl", "target.json"]
    head = json.loads(checkout.git("show", f"{ref}:target.json"))
    limits = {
        "max_deletes": 5,
        "max_delete_fraction": 0.25,
        "max_drift_fraction": 0.5,
        "max_added_nodes": None,
        "max_added_cost": None,
    }
    assert head == {
        "target": "default",
        "endpoint": service.url,
        "api_key_env": "MOMENTO_API_KEY",
        "guards": {**limits, "protect": []},
        "format": 1,
    }
    lines = checkout.git("show", f"{ref}:clusters.jsonl").splitlines()
    assert [json.loads(line)["name"] for line in lines] == ["orders", "sessions"]
    assert list(json.loads(lines[0])) == [
        "name", "commit", "at", "file", "line", "origin", "lifecycle", "declared", "unsettled", "kept",
        "released",
    ]  # fmt: skip
    settled = {"commit": commit, "line": 1, "unsettled": None, "kept": None, "released": False}
    assert _line(checkout, "orders") == {
        **settled,
        "name": "orders",
        "file": "manifests/orders.yaml",
        "origin": "created",
        "lifecycle": {**FREE, "on_remove": "keep"},
        "declared": {"description": "Orders", **SMALL},
    }
    assert _line(checkout, "sessions") == {
        **settled,
        "name": "sessions",
        "file": "manifests/sessions.yaml",
        "origin": "adopted",
        "lifecycle": FREE,
        "declared": {**SMALL, "shard_count": 3},
    }
    message = checkout.git("log", "-1", "--format=%B", ref)
    assert "1 applied" in message
    assert f"Revision: {commit}" in message
    assert "Run: " in message

    shown = json.loads(checkout.run("record show --format json").out)
    assert [record["clusters"] for record in shown["records"]] == [list(checkout.recorded().values())]
    assert checkout.run("record show").out == (
        f"default ({service.url}): 2 clusters, last applied {commit[:10]}\n"
        f"  orders  manifests/orders.yaml:1 of {commit[:10]}\n"
        f"  sessions  manifests/sessions.yaml:1 of {commit[:10]}  adopted\n"
    )


@pytest.mark.slow
def test_what_failed_or_went_or_was_let_go_is_recorded_as_such(checkout: Checkout) -> None:
    """A definite refusal leaves the line as it was; an accepted update that fails is unsettled; a delete takes it out."""
    service = checkout.service(switches=("unavailable=m9*",))
    checkout.declare("grows", "breaks", "goes", "stays")
    checkout.declare("kept", lifecycle={"on_remove": "keep"})
    checkout.commit()
    _ends(checkout.run("apply --yes"))
    stood = checkout.recorded()
    checkout.environment["MOMENTO_API_KEY"] = "sandbox-readonly"
    checkout.declare("grows", shard_count=2)
    checkout.commit()
    _ends(checkout.run("apply --yes"), 1)
    assert checkout.recorded()["grows"] == stood["grows"]

    checkout.environment["MOMENTO_API_KEY"] = "sandbox-admin"
    checkout.declare("breaks", node_instance_type="m9.large")
    checkout.remove("goes", "kept")
    second = checkout.commit()
    _ends(checkout.run("apply --yes --prune --keep-going"), 1)
    lines = checkout.recorded()
    assert sorted(lines) == ["breaks", "grows", "kept", "stays"]
    assert (lines["breaks"]["declared"], lines["breaks"]["unsettled"]) == (
        SMALL,
        {**SMALL, "node_instance_type": "m9.large"},
    )
    assert (lines["grows"]["declared"]["shard_count"], lines["grows"]["commit"]) == (2, second)
    assert (lines["kept"]["released"], lines["kept"]["file"]) == (True, "manifests/kept.yaml")
    assert set(service.live()) == {"grows", "breaks", "kept", "stays"}


@pytest.mark.slow
def test_a_dirty_tree_is_recorded_without_a_commit_and_a_selection_by_itself(checkout: Checkout) -> None:
    """What was applied is known, its commit isn't; a selection, a dry run, a refusal touch no other line."""
    checkout.service()
    checkout.declare("orders", "other")
    checkout.commit()
    checkout.declare("orders", shard_count=2)
    _ends(checkout.run("apply --dry-run"))
    assert checkout.records() == {}
    _ends(checkout.run("apply --yes --only orders"))
    assert set(checkout.recorded()) == {"orders"}
    assert (_line(checkout, "orders")["commit"], _line(checkout, "orders")["declared"]["shard_count"]) == (None, 2)
    assert checkout.run("plan --format json").causes == {"other": "pending"}


@pytest.mark.slow
def test_a_renamed_target_takes_its_record_along(checkout: Checkout) -> None:
    """Its chain, too, under the new name, when it is applied; nothing is created, adopted or deleted for it."""
    service = checkout.service()
    fleet = "targets: {{{}: {{manifests: here}}}}\n"
    checkout.write("manifests/fleet.yaml", fleet.format("one"))
    checkout.declare("orders", folder="manifests/here")
    checkout.commit()
    _ends(checkout.run("apply --yes"))
    [old] = checkout.records().values()
    checkout.write("manifests/fleet.yaml", fleet.format("two"))
    checkout.commit()
    plan = _ends(checkout.run("plan --prune --format json"))
    assert (plan.targets[0]["changes"], plan.targets[0]["unmanaged"], plan.guards) == ([], [], [])
    _ends(checkout.run("apply --yes --prune"))
    [(ref, new)] = checkout.records().items()
    assert ref.startswith("refs/reconciler/record/two-")
    assert old in checkout.git("rev-list", new).split()
    assert service.sent() == ["PUT orders 200"]


@pytest.mark.slow
def test_two_runners_of_one_remote_lose_nothing_of_each_other(checkout: Checkout) -> None:
    """Both at once, from the same record, each with clusters of its own: afterwards one record has both."""
    service = checkout.service(faults="latency=20ms,seed=1")
    names = [f"{runner}{number}" for runner in "ab" for number in range(6)]
    checkout.declare(*names)
    checkout.commit()
    checkout.with_origin()
    runners = {runner: checkout.cloned(runner) for runner in "ab"}
    both = [one.start(f"apply --yes --remote origin --only {runner}*") for runner, one in runners.items()]
    for process in both:
        out, err = process.communicate()
        assert process.returncode == 0, out + err
    third = checkout.cloned("third", "--depth=1")
    _ends(third.run("record fetch"))
    assert {name: line["unsettled"] for name, line in third.recorded().items()} == dict.fromkeys(names)
    service.sent()
    again = _ends(third.run("plan --detailed-exitcode --format json"))
    assert (again.targets[0]["changes"], again.targets[0]["taken_over"]) == ([], [])


@pytest.mark.parametrize("way", ["hook", pytest.param("gone", marks=pytest.mark.slow)])
def test_where_the_record_cannot_be_pushed_nothing_is_sent(checkout: Checkout, way: str) -> None:
    """A server that refuses, or isn't there: exit 1, not one write, and what would mend it."""
    service = checkout.service()
    checkout.declare("orders")
    checkout.commit()
    origin = checkout.with_origin()
    if way == "hook":
        hook = origin / "hooks/pre-receive"
        hook.write_text("#!/bin/sh\nexit 1\n")
        hook.chmod(hook.stat().st_mode | stat.S_IXUSR)
    else:
        origin.rename(origin.with_name("moved.git"))
    ended = _ends(checkout.run("apply --yes --remote origin"), 1)
    assert service.sent() == []
    said = "git push origin failed" if way == "hook" else "git ls-remote origin failed"
    assert said in ended.err
    assert ("permissions: contents: write" if way == "hook" else "by hand") in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.slow
def test_a_record_that_a_newer_version_wrote_is_refused_by_name(checkout: Checkout) -> None:
    """By plan and apply alike: nothing is guessed, nothing is sent, and it stays as it is."""
    service = checkout.service()
    checkout.declare("orders")
    checkout.commit()
    _ends(checkout.run("apply --yes"))
    [(ref, tip)] = checkout.records().items()
    target = checkout.git("show", f"{ref}:target.json").replace('"format": 1', '"format": 2')
    checkout.write("newer.json", target + "\n")
    blob = checkout.git("hash-object", "-w", "newer.json")
    clusters = checkout.git("rev-parse", f"{ref}:clusters.jsonl")
    checkout.write("tree.json", f"100644 blob {clusters}\tclusters.jsonl\n100644 blob {blob}\ttarget.json\n")
    made = checkout.git("mktree", stdin=(checkout.folder / "tree.json").read_text())
    newer = checkout.git("commit-tree", made, "-p", tip, "-m", "By a newer version")
    checkout.git("update-ref", ref, newer)
    checkout.declare("orders", shard_count=2)
    checkout.commit()
    service.sent()
    for command in ("plan", "apply --yes", "record show", "drift"):
        ended = _ends(checkout.run(command), 1)
        assert f"{ref} is of format 2, written by a newer version of the tool; this one reads 1" in ended.err, command
        assert "update the tool" in ended.err
    assert (service.sent(), checkout.records()) == ([], {ref: newer})


@pytest.mark.slow
def test_a_cluster_can_be_let_go(checkout: Checkout) -> None:
    """`record forget NAME`: from then on it is somebody else's, and no prune deletes it."""
    service = checkout.service()
    checkout.declare("orders", "other", "more", "again")
    checkout.commit()
    checkout.with_origin()
    _ends(checkout.run("apply --yes --remote origin"))
    checkout.remove("orders")
    checkout.commit()
    assert [c["name"] for c in checkout.run("plan --prune --format json").targets[0]["changes"]] == ["orders"]
    assert _ends(checkout.run("record forget orders --remote origin")).out == (
        "1 forgotten: each counts as made by somebody else from now on\n"
    )
    service.sent()
    _ends(checkout.run("apply --yes --prune --remote origin"))
    assert (service.sent(), "orders" in service.live()) == ([], True)
    plan = checkout.run("plan --format json --remote origin").targets[0]
    assert [(one["name"], one["ownership"]) for one in plan["unmanaged"]] == [("orders", "not-ours")]
    other = checkout.cloned("other")
    _ends(other.run("record fetch"))
    assert set(other.recorded()) == {"other", "more", "again"}
    assert _ends(checkout.run("record forget nobody"), 64).out == ""


def _two_targets(checkout: Checkout, url: str) -> None:
    checkout.write("manifests/fleet.yaml", f"targets:\n  a: {{endpoint: '{url}/accounts/a'}}\n  b: {{endpoint: '{url}/accounts/b'}}\n")  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("way", ["taken away", "sent elsewhere"])
def test_a_target_that_goes_is_refused_then_told_until_it_is_empty(checkout: Checkout, way: str) -> None:
    """Refused by `orphans`; where that was allowed, plan and drift name target, endpoint and clusters, for good."""
    service = checkout.service()
    _two_targets(checkout, service.url)
    checkout.declare("one", folder="manifests/a")
    checkout.declare("two", "three", folder="manifests/b")
    checkout.commit()
    _ends(checkout.run("apply --yes"))
    gone = f"{service.url}/accounts/b"
    if way == "taken away":
        checkout.write("manifests/fleet.yaml", f"targets: {{a: {{endpoint: '{service.url}/accounts/a'}}}}\n")
        checkout.remove("two", "three", folder="manifests/b")
    else:
        fleet = (checkout.folder / "manifests/fleet.yaml").read_text()
        checkout.write("manifests/fleet.yaml", fleet.replace("accounts/b", "accounts/c"))
    checkout.commit()
    service.sent()
    plan = checkout.run("plan --format json --base HEAD~1")
    assert (plan.code, plan.guards) == (3, ["orphans"])
    _ends(checkout.run("apply --yes --prune --base HEAD~1"), 3)
    assert service.sent() == []
    _ends(checkout.run("apply --yes --base HEAD~1 --allow orphans"))
    for command in ("plan --format json", "drift --format json"):
        document = json.loads(checkout.run(command).out)
        assert document["left_behind"] == [{"target": "b", "endpoint": gone, "clusters": ["three", "two"]}]
    assert f"left behind: no target claims 2 clusters of b at {gone}: three, two" in checkout.run("plan").out
    _ends(checkout.run("record forget two three --target b"))
    assert json.loads(checkout.run("plan --format json").out)["left_behind"] == []


@pytest.mark.slow
def test_a_targets_last_manifest_may_go(checkout: Checkout) -> None:
    """Git keeps no empty folder, so a fresh clone has none: the target is empty, not gone, and is pruned."""
    service = checkout.service()
    _two_targets(checkout, service.url)
    checkout.declare("one", folder="manifests/a")
    checkout.declare("last", folder="manifests/b")
    checkout.commit()
    checkout.with_origin()
    _ends(checkout.run("apply --yes --remote origin"))
    checkout.remove("last", folder="manifests/b")
    checkout.commit()
    checkout.git("push", "--quiet")
    fresh = checkout.cloned("fresh")
    assert not (fresh.folder / "manifests/b").exists()
    service.sent()
    ended = _ends(fresh.run("apply --yes --prune --remote origin --allow empty-head"))
    assert (service.sent(), ended.err.count("error")) == (["DELETE /accounts/blast 204"], 0)


@pytest.mark.slow
@pytest.mark.parametrize("depth", [(), ("--depth=1",)])
def test_a_record_that_is_not_here_is_told_first_with_what_fetches_it(
    checkout: Checkout, depth: tuple[str, ...]
) -> None:
    """Everything that is live is somebody else's then, and nothing is taken; the very command that is named mends it."""
    service = checkout.service()
    checkout.declare("orders", "sessions")
    checkout.commit()
    checkout.with_origin()
    _ends(checkout.run("apply --yes --remote origin"))
    checkout.declare("orders", shard_count=2)
    checkout.commit()
    checkout.git("push", "--quiet")
    clone = checkout.cloned("clone", *depth)
    service.sent()
    plan = clone.run("plan")
    assert plan.code == 3
    command = re.search(r"reconciler (record fetch[^`\n.]*)", plan.out.splitlines()[0])
    assert command is not None, plan.out
    assert clone.run("apply --yes").code == 3
    assert clone.run("plan --format json").causes == {"orders": "adoption"}
    assert (service.sent(), clone.records()) == ([], {})
    _ends(clone.run(command[1].strip()))
    assert clone.run("plan --format json").causes == {"orders": "pending"}
    _ends(clone.run("apply --yes --remote origin"))
    assert service.sent() == ["PUT orders 200"]


@pytest.mark.slow
def test_an_embedded_sandbox_has_its_own_record_which_is_never_pushed(checkout: Checkout) -> None:
    """Nor is it mistaken for what was applied for real."""
    checkout.service()
    checkout.declare("orders")
    checkout.commit()
    origin = checkout.with_origin()
    _ends(checkout.run("apply --yes --sandbox --remote origin"))
    [ref] = checkout.records()
    assert json.loads(checkout.git("show", f"{ref}:target.json"))["endpoint"] == "sandbox:default"
    assert checkout.git("ls-remote", origin.as_uri(), "refs/reconciler/*") == ""
    assert checkout.run("plan --format json").causes == {"orders": "pending"}


@pytest.mark.slow
def test_what_is_wrong_with_the_manifests_is_told_before_a_remote_is_asked(checkout: Checkout) -> None:
    """A record that can't be fetched hides no error that whoever reads the page can mend."""
    checkout.write("manifests/orders.yaml", "nmae: orders\n")
    checkout.commit()
    ended = checkout.run("plan --remote nowhere")
    assert ended.code == 1
    assert 'unknown key "nmae"' in ended.err
    assert "remote" not in ended.err
