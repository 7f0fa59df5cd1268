"""What git remembers of one target: base, the record, and who set what."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from reconciler.model.cluster import Frozen
from reconciler.model.declaration import Declaration
from reconciler.model.guards import Limits
from reconciler.model.record import Line, Record


class Base(Frozen):
    """The commit that head is compared with, and why this one."""

    commit: str
    """Which."""
    reason: str
    """Why this one."""


class Provenance(NamedTuple):
    """Where head comes from: HEAD's commit, whether the manifests differ from it, and what it is compared with.

    All is None where no git is at hand. `base` alone is None for `--base none`.
    """

    revision: str | None = None
    dirty: bool | None = None
    base: Base | None = None


_UNKNOWN: Final = Provenance()


class Removal(NamedTuple):
    """The commit that removed a manifest, None where history doesn't go back so far, and what it last declared."""

    commit: str | None
    last: Declaration


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """A record that no target claims and that isn't empty: clusters that nobody looks after."""

    target: str
    """What the target was called."""
    endpoint: str
    """Where its API was."""
    clusters: tuple[str, ...]
    """By name."""


class Gone(NamedTuple):
    """A target that this change takes away, or sends elsewhere, while its record isn't empty; `sent_to` is where."""

    target: str
    endpoint: str
    clusters: tuple[str, ...]
    sent_to: str | None = None


class Evidence(NamedTuple):
    """What git says of one target.

    `base` are base's declarations of the clusters that were asked about, by name; None where there is no base. `record`
    is None where this clone has none. `removals` are of recorded clusters that neither head nor base declares. `astray`
    are the clusters whose recorded commit is known not to be in HEAD's history. `limits` are base's, where base isn't
    HEAD. `gone` are targets that this change takes away.
    """

    provenance: Provenance = _UNKNOWN
    base: Mapping[str, Declaration] | None = None
    record: Record | None = None
    removals: Mapping[str, Removal] = MappingProxyType({})
    astray: frozenset[str] = frozenset()
    limits: Limits | None = None
    gone: tuple[Gone, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def tells_causes(self) -> bool:
        """Whether there is a base to tell causes by."""
        return self.base is not None

    @property
    def earlier_limits(self) -> tuple[Limits, ...]:
        """What was applied, and what was merged, before this change: it lifts none of it."""
        recorded = self.record.limits if self.record is not None else None
        return tuple(limits for limits in (recorded, self.limits) if limits is not None)

    def line(self, name: str) -> Line | None:
        """What the record has of a cluster."""
        return self.record.lines.get(name) if self.record is not None else None

    def at_base(self, name: str) -> Declaration | None:
        """What base declares of a cluster."""
        return self.base.get(name) if self.base is not None else None

    def last(self, name: str) -> Declaration | None:
        """A cluster's last declaration in the first-parent history of base."""
        removal = self.removals.get(name)
        return self.at_base(name) or (removal.last if removal else None)


NO_GIT = Evidence()
