"""An apply over real HTTP: nothing goes before what is declared stands, and nothing that is broken is made worse."""

import re
import signal

import pytest

from tests.acceptance.conftest import SMALL, Checkout, Ended, Service

INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
STAY = ("stay-1", "stay-2", "stay-3")


def _ends(ended: Ended, code: int = 0) -> Ended:
    assert ended.code == code, ended.out + ended.err
    return ended


def _applied(checkout: Checkout, *names: str, settle_seconds: float = 0.0) -> Service:
    """A service on which these are applied."""
    service = checkout.service(settle_seconds=settle_seconds)
    checkout.declare(*names)
    checkout.commit()
    _ends(checkout.run("apply --yes"))
    service.sent()
    return service


@pytest.mark.slow
@pytest.mark.parametrize("again", ["by itself", "with --keep-going"])
def test_a_rename_lets_the_old_one_stand_until_the_new_one_is_active(checkout: Checkout, again: str) -> None:
    """However often it is run while the new one can't be had; then the delete is the last thing that is sent."""
    service = _applied(checkout, "old", *STAY)
    service.switch("quota=4")
    checkout.remove("old")
    checkout.declare("new")
    checkout.commit()
    plan = _ends(checkout.run("plan --prune"))
    assert "rename old → new" in plan.out
    assert "a new, empty cluster; data doesn't come along" in plan.out
    keep_going = " --keep-going" if again == "with --keep-going" else ""
    for _ in range(2):
        failed = _ends(checkout.run(f"apply --yes --prune --format json{keep_going}"), 1)
        assert (failed.outcomes, service.sent()) == ({"new": "failed", "old": "skipped"}, ["PUT new 400"])
    service.switch()
    _ends(checkout.run("apply --yes --prune"))
    assert service.sent() == ["PUT new 200", "DELETE old 204"]
    assert set(checkout.recorded()) == {"new", *STAY}


@pytest.mark.slow
def test_a_rename_that_was_killed_in_between_ends_the_same(checkout: Checkout) -> None:
    """While the new one is still `Creating`, the old one stands; the second run waits, and deletes it then."""
    service = _applied(checkout, "old", *STAY, settle_seconds=1)
    checkout.remove("old")
    checkout.declare("new")
    checkout.commit()
    process = checkout.start("apply --yes --prune --log-format json")
    assert process.stderr is not None
    next(line for line in process.stderr if '"change.accepted"' in line)
    process.kill()
    process.communicate()
    assert "old" in service.live()
    _ends(checkout.run("apply --yes --prune"))
    assert service.sent() == ["PUT new 200", "DELETE old 204"]
    assert sorted(service.live()) == ["new", *STAY]


def _two_regions(checkout: Checkout, *names: str) -> Service:
    service = checkout.service()
    for target in ("east", "west"):
        checkout.environment[f"MOMENTO_{target.upper()}"] = f"sandbox-admin:{target}"
        checkout.declare(*(f"{target}-{number}" for number in range(3)), folder=f"manifests/{target}")
    checkout.write("manifests/fleet.yaml", "targets: {east: {api_key_env: MOMENTO_EAST}, west: {api_key_env: MOMENTO_WEST}}\n")  # fmt: skip
    checkout.declare(*names, folder="manifests/east")
    checkout.commit()
    _ends(checkout.run("apply --yes"))
    service.sent()
    return service


@pytest.mark.slow
@pytest.mark.parametrize("refused", ["by quota", "by key"])
def test_a_move_between_targets_deletes_at_the_source_last(checkout: Checkout, refused: str) -> None:
    """Not while the other target refuses it, nor where it can't be read."""
    service = _two_regions(checkout, "moves")
    checkout.git("mv", "manifests/east/moves.yaml", "manifests/west/moves.yaml")
    checkout.commit()
    if refused == "by quota":
        service.switch("quota=3")
    else:
        checkout.environment["MOMENTO_WEST"] = "sandbox-expired"
    _ends(checkout.run("apply --yes --prune"), 1)
    _ends(checkout.run("apply --yes --prune --keep-going"), 1)
    assert "moves" in service.live(key="sandbox-admin:east")
    assert "DELETE moves 204" not in service.sent()
    service.switch()
    checkout.environment["MOMENTO_WEST"] = "sandbox-admin:west"
    _ends(checkout.run("apply --yes --prune"))
    assert service.sent() == ["PUT moves 200", "DELETE moves 204"]
    assert "moves" in service.live(key="sandbox-admin:west")
    assert "moves" not in service.live(key="sandbox-admin:east")


@pytest.mark.slow
def test_the_source_of_a_move_applied_alone_waits_for_the_other_targets_record(checkout: Checkout) -> None:
    """Not even --keep-going deletes it before its other half has settled in the target that isn't in this run."""
    service = _two_regions(checkout, "moves")
    checkout.git("mv", "manifests/east/moves.yaml", "manifests/west/moves.yaml")
    checkout.commit()
    _ends(checkout.run("apply --yes --prune --target east --keep-going"), 1)
    assert service.sent() == []
    _ends(checkout.run("apply --yes --prune --target west"))
    _ends(checkout.run("apply --yes --prune --target east"))
    assert service.sent() == ["PUT moves 200", "DELETE moves 204"]


@pytest.mark.slow
def test_a_target_split_in_two_deletes_nothing_before_all_stands(checkout: Checkout) -> None:
    """Of two that move, one can't be had: both stay where they were until it can."""
    service = _two_regions(checkout, "one", "two")
    for name in ("one", "two"):
        checkout.git("mv", f"manifests/east/{name}.yaml", f"manifests/west/{name}.yaml")
    checkout.commit()
    service.switch("quota=4")
    allowed = "--allow max-delete-fraction"
    _ends(checkout.run(f"apply --yes --prune {allowed}"), 1)
    assert {"one", "two"} <= set(service.live(key="sandbox-admin:east"))
    service.switch()
    service.sent()
    _ends(checkout.run(f"apply --yes --prune {allowed}"))
    sent = service.sent()
    assert (len(sent), sorted(sent[-2:])) == (3, ["DELETE one 204", "DELETE two 204"])


@pytest.mark.slow
def test_a_canary_that_fails_stops_all_others(checkout: Checkout) -> None:
    """Of twelve equal updates one is sent; eleven are skipped, and nothing is deleted."""
    names = [f"c{number:02}" for number in range(12)]
    checkout.write("manifests/fleet.yaml", "targets: {default: {manifests: ., canary: 1}}\n")
    service = _applied(checkout, *names, "gone")
    service.switch("unavailable=m9*")
    checkout.declare(*names, node_instance_type="m9.large")
    checkout.remove("gone")
    checkout.commit()
    ended = _ends(checkout.run("apply --yes --prune --format json"), 1)
    outcomes = sorted(ended.outcomes.values())
    assert (outcomes, len(service.sent())) == (["failed", *["skipped"] * 12], 1)
    assert "gone" in service.live()


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "sent"), [(1, 1), (3, 3)])
def test_after_so_many_failures_nothing_more_is_sent(checkout: Checkout, limit: int, sent: int) -> None:
    """`max_failures` counts those that the service refuses, too."""
    service = checkout.service(switches=("quota=0",))
    checkout.write("manifests/fleet.yaml", f"targets: {{t: {{max_failures: {limit}, concurrency: 1}}}}\n")
    checkout.declare(*(f"c{number}" for number in range(6)), folder="manifests/t")
    checkout.commit()
    ended = _ends(checkout.run("apply --yes --format json"), 1)
    assert (len(service.sent()), list(ended.outcomes.values()).count("failed")) == (sent, sent)


@pytest.mark.slow
def test_an_endless_conflict_ends_within_the_timeout_with_its_words(checkout: Checkout) -> None:
    """409 is waited out, no longer than --timeout; the service's own words are told, and the record is as it was."""
    service = _applied(checkout, "orders")
    service.switch("busy=*")
    before = checkout.recorded()
    checkout.declare("orders", shard_count=2)
    checkout.commit()
    ended = _ends(checkout.run("apply --yes --timeout 2s --format json"), 1)
    [result] = ended.targets[0]["results"]
    assert (result["outcome"], result["error"]["http_status"]) == ("failed", 409)
    assert "Cluster orders is in use elsewhere" in result["error"]["message"]
    assert set(service.sent()) == {"PUT orders 409"}
    assert checkout.recorded() == before


@pytest.mark.slow
@pytest.mark.parametrize("statuses", [(), ("failed-statuses",)])
def test_a_failed_update_is_mended_by_the_next_and_never_by_a_delete(
    checkout: Checkout, statuses: tuple[str, ...]
) -> None:
    """A fix, a revert or a second try is one PUT; what was once Active is never advised to be deleted."""
    service = _applied(checkout, "orders")
    service.switch("unavailable=m9*", *statuses)
    checkout.declare("orders", node_instance_type="m9.large")
    checkout.commit()
    for command in ("apply --yes", "plan", "drift", "apply --yes --replace=* --timeout 2s"):
        ended = checkout.run(command)
        told = ended.out + ended.err
        assert "InstanceTypeNotAvailable" in told, command
        assert not re.search(r"--replace=orders|delete it|be deleted", told), command
    assert all(request.startswith("PUT orders") for request in service.sent())
    checkout.declare("orders")
    checkout.commit("Revert")
    plan = _ends(checkout.run("plan --detailed-exitcode --format json"), 2)
    assert [change["action"] for change in plan.targets[0]["changes"]] == ["update"]
    _ends(checkout.run("apply --yes"))
    assert (service.sent(), service.live()["orders"]["errors"]) == (["PUT orders 200"], [])
    _ends(checkout.run("plan --detailed-exitcode"))


@pytest.mark.slow
@pytest.mark.parametrize("statuses", [(), ("failed-statuses",)])
def test_what_was_never_active_is_made_anew_where_somebody_says_so(
    checkout: Checkout, statuses: tuple[str, ...]
) -> None:
    """Blocked and told, with the command; not deleted by itself; `--replace` deletes and creates it, and nothing else."""
    service = _applied(checkout, "stands")
    service.switch("unavailable=m9*", *statuses)
    checkout.declare("broken", node_instance_type="m9.large")
    checkout.commit()
    _ends(checkout.run("apply --yes"), 1)
    checkout.declare("broken")
    checkout.commit()
    service.sent()
    plan = checkout.run("plan")
    assert "--replace=broken" in plan.out
    checkout.run("apply --yes --prune")
    assert service.sent() == []
    _ends(checkout.run("apply --yes --replace=*"))
    assert service.sent() == ["DELETE broken 204", "PUT broken 200"]
    assert service.live()["broken"]["status"] == "Active"


@pytest.mark.slow
def test_a_service_that_holds_something_else_is_told_and_nothing_flaps(checkout: Checkout) -> None:
    """What it made of a field from the first list on is kept: no change, one notice, and no second PUT."""
    service = checkout.service(switches=(r"rewrite=node_instance_type/^cache\.//",))
    checkout.declare("orders", node_instance_type="cache.m6g.large")
    checkout.commit()
    _ends(checkout.run("apply --yes --timeout 2s"), 1)
    assert service.sent() == ["PUT orders 200"]
    assert checkout.recorded()["orders"]["kept"] == {"node_instance_type": "m6g.large"}
    plan = _ends(checkout.run("plan --detailed-exitcode --format json"))
    sent_kept = {"path": "node_instance_type", "sent": "cache.m6g.large", "kept": "m6g.large"}
    assert plan.targets[0]["kept"] == [{"name": "orders", **sent_kept}]
    assert "the service keeps node_instance_type of orders as m6g.large (sent cache.m6g.large)" in checkout.run("plan").out  # fmt: skip
    _ends(checkout.run("apply --yes"))
    _ends(checkout.run("drift"))
    checkout.declare("orders", node_instance_type="cache.m6g.large", shard_count=2)
    checkout.commit()
    _ends(checkout.run("apply --yes"))
    assert service.sent() == ["PUT orders 200"]
    _ends(checkout.run("apply --yes"))
    assert service.sent() == []


@pytest.mark.slow
def test_what_is_not_waited_for_can_be_waited_for_later(checkout: Checkout) -> None:
    """`apply --no-wait`, then `wait`: nothing but GET, until all stands; 2 where it isn't what is declared."""
    service = checkout.service(settle_seconds=5)
    checkout.declare("orders")
    checkout.commit()
    ended = _ends(checkout.run("apply --yes --no-wait --format json"))
    assert ended.outcomes == {"orders": "applied"}
    assert checkout.recorded()["orders"]["unsettled"] == SMALL
    service.sent()
    waited = _ends(checkout.run("wait --format json"))
    assert [(one["name"], one["outcome"], one["status"]) for one in waited.targets[0]["settling"]] == [
        ("orders", "settled", "Active")
    ]
    assert (service.sent(), service.live()["orders"]["status"]) == ([], "Active")
    checkout.declare("orders", shard_count=2)
    checkout.commit()
    waited = checkout.run("wait")
    assert waited.code == 2
    assert "isn't as declared: " in waited.err
    assert "apply of" not in waited.out
    assert waited.out.endswith("  next: target default isn't as declared: look, then apply: reconciler plan\n")
    assert service.sent() == []


@pytest.mark.slow
def test_an_apply_is_resumed_by_another_runner(checkout: Checkout) -> None:
    """The first one dies after its request left; the second, in a clone of its own, knows whose it is and waits for it."""
    service = checkout.service(settle_seconds=2)
    checkout.declare("orders")
    checkout.commit()
    checkout.with_origin()
    first = checkout.start("apply --yes --remote origin --log-format json")
    assert first.stderr is not None
    next(line for line in first.stderr if '"change.accepted"' in line)
    first.kill()
    first.communicate()
    second = checkout.cloned("second", "--depth=1")
    _ends(second.run("apply --yes --remote origin"))
    assert service.sent() == ["PUT orders 200"]
    line = second.recorded()["orders"]
    assert (line["origin"], line["declared"], line["unsettled"]) == ("created", SMALL, None)


@pytest.mark.parametrize(
    ("number", "code"), [(TERM, 143), pytest.param(HUP, 129, marks=pytest.mark.slow), pytest.param(INT, 130, marks=pytest.mark.slow)]
)  # fmt: skip
def test_a_signal_leaves_a_report_and_a_record_of_what_was_under_way(
    checkout: Checkout, number: signal.Signals, code: int
) -> None:
    """Accepted and not settled is unknown, in the report and in the record: sent, from that commit, not seen settled."""
    checkout.service(settle_seconds=600)
    checkout.declare("orders")
    commit = checkout.commit()
    process = checkout.start("apply --yes --format json --log-format json --out report.json")
    assert process.stderr is not None
    next(line for line in process.stderr if '"change.accepted"' in line)
    process.send_signal(number)
    out, _ = process.communicate()
    assert process.returncode == code
    assert Ended(code, out, "").outcomes == {"orders": "unknown"}
    assert (checkout.folder / "report.json").read_text() == out
    line = checkout.recorded()["orders"]
    assert (line["declared"], line["unsettled"], line["commit"]) == (None, SMALL, commit)
