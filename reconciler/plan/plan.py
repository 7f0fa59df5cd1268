"""A plan: what is shown, reviewed, saved and carried out is one and the same object."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from reconciler.model.cluster import FieldValue, Frozen
from reconciler.model.evidence import Base
from reconciler.plan.change import Change
from reconciler.plan.digest import plan_digest
from reconciler.plan.intent import NO_INTENT, Intent

Ownership: TypeAlias = Literal["owned", "not-ours", "released", "unknown"]
"""Whose an undeclared cluster is: in the record; never in it; let go by `on_remove: keep`; no record here."""

ReplaceNeeds: TypeAlias = Literal["adopt", "forget"]
"""What keeps `--replace` alone from making anew what was never Active."""

_Names: TypeAlias = Annotated[tuple[str, ...], Field(strict=False)]


class Summary(Frozen):
    """How many clusters of each sort.

    Creates, updates and deletes are those that are carried out; `left` are those that aren't. `taken_over` are among
    the unchanged; `unmanaged` and `unhealthy` overlap with the others.
    """

    create: int = 0
    update: int = 0
    delete: int = 0
    left: int = 0
    unchanged: int = 0
    settling: int = 0
    taken_over: int = 0
    unmanaged: int = 0
    unhealthy: int = 0


class Nodes(Frozen):
    """Nodes of all clusters of the target that aren't being deleted, before and after the plan."""

    before: int
    after: int


class RecordAt(Frozen):
    """The record that the plan was made on: where in its own chain, and the commit that was last applied."""

    commit: str
    revision: str | None = None


class Settling(Frozen):
    """A declared cluster that is as it should be, and not `Active` yet."""

    name: str
    status: str


class Kept(Frozen):
    """A field in which the service holds another value than the one that was sent, and is known to."""

    name: str
    path: str
    sent: FieldValue | None
    kept: FieldValue | None


class Unmanaged(Frozen):
    """A live cluster that no manifest declares and that the plan leaves alone; `removed_by` is a commit."""

    name: str
    ownership: Ownership
    removed_by: str | None = None


class Unhealthy(Frozen):
    """A declared cluster with errors, or a failed status; `blocked`: it was never Active, and takes no update.

    `replace_needs` is what has to be said beside `--replace`: `adopt` where it isn't owned; `forget` where the record
    has a cluster of that name as settled, and so keeps it from being deleted.
    """

    name: str
    status: str
    errors: _Names
    blocked: bool = False
    replace_needs: ReplaceNeeds | None = None


class Violation(Frozen):
    """A guard that refuses: what it allows, what the plan would do, and where the limit stands."""

    guard: str
    message: str
    limit: int | float | None = None
    actual: int | float | None = None
    file: str | None = None
    line: int | None = None


class Plan(Frozen):
    """What would be done to one target.

    `revision` is HEAD's commit, `dirty` whether the manifests differ from it. `manifests` is the digest of all that the
    target declares, None in a plan for people; `folder` is where it was read. By these, and by `intent`, a saved plan
    knows what it was made of.
    """

    target: str
    endpoint: str
    revision: str | None = None
    dirty: bool | None = None
    base: Base | None = None
    record: RecordAt | None = None
    live_read: bool = True
    manifests: str | None = None
    folder: str = ""
    intent: Intent = NO_INTENT
    summary: Summary
    nodes: Nodes
    changes: Annotated[tuple[Change, ...], Field(strict=False)]
    taken_over: _Names = ()
    settling: Annotated[tuple[Settling, ...], Field(strict=False)] = ()
    kept: Annotated[tuple[Kept, ...], Field(strict=False)] = ()
    unmanaged: Annotated[tuple[Unmanaged, ...], Field(strict=False)] = ()
    unhealthy: Annotated[tuple[Unhealthy, ...], Field(strict=False)] = ()
    violations: Annotated[tuple[Violation, ...], Field(strict=False)] = ()
    warnings: _Names = ()

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
