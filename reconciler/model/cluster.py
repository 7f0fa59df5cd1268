"""A cluster's configuration, as the API's document writes it, and a live cluster."""

import json
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

ACTIVE = "Active"
DELETING = "Deleting"


class Frozen(BaseModel):
    """A value: strict about types, closed to unknown keys, never changed once made."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


Text = Annotated[str, Field(min_length=1)]


class Placement(Frozen):
    """Where the nodes of one shard live."""

    shard_index: Annotated[int, Field(ge=0)]
    availability_zone: Text
    replica_availability_zones: Annotated[tuple[Text, ...], Field(strict=False)]


Placements = Annotated[tuple[Placement, ...], Field(strict=False)]


class Configuration(Frozen):
    """The body of `PUT /cluster/{name}`; None is a field that is left out, and is never sent."""

    description: str | None = None
    node_instance_type: Text
    shard_count: Annotated[int, Field(ge=1)]
    replication_factor: Annotated[int, Field(ge=0)]
    enforce_shard_multi_az: bool
    shard_placements: Placements | None = None

    @property
    def nodes(self) -> int:
        """How many nodes it asks for: each shard's primary and its replicas."""
        return self.shard_count * (1 + self.replication_factor)

    @model_serializer(mode="wrap")
    def _leave_out_what_is_left_out(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {key: value for key, value in serialize(self).items() if value is not None}


CONFIGURATION_FIELDS = tuple(Configuration.model_fields)
"""The API's fields, in its document's order: the order in which a plan lists them."""


def _none_is_empty(value: object) -> object:
    return () if value is None else value


def _error_texts(value: object) -> object:
    if isinstance(value, list):
        return [item if isinstance(item, str) else json.dumps(item) for item in value]
    return _none_is_empty(value)


T = TypeVar("T")
_Array = Annotated[tuple[T, ...], Field(strict=False)]


class LivePlacement(BaseModel):
    """A placement as the service lists it: unknown keys are ignored, no sense is asked of it."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")

    shard_index: int
    availability_zone: str
    replica_availability_zones: _Array[str]


class LiveCluster(BaseModel):
    """One entry of `GET /cluster`. Unknown keys are ignored, unknown statuses kept as they are.

    An error of validation doesn't quote what the service said: it might have said the API key.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)

    name: str
    description: str | None = None
    node_instance_type: str
    shard_count: int
    replication_factor: int
    enforce_shard_multi_az: bool
    shard_placements: Annotated[_Array[LivePlacement], BeforeValidator(_none_is_empty)] = ()
    status: str
    errors: Annotated[_Array[str], BeforeValidator(_error_texts)] = ()

    @property
    def nodes(self) -> int:
        """How many nodes it has: each shard's primary and its replicas."""
        return self.shard_count * (1 + self.replication_factor)

    @property
    def failed(self) -> bool:
        """Whether its status says that it will never be `Active` by itself."""
        return self.status.endswith("Failed")

    @property
    def unhealthy(self) -> bool:
        """Whether the service reports errors on it, or a failed status."""
        return bool(self.errors) or self.failed

    @property
    def in_transition(self) -> bool:
        """Whether the service is still at work on it: any status that is neither `Active` nor failed."""
        return self.status != ACTIVE and not self.failed
