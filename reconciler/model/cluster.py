"""A cluster's configuration, as the API's document writes it, and a live cluster.

`Configuration` is the list of a cluster's fields. All else derives from it: what is compared, carried, digested and
ignored, the defaults of a fleet file, the schema. A field more there is a field more everywhere.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, NamedTuple, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

ACTIVE = "Active"
CREATING = "Creating"
DELETING = "Deleting"
CREATION_FAILED = "CreationFailed"

Listed: Final = Field(strict=False, fail_fast=True)
"""A tuple of a saved document, a list in it: read up to its first wrong entry, as millions would take gigabytes."""

FieldValue: TypeAlias = str | int | bool | Annotated[tuple[str, ...], Listed]
Values: TypeAlias = Mapping[str, FieldValue]
"""A configuration by path: `shard_count`, `shard_placements[0].availability_zone`, the number being the shard's index.

Normal: in the order of the API's document, placements by shard, replica zones sorted with duplicates kept. What isn't
there has no path. `reconciler.model.view` makes them.
"""


MOST_ERRORS: Final = 100
"""Of one cluster: the rest is counted."""


class Frozen(BaseModel):
    """A value: strict about types, closed to unknown keys, never changed once made."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


Text = Annotated[str, Field(min_length=1)]


class Placement(Frozen):
    """Where the nodes of one shard live."""

    shard_index: Annotated[
        int, Field(ge=0, description="Which shard: 0 for the first, less than shard_count.", examples=[0])
    ]
    availability_zone: Annotated[Text, Field(description="Where the shard's primary lives.", examples=["us-east-1a"])]
    replica_availability_zones: Annotated[
        tuple[Text, ...],
        Field(
            strict=False,
            description="Where its replicas live, one zone for each; their order has no meaning.",
            examples=[["us-east-1b", "us-east-1c"]],
        ),
    ]


Placements = Annotated[tuple[Placement, ...], Field(strict=False)]


class Configuration(Frozen):
    """The body of `PUT /cluster/{name}`; None is a field that is left out, and is never sent."""

    description: Annotated[
        str | None,
        Field(description="What the cluster is for. Left out: not managed.", examples=["Order service"]),
    ] = None
    node_instance_type: Annotated[
        Text,
        Field(
            description="The instance type of every node. Changing it replaces the nodes.",
            examples=["m6g.large", "t4g.small"],
        ),
    ]
    shard_count: Annotated[
        int, Field(ge=1, description="How many shards the data is spread over. Changing it reshards.", examples=[3])
    ]
    replication_factor: Annotated[
        int,
        Field(
            ge=0,
            description="Replicas of each shard: at least 1 with enforce_shard_multi_az; 0 leaves no failover.",
            examples=[2],
        ),
    ]
    enforce_shard_multi_az: Annotated[
        bool, Field(description="Whether each shard's nodes must live in more than one availability zone.")
    ]
    shard_placements: Annotated[
        Placements | None,
        Field(
            description="Where the nodes of each shard live. Left out: not managed; it may name only some shards.",
            examples=[
                [
                    {
                        "shard_index": 0,
                        "availability_zone": "us-east-1a",
                        "replica_availability_zones": ["us-east-1b", "us-east-1c"],
                    }
                ]
            ],
        ),
    ] = None


FIELDS: Final = tuple(Configuration.model_fields)
"""The API's fields, in its document's order: the order in which a plan lists them."""


class LiveCluster(NamedTuple):
    """One entry of `GET /cluster`: unknown fields are ignored, unknown statuses kept as they are."""

    name: str
    status: str
    errors: tuple[str, ...]
    values: Values

    @property
    def failed(self) -> bool:
        """Whether its status says that it will never be `Active` by itself."""
        return self.status.endswith("Failed")

    @property
    def unhealthy(self) -> bool:
        """Whether the service reports errors on it, or a failed status."""
        return bool(self.errors) or self.failed

    @property
    def never_active(self) -> bool:
        """Whether its create has failed: no update can mend it, it has to be made anew."""
        return self.status == CREATION_FAILED or (self.status == CREATING and bool(self.errors))

    @property
    def in_transition(self) -> bool:
        """Whether the service is still at work on it: any status that is neither `Active` nor failed."""
        return self.status != ACTIVE and not self.failed


def nodes_of(values: Values) -> int:
    """How many nodes a configuration has: each shard's primary and its replicas."""
    return number(values, "shard_count") * (1 + number(values, "replication_factor"))


def instance_type_of(values: Values) -> str:
    """The instance type of a configuration's nodes; empty where it has none."""
    value = values.get("node_instance_type")
    return value if isinstance(value, str) else ""


def number(values: Values, path: str) -> int:
    """A whole number of a configuration; 0 where it has none."""
    value = values.get(path)
    return value if isinstance(value, int) else 0


def error_texts(value: object) -> tuple[str, ...]:
    """The errors of a cluster, as the service lists them: texts, or whatever else it put there, as JSON.

    Of more than a hundred the rest is counted. Raises ValueError where that is no list.
    """
    if value is None or value == []:
        return ()
    if not isinstance(value, list):
        raise ValueError("errors: no list")  # noqa: TRY004  # the caller's one error for an entry that makes no sense
    texts: list[Any] = value
    told = tuple(text if isinstance(text, str) else json.dumps(text) for text in texts[:MOST_ERRORS])
    more = len(texts) - len(told)
    return (*told, f"and {more} errors more") if more else told
