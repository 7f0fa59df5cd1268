"""Manifests and the clusters that they declare, by number: what both sides of a measurement read."""

from pathlib import Path

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")


def cluster(number: int) -> dict[str, object]:
    """What the service lists for the manifest of this number: in sync."""
    placements = [
        {
            "shard_index": shard,
            "availability_zone": ZONES[shard % 3],
            "replica_availability_zones": [ZONES[(shard + 1) % 3], ZONES[(shard + 2) % 3]],
        }
        for shard in range(2 if number % 5 == 0 else 0)
    ]
    return {
        "name": name(number),
        "description": f"Service number {number}",
        "node_instance_type": "m6g.large",
        "shard_count": 3,
        "replication_factor": 2,
        "enforce_shard_multi_az": True,
        "shard_placements": placements,
        "status": "Active",
        "errors": [],
    }


def name(number: int) -> str:
    """A cluster's name."""
    return f"service-{number:05d}"


def write(folder: Path, count: int) -> Path:
    """So many manifests, one a file; every fifth places two of its shards by hand."""
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{name(number)}.yaml").write_text(manifest(number))
    return folder


def manifest(number: int) -> str:
    """The manifest of this number."""
    lines = [
        f"name: {name(number)}",
        f"description: Service number {number}",
        "node_instance_type: m6g.large",
        "shard_count: 3",
        "replication_factor: 2",
        "enforce_shard_multi_az: true",
    ]
    placements = cluster(number)["shard_placements"]
    assert isinstance(placements, list)
    if placements:
        lines.append("shard_placements:")
    for placement in placements:
        lines += [
            f"  - shard_index: {placement['shard_index']}",
            f"    availability_zone: {placement['availability_zone']}",
            f"    replica_availability_zones: [{', '.join(placement['replica_availability_zones'])}]",
        ]
    return "\n".join(lines) + "\n"
