"""A plan: what is shown, reviewed, saved and carried out is one and the same object."""

from typing import Annotated

from pydantic import Field

from reconciler.model.cluster import ACTIVE, DELETING, Frozen
from reconciler.model.evidence import Applied, Base
from reconciler.plan.change import Change
from reconciler.plan.digest import plan_digest
from reconciler.plan.guards import Nodes, Violation
from reconciler.plan.ownership import Unmanaged
from reconciler.plan.settings import NO_INTENT, Intent


class Summary(Frozen):
    """How many clusters of each sort; `unmanaged` and `unhealthy` overlap with the others."""

    create: int
    update: int
    delete: int
    unchanged: int
    unmanaged: int
    unhealthy: int


class Unhealthy(Frozen):
    """A live cluster with errors, or a failed status."""

    name: str
    status: str
    errors: Annotated[tuple[str, ...], Field(strict=False)]


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
    applied: Applied | None = None
    live_read: bool = True
    manifests: str | None = None
    folder: str = ""
    intent: Intent = NO_INTENT
    summary: Summary
    nodes: Nodes
    changes: Annotated[tuple[Change, ...], Field(strict=False)]
    unmanaged: Annotated[tuple[Unmanaged, ...], Field(strict=False)]
    unhealthy: Annotated[tuple[Unhealthy, ...], Field(strict=False)]
    violations: Annotated[tuple[Violation, ...], Field(strict=False)] = ()
    warnings: Annotated[tuple[str, ...], Field(strict=False)] = ()

    @property
    def digest(self) -> str:
        """What `--expect` compares: the target, its endpoint and its changes."""
        return plan_digest(self.target, self.endpoint, self.changes)

    @property
    def sends(self) -> tuple[Change, ...]:
        """The changes that a request is sent for: all but those that are only told."""
        return tuple(change for change in self.changes if change.requests)

    @property
    def blocked(self) -> tuple[Unhealthy, ...]:
        """Declared clusters that can't be brought to `Active` by a PUT: each must be deleted first."""
        not_declared = {u.name for u in self.unmanaged} | {c.name for c in self.changes if c.action == "delete"}
        return tuple(u for u in self.unhealthy if u.status not in {ACTIVE, DELETING} and u.name not in not_declared)
