"""What git alone can say: base's declarations in the place of live clusters."""

from collections.abc import Iterable

from reconciler.model.cluster import ACTIVE, LiveCluster, LivePlacement
from reconciler.model.declaration import Declaration


def as_if_live(declarations: Iterable[Declaration]) -> tuple[LiveCluster, ...]:
    """Clusters exactly as they are declared; what a declaration leaves out is not there."""
    return tuple(_as_if_live(declaration) for declaration in declarations)


def _as_if_live(declaration: Declaration) -> LiveCluster:
    manifest = declaration.manifest
    return LiveCluster(
        name=manifest.name,
        description=manifest.description,
        node_instance_type=manifest.node_instance_type,
        shard_count=manifest.shard_count,
        replication_factor=manifest.replication_factor,
        enforce_shard_multi_az=manifest.enforce_shard_multi_az,
        shard_placements=tuple(
            LivePlacement(
                shard_index=placement.shard_index,
                availability_zone=placement.availability_zone,
                replica_availability_zones=placement.replica_availability_zones,
            )
            for placement in manifest.shard_placements or ()
        ),
        status=ACTIVE,
        errors=(),
    )
