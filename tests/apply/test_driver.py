"""Runs against a service in virtual time: what is sent, when, and how each change ends."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
import structlog
from structlog.testing import capture_logs

from reconciler.apply.driver import carry_out
from reconciler.apply.job import Finished
from reconciler.apply.machine import Machine, Progress
from reconciler.apply.ongoing import EndedChange, Ongoing
from reconciler.apply.options import ApplyOptions
from reconciler.apply.protocol import Begun, Listed, Send, Taken
from reconciler.errors import (
    Forbidden,
    HttpError,
    InTransition,
    NoAnswer,
    NotFound,
    Rejected,
    Unauthenticated,
    Unavailable,
)
from reconciler.model.cluster import LiveCluster
from reconciler.plan.change import Origin
from reconciler.plan.intent import Intent
from reconciler.plan.reviewed import Standing
from reconciler.results import ErrorDetail, Result
from tests.apply.fakes import (
    BUSY,
    EVERYTHING,
    WRONG,
    Accepted,
    Answer,
    Handler,
    Listing,
    Service,
    World,
    declared,
    head_of,
    job_of,
    line,
    live,
    message,
    outcomes,
)


def lost() -> NoAnswer:
    return NoAnswer("PUT /cluster/a: no whole answer", may_have_reached=True)


def test_everything_settles_with_one_list_a_poll_and_deletes_come_last() -> None:
    """Creates and updates first; deletes when they have settled; one GET a poll, from 1 s growing to 30 s."""
    world = World()
    head = head_of(declared("a"), declared("b", shard_count=3), declared("c"))
    job = job_of(head, [live("b"), live("old")], prune=True)
    service = world.service(clusters=job.listing.clusters)
    results = world.results(job)
    assert {name: (r.action, r.outcome, r.status, r.attempts) for name, r in results.items()} == {
        "a": ("create", "applied", "Active", 1),
        "b": ("update", "applied", "Active", 1),
        "c": ("create", "applied", "Active", 1),
        "old": ("delete", "applied", None, 1),
    }
    assert service.writes == ["PUT a", "PUT b", "PUT c", "DELETE old"]
    assert service.looks[:6] == [1.0, 2.5, 4.75, 8.125, 13.1875, 20.78125]
    assert max(b - a for a, b in zip(service.looks, service.looks[1:], strict=False)) == 30.0
    assert service.requests[service.requests.index("DELETE old") - 1] == "GET"  # looked at again right before


def test_nothing_to_do_sends_nothing() -> None:
    """Not even a list: the plan's own says it all."""
    world = World()
    job = job_of(head_of(declared("a")), [live("a")])
    service = world.service(clusters=job.listing.clusters)
    (finished,) = world.apply(job)
    assert (service.requests, finished.report.results) == ([], ())
    assert finished.settled == {"a": {}}
    assert finished.listed == {"a"}


@pytest.mark.parametrize("canary", [0, 1])
def test_no_more_than_concurrency_at_once(canary: int) -> None:
    """Of each target; nor more clients and tasks, beside the one that lists. That one was alone first changes nothing."""
    world = World()
    job = job_of(head_of(*(declared(f"c{n:02}") for n in range(20)), concurrency=3, canary=canary))
    service = world.service()
    service.latency = 0.5
    tasks: set[int] = set()
    service.hook = lambda _method, _name: tasks.add(len(asyncio.all_tasks()))
    assert set(outcomes(world.results(job)).values()) == {"applied"}
    assert (service.most_in_flight, service.clients) == (3, 4)
    assert max(tasks) <= 3 + 5  # these send; the others list when it is time, wait for the signal, and are the run


def test_a_change_waits_until_the_cluster_is_free() -> None:
    """An update waits for Active, a create for gone; then each is sent."""
    world = World()
    busy, going = live("busy", status="Updating"), live("going", status="Deleting")
    job = job_of(head_of(declared("busy", shard_count=4), declared("going")), [busy, going])
    service = world.service(clusters=[busy, going])
    service.settles = {"busy": 50.0, "going": 70.0}
    results = world.results(job)
    assert outcomes(results) == {"busy": "applied", "going": "applied"}
    assert service.writes == ["PUT busy", "PUT going"]
    with capture_logs() as logs:
        skipped = World().results(job, wait=False)
    assert outcomes(skipped) == {"busy": "skipped", "going": "skipped"}
    assert [(event["event"], event["cluster"]) for event in logs] == [
        ("change.skipped", "busy"),
        ("change.skipped", "going"),
    ]
    assert message(skipped["busy"]) == (
        "in-transition: the cluster is in transition and has to be waited for; run again without --no-wait"
    )


def test_declared_clusters_in_transition_are_waited_for() -> None:
    """Though nothing is sent for them: they stand beside the results."""
    world = World()
    creating, broken = live("a", status="Creating"), live("b", status="Updating")
    job = job_of(head_of(declared("a"), declared("b")), [creating, broken])
    service = world.service(clusters=[creating, broken])
    service.settles = {"a": 40.0, "b": 40.0}
    service.show = lambda c: c._replace(status="UpdateFailed") if c.name == "b" and c.status == "Active" else c
    (finished,) = world.apply(job)
    assert [(s.name, s.outcome, s.status, s.seconds) for s in finished.report.settling] == [
        ("a", "settled", "Active", 49.258),
        ("b", "failed", "UpdateFailed", 49.258),
    ]
    assert (service.writes, set(finished.settled)) == ([], {"a"})
    (unwaited,) = World().apply(job, wait=False)
    assert [(s.outcome, s.status) for s in unwaited.report.settling] == [
        ("unknown", "Creating"),
        ("unknown", "Updating"),
    ]
    dead = [live("a", status="Creating", errors=["NoCapacity"]), live("old")]
    held = World().results(job_of(head_of(declared("a")), dead, prune=True))
    assert message(held["old"]) == (
        "earlier-failure: not deleted: a is Creating with NoCapacity; fix that, or allow it with --keep-going"
    )


def test_canaries_go_first_and_settle_before_the_others() -> None:
    """So many, by name; where one doesn't settle, none of the others is sent."""
    world = World()
    clusters = [live(f"c{n:02}") for n in range(40)]
    head = head_of(*(declared(c.name, node_instance_type="r6g.large") for c in clusters), canary=2, max_failures=9)
    service = world.service(clusters=clusters)
    assert set(outcomes(world.results(job_of(head, clusters))).values()) == {"applied"}
    assert service.requests[:2] == ["PUT c00", "PUT c01"]
    assert service.requests[2] == "GET"
    failing = World()
    service = failing.service(clusters=clusters)
    service.show = lambda c: c._replace(errors=("NoCapacity",)) if c.name == "c01" and c.status == "Updating" else c
    results = failing.results(job_of(head, clusters))
    assert service.writes == ["PUT c00", "PUT c01"]
    assert [results[name].outcome for name in ("c00", "c01", "c02", "c39")] == [
        "applied",
        "failed",
        "skipped",
        "skipped",
    ]
    assert message(results["c02"]) == (
        "earlier-failure: not sent: the canary c01 ended as failed; fix that, and run again"
    )
    unwaited = World().results(job_of(head, clusters), wait=False)
    assert message(unwaited["c02"]) == (
        "in-transition: not sent: the canaries have to settle first; run again without --no-wait"
    )


def test_what_waits_for_its_turn_is_looked_at_again_before_it_is_sent() -> None:
    """What somebody has changed meanwhile is left as it is, and what somebody has made is not taken over."""
    world = World()
    clusters = [live("a"), live("b"), live("d")]
    head = head_of(*(declared(name, node_instance_type="r6g.large") for name in "abcde"), canary=1, max_failures=9)
    service = world.service(clusters=clusters)

    def meanwhile(_method: str, name: str) -> None:
        if name == "a":
            service.clusters["b"] = live("b", description="by hand")
            service.clusters["c"] = live("c")
            service.clusters["d"] = live("d", status="Updating")
            service.settles["d"] = service.clock.seconds + 300.0

    service.hook = meanwhile
    results = world.results(job_of(head, clusters))
    assert outcomes(results) == {"a": "applied", "b": "stale", "c": "stale", "d": "applied", "e": "applied"}
    assert service.writes == ["PUT a", "PUT e", "PUT d"]


def test_what_is_queued_is_looked_at_in_each_list() -> None:
    """Until there is room for it: what was done or changed by somebody else meanwhile is not sent, nor deleted."""
    world = World()
    service = world.service(settle=5.0)
    service.latency = 10.0
    service.hook = lambda _method, name: (
        service.clusters.update(c=live("c"), d=live("d", shard_count=9)) if name == "a" else None
    )
    results = world.results(job_of(head_of(*map(declared, "abcd"), concurrency=1, max_failures=9)))
    assert outcomes(results) == {"a": "applied", "b": "applied", "c": "applied", "d": "stale"}
    assert service.writes == ["PUT a", "PUT b"]
    world = World()
    clusters = [*map(live, "xyz")]
    service = world.service(clusters=clusters, settle=5.0)
    service.latency = 10.0
    service.hook = lambda _method, name: service.clusters.update(z=live("z", shard_count=9)) if name == "x" else None
    results = world.results(job_of(head_of(concurrency=1), clusters, prune=True))
    assert outcomes(results) == {"x": "applied", "y": "applied", "z": "stale"}
    assert service.writes == ["DELETE x", "DELETE y"]


def test_a_delete_waits_until_its_cluster_is_free() -> None:
    """As any change does; without waiting it is skipped, as is each like it."""
    busy = [live("x"), live("y", status="Updating"), live("z", status="Updating")]
    world = World()
    service = world.service(clusters=busy)
    service.settles = {"y": 50.0, "z": 50.0}
    job = job_of(head_of(), busy, prune=True)
    assert outcomes(world.results(job)) == {"x": "applied", "y": "applied", "z": "applied"}
    assert service.writes == ["DELETE x", "DELETE y", "DELETE z"]
    with capture_logs() as logs:
        skipped = World().results(job, wait=False)
    assert outcomes(skipped) == {"x": "applied", "y": "skipped", "z": "skipped"}
    assert message(skipped["z"]) == (
        "in-transition: the cluster is in transition and has to be waited for; run again without --no-wait"
    )
    ended = [(event["event"], event["cluster"]) for event in logs if event["event"] != "change.accepted"]
    assert ended == [("change.skipped", "y"), ("change.skipped", "z"), ("change.applied", "x")]
    late = World()
    clusters = [live("x"), live("y")]
    service = late.service(clusters=clusters)
    service.latency = 25.0
    service.hook = lambda _method, _name: service.clusters.update(y=live("y", status="Updating"))
    changed = late.results(job_of(head_of(concurrency=1), clusters, prune=True), wait=False)
    assert message(changed["y"]) == message(skipped["z"])
    assert (service.writes, late.clock.seconds) == (["DELETE x"], 25.0)
    gone = World()
    gone.service(clusters=busy[1:])
    with capture_logs() as logs:
        gone.results(job, timeout_seconds=10.0)
    assert ("change.applied", "x") in [(event["event"], event.get("cluster")) for event in logs]


def test_after_max_failures_nothing_more_is_sent_in_that_target() -> None:
    """The other target goes on; deletes wait for both."""
    world = World()
    head = head_of(declared("a"), declared("b"), declared("c"), concurrency=1)
    service, other = world.service(), world.service("eu", [live("old")])
    service.hook = lambda _method, name: WRONG if name == "a" else None
    elsewhere = job_of(head_of(declared("d"), target="eu"), [live("old")], prune=True)
    results = world.results(job_of(head), elsewhere)
    assert outcomes(results) == {"a": "failed", "b": "skipped", "c": "skipped", "d": "applied", "old": "skipped"}
    assert (service.writes, other.writes) == (["PUT a"], ["PUT d"])
    assert message(results["a"]) == "rejected: PUT /cluster/a: 400 Bad Request: no such type"
    assert message(results["c"]) == ("max-failures: not sent: a failed, and max_failures is 1; fix that, and run again")
    assert message(results["old"]) == (
        "other-target: not deleted: default: a failed; fix that, or allow it with --keep-going"
    )


def test_keep_going_deletes_after_a_failure() -> None:
    """But for what has another half."""
    head = head_of(declared("bad"), declared("new"), max_failures=5)
    clusters = [live("old"), live("gone")]
    renamed = {"old": Origin(target="default", name="bad")}
    world = World()
    service = world.service(clusters=clusters)
    service.hook = lambda _method, name: WRONG if name == "bad" else None
    results = world.results(job_of(head, clusters, prune=True, successors=renamed), keep_going=True)
    assert outcomes(results) == {"bad": "failed", "gone": "applied", "new": "applied", "old": "skipped"}
    assert message(results["old"]) == (
        "earlier-failure: not deleted: it is renamed to bad, which has not settled; it is deleted once that has settled"
    )


def test_keep_going_counts_failed_deletes_by_themselves() -> None:
    """Failed creates don't hold what it lets go; so many failed deletes do."""
    clusters = [live(f"x{n}") for n in range(4)]
    for refused, ends in (
        ({"bad", "worse", "x0"}, ["failed", "applied", "applied", "applied"]),
        ({"bad", "x0", "x1"}, ["failed", "failed", "skipped", "skipped"]),
    ):
        world = World()
        answers = dict.fromkeys(refused, WRONG)
        world.service(clusters=clusters).hook = lambda _method, name, answers=answers: answers.get(name)  # type: ignore[misc]
        head = head_of(declared("bad"), declared("worse"), concurrency=1, max_failures=2)
        results = world.results(job_of(head, clusters, prune=True), keep_going=True)
        assert [results[cluster.name].outcome for cluster in clusters] == ends


def test_a_moves_delete_waits_for_the_other_target() -> None:
    """In this run, or in that target's record."""
    clusters = [live("orders")]
    moved = {"orders": Origin(target="eu", name="orders")}
    leaving = job_of(head_of(target="us"), clusters, prune=True, successors=moved)
    arriving = job_of(head_of(declared("orders"), target="eu"))
    world = World()
    us, eu = world.service("us", clusters), world.service("eu")
    finished = world.apply(leaving, arriving)
    assert [one.report.results[0].outcome for one in finished] == ["applied", "applied"]
    assert (us.writes, eu.writes) == (["DELETE orders"], ["PUT orders"])
    alone = World().results(leaving)
    assert message(alone["orders"]) == (
        "other-target: not deleted: it moves to eu/orders, which has not settled; it is deleted once that has settled"
    )
    settled = replace(leaving, standing=frozenset(moved.values()))
    assert outcomes(World().results(settled)) == {"orders": "applied"}


def test_no_delete_while_anything_declared_does_not_stand() -> None:
    """Changed or not, selected or not, read or not."""
    clusters = [live("a"), live("b", errors=["Sick"]), live("old")]
    head = head_of(declared("a"), declared("b"))
    only = Intent(prune="owned", only=("old",), allow=EVERYTHING)
    sick = World().results(job_of(head, clusters, intent=only))
    assert message(sick["old"]) == (
        "earlier-failure: not deleted: b is Active with Sick; fix that, or allow it with --keep-going"
    )
    lost_one = world_with(lambda method, _name: lost() if method == "PUT" else None, live("old"))
    doubtful = lost_one.results(job_of(head_of(declared("a")), [live("old")], prune=True))
    assert message(doubtful["old"]) == (
        "earlier-failure: not deleted: a may not have arrived; fix that, or allow it with --keep-going"
    )
    drifted = [live("a", shard_count=9), live("old")]
    unselected = World().results(job_of(head_of(declared("a")), drifted, intent=only))
    assert message(unselected["old"]) == (
        "earlier-failure: not deleted: a isn't as declared; fix that, or allow it with --keep-going"
    )
    job = job_of(head_of(declared("a")), [live("a"), live("old")], prune=True)
    unread = World().results(job, all_read=False)
    assert message(unread["old"]) == (
        "other-target: not deleted: a target couldn't be read, and what it declares may not be there; "
        "fix that, or allow it with --keep-going"
    )
    assert outcomes(World().results(job, all_read=False, keep_going=True)) == {"old": "applied"}


def test_without_waiting_nothing_is_deleted_while_anything_is_under_way() -> None:
    """An accepted create is not a standing one; where all stands, the delete is sent."""
    clusters = [live("a"), live("old")]
    world = World()
    results = world.results(job_of(head_of(declared("a"), declared("new")), clusters, prune=True), wait=False)
    assert outcomes(results) == {"new": "applied", "old": "skipped"}
    assert results["new"].status == "Creating"  # as it was answered
    assert message(results["old"]) == ("in-transition: not deleted: new is Creating; run again when it has settled")
    assert outcomes(World().results(job_of(head_of(declared("a")), clusters, prune=True), wait=False)) == {
        "old": "applied"
    }


def test_a_delete_looks_again_right_before_it_is_sent() -> None:
    """What somebody made anew under that name is another cluster."""
    world = World()
    clusters = [live("a"), live("old"), live("x")]
    service = world.service(clusters=clusters)
    job = job_of(head_of(declared("a", shard_count=3)), clusters, prune=True)

    def meanwhile(_method: str, _name: str) -> None:
        service.clusters["x"] = live("x", shard_count=12)
        service.clusters.pop("old", None)

    service.hook = meanwhile
    results = world.results(job)
    assert outcomes(results) == {"a": "applied", "old": "applied", "x": "stale"}
    assert message(results["x"]) == "stale: its configuration has changed since the plan was made; plan again"
    assert service.writes == ["PUT a"]


@pytest.mark.parametrize(
    ("became", "outcome", "tries"),
    [
        (None, "applied", 2),
        (live("old"), "applied", 2),
        (live("old", status="Deleting"), "applied", 2),
        (live("old", shard_count=12), "stale", 1),
        (live("old", shard_count=12, status="Creating"), "stale", 1),
    ],
)
def test_a_delete_looks_again_before_it_is_tried_again(became: LiveCluster | None, outcome: str, tries: int) -> None:
    """Its first try may have arrived, and the name may be somebody else's by now."""
    world = World()
    service = world.service(clusters=[live("old")])

    def meanwhile() -> None:
        service.clusters = {"old": became} if became is not None else {}
        service.settles = {"old": world.clock.seconds + 60} if became is not None and became.in_transition else {}

    service.lost["old"] = meanwhile
    result = world.results(job_of(head_of(), [live("old")], prune=True))["old"]
    assert (result.outcome, service.writes) == (outcome, ["DELETE old"] * tries)
    if outcome == "stale":
        assert message(result) == "stale: its configuration has changed since the plan was made; plan again"


@pytest.mark.parametrize(
    ("failed", "kind"), [(WRONG, "undocumented"), (Unavailable("503", may_have_reached=True), "unavailable")]
)
def test_a_look_that_fails_says_nothing_of_the_delete(failed: HttpError, kind: str) -> None:
    """Nor does its 400: it was the look that was refused, and the DELETE may have arrived."""
    world = World()
    service = world.service(clusters=[live("old")])
    service.lost["old"] = lambda: service.lists.append(failed)
    result = world.results(job_of(head_of(), [live("old")], prune=True))["old"]
    assert (result.outcome, result.error and result.error.kind) == ("failed", kind)
    assert service.writes == ["DELETE old"]


def test_only_a_delete_looks_before_it_is_tried_again_and_takes_no_nonsense_for_gone() -> None:
    world = World()
    service = world.service(clusters=[live("a"), live("old")])
    service.lost = {"a": lambda: None, "old": lambda: service.unreadable.update(old=99)}
    job = job_of(head_of(declared("a", shard_count=3)), [live("a"), live("old")], prune=True)
    assert outcomes(world.results(job)) == {"a": "applied", "old": "stale"}
    assert (service.writes, list(service.lost)) == (["PUT a", "DELETE old"], ["a"])


def test_what_newer_manifests_overtake_deletes_nothing() -> None:
    """They may declare it again; what is made and changed goes on."""
    world = World()
    service = world.service(clusters=[live("a"), live("old")])
    service.hook = lambda _method, _name: world.stop.superseded.set()
    results = world.results(job_of(head_of(declared("a", shard_count=3)), [live("a"), live("old")], prune=True))
    assert (outcomes(results), service.writes) == ({"a": "applied", "old": "skipped"}, ["PUT a"])
    assert message(results["old"]) == (
        "stale: not deleted: newer manifests came meanwhile; it is deleted in a round that has read these"
    )


def test_an_old_list_is_asked_for_anew_between_deletes() -> None:
    """One delete after the other, each slow: none is sent on a list older than ten seconds."""
    world = World()
    clusters = [live(f"x{n}") for n in range(5)]
    service = world.service(clusters=clusters, settle=1.0)
    service.latency = 25.0
    job = job_of(head_of(concurrency=1), clusters, prune=True)
    assert set(outcomes(world.results(job)).values()) == {"applied"}
    for position, request in enumerate(service.requests):
        if request.startswith("DELETE"):
            assert "GET" in service.requests[max(0, position - 2) : position], service.requests


def test_not_seen_yet_is_not_gone_and_neither_is_what_vanishes_for_a_moment() -> None:
    """A lagging list costs time alone."""
    world = World()
    service = world.service()
    service.lists = [[], [], [live("a", status="Creating")], [], [], [live("a")]]
    assert outcomes(world.results(job_of(head_of(declared("a"))))) == {"a": "applied"}
    updated = World()
    service = updated.service(clusters=[live("a")])
    service.lists = [[live("a")], [live("a")], [], [live("a", shard_count=3)]]
    assert outcomes(updated.results(job_of(head_of(declared("a", shard_count=3)), [live("a")]))) == {"a": "applied"}


def test_deleted_by_somebody_else_while_awaited() -> None:
    """On its way out, at once; missing for a minute, then."""
    world = World()
    service = world.service(clusters=[live("a")])
    service.lists = [[live("a", status="Updating")], [live("a", status="Deleting")]]
    job = job_of(head_of(declared("a", shard_count=3)), [live("a")])
    assert message(world.results(job)["a"]) == (
        "unsettled: it is being deleted by somebody else; run apply again to create it"
    )
    world = World()
    service = world.service(clusters=[live("a")])
    service.lists = [[live("a", status="Updating")], []]
    result = world.results(job)["a"]
    assert message(result) == "unsettled: it was deleted by somebody else; run apply again to create it"
    assert 60 <= result.seconds <= 65


def test_a_failed_create_says_replace_and_a_failed_update_never_says_delete() -> None:
    """Nothing advises to delete what was once Active."""
    world = World()
    service = world.service()
    service.show = lambda c: c._replace(errors=("InstanceTypeNotAvailable",))
    result = world.results(job_of(head_of(declared("a"))))["a"]
    assert message(result) == (
        "never-active: it is Creating with InstanceTypeNotAvailable, and was never Active: "
        "fix its manifest, and apply with --replace=a"
    )
    for status in ("UpdateFailed", "Active", "CreationFailed", "Updating"):
        world = World()
        service = world.service(clusters=[live("a")])
        service.lists = [[live("a", status=status, errors=["InstanceTypeNotAvailable"])]]
        result = world.results(job_of(head_of(declared("a", shard_count=3)), [live("a")]))["a"]
        assert message(result) == (
            f"unsettled: it is {status} with InstanceTypeNotAvailable: fix its manifest, and apply: the update is sent again"
        )
        assert result.seconds == 1.0


def test_old_errors_may_stand_for_a_while_after_a_good_update() -> None:
    """They are no verdict on the request that mends them; after a minute they are."""
    sick = live("a", status="UpdateFailed", errors=["Old"])
    job = job_of(head_of(declared("a", shard_count=3)), [sick])
    world = World()
    service = world.service(clusters=[sick])
    mended = live("a", shard_count=3)
    service.lists = [
        [sick],
        [sick],
        [mended._replace(status="Updating", errors=("Old",))],
        [mended._replace(errors=("Old",))],
        [mended],
    ]
    assert outcomes(world.results(job)) == {"a": "applied"}
    world = World()
    world.service(clusters=[sick]).lists = [[sick]]
    result = world.results(job)["a"]
    assert (result.outcome, 60 <= result.seconds <= 70) == ("failed", True)
    again = World()
    again.service(clusters=[sick]).lists = [[sick], [sick._replace(status="Updating")], [sick]]
    assert again.results(job)["a"].seconds == 4.75


def test_a_service_that_holds_something_else_is_told_by_field() -> None:
    """After a minute; sooner with a short timeout; and the record learns what it keeps."""
    head = head_of(declared("a", description="orders "))
    for timeout, seconds in ((7200.0, 60.0), (8.0, 2.0)):
        world = World()
        service = world.service(settle=0.0)
        service.show = lambda c: c._replace(values={**c.values, "description": "orders"})
        (finished,) = world.apply(job_of(head), timeout_seconds=timeout)
        (result,) = finished.report.results
        assert message(result) == (
            'not-as-sent: it is Active, and not as sent: description: sent "orders ", it is "orders"; '
            "declare what the service keeps, or name the field in lifecycle.ignore_changes"
        )
        assert result.seconds == seconds
        assert (finished.endings[0].settled, finished.endings[0].kept) == (True, {"description": "orders"})


def test_what_the_service_is_known_to_keep_is_settled() -> None:
    """An update of another field doesn't fail for it again."""
    one = declared("a", description="orders ", shard_count=3)
    was = declared("a", description="orders ")
    kept = line("a", was, kept={"description": "orders"})
    clusters = [live("a", description="orders")]
    world = World()
    service = world.service(clusters=clusters, settle=0.0)
    service.show = lambda c: c._replace(values={**c.values, "description": "orders"})
    (finished,) = world.apply(job_of(head_of(one), clusters, [kept]))
    assert finished.report.results[0].outcome == "applied"
    assert finished.endings[0].kept == {"description": "orders"}


def test_a_list_that_was_asked_for_before_the_request_says_nothing() -> None:
    """Though its answer comes after."""
    machine = Machine([job_of(head_of(declared("a", shard_count=3)), [live("a")])], ApplyOptions())
    assert isinstance(machine.handle(Begun(0.0))[0], Send)
    machine.handle(Taken(5.0, "default", "a"))
    for asked in (4.0, 5.0):
        machine.handle(Listed(6.0, "default", asked, {"a": live("a", status="UpdateFailed")}))
        assert not machine.done
    machine.handle(Listed(7.0, "default", 6.0, {"a": live("a", status="UpdateFailed")}))
    assert machine.done


def test_409_is_waited_out_and_its_words_are_told() -> None:
    """A conflict is a transition: wait, look, send again; an endless one ends at the timeout."""
    answers = [BUSY, BUSY]
    world = World()
    service = world.service(clusters=[live("a")])
    service.hook = lambda _method, _name: answers.pop() if answers else None
    job = job_of(head_of(declared("a", shard_count=3)), [live("a")])
    result = world.results(job)["a"]
    assert (result.outcome, result.attempts) == ("applied", 3)
    endless = World()
    service = endless.service(clusters=[live("a")])
    service.hook = lambda _method, _name: BUSY
    (finished,) = endless.apply(job, timeout_seconds=600.0)
    (result,) = finished.report.results
    assert message(result) == (
        "timeout: it has not become ready for its request within 10m; "
        "the service's last word: PUT /cluster/a: 409 Conflict: busy; run it again later"
    )
    assert (result.outcome, result.seconds, finished.endings[0].refused) == ("failed", 600.0, True)
    assert len(service.looks) < 40
    doubted = [InTransition(BUSY.message, http_status=409, may_have_reached=True), BUSY, BUSY]
    doubt = world_with(lambda _method, _name: doubted.pop(0) if len(doubted) > 1 else BUSY, live("a"))
    assert outcomes(doubt.results(job, timeout_seconds=600.0)) == {"a": "unknown"}  # the first may have arrived
    assert outcomes(world_with(service.hook, live("a")).results(job, wait=False)) == {"a": "skipped"}


def world_with(hook: Handler, *clusters: LiveCluster) -> World:
    world = World()
    world.service(clusters=clusters).hook = hook
    return world


def test_a_change_that_waited_is_stale_if_the_cluster_moved() -> None:
    """What somebody changed meanwhile is not overwritten, and what is gone is not created again by an update."""
    busy = live("a", status="Updating")
    job = job_of(head_of(declared("a", shard_count=3)), [busy])
    for lists, said in (
        (
            [[busy], [live("a", node_instance_type="r6g.large")]],
            "its configuration has changed since the plan was made; plan again",
        ),
        ([[busy], [live("a", status="Deleting")]], "it is being deleted by somebody else; plan again"),
        ([[]], "it has been deleted since the plan was made; plan again"),
    ):
        world = World()
        service = world.service(clusters=[busy])
        service.lists = list(lists)
        assert message(world.results(job)["a"]) == f"stale: {said}"
        assert service.writes == []


def test_an_entry_that_makes_no_sense_concludes_nothing() -> None:
    """What was sent is waited for, a delete isn't gone, and what has yet to be sent isn't."""
    world = World()
    service = world.service(clusters=[live("a"), live("old")], settle=0.0)
    service.unreadable = {"a": 3}
    clusters = [live("a"), live("old")]
    job = job_of(head_of(declared("a", shard_count=3)), clusters, prune=True)
    results = world.results(job)
    assert outcomes(results) == {"a": "applied", "old": "applied"}
    assert (results["a"].seconds, service.looks[3]) == (8.125, 8.125)
    going = World()
    service = going.service(clusters=[live("old")], settle=5.0)

    def hides(_method: str, name: str) -> None:
        service.unreadable = {name: 4}

    service.hook = hides
    result = going.results(job_of(head_of(), [live("old")], prune=True))["old"]
    assert (result.outcome, result.seconds > 8.0) == ("applied", True)
    cases = ((head_of(), live("x")), (head_of(declared("x", shard_count=3)), live("x", status="Updating")))
    for head, found in cases:
        unsent = World()
        service = unsent.service(clusters=[found])
        service.unreadable = {"x": 99}
        result = unsent.results(job_of(head, [found], prune=True))["x"]
        assert message(result) == (
            "stale: the service doesn't list it as documented, so it is left as it is; "
            "look at it in the Momento console, then plan again"
        )
        assert service.writes == []


def test_a_declared_cluster_that_makes_no_sense_holds_deletes() -> None:
    """It is there, and nobody knows whether it stands."""
    world = World()
    world.service(clusters=[live("a"), live("old")]).unreadable = {"a": 99}
    results = world.results(job_of(head_of(declared("a")), [live("a"), live("old")], prune=True))
    assert message(results["old"]) == (
        "earlier-failure: not deleted: a is not listed as documented; fix that, or allow it with --keep-going"
    )


@pytest.mark.parametrize("kind", [Unauthenticated, Forbidden])
def test_a_refused_key_stops_its_target_alone(kind: type[HttpError]) -> None:
    """After 401 or 403 nothing else is sent there; the others go on."""
    world = World()
    us = world.service("us")
    us.hook = lambda _method, _name: kind("PUT /cluster/a: no", http_status=401)
    job = job_of(head_of(declared("a"), declared("b"), target="us", concurrency=1, max_failures=9))
    results = world.results(job, job_of(head_of(declared("c"), target="eu")))
    assert outcomes(results) == {"a": "failed", "b": "skipped", "c": "applied"}
    assert results["b"].error == ErrorDetail(
        kind=kind.kind, message=f"not sent: the service refuses this target's API key ({kind.kind})", http_status=401
    )
    assert us.writes == ["PUT a"]


def test_a_key_that_is_refused_while_polling() -> None:
    """What was sent is unknown, and says why."""
    world = World()
    service = world.service()
    service.lists = [Unauthenticated("GET /cluster: 401 Unauthorized", http_status=401)]
    result = world.results(job_of(head_of(declared("a"))))["a"]
    why = "it was sent, and how it ends can't be seen: GET /cluster: 401 Unauthorized"
    assert (result.outcome, result.error) == (
        "unknown",
        ErrorDetail(kind="unauthenticated", message=why, http_status=401),
    )
    world = World()
    busy = live("busy", status="Updating")
    service = world.service(clusters=[busy])
    service.lists = [Unauthenticated("GET /cluster: 401 Unauthorized", http_status=401)]
    service.hook = lambda _method, name: lost() if name == "b" else None
    head = head_of(*map(declared, "abc"), declared("busy", shard_count=3), max_failures=9)
    with capture_logs() as logs:
        results = world.results(job_of(head, [busy]))
    assert outcomes(results) == {"a": "unknown", "b": "unknown", "busy": "skipped", "c": "unknown"}
    assert message(results["b"]) == "no-answer: PUT /cluster/a: no whole answer"  # that is the better reason
    told = [(event["event"], event.get("cluster")) for event in logs if event["event"] != "change.accepted"]
    unknown = [("change.unknown", name) for name in "abc"]
    assert told == [("poll.failed", None), *unknown, ("change.skipped", "busy")]
    assert message(results["busy"]) == (
        "unauthenticated: not sent: the service refuses this target's API key (unauthenticated)"
    )
    assert service.writes == ["PUT a", "PUT b", "PUT c"]


def test_a_key_that_is_refused_while_it_is_checked_what_stands() -> None:
    """Once: the deletes of all targets are held, since what that one declares can't be seen."""
    world = World()
    us = world.service("us", [live("a")])
    us.lists = [Unauthenticated("GET /cluster: 401 Unauthorized", http_status=401)]
    eu = job_of(head_of(target="eu"), [live("old")], prune=True)
    results = world.results(job_of(head_of(declared("a"), target="us"), [live("a")]), eu)
    assert message(results["old"]) == (
        "other-target: not deleted: the clusters of us can't be listed; fix that, or allow it with --keep-going"
    )
    assert (us.requests, world.clock.seconds < 2.0) == (["GET"], True)


def test_what_cant_be_listed_for_as_long_as_the_timeout_holds_deletes() -> None:
    """Everywhere; with --keep-going only its own. A list that is had in time after all holds nothing."""
    down = Unavailable("GET /cluster: 503", http_status=503)
    jobs = [job_of(head_of(target=target), [live(name)], prune=True) for target, name in (("us", "x"), ("eu", "y"))]
    why = "earlier-failure: not deleted: the clusters of us can't be listed; fix that, or allow it with --keep-going"
    for keep_going, ends in ((False, {"x": "skipped", "y": "skipped"}), (True, {"x": "skipped", "y": "applied"})):
        world = World()
        us, _ = world.service("us", [live("x")]), world.service("eu", [live("y")], settle=1.0)
        us.lists = [down]
        results = world.results(*jobs, timeout_seconds=90.0, keep_going=keep_going)
        assert outcomes(results) == ends
        assert message(results["x"]) == why
        assert 90.0 <= us.looks[-1] <= 120.0
    late = World()
    late.service("eu", [live("y")], settle=1.0)
    late.service("us", [live("x")]).lists = [down, down, [live("x")], []]
    assert outcomes(late.results(*jobs, timeout_seconds=90.0)) == {"x": "applied", "y": "applied"}


def test_what_may_yet_stand_is_waited_for_before_anything_is_deleted() -> None:
    """What is missing from the list, for a minute; what is at work, until the timeout; what has failed, not at all."""
    a, b, old = live("a"), live("b"), live("old")
    job = job_of(head_of(declared("a"), declared("b")), [a, b, old], prune=True)
    working, failed = a._replace(status="Updating"), b._replace(status="UpdateFailed")
    mend, again = "; fix that, or allow it with --keep-going", "; run again when it has settled"
    for shown, wait, why, seconds in (
        ([b, old], True, f"earlier-failure: not deleted: a isn't there{mend}", (60.0, 90.0)),
        ([b, old], False, f"earlier-failure: not deleted: a isn't there{mend}", (0.0, 0.0)),
        ([working, b, old], True, f"in-transition: not deleted: a is Updating{again}", (7.125, 7.125)),
        ([working, b, old], False, f"in-transition: not deleted: a is Updating{again}", (0.0, 0.0)),
        ([working, failed, old], True, f"earlier-failure: not deleted: b is UpdateFailed{mend}", (0.0, 0.0)),
    ):
        world = World()
        service = world.service()
        service.lists = [shown]
        result = world.results(job, wait=wait, timeout_seconds=7.125 if shown[0] == working else 7200.0)["old"]
        assert message(result) == why
        assert seconds[0] <= world.clock.seconds <= seconds[1]
        assert service.writes == []
    for shown in ([b, old], [working, b, old]):
        world = World()
        service = world.service(clusters=[a, b, old])
        service.lists = [shown, shown, shown, [a, b, old], [a, b]]
        assert outcomes(world.results(job)) == {"old": "applied"}
        assert service.looks[:4] == [0.0, 1.5, 3.75, 7.125]


def test_an_answer_that_was_lost_is_looked_for_in_the_list() -> None:
    """As sent: applied. Never seen: unknown, in the words of the loss. Without waiting: unknown at once."""
    job = job_of(head_of(declared("a")))
    arrived = World()
    service = arrived.service()

    def loses(_method: str, name: str) -> HttpError:
        service.clusters[name] = live(name)
        return lost()

    service.hook = loses
    result = arrived.results(job)["a"]
    assert (result.outcome, service.writes, result.attempts) == ("applied", ["PUT a"], 1)
    never = world_with(lambda _method, _name: lost())
    result = never.results(job)["a"]
    assert (result.outcome, message(result)) == ("unknown", "no-answer: PUT /cluster/a: no whole answer")
    assert 60 <= result.seconds < 100
    broken = Unavailable("PUT /cluster/a: 500", http_status=500, may_have_reached=True)
    assert outcomes(world_with(lambda _method, _name: broken).results(job, wait=False)) == {"a": "unknown"}


def test_404_fails_a_put_at_once() -> None:
    """A service that has moved on is not asked again."""
    refused = NotFound("PUT /cluster/a: 404 Not Found", http_status=404)
    world = world_with(lambda _method, _name: refused)
    (finished,) = world.apply(job_of(head_of(declared("a"))))
    assert [r.outcome for r in finished.report.results] == ["failed"]
    assert (finished.endings[0].sent, finished.endings[0].refused) == (True, True)


def test_polls_that_fail_are_survived_and_what_does_not_settle_in_time_failed() -> None:
    """5xx in the middle of settling is normal; --timeout bounds each wait."""
    world = World()
    service = world.service()
    down = Unavailable("GET /cluster: 503", http_status=503)
    service.lists = [*[down] * 12, [live("a")]]
    with capture_logs() as logs:
        assert outcomes(world.results(job_of(head_of(declared("a"))))) == {"a": "applied"}
    told = {"target": "default", "kind": "unavailable", "error": "GET /cluster: 503", "http_status": 503}
    assert {"event": "poll.failed", "log_level": "warning", **told} in logs
    slow = World()
    slow.service(settle=1e9)
    result = slow.results(job_of(head_of(declared("a"))), timeout_seconds=90.0)["a"]
    assert (result.outcome, result.seconds) == ("failed", 90.0)
    assert message(result) == "timeout: it has not settled within 1m 30s, and is Creating; run `reconciler wait`"


def test_attempts_and_seconds_are_counted_from_the_first_request_on() -> None:
    """Of what was taken, of what was refused, and of what was never sent; to the millisecond."""
    answers: dict[str, Answer] = {
        "a": Accepted(attempts=3),
        "b": Rejected("PUT /cluster/b: 400 Bad Request: no such type", http_status=400, attempts=4),
    }
    world = world_with(lambda _method, name: answers[name])
    world.services["default"].latency = 0.12345
    head = head_of(declared("a"), declared("b"), declared("c"), concurrency=1)
    results = world.results(job_of(head), wait=False)
    told = {name: (r.outcome, r.attempts, r.seconds) for name, r in results.items()}
    assert told == {"a": ("applied", 3, 0.123), "b": ("failed", 4, 0.123), "c": ("skipped", 0, 0.0)}


def test_a_replacement_deletes_first_and_creates_when_that_is_gone() -> None:
    """In one change, ahead of all other deletes."""
    dead = live("a", status="CreationFailed")
    intent = Intent(replace=("a",), adopt=("a",), allow=EVERYTHING)
    job = job_of(head_of(declared("a")), [dead], [], intent=intent)
    world = World()
    service = world.service(clusters=[dead])
    result = world.results(job)["a"]
    assert (service.writes, result.outcome, result.attempts) == (["DELETE a", "PUT a"], "applied", 2)
    refused = World()
    service = refused.service(clusters=[dead])
    service.hook = lambda method, _name: WRONG if method == "PUT" else None
    (finished,) = refused.apply(job)
    assert message(finished.report.results[0]) == (
        "rejected: it was deleted, and not created again: PUT /cluster/a: 400 Bad Request: no such type"
    )
    assert not finished.endings[0].refused
    revived = World()
    service = revived.service(clusters=[dead])
    service.lost["a"] = lambda: service.clusters.update(a=live("a"))
    assert (revived.results(job)["a"].outcome, service.writes) == ("stale", ["DELETE a"])
    unwaited = World().results(job, wait=False)["a"]
    assert (unwaited.outcome, unwaited.attempts) == ("skipped", 0)  # half of it alone would leave nothing
    halted = World()
    service = halted.service(clusters=[dead])
    service.hook = lambda method, _name: WRONG if method == "PUT" else None
    both = job_of(head_of(declared("a"), declared("b")), [dead], [], intent=intent)
    assert message(halted.results(both)["a"]) == (
        "max-failures: it was deleted, and not created again: "
        "not sent: b failed, and max_failures is 1; fix that, and run again"
    )
    assert service.writes == ["DELETE a", "PUT b"]


def test_a_saved_plan_tells_what_was_done_already_and_what_is_stale() -> None:
    """One result each, beside those of what still stands."""
    saved = job_of(head_of(declared("a"), declared("b"), declared("c")))
    a, b, _ = saved.plan.changes
    job = replace(job_of(head_of(declared("c"))), saved=Standing((a,), ((b, "somebody was faster"),)))
    results = World().results(job)
    assert outcomes(results) == {"a": "applied", "b": "stale", "c": "applied"}
    assert message(results["b"]) == "stale: somebody was faster"


def test_what_a_saved_plan_finds_done_is_settled_where_it_stands() -> None:
    """So the record learns it; what is still at work may yet fail, and what was to be deleted is gone."""
    head, clusters = head_of(declared("a"), declared("b")), [live("old")]
    done = job_of(head, clusters, prune=True).plan.changes
    now = job_of(head, [live("a"), live("b", status="Creating")])
    (finished,) = World().apply(replace(now, saved=Standing(done, ())))
    assert [(one.name, one.settled, one.sent) for one in finished.endings] == [
        ("a", True, False),
        ("b", False, False),
        ("old", True, False),
    ]
    world = World()
    service = world.service(clusters=[live("a"), live("b")])
    world.apply(replace(job_of(head, [live("a"), live("b")]), saved=Standing(done, ())))
    assert service.requests == []  # no delete is left for which it would have to be looked


def test_left_changes_are_told_and_hold_nothing() -> None:
    """Nothing is sent for them, and deletes go on."""
    drifted = [live("a", shard_count=9), live("old")]
    one = declared("a", lifecycle={"on_drift": "report"})
    job = job_of(head_of(one), drifted, [line("a"), line("old")], prune=True)
    world = World()
    service = world.service(clusters=drifted)
    assert outcomes(world.results(job)) == {"a": "left", "old": "applied"}
    assert service.writes == ["DELETE old"]


def test_a_stop_finishes_what_is_in_flight_and_starts_nothing() -> None:
    """After the first signal: accepted and not settled is unknown, the rest is skipped; everything is told."""
    world = World()
    service = world.service()
    service.latency = 5.0

    def stops(_method: str, _name: str) -> None:
        world.stop.requested.set()

    service.hook = stops
    results = world.results(job_of(head_of(declared("a"), declared("b"), concurrency=1)))
    assert {name: (r.outcome, r.attempts) for name, r in results.items()} == {"a": ("unknown", 1), "b": ("skipped", 0)}
    assert message(results["a"]) == (
        "interrupted: the run ended before this change had settled; run `reconciler plan` to see where it is"
    )
    assert message(results["b"]) == "interrupted: the run ended before this change was sent; run again"
    assert service.writes == ["PUT a"]
    stopped = world_with(lambda _method, _name: lost())

    async def stops_while_it_looks() -> dict[str, Result]:
        work = asyncio.ensure_future(stopped.work(job_of(head_of(declared("a")))))
        await stopped.clock.sleep(5.0)
        stopped.stop.requested.set()
        return {result.name: result for one in await work for result in one.report.results}

    result = stopped.clock.run(stops_while_it_looks())["a"]
    assert (result.outcome, message(result)) == ("unknown", "no-answer: PUT /cluster/a: no whole answer")
    assert stopped.clock.seconds == 5.0  # at once, though nothing else happens


def test_a_cancelled_run_reports_at_once_and_counts_what_was_in_flight() -> None:
    """After the second signal."""
    world = World()
    world.service().latency = 50.0

    async def cancelled() -> dict[str, tuple[str, int]]:
        work = asyncio.ensure_future(world.work(job_of(head_of(declared("a"), declared("b"), concurrency=1))))
        await world.clock.sleep(10.0)
        work.cancel()
        (finished,) = await work
        return {result.name: (result.outcome, result.attempts) for result in finished.report.results}

    with capture_logs() as logs:
        assert world.clock.run(cancelled()) == {"a": ("unknown", 1), "b": ("skipped", 0)}
    assert world.clock.seconds == 10.0
    assert [event["event"] for event in logs] == ["apply.cancelled", "change.skipped", "change.unknown"]


def test_a_run_that_ends_while_changes_settle_tells_each_and_counts_none_as_refused() -> None:
    """By the second signal, by the first, or by the timeout: the record has to know that they were sent."""

    async def ended(world: World, how: str) -> tuple[Finished, ...]:
        work = asyncio.ensure_future(world.work(job_of(head_of(*map(declared, "abc"))), timeout_seconds=60.0))
        await world.clock.sleep(10.0)
        if how == "cancelled":
            work.cancel()
        if how == "stopped":
            world.stop.requested.set()
        return await work

    for how, outcome in (("cancelled", "unknown"), ("stopped", "unknown"), ("out of time", "failed")):
        world = World()
        world.service()
        with capture_logs() as logs:
            (finished,) = world.clock.run(ended(world, how))
        assert [(e["event"], e["cluster"]) for e in logs if e["event"] == f"change.{outcome}"] == [
            (f"change.{outcome}", name) for name in "abc"
        ]
        assert [(one.sent, one.refused) for one in finished.endings] == [(True, False)] * 3
    flying = World()
    flying.service().latency = 50.0
    (finished,) = flying.clock.run(ended(flying, "cancelled"))
    assert [(one.sent, one.refused) for one in finished.endings] == [(True, False)] * 3


def test_a_bug_in_a_client_or_in_the_run_still_ends_in_a_report() -> None:
    """Every change has one result, whatever breaks."""
    world = World()
    service = world.service()

    def breaks(_method: str, name: str) -> None:
        if name == "a":
            raise ZeroDivisionError

    service.hook = breaks
    with capture_logs() as logs:
        results = world.results(job_of(head_of(declared("a"), declared("b"), max_failures=9)))
    assert outcomes(results) == {"a": "unknown", "b": "applied"}
    (broke,) = [event for event in logs if event["event"] == "request.broke"]
    assert isinstance(broke["exc_info"], ZeroDivisionError)

    def broken(_progress: Progress) -> None:
        raise ZeroDivisionError

    world = World()
    job = job_of(head_of(declared("a")))
    run = carry_out(
        [job], {"default": world.service()}, ApplyOptions(), clock=world.clock, stop=world.stop, on_progress=broken
    )
    with capture_logs() as logs:
        (finished,) = world.clock.run(run)
    (result,) = finished.report.results
    assert (result.outcome, message(result)) == (
        "unknown",
        "internal: a bug in this program ended the run; the log says where",
    )
    assert [event["event"] for event in logs] == ["apply.broke", "change.unknown"]


def test_progress_counts_and_names_what_is_under_way() -> None:
    """For a line on a terminal, and for the page: each cluster, what was asked of it, and for how long."""
    world = World()
    seen: list[Progress] = []
    job = job_of(head_of(declared("a"), declared("b")))
    service = world.service()
    service.latency = 0.125
    run = carry_out(
        [job], {"default": service}, ApplyOptions(), clock=world.clock, stop=world.stop, on_progress=seen.append
    )
    world.clock.run(run)
    sending = tuple(Ongoing("default", name, "create", "sending", 0.0) for name in ("a", "b"))
    assert seen[0] == Progress(total=2, ended=0, failed=0, awaited=0, oldest_seconds=None, ongoing=sending)
    settling = tuple(Ongoing("default", name, "create", "settling", 1.0, "Creating") for name in ("a", "b"))
    assert seen[1] == Progress(total=2, ended=0, failed=0, awaited=2, oldest_seconds=1.0, ongoing=settling)
    ended = tuple(EndedChange("default", name, "create", "applied") for name in ("a", "b"))
    assert seen[-1] == Progress(total=2, ended=2, failed=0, awaited=0, oldest_seconds=None, changes_ended=ended)


def test_progress_of_many_targets_is_told_once_for_all_that_comes_together() -> None:
    """Telling takes as long as there are clusters: not for each of their lists, and the last is never left out."""
    world = World()
    names = [f"t{number:02}" for number in range(20)]
    jobs = [job_of(head_of(declared("a"), target=name)) for name in names]
    moments = Counter[float]()
    seen: list[Progress] = []

    def tell(progress: Progress) -> None:
        moments[round(world.clock.seconds, 3)] += 1
        seen.append(progress)

    class Far(Service):
        async def list_clusters(self, *, budget_seconds: float | None = None) -> Listing:
            await self.clock.sleep(0.1)
            return await super().list_clusters(budget_seconds=budget_seconds)

    services = {name: Far(world.clock) for name in names}
    run = carry_out(jobs, services, ApplyOptions(), clock=world.clock, stop=world.stop, on_progress=tell)
    world.clock.run(run)
    assert max(moments.values()) <= 2
    assert (seen[-1].ended, len(seen[-1].changes_ended)) == (20, 20)


def test_progress_is_told_five_times_a_second_at_most() -> None:
    """Though answers come by the hundred; the end is always told."""
    world = World()
    service = world.service()
    service.latency = 0.1
    seen: list[tuple[float, int]] = []
    run = carry_out(
        [job_of(head_of(*(declared(f"c{n}") for n in range(5)), concurrency=1))],
        {"default": service},
        ApplyOptions(wait=False),
        clock=world.clock,
        stop=world.stop,
        on_progress=lambda progress: seen.append((world.clock.seconds, progress.ended)),
    )
    world.clock.run(run)
    assert seen == [(0.0, 0), (0.2, 2), (0.4, 4), (0.5, 5)]


def test_a_result_says_where_its_cluster_is_declared() -> None:
    """As its change does."""
    job = job_of(head_of(declared("a")))
    (result,) = World().results(job).values()
    assert result.source is not None
    assert result.source == job.plan.changes[0].source


def test_events_are_stable() -> None:
    """What a log pipeline matches: names, and the fields that go with them."""
    world = World()
    with capture_logs() as logs:
        world.apply(job_of(head_of(declared("a"))))
    ours = {"target": "default", "cluster": "a", "action": "create", "log_level": "info"}
    assert logs[0] == {"event": "change.accepted", **ours, "seconds": 0.0, "attempts": 1}
    assert logs[1] == {"event": "clusters.awaited", "target": "default", "count": 1, "seconds": 75, "log_level": "info"}
    assert [event["event"] for event in logs[2:]] == ["cluster.settled", "change.applied"]
    world = world_with(lambda _method, _name: WRONG)
    with capture_logs() as logs:
        world.apply(job_of(head_of(declared("a"), declared("b"), concurrency=1)))
    why = {"kind": "rejected", "error": "PUT /cluster/a: 400 Bad Request: no such type", "http_status": 400}
    failed = {**ours, "event": "change.failed", "log_level": "error", "attempts": 1, "seconds": 0.0, **why}
    kept = {
        "kind": "max-failures",
        "error": "not sent: a failed, and max_failures is 1; fix that, and run again",
    }
    skipped = {**ours, "event": "change.skipped", "log_level": "warning", "cluster": "b", "seconds": 0.0, **kept}
    assert logs == [failed, skipped]


def test_what_a_client_logs_goes_with_its_target() -> None:
    """Of several at once, whether it sends or lists."""
    world = World()
    seen: set[tuple[str, str]] = set()

    def service_of(target: str) -> None:
        def sends(_method: str, _name: str) -> None:
            seen.add((target, structlog.contextvars.get_contextvars()["target"]))

        def lists(cluster: LiveCluster) -> LiveCluster:
            sends("GET", cluster.name)
            return cluster

        service = world.service(target)
        service.hook, service.show = sends, lists

    jobs = []
    for target in ("us", "eu"):
        service_of(target)
        jobs.append(job_of(head_of(declared("a"), target=target)))
    world.apply(*jobs)
    assert seen == {("us", "us"), ("eu", "eu")}


def test_without_anything_to_do_there_is_no_progress_to_tell() -> None:
    """A run of no target has ended."""
    assert Machine([], ApplyOptions()).progress(1.0) == Progress(0, 0, 0, 0, None)


def test_a_report_tells_whose_it_is_and_what_was_planned() -> None:
    """All that a reader of results has of the plan."""
    clusters = [live("a", shard_count=9), live("mine"), live("old")]
    head = head_of(declared("a"), declared("mine"), declared("new"))
    job = job_of(head, clusters, [line("a"), line("old")], prune=True)
    plan = job.plan
    assert plan.taken_over == ("mine",)
    job = replace(
        job,
        plan=plan.model_copy(update={"warnings": ("beware",)}),
        reviewed={"a": True, "new": False},
        taken_over=(*plan.taken_over, "vanished"),
    )
    (finished,) = World().apply(job)
    report = finished.report
    assert (report.target, report.endpoint, report.revision, report.digest, report.warnings, report.taken_over) == (
        "default",
        plan.endpoint,
        "c1",
        plan.digest,
        ("beware",),
        ("mine",),
    )
    told = [(one.action, one.name, one.cause, one.fields, one.risks, one.reviewed) for one in report.results]
    assert told == [
        (change.action, change.name, change.cause, change.fields, change.risks, seen)
        for change, seen in zip(plan.changes, (True, False, None), strict=True)
    ]
    assert report.summary.applied == 3


def ends(world: World) -> list[tuple[float, list[str]]]:
    return [(at, [one.report.target for one in finished]) for at, finished in world.ended]


def test_targets_that_go_apart_are_told_as_they_end() -> None:
    """First those in which there is nothing to do, each once; what is last comes back. Together, all come back."""
    heads = [head_of(target="idle"), *(head_of(declared("a"), target=name) for name in ("us", "eu"))]
    world = World()
    for name, settle in (("us", 10.0), ("eu", 500.0)):
        world.service(name, settle=settle)
    rest = world.apply(*map(job_of, heads), apart=True)
    assert [progress.total for progress in world.progress[:2]] == [2, 2]
    assert world.progress[-1].total == 1
    (begun, first), (settled, second) = ends(world)
    assert (begun, first, second) == (0.0, ["idle"], ["us"])
    assert 10.0 <= settled < 20.0
    assert [one.report.target for one in rest] == ["eu"]
    together = World()
    assert [one.report.target for one in together.apply(*map(job_of, heads))] == ["idle", "us", "eu"]
    assert together.ended == []


def test_a_delete_that_would_wait_for_another_target_is_left_for_later() -> None:
    """As soon as that is all that is left; what can go goes when everything else has settled, as ever."""
    leaving, building = [live("a"), live("old")], head_of(declared("b"), target="eu")
    jobs = (
        job_of(head_of(declared("a"), target="us"), leaving, prune=True),
        job_of(building, [live("gone")], prune=True),
    )
    world = World()
    us, eu = world.service("us", leaving), world.service("eu", [live("gone")])
    (finished,) = world.apply(*jobs, apart=True)
    assert outcomes({one.name: one for one in finished.report.results}) == {"b": "applied", "gone": "applied"}
    assert ends(world) == [(0.0, ["us"])]
    assert message(world.ended[0][1][0].report.results[0]) == (
        "other-target: not deleted: eu has yet to settle; it is deleted in a round after that"
    )
    assert (us.writes, eu.writes) == ([], ["PUT b", "DELETE gone"])


def test_what_goes_apart_is_deleted_where_all_stands_and_only_then() -> None:
    """At one look: another target that doesn't stand, or isn't listed, or isn't in the round, is not waited for."""
    here = job_of(head_of(declared("a"), target="us"), [live("a"), live("old")], prune=True)
    there = job_of(head_of(declared("b"), target="eu"), [live("b")])
    world = World()
    us = world.service("us", [live("a"), live("old")], settle=1.0)
    world.results(here, there, apart=True)
    assert us.writes == ["DELETE old"]
    moved = World()
    moved.service("eu", [live("b", status="Updating")])
    results = moved.results(here, there, apart=True)
    assert message(results["old"]) == "other-target: not deleted: eu: b is Updating; run again when it has settled"
    assert moved.clock.seconds < 1.0
    lost_sight = World()
    lost_sight.service("eu").lists = [Unavailable("GET /cluster: 503", http_status=503)]
    assert message(lost_sight.results(here, there, apart=True)["old"]) == (
        "other-target: not deleted: the clusters of eu can't be listed; fix that, or allow it with --keep-going"
    )
    assert message(World().results(here, left_out=("eu",))["old"]) == (
        "other-target: not deleted: this round is without eu; it is deleted in one of all targets"
    )
    assert outcomes(World().results(here, left_out=("eu",), keep_going=True)) == {"old": "applied"}
