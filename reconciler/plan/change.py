"""A change: what would be done to one cluster, and why. A closed union of frozen types, each made once, whole.

What is to be done (`Create`, `Update`, `Delete`) and how it ended (`reconciler.results`) are different types. A change
that is `left` is shown and not carried out: it has no request.
"""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from reconciler.model.cluster import FieldValue, Frozen, Listed

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
    """One managed field that differs."""

    path: _Path
    """`shard_placements[0].availability_zone`, say, the number being the shard's index."""
    before: FieldValue | None
    """What is live; None where nothing is."""
    after: FieldValue | None
    """What the manifest says; None where it says nothing."""
    cause: Cause | None = None
    """Why it differs; None where there is no base to tell it by."""
    file: str | None = None
    """Where the line is, if that isn't the manifest: the fleet file, whose default counts."""
    line: int | None = None
    """Where the value stands."""
    commit: str | None = None
    """What set a value that was merged before; None where history doesn't say."""
    recorded: FieldValue | None = None
    """What was last applied."""
    left: LeftReason | None = None
    """Why the live value stays; None where it is changed."""


class Source(Frozen):
    """Where a cluster is declared, or, for a delete, where it last was and the commit that removed it."""

    file: str
    """The manifest, as it was named."""
    line: int
    """Where the cluster's document begins."""
    commit: str | None = None
    """What removed it; None where it stands, or where history doesn't say."""


class Origin(Frozen):
    """The other half of a move or a rename: the cluster that a new, empty one takes the place of."""

    target: str
    """The target that it leaves."""
    name: str
    """The name that it had."""


class PutRequest(Frozen):
    """`PUT /cluster/{name}`: creates or updates."""

    method: Literal["PUT"] = "PUT"
    path: str
    """Where, percent-encoded."""
    body: dict[str, Any]
    """What is sent, as the API's document has it."""


class DeleteRequest(Frozen):
    """`DELETE /cluster/{name}`."""

    method: Literal["DELETE"] = "DELETE"
    path: str
    """Where, percent-encoded."""
    body: None = None


Request: TypeAlias = PutRequest | DeleteRequest
_Fields: TypeAlias = Annotated[tuple[FieldChange, ...], Listed]
_Risks: TypeAlias = Annotated[tuple[Risk, ...], Listed]
_Requests: TypeAlias = Annotated[
    tuple[Annotated[Request, Field(discriminator="method")], ...], Field(strict=False, fail_fast=True, max_length=2)
]


class Create(Frozen):
    """A declared cluster that isn't live; with `--replace`, one that was never Active, and is deleted first."""

    action: Literal["create"] = "create"
    name: str
    """The cluster."""
    cause: Cause | None = None
    """Why; None where there is no base to tell it by."""
    moved_from: Origin | None = None
    """The cluster whose place it takes, empty."""
    source: Source
    """Where it is declared."""
    fields: _Fields
    """All that is declared."""
    risks: _Risks = ()
    """What a reviewer should know of it first."""
    waits_for: Literal["gone"] | None = None
    """`gone` where one of its name is being deleted."""
    left: LeftReason | None = None
    """Why it isn't carried out; None where it is."""
    requests: _Requests
    """What is sent, in this order."""
    live_digest: str | None = None
    """The configuration that it was decided on, as a hash; None where nothing was live."""


class Update(Frozen):
    """A live cluster whose managed fields differ, or whose last update failed."""

    action: Literal["update"] = "update"
    name: str
    """The cluster."""
    cause: Cause | None = None
    """Why; None where there is no base to tell it by."""
    moved_from: None = None
    source: Source
    """Where it is declared."""
    fields: _Fields
    """What differs; nothing where the last update is tried again."""
    risks: _Risks = ()
    """What a reviewer should know of it first."""
    waits_for: Literal["active"] | None = None
    """`active` where the service is still at work on it."""
    left: LeftReason | None = None
    """Why it isn't carried out; None where it is."""
    requests: _Requests
    """What is sent."""
    live_digest: str
    """The configuration that it was decided on, as a hash."""


class Delete(Frozen):
    """A live cluster that head doesn't declare."""

    action: Literal["delete"] = "delete"
    name: str
    """The cluster."""
    cause: Cause | None = None
    """Why; None where there is no base to tell it by."""
    moved_from: None = None
    source: Source | None = None
    """Where it last was declared, and the commit that removed it; None where nobody knows."""
    fields: _Fields = ()
    """Nothing: all of it goes."""
    risks: _Risks = ("data-loss",)
    """What a reviewer should know of it first."""
    waits_for: None = None
    left: None = None
    requests: _Requests
    """What is sent."""
    live_digest: str
    """The configuration that it was decided on, as a hash."""


Change: TypeAlias = Annotated[Create | Update | Delete, Field(discriminator="action")]
