"""A plan: what is shown, reviewed, saved and carried out is one and the same object."""

from typing import Annotated, Literal, TypeAlias

from reconciler.model.cluster import FieldValue, Frozen, Listed
from reconciler.model.evidence import Base
from reconciler.plan.change import Change, Source
from reconciler.plan.digest import plan_digest
from reconciler.plan.intent import NO_INTENT, Intent

Ownership: TypeAlias = Literal["owned", "not-ours", "released", "unknown"]
"""Whose an undeclared cluster is: in the record; never in it; let go by `on_remove: keep`; no record here."""

ReplaceNeeds: TypeAlias = Literal["adopt", "forget"]
"""What keeps `--replace` alone from making anew what was never Active."""

_Names: TypeAlias = Annotated[tuple[str, ...], Listed]


class Summary(Frozen):
    """How many clusters of each sort. The last two overlap with the others."""

    create: int = 0
    """To create."""
    update: int = 0
    """To update."""
    delete: int = 0
    """To delete."""
    left: int = 0
    """With a change that isn't carried out."""
    unchanged: int = 0
    """As declared, Active and well."""
    settling: int = 0
    """As declared, and not Active yet."""
    taken_over: int = 0
    """Of those unchanged: not in the record yet."""
    unmanaged: int = 0
    """Live, and not declared."""
    unhealthy: int = 0
    """Declared, with errors or a failed status."""


class Nodes(Frozen):
    """Nodes of all clusters of the target that aren't being deleted, before and after the plan."""

    before: int
    """As it is."""
    after: int
    """As it will be."""


class Cost(Frozen):
    """What these nodes cost an hour, by the fleet file's prices."""

    before: float | None
    """As it is; None where a type has no price."""
    after: float | None
    """As it will be; None where a type has no price."""
    unpriced: _Names = ()
    """The instance types without a price, before or after."""


class RecordAt(Frozen):
    """The record that the plan was made on."""

    commit: str
    """Where in the record's own chain."""
    revision: str | None = None
    """The commit that was last applied."""


class Settling(Frozen):
    """A declared cluster that is as it should be, and not `Active` yet."""

    name: str
    """The cluster."""
    status: str
    """In the service's words."""


class Kept(Frozen):
    """A field in which the service holds another value than the one that was sent, and is known to."""

    name: str
    """The cluster."""
    path: str
    """The field, as in `fields`."""
    sent: FieldValue | None
    """What was sent."""
    kept: FieldValue | None
    """What the service holds; None where it dropped it."""


class Unmanaged(Frozen):
    """A live cluster that no manifest declares and that the plan leaves alone."""

    name: str
    """The cluster."""
    ownership: Ownership
    """Whose it is."""
    removed_by: str | None = None
    """The commit that removed its manifest."""


class Unhealthy(Frozen):
    """A declared cluster with errors, or a failed status."""

    name: str
    """The cluster."""
    status: str
    """In the service's words."""
    errors: _Names
    """In the service's words."""
    blocked: bool = False
    """Whether it was never Active, and takes no update: `--replace` deletes it and creates it again."""
    replace_needs: ReplaceNeeds | None = None
    """What has to be said beside `--replace`: `adopt` where it isn't owned; `forget` where the record has a cluster of
    that name as settled, and so keeps it from being deleted."""
    source: Source | None = None
    """Where it is declared."""


class Violation(Frozen):
    """A guard that refuses: nothing is applied."""

    guard: str
    """Its name, as `--allow` takes it."""
    message: str
    """What would be done, what is allowed, and every way to allow it."""
    limit: int | float | None = None
    """What is allowed; None for a guard without a number."""
    actual: int | float | None = None
    """What would be done, as a number; None where there is none, or where it isn't known."""
    file: str | None = None
    """Where the limit stands; None for a default."""
    line: int | None = None
    """Where in that file."""


class Plan(Frozen):
    """What would be done to one target, and what was seen of it."""

    target: str
    """Its name in the fleet file."""
    endpoint: str
    """Where its API is; `sandbox:` and its name for an embedded one."""
    revision: str | None = None
    """HEAD's commit; None without git."""
    dirty: bool | None = None
    """Whether the manifests differ from HEAD's; None without git."""
    base: Base | None = None
    """What head is compared with; None without."""
    record: RecordAt | None = None
    """What was applied before; None where none is here."""
    live_read: bool = True
    """Whether the service was asked; a plan of git alone is never applied."""
    manifests: str | None = None
    """All that the target declares, as a hash; None in a plan that wasn't saved."""
    folder: str = ""
    """Where the manifests were read."""
    intent: Intent = NO_INTENT
    """The options that it was made by."""
    summary: Summary
    """How many clusters of each sort."""
    nodes: Nodes
    """Of all clusters of the account that aren't being deleted."""
    cost: Cost | None = None
    """Of these nodes; None where the fleet file has no prices."""
    changes: Annotated[tuple[Change, ...], Listed]
    """What would be done, by name."""
    taken_over: _Names = ()
    """Clusters that are live and exactly as declared, and not in the record yet."""
    settling: Annotated[tuple[Settling, ...], Listed] = ()
    """Declared clusters that are as they should be, and not Active yet."""
    kept: Annotated[tuple[Kept, ...], Listed] = ()
    """Fields in which the service is known to hold something other than was sent."""
    unmanaged: Annotated[tuple[Unmanaged, ...], Listed] = ()
    """Live clusters that no manifest declares and that are left alone."""
    unhealthy: Annotated[tuple[Unhealthy, ...], Listed] = ()
    """Declared clusters with errors."""
    violations: Annotated[tuple[Violation, ...], Listed] = ()
    """The guards that refuse it; with any, nothing is applied."""
    warnings: _Names = ()
    """What is odd, and no error."""

    @property
    def digest(self) -> str:
        """What `--expect` compares: the target, its endpoint and its changes."""
        return plan_digest(self.target, self.endpoint, self.changes)

    @property
    def sends(self) -> tuple[Change, ...]:
        """The changes that are carried out: all but those that are left."""
        return tuple(change for change in self.changes if change.left is None)

    @property
    def touched(self) -> bool:
        """Whether what git declares was touched by somebody else, or is unhealthy: what `drift` ends in 2 for."""
        return bool(self.unhealthy) or any(change.cause not in {"pending", "revision"} for change in self.changes)

    @property
    def unapplied(self) -> bool:
        """Whether something is merged and not applied, owned and not pruned, or settling: `drift` ends in 5 for it."""
        return bool(self.changes or self.settling or self.owned)

    @property
    def owned(self) -> tuple[Unmanaged, ...]:
        """The clusters that are ours, that git declares no more, and that the plan leaves alone."""
        return tuple(cluster for cluster in self.unmanaged if cluster.ownership == "owned")

    @property
    def blocked(self) -> tuple[Unhealthy, ...]:
        """Declared clusters that were never Active: each has to be deleted and made anew."""
        return tuple(cluster for cluster in self.unhealthy if cluster.blocked)
