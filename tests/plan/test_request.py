"""What is sent, and what that risks."""

from typing import Any

import pytest

from reconciler.model.cluster import LiveCluster
from reconciler.model.declaration import Manifest
from reconciler.plan.change import Risk, Update
from reconciler.plan.request import cluster_path
from tests.fakes import head, live, manifest
from tests.plan.histories import git, only_change, plan_of


def placed(shard: int, zone: str, *replicas: str) -> dict[str, Any]:
    """One placement."""
    return {"shard_index": shard, "availability_zone": zone, "replica_availability_zones": [*replicas]}


A, B = placed(0, "a", "b"), placed(1, "b", "c")


def update(declared: Manifest, found: LiveCluster) -> Update:
    """The update of one of our own."""
    change = only_change(head(declared), [found], git(declared, recorded=[declared]))
    assert isinstance(change, Update)
    return change


def body(declared: Manifest, found: LiveCluster) -> dict[str, Any]:
    """What it sends."""
    (request,) = update(declared, found).requests
    assert request.body is not None
    return request.body


def test_a_create_sends_all_that_is_declared_and_nothing_else() -> None:
    """What is ignored, too; the path is one segment whatever the name holds."""
    declared = manifest(description="x", shard_placements=[B, A], lifecycle={"ignore_changes": ["shard_count"]})
    (request,) = only_change(head(declared), [], git()).requests
    assert (request.method, request.path) == ("PUT", "/cluster/orders")
    assert request.body == {
        "description": "x",
        "node_instance_type": "m6g.large",
        "shard_count": 2,
        "replication_factor": 1,
        "enforce_shard_multi_az": True,
        "shard_placements": [A, B],
    }
    assert cluster_path("../a?b#c/d e") == "/cluster/..%2Fa%3Fb%23c%2Fd%20e"


def test_an_update_carries_what_it_does_not_manage() -> None:
    """Left out or ignored, it goes along as it was listed."""
    found = live(description="theirs", shard_count=3, shard_placements=[B, A])
    declared = manifest(node_instance_type="r6g.large", shard_count=9, lifecycle={"ignore_changes": ["shard_count"]})
    assert body(declared, found) == {
        "description": "theirs",
        "node_instance_type": "r6g.large",
        "shard_count": 3,
        "replication_factor": 1,
        "enforce_shard_multi_az": True,
        "shard_placements": [A, B],
    }
    assert "description" not in body(declared, live(description=None))


@pytest.mark.parametrize(
    ("changed", "found", "sent", "let_go"),
    [
        ({"shard_count": 1}, {}, [A], [1]),
        ({"shard_count": 3}, {}, [A, B], []),
        ({"replication_factor": 2}, {}, [], [0, 1]),
        ({}, {"replication_factor": 2, "shard_placements": [placed(0, "a", "a", "c")]}, [placed(0, "a", "c")], []),
        ({"replication_factor": 0, "enforce_shard_multi_az": False}, {}, [placed(0, "a"), placed(1, "b")], []),
        ({}, {"enforce_shard_multi_az": False, "shard_placements": [placed(0, "a", "a"), B]}, [B], [0]),
        ({"shard_count": 3}, {"shard_placements": [placed(0, "", "b"), B]}, [B], [0]),
        ({"shard_count": 3, "shard_placements": [placed(1, "z", "y")]}, {}, [A, placed(1, "z", "y")], []),
    ],
)
def test_a_placement_goes_along_as_far_as_it_fits(
    changed: dict[str, Any], found: dict[str, Any], sent: list[dict[str, Any]], let_go: list[int]
) -> None:
    """Its index below the new count, as many replica zones as replicas; of one that doesn't fit the plan warns."""
    declared, cluster = manifest(**changed), live(**{"shard_placements": [A, B], **found})
    assert body(declared, cluster).get("shard_placements", []) == sent
    plan = plan_of(head(declared), [cluster], git(declared, recorded=[declared]))
    assert [*plan.warnings] == [
        f"orders: shard {shard}'s placement no longer fits and isn't sent: it may be moved" for shard in let_go
    ]
    assert ("zone-move" in plan.changes[0].risks) == bool(let_go or "shard_placements" in changed)


@pytest.mark.parametrize(
    ("declared", "found", "risks"),
    [
        ({"description": "x"}, {}, ()),
        ({"shard_count": 3}, {}, ("resharding",)),
        ({"node_instance_type": "r6g.large"}, {}, ("node-replacement",)),
        ({"replication_factor": 2}, {"replication_factor": 3}, ("fewer-replicas",)),
        ({"replication_factor": 2}, {"shard_placements": [A]}, ("zone-move",)),
        ({"replication_factor": 0, "enforce_shard_multi_az": False}, {}, ("fewer-replicas", "no-failover")),
        ({"shard_placements": [placed(0, "z", "b")]}, {"shard_placements": [A]}, ("zone-move", "placement-only")),
        ({"shard_placements": [placed(0, "a", "z")]}, {"shard_placements": [A]}, ("placement-only",)),
        ({"shard_count": 3, "shard_placements": [placed(2, "b", "c")]}, {}, ("resharding",)),
        ({"shard_count": 3, "shard_placements": [B]}, {}, ("resharding", "zone-move")),
    ],
)
def test_each_risk_is_told_and_no_other(
    declared: dict[str, Any], found: dict[str, Any], risks: tuple[Risk, ...]
) -> None:
    """Only a live primary that leaves its zone moves."""
    assert update(manifest(**declared), live(**found)).risks == risks
