"""A plan carried out, in virtual time, against the sandbox's own application or a scripted service."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from reconciler.apply.options import ApplyOptions, Stop
from reconciler.model.cluster import LiveCluster
from reconciler.model.declaration import Manifest
from reconciler.plan.settings import Intent
from reconciler.reconcile import Applied, Planned, Site, apply_all, plan_all
from reconciler.results import Result
from reconciler.sandbox.app import create_app
from reconciler.sandbox.model import ClusterBody
from reconciler.sandbox.store import Store
from tests.fakes import FakeClock, connection, head, live, manifest
from tests.fakes import planned as plan_of

Handler = Callable[[httpx.Request], httpx.Response]


class World:
    """A sandbox in virtual time, and the requests that reached it."""

    def __init__(self, folder: Path, settle_seconds: float = 600.0) -> None:
        self.clock = FakeClock()
        self.requests: list[str] = []
        self.store = Store(str(folder / "s.db"), clock=self.clock, settle_seconds=settle_seconds)
        self.stop = Stop()
        app = create_app(
            self.store, observer=lambda method, path, status: self.requests.append(f"{method} {path} {status}")
        )
        self.transport = lambda: httpx.ASGITransport(app)

    def site(self, *manifests: Manifest) -> Site:
        key = "sandbox-admin"
        one = head(*manifests)
        return Site(one, "sandbox", connection(self.transport, self.clock, stop=self.stop, key=key), one.target)

    def apply(self, *manifests: Manifest, prune_all: bool = False, **options: object) -> dict[str, Result]:
        self.stop = Stop()

        async def run() -> Applied:
            site = self.site(*manifests)
            planned = await plan_all([site], Intent(prune="all" if prune_all else None), self.clock)
            assert planned.errors == ()
            self.requests.clear()
            return await apply_all(planned, [site], ApplyOptions(**options), self.clock, self.stop)  # type: ignore[arg-type]

        return {result.name: result for result in self.clock.run(run()).reports[0].results}

    def put(self, name: str, **fields: object) -> None:
        body = manifest(name, **fields).model_dump(mode="json", exclude={"name", "lifecycle"})
        self.store.put("default", name, ClusterBody.model_validate(body))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    yield world
    world.store.close()


def test_everything_settles_with_one_list_a_poll_and_deletes_come_last(world: World) -> None:
    """Creates and updates first; deletes when they have settled; one GET a poll, from 1 s growing to 30 s."""
    world.put("old")
    world.put("b")
    world.clock.seconds += 600
    results = world.apply(manifest("a"), manifest("b", shard_count=3), manifest("c"), prune_all=True)
    assert {name: (r.action, r.outcome) for name, r in results.items()} == {
        "a": ("create", "applied"),
        "b": ("update", "applied"),
        "c": ("create", "applied"),
        "old": ("delete", "applied"),
    }
    writes = [request for request in world.requests if not request.startswith("GET")]
    assert writes[-1] == "DELETE /cluster/old 204"
    assert sorted(writes[:-1]) == [f"PUT /cluster/{name} 200" for name in "abc"]
    assert world.requests.index(writes[-1]) > world.requests.index("GET /cluster 200")
    assert len([request for request in world.requests if request.startswith("GET")]) < 60
    waits = [seconds for seconds in world.clock.slept if seconds >= 1]
    assert waits[:3] == [1.0, 1.5, 2.25]
    assert max(waits) == 30.0


def test_a_second_apply_writes_nothing(world: World) -> None:
    """In sync is in sync."""
    world.apply(manifest("a"))
    assert world.apply(manifest("a")) == {}
    assert world.requests == []


def test_a_change_waits_until_the_cluster_is_free(world: World) -> None:
    """An update waits for Active, a create for gone; then each is sent."""
    world.put("going")
    world.clock.seconds += 600
    world.store.delete("default", "going")
    world.put("busy")
    results = world.apply(manifest("busy", shard_count=4), manifest("going"))
    assert {name: (r.outcome, r.attempts, r.status) for name, r in results.items()} == {
        "busy": ("applied", 1, "Active"),
        "going": ("applied", 1, "Active"),
    }


def test_without_waiting_what_has_to_wait_is_skipped(world: World) -> None:
    """--no-wait sends what can be sent, and says what it left."""
    world.put("busy")
    results = world.apply(manifest("busy", shard_count=4), manifest("new"), wait=False)
    assert {name: r.outcome for name, r in results.items()} == {"busy": "skipped", "new": "applied"}
    assert world.requests == ["PUT /cluster/new 200"]


def test_a_cluster_that_breaks_fails_alone_and_keeps_deletes_from_being_sent(world: World) -> None:
    """The others go on; nothing is deleted after a failure, unless --keep-going."""
    world.put("old")
    world.clock.seconds += 600
    broken = manifest("broken", node_instance_type="z9.huge")
    results = world.apply(broken, manifest("good"), prune_all=True)
    assert {name: r.outcome for name, r in results.items()} == {"broken": "failed", "good": "applied", "old": "skipped"}
    assert results["broken"].error is not None
    assert results["broken"].error.message == (
        "it is Creating with InstanceTypeNotAvailable: delete it, then run apply again to create it as declared"
    )
    assert world.apply(broken, manifest("good"), prune_all=True, keep_going=True)["old"].outcome == "applied"


def test_what_does_not_settle_in_time_failed(world: World) -> None:
    """--timeout bounds the wait of each change."""
    results = world.apply(manifest("slow"), timeout_seconds=60.0)
    assert results["slow"].outcome == "failed"
    assert results["slow"].error is not None
    assert results["slow"].error.message == "it has not settled within 1m; run plan to see where it is"
    assert 60 <= results["slow"].seconds <= 91


class Scripted:
    """A service that answers as it is told; `lists` are what each GET shows, the last one again and again."""

    def __init__(self, lists: list[list[LiveCluster]], answer: Handler) -> None:
        self.clock = FakeClock()
        self.lists = lists
        self.answer = answer
        self.sent: list[str] = []
        self.stop = Stop()
        self.failing: list[int] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and self.failing:
            return httpx.Response(self.failing.pop())
        if request.method == "GET":
            clusters = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
            return httpx.Response(200, json=[cluster.model_dump(mode="json") for cluster in clusters])
        self.sent.append(f"{request.method} {request.url.path}")
        return self.answer(request)

    def apply(self, *manifests: Manifest, prune_all: bool = False, **options: object) -> dict[str, Result]:
        one = head(*manifests)
        first = tuple(self.lists.pop(0))
        planned = Planned((plan_of(one, first, prune_all=prune_all),), (), {})
        site = Site(
            one,
            "https://h",
            connection(lambda: httpx.MockTransport(self.handle), self.clock, stop=self.stop),
            one.target,
        )
        settings = ApplyOptions(**options)  # type: ignore[arg-type]
        applied = self.clock.run(apply_all(planned, [site], settings, self.clock, self.stop))
        return {result.name: result for result in applied.reports[0].results}


def taken(request: httpx.Request) -> httpx.Response:
    """The answer to a good PUT or DELETE."""
    if request.method == "DELETE":
        return httpx.Response(204)
    body = json.loads(request.content)
    return httpx.Response(200, json=live("x", **body, status="Creating").model_dump(mode="json"))


def test_not_seen_yet_is_not_gone() -> None:
    """A created cluster may be missing from the list for a while."""
    service = Scripted([[], [], [], [live("a")]], taken)
    assert service.apply(manifest("a"))["a"].outcome == "applied"


def test_active_with_other_values_is_not_settled() -> None:
    """Settled means as sent: an update that is Active but not yet as sent is waited for."""
    service = Scripted([[live("a")], [live("a")], [live("a", shard_count=3)]], taken)
    assert service.apply(manifest("a", shard_count=3))["a"].outcome == "applied"
    assert service.lists == [[live("a", shard_count=3)]]


def test_a_change_that_waited_is_stale_if_the_cluster_moved() -> None:
    """What somebody changed meanwhile is not overwritten: exit 4, nothing sent."""
    busy, moved = live("a", status="Updating"), live("a", node_instance_type="r6g.large")
    service = Scripted([[busy], [busy], [moved]], taken)
    result = service.apply(manifest("a", shard_count=3))["a"]
    assert (result.outcome, service.sent) == ("stale", [])


def test_409_is_waited_out_and_an_earlier_request_that_arrived_counts() -> None:
    """A conflict is a transition: wait, look, and send again only what is not there yet."""
    answers = [httpx.Response(409, json={"message": "busy"}), None]

    def answer(request: httpx.Request) -> httpx.Response:
        return answers.pop(0) or taken(request)

    service = Scripted([[live("a")], [live("a", status="Updating")], [live("a")], [live("a", shard_count=3)]], answer)
    result = service.apply(manifest("a", shard_count=3))["a"]
    assert (result.outcome, service.sent, result.attempts) == ("applied", ["PUT /cluster/a"] * 2, 2)
    arrived = Scripted([[live("a")], [live("a", shard_count=3)]], lambda _request: httpx.Response(409))
    assert arrived.apply(manifest("a", shard_count=3))["a"].outcome == "applied"
    assert arrived.sent == ["PUT /cluster/a"]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_stops_the_target(status: int) -> None:
    """After 401 or 403 nothing else is sent there; the rest is skipped, and says why."""
    service = Scripted([[], []], lambda _request: httpx.Response(status, json={"message": "no"}))
    results = service.apply(manifest("a"), manifest("b"), manifest("c"), concurrency=1)
    assert [r.outcome for r in results.values()] == ["failed", "skipped", "skipped"]
    assert service.sent == ["PUT /cluster/a"]
    assert results["c"].error is not None
    assert results["c"].error.http_status == status


def test_an_answer_that_never_came_is_unknown_and_a_refusal_is_failed() -> None:
    """`unknown` where the request may have arrived; `failed` where the service said no; the others go on."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/lost"):
            raise httpx.ReadTimeout("silence")
        if request.url.path.endswith("/wrong"):
            return httpx.Response(400, json={"message": "Invalid cluster configuration"})
        return taken(request)

    results = Scripted([[], [live("good")]], answer).apply(manifest("lost"), manifest("wrong"), manifest("good"))
    assert {name: r.outcome for name, r in results.items()} == {"good": "applied", "lost": "unknown", "wrong": "failed"}
    assert results["lost"].attempts > 3


def test_polls_that_fail_are_survived() -> None:
    """5xx in the middle of settling is normal."""
    service = Scripted([[], [live("a")]], taken)
    service.failing = [503] * 30
    assert service.apply(manifest("a"))["a"].outcome == "applied"
    assert service.failing == []


def test_a_stop_finishes_what_is_in_flight_and_starts_nothing() -> None:
    """After the first signal: accepted and not settled is unknown, the rest is skipped; everything is told."""
    service = Scripted([[], [live("a")]], taken)

    def answer(request: httpx.Request) -> httpx.Response:
        service.stop.requested.set()
        return taken(request)

    service.answer = answer
    results = service.apply(manifest("a"), manifest("b"), concurrency=1)
    assert {name: r.outcome for name, r in results.items()} == {"a": "unknown", "b": "skipped"}
    assert service.sent == ["PUT /cluster/a"]


def test_events_are_stable(world: World) -> None:
    """What a log pipeline matches: names, and the fields that go with them."""
    with capture_logs() as logs:
        world.apply(manifest("a"))
    told = [{key: event.get(key) for key in ("event", "cluster", "action")} for event in logs]
    ours = {"cluster": "a", "action": "create"}
    assert told[0]["event"] == "plan.computed"
    assert told[1] == {"event": "change.accepted", **ours}
    assert [event["event"] for event in told[2:-2]] == ["clusters.awaited"] * len(told[2:-2])
    assert told[-2:] == [{"event": "cluster.settled", **ours}, {"event": "change.applied", **ours}]
