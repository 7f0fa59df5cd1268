"""The normal form in which two configurations are compared.

Placements go by their shard's index, and only the shards that the manifest names; replica zones are a multiset, so they
are sorted with duplicates kept. What a manifest leaves out, or ignores, is not in its view: it is not managed.
"""

from collections.abc import Iterable
from typing import TypeAlias

from reconciler.model.cluster import CONFIGURATION_FIELDS, Configuration, LiveCluster, LivePlacement, Placement
from reconciler.model.declaration import Manifest
from reconciler.plan.change import FieldValue

PLACEMENTS = "shard_placements"
ZONE = "availability_zone"
REPLICA_ZONES = "replica_availability_zones"

PlacementView: TypeAlias = dict[str, FieldValue]
View: TypeAlias = dict[str, FieldValue | dict[int, PlacementView]]
"""Top-level field to its value; `shard_placements` to a placement by shard index."""

_NOT_PLACED: PlacementView = {ZONE: None, REPLICA_ZONES: None}


def managed_fields(manifest: Manifest) -> tuple[str, ...]:
    """The fields that the manifest manages on a live cluster, in the API document's order."""
    ignored = manifest.lifecycle.ignore_changes
    return tuple(f for f in CONFIGURATION_FIELDS if f not in ignored and getattr(manifest, f) is not None)


def declared_view(configuration: Configuration, fields: Iterable[str]) -> View:
    """What a manifest says of these fields."""
    view: View = {field: getattr(configuration, field) for field in fields}
    if PLACEMENTS in view:
        view[PLACEMENTS] = _by_shard(configuration.shard_placements or ())
    return view


def live_view(live: LiveCluster, like: View) -> View:
    """What the service says of the fields, and of the shards, that `like` speaks of."""
    view: View = {field: getattr(live, field) for field in like}
    named = like.get(PLACEMENTS)
    if isinstance(named, dict):
        placed = _by_shard(live.shard_placements)
        view[PLACEMENTS] = {shard: placed.get(shard, _NOT_PLACED) for shard in named}
    return view


def field_paths(view: View) -> list[tuple[str, FieldValue]]:
    """Each value with its path as a plan writes it, in the API document's order."""
    flat: list[tuple[str, FieldValue]] = []
    for field, value in view.items():
        if isinstance(value, dict):
            for shard, placement in value.items():
                flat += [(f"{field}[{shard}].{key}", zones) for key, zones in placement.items()]
        else:
            flat.append((field, value))
    return flat


def managed_values(manifest: Manifest) -> dict[str, FieldValue]:
    """Every managed value by its path."""
    return dict(field_paths(declared_view(manifest, managed_fields(manifest))))


def as_sent(body: Configuration, managed: Iterable[str], live: LiveCluster) -> bool:
    """Whether the live cluster's managed paths have the values of the body that was sent."""
    sent = declared_view(body, [field for field in CONFIGURATION_FIELDS if getattr(body, field) is not None])
    wanted, found = dict(field_paths(sent)), dict(field_paths(live_view(live, sent)))
    return all(wanted[path] == found[path] for path in managed)


def configuration_view(live: LiveCluster) -> dict[str, object]:
    """Everything that PUT could change on a live cluster, and nothing that the service changes by itself."""
    return {
        "description": live.description,
        "node_instance_type": live.node_instance_type,
        "shard_count": live.shard_count,
        "replication_factor": live.replication_factor,
        "enforce_shard_multi_az": live.enforce_shard_multi_az,
        PLACEMENTS: sorted(
            (p.shard_index, p.availability_zone, sorted(p.replica_availability_zones)) for p in live.shard_placements
        ),
    }


def _by_shard(placements: Iterable[Placement | LivePlacement]) -> dict[int, PlacementView]:
    return {
        p.shard_index: {ZONE: p.availability_zone, REPLICA_ZONES: tuple(sorted(p.replica_availability_zones))}
        for p in sorted(placements, key=lambda p: p.shard_index)
    }
