"""What becomes of a cluster, and what it refuses meanwhile."""

from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.sandbox.lifecycle import Busy, Refused
from reconciler.sandbox.model import ClusterBody
from reconciler.sandbox.store import Absent, Store
from reconciler.sandbox.switches import Switches, UpdatesListed
from tests.fakes import FakeClock
from tests.sandbox.calls import BODY
from tests.sandbox.clusters import SETTLE_SECONDS, Clusters, placed


def test_every_change_takes_its_time(tmp_path: Path) -> None:
    """Creating, then Active; Updating, then Active; Deleting, then gone: at the very moment, and not before."""
    with closing(Clusters(tmp_path)) as clusters:
        assert clusters.put("orders")["status"] == "Creating"
        assert clusters.after(SETTLE_SECONDS - 1).where("orders") == ("Creating", [])
        assert clusters.after(1).where("orders") == ("Active", [])
        assert clusters.put("orders", shard_count=2)["status"] == "Updating"
        assert clusters.after(SETTLE_SECONDS - 1).where("orders") == ("Updating", [])
        assert clusters.after(1).where("orders") == ("Active", [])
        assert clusters.listed()["orders"]["shard_count"] == 2
        clusters.delete("orders")
        assert clusters.after(SETTLE_SECONDS - 1).where("orders") == ("Deleting", [])
        clusters.delete("orders")
        assert clusters.after(1).where("orders") is None
        with pytest.raises(Absent, match=r"^Cluster orders does not exist$"):
            clusters.delete("orders")
        assert clusters.put("orders")["status"] == "Creating"


def test_an_unknown_instance_type_is_accepted_and_never_becomes_active(tmp_path: Path) -> None:
    """It ends in InstanceTypeNotAvailable, from where only a delete leads on."""
    with closing(Clusters(tmp_path)) as clusters:
        assert clusters.put("broken", node_instance_type="z9.huge")["errors"] == []
        clusters.put("fine", node_instance_type="cache.m6g.large")
        assert clusters.where("broken") == ("Creating", [])
        assert clusters.after(SETTLE_SECONDS).where("broken") == ("Creating", ["InstanceTypeNotAvailable"])
        assert clusters.after(1e9).where("broken") == ("Creating", ["InstanceTypeNotAvailable"])
        assert clusters.where("fine") == ("Active", [])
        why = r"^Cluster broken is Creating \(InstanceTypeNotAvailable\): it must be deleted first$"
        with pytest.raises(Busy, match=why):
            clusters.put("broken")
        clusters.delete("broken")
        assert clusters.where("broken") == ("Deleting", [])
        assert clusters.after(SETTLE_SECONDS).where("broken") is None


@pytest.mark.parametrize("status", ["Creating", "Updating", "Deleting"])
def test_a_cluster_in_transition_is_busy(tmp_path: Path, status: str) -> None:
    """No PUT, and no DELETE but of what is being deleted already; nothing is changed by trying."""
    with closing(Clusters(tmp_path)) as clusters:
        clusters.put("orders")
        if status != "Creating":
            clusters.after(SETTLE_SECONDS)
            clusters.put("orders") if status == "Updating" else clusters.delete("orders")
        before = clusters.listed()
        attempts: list[Callable[[], object]] = [lambda: clusters.put("orders", description="other")]
        if status != "Deleting":
            attempts.append(lambda: clusters.delete("orders"))
        for attempt in attempts:
            with pytest.raises(Busy, match=f"^Cluster orders is {status}$"):
                attempt()
        assert clusters.listed() == before


def test_the_primary_of_a_shard_stays_where_it_is(tmp_path: Path) -> None:
    """An update that moves one is refused; new shards and replicas go where it says."""
    with closing(Clusters(tmp_path)) as clusters:
        clusters.put("orders", **placed("us-east-1a"))
        clusters.after(SETTLE_SECONDS)
        with pytest.raises(Refused, match=r"^the primary of shard 0 can't be moved out of us-east-1a$"):
            clusters.put("orders", **placed("us-east-1b", "us-east-1a"))
        assert clusters.where("orders") == ("Active", [])
        grown = placed("us-east-1a", "us-east-1c")
        grown["shard_placements"][0]["replica_availability_zones"] = ["us-east-1c"]
        assert clusters.put("orders", **grown)["shard_placements"] == grown["shard_placements"]


def test_placements_that_it_chose_are_shown_on_demand(tmp_path: Path) -> None:
    """Without the switch, what was asked for; with it, all shards, each in two zones, what was asked for as it was."""
    asked = placed("us-east-1b")["shard_placements"]
    with closing(Clusters(tmp_path)) as clusters:
        clusters.put("orders", shard_count=3, replication_factor=1, shard_placements=asked)
        assert clusters.listed()["orders"]["shard_placements"] == asked
    with closing(Clusters(tmp_path, switches=Switches(reveal_placements=True))) as clusters:
        shown = clusters.listed()["orders"]["shard_placements"]
        chosen = placed("us-east-1b", "us-east-1b", "us-east-1c")
        assert shown == chosen["shard_placements"]
        ClusterBody.model_validate({**BODY, **chosen, "enforce_shard_multi_az": True})
        clusters.after(SETTLE_SECONDS)
        with pytest.raises(Refused, match=r"^the primary of shard 1 can't be moved out of us-east-1b$"):
            clusters.put("orders", **placed("us-east-1b", "us-east-1a"))


STEPS = st.lists(st.tuples(st.sampled_from("abw-"), st.sampled_from(["orders", "users"])), max_size=40)
INSTANCE_TYPES = {"a": "m6g.large", "b": "r7g.large", "w": "z9.huge"}


@given(STEPS, st.integers(1, 9), st.sampled_from(["at-once", "settled"]))
def test_a_list_that_lags_is_the_list_as_it_was(steps: list[tuple[str, str]], lag: int, listed: UpdatesListed) -> None:
    """Whatever is done: at each moment it shows exactly what a list without lag showed so long before."""
    clock = FakeClock()
    prompt, lagging = (
        Store(
            ":memory:",
            clock=clock,
            settle_seconds=3.0,
            switches=Switches(list_lag_seconds=seconds, updates_listed=listed, failed_statuses=True),
        )
        for seconds in (0.0, float(lag))
    )
    was: list[list[dict[str, Any]]] = [[]] * lag
    with closing(prompt), closing(lagging):
        for step, name in steps:
            for store in (prompt, lagging):
                with suppress(Absent, Busy):
                    if step == "-":
                        store.delete("default", name)
                    else:
                        body = {**BODY, "node_instance_type": INSTANCE_TYPES[step]}
                        store.put("default", name, ClusterBody.model_validate(body))
            was.append(prompt.clusters("default"))
            assert lagging.clusters("default") == was[-1 - lag]
            clock.seconds += 1
