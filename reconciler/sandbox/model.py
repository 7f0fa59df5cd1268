"""The API document's shapes, written down once more: nothing here is shared with the reconciler."""

import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~-]{1,255}")
"""URL-safe as it stands, and no path segment that means something else."""

_SIZES = ("micro", "small", "medium", "large", "xlarge", *(f"{n}xlarge" for n in (2, 4, 8, 9, 10, 12, 16, 18, 24)))
_FAMILIES = ("c7gn", "m5", "m6g", "m7g", "r5", "r6g", "r6gd", "r7g", "t2", "t3", "t4g")
INSTANCE_TYPES = frozenset(
    f"{prefix}{family}.{size}" for prefix in ("", "cache.") for family in _FAMILIES for size in _SIZES
)
"""Node types as ElastiCache names them, with and without its prefix."""


class Placement(BaseModel):
    """One entry of `shard_placements`."""

    model_config = ConfigDict(strict=True, extra="forbid")

    shard_index: Annotated[int, Field(ge=0)]
    availability_zone: Annotated[str, Field(min_length=1)]
    replica_availability_zones: list[Annotated[str, Field(min_length=1)]]


class ClusterBody(BaseModel):
    """PUT's request body."""

    model_config = ConfigDict(strict=True, extra="forbid")

    description: str = ""
    node_instance_type: Annotated[str, Field(min_length=1)]
    shard_count: Annotated[int, Field(ge=1, le=500)]
    replication_factor: Annotated[int, Field(ge=0, le=5)]
    enforce_shard_multi_az: bool
    shard_placements: list[Placement] = []


class ShownPlacement(BaseModel):
    """One entry of an answer's `shard_placements`."""

    shard_index: int
    availability_zone: str
    replica_availability_zones: list[str]


class Cluster(BaseModel):
    """What PUT and GET answer with: a service may hold what it would not take, so types are all that it promises."""

    name: str
    description: str
    node_instance_type: str
    shard_count: int
    replication_factor: int
    enforce_shard_multi_az: bool
    shard_placements: list[ShownPlacement]
    status: str
    errors: list[str]


class ErrorBody(BaseModel):
    """The body of every error."""

    message: str


def contradictions(body: ClusterBody) -> Iterator[str]:
    """What is wrong with a body beyond its types."""
    if body.enforce_shard_multi_az and body.replication_factor < 1:
        yield "enforce_shard_multi_az needs a replication_factor of at least 1"
    indexes = [placement.shard_index for placement in body.shard_placements]
    if len(set(indexes)) < len(indexes):
        yield "shard_placements names a shard twice"
    for placement in body.shard_placements:
        zones = placement.replica_availability_zones
        if placement.shard_index >= body.shard_count:
            yield f"shard_placements names shard {placement.shard_index} of {body.shard_count}"
        if len(zones) != body.replication_factor:
            yield f"shard {placement.shard_index} needs {body.replication_factor} replica_availability_zones"
        elif body.enforce_shard_multi_az and {placement.availability_zone} == {*zones, placement.availability_zone}:
            yield f"shard {placement.shard_index} lives in one zone"


def chosen_placements(configuration: dict[str, Any]) -> list[dict[str, Any]]:
    """Every shard's placement: the ones asked for, and for the others what this service chooses by itself."""
    zones = [f"us-east-1{letter}" for letter in "abc"]
    asked = {placement["shard_index"]: placement for placement in configuration["shard_placements"]}
    return [
        asked.get(shard)
        or {
            "shard_index": shard,
            "availability_zone": zones[shard % 3],
            "replica_availability_zones": [
                zones[(shard + 1 + replica) % 3] for replica in range(configuration["replication_factor"])
            ],
        }
        for shard in range(configuration["shard_count"])
    ]
