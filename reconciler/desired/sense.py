"""What a manifest's fields must be to each other: the rules that the service is known to hold clusters to."""

from collections.abc import Iterator

from reconciler.desired.yaml import Path
from reconciler.model.cluster import Placement
from reconciler.model.declaration import Manifest


def nonsense(manifest: Manifest) -> Iterator[tuple[Path, str, str]]:
    """Path, message and remedy of every breach; none for a manifest that makes sense."""
    if manifest.enforce_shard_multi_az and manifest.replication_factor < 1:
        yield (
            ("replication_factor",),
            "replication_factor is 0, and enforce_shard_multi_az needs a replica in another zone",
            "give it at least 1, or set enforce_shard_multi_az to false",
        )
    first_at: dict[int, int] = {}
    for position, placement in enumerate(manifest.shard_placements or ()):
        path: Path = ("shard_placements", position)
        yield from _nonsense_of_one(path, placement, manifest)
        if placement.shard_index in first_at:
            yield (
                (*path, "shard_index"),
                f"shard {placement.shard_index} is placed twice: first as entry {first_at[placement.shard_index] + 1}",
                "place each shard once",
            )
        first_at.setdefault(placement.shard_index, position)


def _nonsense_of_one(path: Path, placement: Placement, manifest: Manifest) -> Iterator[tuple[Path, str, str]]:
    shard, zones = placement.shard_index, placement.replica_availability_zones
    if shard >= manifest.shard_count:
        yield (
            (*path, "shard_index"),
            f"shard_index is {shard}, but shard_count is {manifest.shard_count}",
            f"use 0 to {manifest.shard_count - 1}, or raise shard_count",
        )
    if len(zones) != manifest.replication_factor:
        yield (
            (*path, "replica_availability_zones"),
            f"shard {shard} has {len(zones)} replica zones, but replication_factor is {manifest.replication_factor}",
            "name one zone for each replica",
        )
    elif manifest.enforce_shard_multi_az and zones and len({placement.availability_zone, *zones}) < 2:
        yield (
            (*path, "replica_availability_zones"),
            f"shard {shard} lives in {placement.availability_zone} alone, but enforce_shard_multi_az is true",
            "put at least one replica into another zone",
        )
