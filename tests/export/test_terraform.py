"""A Terraform state's clusters, wherever they stand in it."""

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import UsageError
from reconciler.export.exports import Found
from reconciler.export.terraform import read_state
from tests.export.folders import export_to
from tests.fakes import live


def resource(name: object, address: str = "momento_valkey_cluster.x", **more: Any) -> dict[str, Any]:
    """A cluster as the provider keeps it."""
    values = {
        "id": name,
        "cluster_name": name,
        "description": None,
        "node_instance_type": "m6g.large",
        "shard_count": 2,
        "replication_factor": 1,
        "enforce_shard_multi_az": True,
        "shard_placements": None,
        "timeouts": None,
        **more.pop("values", {}),
    }
    return {
        "address": address,
        "mode": "managed",
        "type": "momento_valkey_cluster",
        "name": "x",
        "values": values,
        **more,
    }


def state(*resources: dict[str, Any], children: tuple[dict[str, Any], ...] = ()) -> bytes:
    module = {"resources": [*resources], "child_modules": [*children]}
    return json.dumps({"format_version": "1.0", "values": {"root_module": module}}).encode()


def test_clusters_of_all_modules(tmp_path: Path) -> None:
    """Placements by the provider's `index`; data sources and other resources are passed over."""
    placed = [
        {"index": 1, "availability_zone": "b", "replica_availability_zones": ["a"]},
        {"index": 0, "availability_zone": "a", "replica_availability_zones": ["b"]},
    ]
    inner = {"address": "module.m.module.n", "resources": [resource("deep")]}
    data = state(
        resource("orders", values={"description": "Orders", "shard_placements": placed}),
        resource("looked-up", mode="data"),
        resource("cache", type="momento_cache"),
        children=({"address": "module.m", "resources": [], "child_modules": [inner]},),
    )
    found = read_state(data, "state.json")
    listed = [{**one, "shard_index": one["index"]} for one in placed]
    assert found == Found(
        (live(description="Orders", shard_placements=listed), live("deep", description=None)),
    )
    export_to(tmp_path, found.clusters)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["deep.yaml", "orders.yaml"]


def test_what_makes_no_sense_is_told_by_name() -> None:
    """A taint, two of one name, no name, a value that is none: the others are read."""
    found = read_state(
        state(
            resource("tainted", tainted=True),
            resource("twice", "momento_valkey_cluster.a[0]"),
            resource("twice", "momento_valkey_cluster.a[1]"),
            resource(None, "momento_valkey_cluster.none"),
            resource("odd", values={"shard_count": "two"}),
            resource("fine"),
        ),
        "state.json",
    )
    assert [cluster.name for cluster in found.clusters] == ["fine"]
    assert found.unreadable == {
        "tainted": "momento_valkey_cluster.x is tainted: its create may have failed",
        "twice": "both momento_valkey_cluster.a[0] and momento_valkey_cluster.a[1] name it",
        "momento_valkey_cluster.none": "it has no cluster_name",
        "odd": "momento_valkey_cluster.x: shard_count: of another type than documented",
    }


@pytest.mark.parametrize("nothing", [{}, {"values": None}, {"values": {"root_module": {}}}])
def test_an_empty_state_has_no_clusters(nothing: dict[str, Any]) -> None:
    """Terraform leaves out what there is none of."""
    assert read_state(json.dumps({"format_version": "1.0", **nothing}).encode(), "s") == Found(())


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"{", "it is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b"[" * 100_000, "it is not JSON: "),
        (b"[]", "it is not a Terraform state"),
        (b'{"version": 4, "serial": 1, "resources": []}', "it is the state file itself"),
        (b'{"format_version": "1.2", "planned_values": {}}', "it is a plan, which says what shall be, not what is"),
    ],
)
def test_what_is_no_state_is_bad_usage(data: bytes, why: str) -> None:
    """Said with the command that prints one."""
    with pytest.raises(UsageError) as caught:
        read_state(data, "s.json")
    assert caught.value.message.startswith(f"s.json can't be taken for a Terraform state: {why}")
    assert caught.value.remedy == "`terraform show -json > state.json` writes what is read here"
