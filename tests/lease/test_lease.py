"""Who holds a lease, and until when: in virtual time, whatever clocks, networks and processes do. Never two at once."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from reconciler.errors import Forbidden, HttpError, LeaseLost, NotFound, Unauthenticated
from reconciler.lease.lease import CLOCKS_DIFFER_SECONDS, DEADLINE_SECONDS, DURATION_SECONDS, Lease
from reconciler.wire.retry import DEFAULT_POLICY
from tests.fakes import FakeClock
from tests.lease.fake_kubernetes import FakeKubernetes
from tests.lease.replicas import Network, Replica, ReplicaClock, Span, overlapping

LONG = 300.0


class World:
    """Some replicas and the cluster that they are in."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.kubernetes = FakeKubernetes()
        self.replicas: list[Replica] = []

    def replica(
        self,
        *,
        ahead: float = 0.0,
        rate: float = 1.0,
        stops: Sequence[Span] = (),
        request_seconds: Sequence[float] = (0.5,),
        **network: Any,
    ) -> Replica:
        """One more."""
        clock = ReplicaClock(self.clock, ahead, rate, stops)
        name = "abc"[len(self.replicas)]
        self.replicas.append(
            Replica(name, self.kubernetes, clock, lambda: Network(self.kubernetes, clock, **network), request_seconds)
        )
        return self.replicas[-1]

    def play(self, *ends: float, seconds: float = LONG) -> list[Any]:
        """Let them run for so long; each is killed at its end, if it has one. What was logged comes back."""
        with capture_logs() as logs:
            self.clock.run(self._play(ends, seconds))
        assert self.kubernetes.complaints == []
        assert overlapping(self.replicas) == []
        return logs

    async def _play(self, ends: Sequence[float], seconds: float) -> None:
        running = [asyncio.ensure_future(replica.run()) for replica in self.replicas]
        for moment, replica in sorted(zip(ends, running, strict=False), key=lambda one: one[0]):
            await self.clock.sleep(max(0.0, moment - self.clock.seconds))
            replica.cancel()
        await self.clock.sleep(max(0.0, seconds - self.clock.seconds))
        for replica in running:
            replica.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def told(logs: Sequence[Any]) -> list[str]:
    """Their events."""
    return [log["event"] for log in logs]


def test_the_slowest_request_ends_before_anybody_else_begins() -> None:
    """What the numbers promise: a request that begins at the last moment, and clocks that differ by a twentieth."""
    assert DEADLINE_SECONDS + DEFAULT_POLICY.attempt_timeout + CLOCKS_DIFFER_SECONDS == DURATION_SECONDS


def test_one_works_and_the_other_waits() -> None:
    """For as long as it renews; who waits says for whom, once."""
    world = World()
    first, second = world.replica(), world.replica(ahead=-86400)
    logs = world.play()
    assert (len(first.work) > 250, second.work, first.lost) == (True, [], [])
    assert told(logs) == ["lease.acquired", "lease.awaited"]
    assert logs[1] == {"event": "lease.awaited", "log_level": "info", "lease": "fleet/reconciler", "holder": "a_1"}
    assert world.kubernetes.leases["fleet", "reconciler"]["spec"]["leaseTransitions"] == 0


def test_who_is_killed_is_waited_out() -> None:
    """For the whole duration since its last renewal was seen, and a look more: then the other goes on."""
    world = World()
    world.replica()
    second = world.replica(ahead=3600)
    world.play(100)
    [took_over] = second.held
    assert 90 + DURATION_SECONDS <= took_over <= 100 + DURATION_SECONDS + 4
    assert world.kubernetes.holder() == "b_1"
    assert world.kubernetes.leases["fleet", "reconciler"]["spec"]["leaseTransitions"] == 1


def test_who_ends_in_good_order_gives_it_back() -> None:
    """The next takes it at its next look."""
    world = World()
    first, second = world.replica(), world.replica()

    async def play() -> None:
        working = asyncio.ensure_future(first.run(until=100))
        waiting = asyncio.ensure_future(second.run())
        await working
        assert world.kubernetes.holder() is None
        await world.clock.sleep(3)
        assert world.kubernetes.holder() == "b_1"
        waiting.cancel()

    with capture_logs() as logs:
        world.clock.run(play())
    assert told(logs) == ["lease.acquired", "lease.awaited", "lease.released", "lease.acquired"]
    assert overlapping(world.replicas) == []


def test_a_process_that_stood_still_sends_nothing_more() -> None:
    """It wakes up after another has taken over: it is told before its next request, and waits like everybody."""
    world = World()
    first = world.replica(stops=[(50.0, 200.0)])
    second = world.replica()
    logs = world.play()
    assert [span for span in first.work if span[0] >= 50] == []
    assert second.held[0] < 200
    assert first.lost == pytest.approx([200], abs=1)
    [lost] = [log for log in logs if log["event"] == "lease.lost"]
    assert (lost["log_level"], lost["error"]) == ("error", "this process stood still")
    assert (world.kubernetes.holder(), first.processes) == ("b_1", 2)


def test_a_machine_that_slept_sends_nothing_more() -> None:
    """Its monotonic clock stood, too: the one on the wall went on. A wall clock set back by a day changes nothing."""
    world = World()
    clock = ReplicaClock(world.clock)
    lease = Replica("a", world.kubernetes, clock, lambda: Network(world.kubernetes, clock)).lease()
    assert world.clock.run(lease.acquire(asyncio.Event()))
    clock.ahead = -86400
    lease.permit()
    clock.ahead = DEADLINE_SECONDS
    with pytest.raises(LeaseLost, match=r"not sent, as the lease fleet/reconciler is no longer held"):
        lease.permit()


def test_who_is_cut_off_stops_before_another_begins() -> None:
    """It is told why, once it may send nothing more; the other waits for the rest of the duration."""
    world = World()
    first = world.replica(cuts=[(95.0, 400.0)], request_seconds=[44.0])
    second = world.replica()
    logs = world.play()
    last = max(begin for begin, _ in first.work if begin < 300)
    assert last < 91 + DEADLINE_SECONDS
    assert second.held[0] >= 90 + DURATION_SECONDS
    [lost] = [log for log in logs if log["event"] == "lease.lost"]
    assert lost["error"].startswith("PUT /apis/coordination.k8s.io/v1/namespaces/fleet/leases/reconciler: ")
    assert "lease.unrenewed" in told(logs)


@pytest.mark.parametrize("trouble", ["labels", "losses"])
def test_what_others_write_and_an_answer_that_gets_lost_are_no_loss(trouble: str) -> None:
    """The lease is read again: it is ours, and is renewed as it stands then; a label stays."""
    world = World()
    replica = world.replica(losses=[(105.0, 125.0)] if trouble == "losses" else ())

    async def play() -> None:
        running = asyncio.ensure_future(replica.run())
        await world.clock.sleep(45)
        if trouble == "labels":
            world.kubernetes.edit("fleet", "reconciler", team="caching")
        await world.clock.sleep(300)
        running.cancel()

    with capture_logs() as logs:
        world.clock.run(play())
    assert (replica.processes, replica.lost, world.kubernetes.complaints) == (1, [], [])
    assert max(begin for begin, _ in replica.work) > 340
    assert set(told(logs)) == {"lease.acquired"} | ({"lease.unrenewed"} if trouble == "losses" else set())
    labels = world.kubernetes.leases["fleet", "reconciler"]["metadata"].get("labels")
    assert labels == ({"team": "caching"} if trouble == "labels" else None)


@pytest.mark.parametrize(("holder", "why"), [("somebody", "somebody holds it"), (None, "it was deleted")])
def test_a_lease_that_somebody_took_away_is_lost(holder: str | None, why: str) -> None:
    """By hand: it is told at the next renewal, and never renewed over."""
    world = World()
    replica = world.replica()

    async def play() -> None:
        running = asyncio.ensure_future(replica.run())
        await world.clock.sleep(45)
        if holder is None:
            del world.kubernetes.leases["fleet", "reconciler"]
        else:
            world.kubernetes.leases["fleet", "reconciler"]["spec"]["holderIdentity"] = holder
            world.kubernetes.edit("fleet", "reconciler")
        await world.clock.sleep(10)
        running.cancel()

    with capture_logs() as logs:
        world.clock.run(play())
    assert [log["error"] for log in logs if log["event"] == "lease.lost"] == [why]


@pytest.mark.parametrize(
    ("allowed", "namespaces", "token", "error", "remedy"),
    [
        (("get",), ("fleet",), None, Forbidden, "let the pod's service account get, create and update leases"),
        ((), ("fleet",), None, Forbidden, "deploy/kubernetes/rbac.yaml"),
        (("get", "create"), (), None, NotFound, "is there a namespace fleet?"),
        (("get",), ("fleet",), "another", Unauthenticated, "the service account's token is not this cluster's"),
    ],
)
def test_what_waiting_does_not_mend_is_told_at_once(
    allowed: tuple[str, ...], namespaces: tuple[str, ...], token: str | None, error: type[HttpError], remedy: str
) -> None:
    """No permission, no namespace, no account: with what to do about it."""
    world = World()
    world.kubernetes = FakeKubernetes(namespaces, allowed, token or "a-service-accounts-token")
    with pytest.raises(error) as raised:
        world.clock.run(world.replica().lease().acquire(asyncio.Event()))
    assert remedy in (raised.value.remedy or "")
    assert raised.value.message.startswith("lease fleet/reconciler: ")


def test_a_signal_ends_the_wait() -> None:
    """Nothing is held, and nothing given back."""
    world = World()
    holder, waiting = world.replica(), world.replica()

    async def play() -> bool:
        await holder.lease().acquire(asyncio.Event())
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(20, stop.set)
        lease = waiting.lease()
        held = await lease.acquire(stop)
        await lease.release()
        return held

    assert world.clock.run(play()) is False
    assert world.kubernetes.holder() == "a_1"


def test_each_look_that_sees_another_hold_it_is_told() -> None:
    """And none that saw nothing: who is cut off tells it by its silence."""
    world = World()
    holder, waiting = world.replica(), world.replica(cuts=[(20.0, 60.0)])
    seen: list[tuple[str, float]] = []

    async def play() -> None:
        ended = asyncio.Event()
        held = holder.lease()
        await held.acquire(asyncio.Event())
        keeping = asyncio.ensure_future(held.keep(asyncio.Event(), ended.set))
        asyncio.get_running_loop().call_later(80, ended.set)
        await waiting.lease().acquire(ended, lambda holder: seen.append((holder, world.clock.seconds)))
        keeping.cancel()

    world.clock.run(play())
    assert {name for name, _ in seen} == {"a_1"}
    pauses = [later - earlier for (_, earlier), (_, later) in pairwise(seen)]
    assert (sorted(pauses)[-2] < 3, max(pauses) > 40) == (True, True)


def test_an_api_server_that_is_down_is_waited_for() -> None:
    """By who waits for the lease; what can't be understood is no lease that may be taken."""
    world = World()
    replica = world.replica(cuts=[(0.0, 60.0)])
    logs = world.play(seconds=90)
    assert replica.held[0] > 60
    assert set(told(logs)) == {"lease.unread", "lease.acquired"}


def test_nobody_is_told_that_a_lease_is_held_by_a_bug() -> None:
    """What breaks in the renewal ends the term like any loss."""
    world = World()
    lease = world.replica().lease()

    async def play() -> Lease:
        await lease.acquire(asyncio.Event())
        world.kubernetes.handle = None  # type: ignore[assignment,method-assign]
        lost = asyncio.Event()
        await lease.keep(asyncio.Event(), lost.set)
        assert lost.is_set()
        return lease

    with capture_logs() as logs:
        assert world.clock.run(play()).lost
    assert told(logs)[-2:] == ["lease.broke", "lease.lost"]
    with pytest.raises(LeaseLost):
        lease.permit()


MOMENTS = st.floats(0, LONG)
SPANS = st.lists(st.tuples(MOMENTS, st.floats(1, 200)).map(lambda one: (one[0], one[0] + one[1])), max_size=3)
REPLICAS = st.fixed_dictionaries(
    {
        "ahead": st.floats(-1e6, 1e6),
        "rate": st.floats(0.98, 1.02),
        "stops": SPANS,
        "cuts": SPANS,
        "losses": SPANS,
        "delays": st.lists(st.floats(0, 2.4), min_size=1, max_size=5),  # there and back in less than anybody waits
        "request_seconds": st.lists(st.floats(0, DEFAULT_POLICY.attempt_timeout), min_size=1, max_size=5),
    }
)


@pytest.mark.slow
@given(replicas=st.lists(REPLICAS, min_size=2, max_size=3), ends=st.lists(MOMENTS, max_size=2))
def test_never_two_at_once(replicas: list[dict[str, Any]], ends: list[float]) -> None:
    """Processes stop and die, networks are slow, cut and lose answers, clocks are wrong: no two have a request under way.

    And when it is over, one works again, if one is left: one that was stopped to the end has yet to see a lease of its own
    run out, by a slow clock and over a slow network.
    """
    world = World()
    for replica in replicas:
        world.replica(**replica)
    world.play(*ends, seconds=LONG + 500)
    assert len(ends) == len(replicas) or any(
        begin > LONG + 200 for replica in world.replicas for begin, _ in replica.work
    )
