"""What is sent for a change, and what that risks: the room where an API's dialect lives.

PUT's document doesn't say what happens to a field that is left out, so an update sends every managed field as declared
and every other field as it was last listed: nothing is reset by accident.
"""

from collections.abc import Collection
from typing import Any, Final
from urllib.parse import quote

from reconciler.model.cluster import LiveCluster, Values, number
from reconciler.model.declaration import Declaration
from reconciler.model.view import body_of, field_of, path_of, split
from reconciler.plan.change import DeleteRequest, PutRequest, Risk

PLACEMENTS: Final = "shard_placements"
SHARD: Final = "shard_index"
ZONE: Final = "availability_zone"
REPLICA_ZONES: Final = "replica_availability_zones"
COUNTS: Final = frozenset({"shard_count", "replication_factor"})
"""What placements have to fit: they are declared for these."""


def put(name: str, values: Values) -> PutRequest:
    """The request that creates or updates a cluster."""
    return PutRequest(path=cluster_path(name), body=body_of(values))


def delete(name: str) -> DeleteRequest:
    """The request that deletes a cluster."""
    return DeleteRequest(path=cluster_path(name))


def cluster_path(name: str) -> str:
    """The request path of a cluster, whatever its name holds."""
    return f"/cluster/{quote(name, safe='')}"


def expected_values(declaration: Declaration, left: Collection[str]) -> Values:
    """What must be live for a change to count as settled: all that is managed, but for paths that are left."""
    return {path: value for path, value in declaration.managed.items() if path not in left}


def values_of_update(declaration: Declaration, live: LiveCluster, left: Collection[str]) -> Values:
    """What an update sends: what is managed as declared; what isn't, or is `left`, as it is live.

    A shard of which anything is left goes along as it is live, whole; so does one that the manifest doesn't name.
    """
    left_shards = {shard for path in left if (shard := split(path)[1]) is not None}
    values = {
        path: value for path, value in expected_values(declaration, left).items() if split(path)[1] not in left_shards
    }
    for path, value in live.values.items():
        if field_of(path) != PLACEMENTS:
            values.setdefault(path, value)
    for shard in sorted(_shards(live.values) - _shards(values)):
        values |= _carried(shard, live, values)
    return values


def risks_of_update(sent: Values, changed: Collection[str], live: LiveCluster) -> tuple[Risk, ...]:
    """What a reviewer should know of an update before it is sent; `changed` are the paths that it changes."""
    was = live.values
    replicas, replicas_before = number(sent, "replication_factor"), number(was, "replication_factor")
    found: dict[Risk, bool] = {
        "resharding": number(sent, "shard_count") != number(was, "shard_count"),
        "node-replacement": sent.get("node_instance_type") != was.get("node_instance_type"),
        "fewer-replicas": replicas < replicas_before,
        "no-failover": replicas == 0 < replicas_before,
        "zone-move": not _shards(was) <= _shards(sent) or any(_moves_primary(path, live) for path in changed),
        "placement-only": bool(changed) and all(field_of(path) == PLACEMENTS for path in changed),
    }
    return tuple(risk for risk, present in found.items() if present)


def shards_let_go(sent: PutRequest, live: LiveCluster) -> tuple[int, ...]:
    """The shards whose live placement isn't sent again, since it no longer fits."""
    placements: list[dict[str, Any]] = sent.body.get(PLACEMENTS, [])
    return tuple(sorted(_shards(live.values) - {placement[SHARD] for placement in placements}))


def _shards(values: Values) -> set[int]:
    return {shard for path in values if (shard := split(path)[1]) is not None}


def _moves_primary(path: str, live: LiveCluster) -> bool:
    _, shard, key = split(path)
    return key == ZONE and shard is not None and shard < number(live.values, "shard_count")


def _carried(shard: int, live: LiveCluster, sent: Values) -> Values:
    """A live placement as far as it still fits: nothing of a shard that goes, as many replica zones as replicas.

    Of too many replica zones those go first that are the primary's. Too few fit nothing: which zone a new replica is to
    be in nobody has said, and the API takes no placement without.
    """
    zone = live.values.get(path_of(PLACEMENTS, shard, ZONE))
    zones = live.values.get(path_of(PLACEMENTS, shard, REPLICA_ZONES))
    replicas = number(sent, "replication_factor")
    if not 0 <= shard < number(sent, "shard_count") or not isinstance(zone, str) or not isinstance(zones, tuple):
        return {}
    kept = tuple(sorted(sorted(zones, key=lambda replica: replica == zone)[:replicas]))
    spread = not sent.get("enforce_shard_multi_az") or len({zone, *kept}) > 1
    if "" in {zone, *kept} or len(kept) < replicas or not spread:
        return {}
    return {path_of(PLACEMENTS, shard, ZONE): zone, path_of(PLACEMENTS, shard, REPLICA_ZONES): kept}
