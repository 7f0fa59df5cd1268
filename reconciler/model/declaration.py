"""What one manifest says, and where it says it."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal, NamedTuple, TypeAlias

from pydantic import Field

from reconciler.model.cluster import FIELDS, Configuration, Frozen, Values
from reconciler.model.view import field_of, values_of
from reconciler.problem import Place

ClusterName = Annotated[
    str, Field(min_length=1, max_length=255, pattern=r"^(?:\.{3,}|\.{0,2}[A-Za-z0-9_~-][A-Za-z0-9._~-]*)$")
]
"""URL-safe as it stands: RFC 3986's unreserved characters, and neither `.` nor `..`."""

IgnoredField = Annotated[str, Field(json_schema_extra={"enum": list(FIELDS)})]
OnDrift: TypeAlias = Literal["revert", "report"]


class Lifecycle(Frozen):
    """How the reconciler treats a cluster; never sent to the service."""

    prevent_destroy: Annotated[
        bool, Field(description="true: the cluster is not deleted while its last declaration, or the record, says so.")
    ] = False
    on_remove: Annotated[
        Literal["delete", "keep"],
        Field(description="What removing the manifest means: delete, where a run prunes; or keep it, unharmed."),
    ] = "delete"
    on_drift: Annotated[
        OnDrift | None,
        Field(description="What becomes of a change made outside git: revert or report it. Default: the target's."),
    ] = None
    adopt: Annotated[
        bool, Field(description="true: it may be taken over, and changed, though somebody else made it.")
    ] = False
    ignore_changes: Annotated[
        tuple[IgnoredField, ...],
        Field(
            strict=False,
            description="Fields that a create sends and nothing changes afterwards.",
            examples=[["description"]],
        ),
    ] = ()


NO_LIFECYCLE = Lifecycle()


class Manifest(Configuration):
    """One YAML document: the body of `PUT`, plus `name`, plus `lifecycle`."""

    name: Annotated[
        ClusterName,
        Field(
            description="The cluster's name, one of its kind in its target; it can't be changed.", examples=["orders"]
        ),
    ]
    lifecycle: Annotated[
        Lifecycle, Field(description="How the reconciler treats the cluster; never sent to the service.")
    ] = NO_LIFECYCLE


DEFAULTABLE: Final = tuple(key for key in Manifest.model_fields if key not in {"name", "shard_placements"})
"""What a fleet file may give for many manifests: all but what is each cluster's own."""


class Declaration(NamedTuple):
    """What a manifest, with its target's defaults under it, says of one cluster.

    `values` are sent by a create. `managed` are those of them that are compared: all that isn't ignored. `places` maps
    a path, and a key of the manifest, to where it stands: the fleet file, where it is a default.
    """

    name: str
    values: Values
    managed: Values
    lifecycle: Lifecycle
    file: str
    line: int
    places: Mapping[str, Place] = MappingProxyType({})

    def place_of(self, path: str) -> Place:
        """Where a field stands, or the nearest thing around it."""
        while path:
            if (place := self.places.get(path)) is not None:
                return place
            path = path.rpartition(".")[0] or path.rpartition("[")[0]
        return Place(self.file, self.line)


def declare(manifest: Manifest, file: str, line: int, places: Mapping[str, Place]) -> Declaration:
    """The declaration that a valid manifest makes."""
    values = values_of(manifest)
    managed = managed_of(values, manifest.lifecycle.ignore_changes)
    return Declaration(manifest.name, values, managed, manifest.lifecycle, file, line, places)


def managed_of(values: Values, ignored: Collection[str]) -> Values:
    """The values that are compared: those of fields that aren't ignored."""
    return {path: value for path, value in values.items() if field_of(path) not in ignored} if ignored else values
