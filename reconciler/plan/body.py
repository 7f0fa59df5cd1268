"""What an update sends, and what that risks.

PUT's document doesn't say what happens to a field that is left out, so an update sends every managed field as declared
and every other field as it was last listed: nothing is reset by accident.
"""

from reconciler.model.cluster import Configuration, LiveCluster, LivePlacement, Placement
from reconciler.model.declaration import Manifest
from reconciler.plan.change import FieldChange, Risk
from reconciler.plan.view import PLACEMENTS, ZONE, managed_fields


def update_body(manifest: Manifest, live: LiveCluster) -> tuple[Configuration, bool]:
    """The body of an update, and whether a live placement had to be let go because it no longer fits."""
    managed = managed_fields(manifest)
    values = {f: getattr(manifest if f in managed else live, f) for f in Configuration.model_fields}
    declared = manifest.shard_placements if PLACEMENTS in managed and manifest.shard_placements is not None else ()
    body = Configuration.model_construct(**{**values, PLACEMENTS: None})
    named = {placement.shard_index for placement in declared}
    unmanaged = [placement for placement in live.shard_placements if placement.shard_index not in named]
    carried = [_carry(placement) for placement in unmanaged if _fits(placement, body)]
    placements = tuple(sorted((*declared, *carried), key=lambda placement: placement.shard_index))
    if placements or PLACEMENTS in managed:
        body = body.model_copy(update={PLACEMENTS: placements})
    return body, len(carried) < len(unmanaged)


def update_risks(
    body: Configuration, live: LiveCluster, fields: tuple[FieldChange, ...], *, let_go: bool
) -> tuple[Risk, ...]:
    """What a reviewer should know of an update before it is sent."""
    found: dict[Risk, bool] = {
        "resharding": body.shard_count != live.shard_count,
        "node-replacement": body.node_instance_type != live.node_instance_type,
        "fewer-replicas": body.replication_factor < live.replication_factor,
        "no-failover": body.replication_factor == 0 < live.replication_factor,
        "zone-move": let_go or any(_moves_primary(field.path, live) for field in fields),
    }
    return tuple(risk for risk, present in found.items() if present)


def _moves_primary(path: str, live: LiveCluster) -> bool:
    shard, _, key = path.removeprefix(f"{PLACEMENTS}[").partition("].")
    return key == ZONE and int(shard) < live.shard_count


def _fits(placement: LivePlacement, body: Configuration) -> bool:
    zones = {placement.availability_zone, *placement.replica_availability_zones}
    return (
        0 <= placement.shard_index < body.shard_count
        and len(placement.replica_availability_zones) == body.replication_factor
        and (len(zones) >= 2 or not body.enforce_shard_multi_az)
        and "" not in zones
    )


def _carry(placement: LivePlacement) -> Placement:
    return Placement(
        shard_index=placement.shard_index,
        availability_zone=placement.availability_zone,
        replica_availability_zones=placement.replica_availability_zones,
    )
