"""A change: what would be done to one cluster, and why. A closed union of frozen types, each made once, whole.

What is to be done (`Create`, `Update`, `Delete`) and how it ended (`reconciler.results`) are different types. A change
that is `left` is shown and not carried out: it has no request.
"""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from reconciler.model.cluster import FieldValue, Frozen

Cause: TypeAlias = Literal["adoption", "conflict", "drift", "pending", "revision"]
"""In this order the first among its fields' is a change's own."""

Risk: TypeAlias = Literal[
    "data-loss",
    "resharding",
    "node-replacement",
    "fewer-replicas",
    "no-failover",
    "zone-move",
    "placement-only",
]

LeftReason: TypeAlias = Literal["on-drift-report", "max-drift-fraction", "unreviewed"]
"""Why drift is left as it is: the target or the manifest says so; too much of the fleet has drifted; nobody saw it."""

_Path: TypeAlias = Annotated[str, Field(pattern=r"^[a-z_]+(\[\d+\]\.[a-z_]+)?$")]


class FieldChange(Frozen):
    """One managed field that differs. `before` is live's value, `after` the manifest's; None where there is none.

    `path` is `shard_placements[0].availability_zone`, the number being the shard's index. `line` is the manifest's, or
    `file`'s, where a default of the fleet file counts. `commit` set the value. `recorded` is what was last applied.
    A field that is `left` keeps its live value.
    """

    path: _Path
    before: FieldValue | None
    after: FieldValue | None
    cause: Cause | None = None
    file: str | None = None
    line: int | None = None
    commit: str | None = None
    recorded: FieldValue | None = None
    left: LeftReason | None = None


class Source(Frozen):
    """Where a cluster is declared, or, for a delete, where it last was and the commit that removed it."""

    file: str
    line: int
    commit: str | None = None


class Origin(Frozen):
    """The other half of a move or a rename: the cluster that a new, empty one takes the place of."""

    target: str
    name: str


class PutRequest(Frozen):
    """`PUT /cluster/{name}`: creates or updates. The path is percent-encoded, the body as the API's document has it."""

    method: Literal["PUT"] = "PUT"
    path: str
    body: dict[str, Any]


class DeleteRequest(Frozen):
    """`DELETE /cluster/{name}`. The path is percent-encoded."""

    method: Literal["DELETE"] = "DELETE"
    path: str
    body: None = None


Request: TypeAlias = PutRequest | DeleteRequest
_Fields: TypeAlias = Annotated[tuple[FieldChange, ...], Field(strict=False)]
_Risks: TypeAlias = Annotated[tuple[Risk, ...], Field(strict=False)]
_Requests: TypeAlias = Annotated[
    tuple[Annotated[Request, Field(discriminator="method")], ...], Field(strict=False, max_length=2)
]


class Create(Frozen):
    """A declared cluster that isn't live. It waits for `gone` where one of its name is being deleted.

    With `--replace`, one that was never Active: its delete is the first of two requests.
    """

    action: Literal["create"] = "create"
    name: str
    cause: Cause | None = None
    moved_from: Origin | None = None
    source: Source
    fields: _Fields
    risks: _Risks = ()
    waits_for: Literal["gone"] | None = None
    left: LeftReason | None = None
    requests: _Requests
    live_digest: str | None = None


class Update(Frozen):
    """A live cluster whose managed fields differ, or whose last update failed: then it may have no fields.

    It waits for `active` where the service is still at work on it.
    """

    action: Literal["update"] = "update"
    name: str
    cause: Cause | None = None
    moved_from: None = None
    source: Source
    fields: _Fields
    risks: _Risks = ()
    waits_for: Literal["active"] | None = None
    left: LeftReason | None = None
    requests: _Requests
    live_digest: str


class Delete(Frozen):
    """A live cluster that head doesn't declare."""

    action: Literal["delete"] = "delete"
    name: str
    cause: Cause | None = None
    moved_from: None = None
    source: Source | None = None
    fields: _Fields = ()
    risks: _Risks = ("data-loss",)
    waits_for: None = None
    left: None = None
    requests: _Requests
    live_digest: str


Change: TypeAlias = Annotated[Create | Update | Delete, Field(discriminator="action")]
