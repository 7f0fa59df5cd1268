"""What one manifest says, and where it says it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from reconciler.model.cluster import CONFIGURATION_FIELDS, Configuration, Frozen

ManagedField = Literal[
    "description",
    "node_instance_type",
    "shard_count",
    "replication_factor",
    "enforce_shard_multi_az",
    "shard_placements",
]

ClusterName = Annotated[
    str, Field(min_length=1, max_length=255, pattern=r"^(?:\.{3,}|\.{0,2}[A-Za-z0-9_~-][A-Za-z0-9._~-]*)$")
]
"""URL-safe as it stands: RFC 3986's unreserved characters, and neither `.` nor `..`."""


class Lifecycle(Frozen):
    """How the reconciler treats a cluster; never sent to the service."""

    prevent_destroy: bool = False
    on_remove: Literal["delete", "keep"] = "delete"
    ignore_changes: Annotated[tuple[ManagedField, ...], Field(strict=False)] = ()


class Manifest(Configuration):
    """One YAML document: the body of `PUT`, plus `name`, plus `lifecycle`."""

    name: ClusterName
    lifecycle: Lifecycle = Lifecycle()

    def configuration(self) -> Configuration:
        """The part that is sent."""
        return Configuration.model_construct(**{name: getattr(self, name) for name in CONFIGURATION_FIELDS})


@dataclass(frozen=True, slots=True)
class Declaration:
    """A manifest and its place.

    `lines` maps a field's path as a plan writes it (`shard_count`, `shard_placements[0].availability_zone`, the number
    being the shard's index) to its line, from 1. A path that isn't there has its nearest parent's line.
    """

    manifest: Manifest
    file: str
    line: int
    lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.manifest.name

    def line_of(self, path: str) -> int:
        """The line of a field, or of the nearest thing around it."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path.rpartition(".")[0] or path.rpartition("[")[0]
        return self.line
