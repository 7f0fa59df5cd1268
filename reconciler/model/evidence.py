"""What git knows of the clusters that differ: the readings that causes, ownership and limits are decided on."""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.model.cluster import Frozen
from reconciler.model.declaration import Declaration
from reconciler.model.guards import Guards


class Base(Frozen):
    """The commit that head is compared with, and why this one."""

    commit: str
    reason: str


class Applied(Frozen):
    """The commit of the last complete apply; where there is none, what it left is inferred from base and live."""

    commit: str | None
    inferred: bool


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where head comes from: HEAD's commit, whether the manifests differ from it, and what it is compared with.

    All is None where no git is at hand. `base` alone is None for `--base none`.
    """

    revision: str | None = None
    dirty: bool | None = None
    base: Base | None = None
    applied: Applied | None = None


NO_GIT = Provenance()


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit of base's first-parent history that changed one cluster's declaration; `at` is in epoch seconds."""

    commit: str
    at: float
    before: Declaration | None
    after: Declaration | None


@dataclass(frozen=True, slots=True)
class ClusterEvidence:
    """What git says of one cluster, by endpoint and name; `history` begins with the newest.

    `applied_here`: whether applied's declaration is this very target's, rather than another's of the same endpoint,
    which may be another account.
    """

    base: Declaration | None = None
    applied: Declaration | None = None
    history: tuple[Revision, ...] = ()
    applied_here: bool = True

    @property
    def removal(self) -> Revision | None:
        """The commit that removed it, where base doesn't declare it and its history once did."""
        if self.base is not None or not self.history or self.history[0].after is not None:
            return None
        return self.history[0]

    @property
    def last(self) -> Declaration | None:
        """Its newest declaration: base's, or the one before it was removed."""
        return next(iter(self.declarations), None)

    @property
    def declarations(self) -> tuple[Declaration, ...]:
        """All that it ever was declared as, as far as the history goes; the newest first."""
        once = (declaration for revision in self.history for declaration in (revision.after, revision.before))
        return tuple(d for d in (self.base, *once) if d is not None)


_NOTHING = ClusterEvidence()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What git says of one target.

    `clusters` is None where no cause can be told. `unproven` says why ownership can't, None where it can. `guards` are
    applied's, or base's where nothing is known to be applied; None where neither is known.
    """

    provenance: Provenance = NO_GIT
    clusters: Mapping[str, ClusterEvidence] | None = None
    unproven: str | None = "no git is at hand"
    guards: Guards | None = None
    warnings: tuple[str, ...] = ()

    def of(self, name: str) -> ClusterEvidence:
        """What it says of one cluster."""
        return (self.clusters or {}).get(name, _NOTHING)

    @property
    def explains(self) -> bool:
        """Whether causes can be told: git was read, and there is a base."""
        return self.clusters is not None and self.provenance.base is not None

    @property
    def knows_applied(self) -> bool:
        """Whether the last complete apply is known, rather than inferred."""
        applied = self.provenance.applied
        return applied is not None and not applied.inferred
