"""The limits that a plan is held to; the defaults are the fleet file's."""

from fnmatch import fnmatchcase
from typing import Annotated, Literal, TypeAlias, TypeVar

from pydantic import BeforeValidator, Field

from reconciler.clock import parse_duration
from reconciler.model.cluster import Frozen, Text

GuardName: TypeAlias = Literal[
    "empty-head",
    "max-deletes",
    "max-delete-fraction",
    "max-unreviewed-fraction",
    "max-added-nodes",
    "protected",
    "adopt",
]
Limit = TypeVar("Limit", int, float)
Fraction = Annotated[float, Field(ge=0, le=1)]


def _seconds(value: object) -> object:
    if isinstance(value, int):
        raise ValueError(f"{value} is not a duration: write a number and a unit, such as 30d")  # noqa: TRY004
    return parse_duration(value) if isinstance(value, str) else value


class Guards(Frozen):
    """`None` is no limit. `prune_within` is in seconds, written as a duration; `protect` are name patterns."""

    max_deletes: Annotated[int, Field(ge=0)] | None = 5
    max_delete_fraction: Fraction | None = 0.25
    max_unreviewed_fraction: Fraction | None = 0.5
    max_added_nodes: Annotated[int, Field(ge=0)] | None = None
    prune_within: Annotated[float, Field(gt=0), BeforeValidator(_seconds)] = 30 * 86400.0
    protect: Annotated[tuple[Text, ...], Field(strict=False)] = ()

    def overlaid(self, own: "Guards") -> "Guards":
        """These, with what a target says for itself in their place."""
        return self.model_copy(update={name: getattr(own, name) for name in own.model_fields_set})

    def stricter(self, other: "Guards") -> "Guards":
        """Of each limit the tighter one, of both."""
        return Guards(
            max_deletes=_least(self.max_deletes, other.max_deletes),
            max_delete_fraction=_least(self.max_delete_fraction, other.max_delete_fraction),
            max_unreviewed_fraction=_least(self.max_unreviewed_fraction, other.max_unreviewed_fraction),
            max_added_nodes=_least(self.max_added_nodes, other.max_added_nodes),
            prune_within=min(self.prune_within, other.prune_within),
            protect=tuple(sorted({*self.protect, *other.protect})),
        )

    def protector(self, name: str) -> str | None:
        """The first pattern of `protect` that matches; None where none does."""
        return next((pattern for pattern in self.protect if fnmatchcase(name, pattern)), None)


def _least(one: Limit | None, other: Limit | None) -> Limit | None:
    return min((limit for limit in (one, other) if limit is not None), default=None)
