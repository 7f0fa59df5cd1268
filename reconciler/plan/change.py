"""A change: what would be done to one cluster, and why. A closed union of frozen types.

What is to be done (`Create`, `Update`, `Delete`) and how it ended (`reconciler.results`) are different types. A change
without a request is only told: where a target's `on_drift` is `report`, what drifted is left as it is.
"""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from reconciler.model.cluster import Configuration, Frozen

Cause: TypeAlias = Literal["revision", "pending", "drift", "conflict"]
Risk: TypeAlias = Literal["data-loss", "resharding", "node-replacement", "fewer-replicas", "no-failover", "zone-move"]
FieldValue: TypeAlias = str | int | bool | Annotated[tuple[str, ...], Field(strict=False)] | None


class FieldChange(Frozen):
    """One managed field that differs. `before` is live's value, `after` the manifest's; None where there is none.

    `path` is `shard_placements[0].availability_zone`, the number being the shard's index. `line` is the manifest's.
    """

    path: Annotated[str, Field(pattern=r"^[a-z_]+(\[\d+\]\.[a-z_]+)?$")]
    before: FieldValue
    after: FieldValue
    cause: Cause | None = None
    line: int | None = None
    commit: str | None = None


class Source(Frozen):
    """Where a cluster is declared, or, for a delete, where it last was and the commit that removed it."""

    file: str
    line: int
    commit: str | None = None


class PutRequest(Frozen):
    """`PUT /cluster/{name}`: creates or updates. The path is percent-encoded."""

    method: Literal["PUT"] = "PUT"
    path: str
    body: Configuration


class DeleteRequest(Frozen):
    """`DELETE /cluster/{name}`. The path is percent-encoded."""

    method: Literal["DELETE"] = "DELETE"
    path: str
    body: None = None


class Create(Frozen):
    """A declared cluster that isn't live. It waits for `gone` where one of its name is being deleted.

    `managed` are the paths that must be live as sent before it counts as done; an ignored field is sent all the same.
    """

    action: Literal["create"] = "create"
    name: str
    cause: Cause | None = None
    adopts: bool = False
    source: Source
    fields: Annotated[tuple[FieldChange, ...], Field(strict=False)]
    managed: Annotated[tuple[str, ...], Field(strict=False)]
    risks: Annotated[tuple[Risk, ...], Field(strict=False)] = ()
    waits_for: Literal["gone"] | None = None
    requests: Annotated[tuple[PutRequest, ...], Field(strict=False, max_length=1)]
    live_digest: str | None = None


class Update(Frozen):
    """A live cluster whose managed fields differ. It waits for `active` where the service is still at work on it.

    `managed` are the paths that must be live as sent before it counts as done; the body holds others' live values too.
    """

    action: Literal["update"] = "update"
    name: str
    cause: Cause | None = None
    adopts: bool = False
    source: Source
    fields: Annotated[tuple[FieldChange, ...], Field(strict=False)]
    managed: Annotated[tuple[str, ...], Field(strict=False)]
    risks: Annotated[tuple[Risk, ...], Field(strict=False)] = ()
    waits_for: Literal["active"] | None = None
    requests: Annotated[tuple[PutRequest, ...], Field(strict=False, max_length=1)]
    live_digest: str


class Delete(Frozen):
    """A live cluster that head doesn't declare."""

    action: Literal["delete"] = "delete"
    name: str
    cause: Cause | None = None
    adopts: bool = False
    source: Source | None = None
    fields: Annotated[tuple[FieldChange, ...], Field(strict=False)] = ()
    risks: Annotated[tuple[Risk, ...], Field(strict=False)] = ("data-loss",)
    waits_for: None = None
    requests: Annotated[tuple[DeleteRequest, ...], Field(strict=False, max_length=1)]
    live_digest: str


Change: TypeAlias = Annotated[Create | Update | Delete, Field(discriminator="action")]
Request: TypeAlias = PutRequest | DeleteRequest
