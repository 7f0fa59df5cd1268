"""Whether a live cluster that nobody declares is provably this repository's."""

from typing import Literal, TypeAlias

from reconciler.model.cluster import Frozen, LiveCluster
from reconciler.model.declaration import Declaration
from reconciler.model.evidence import Evidence
from reconciler.plan.view import declared_view, live_view, managed_fields

Ownership: TypeAlias = Literal["owned", "never-declared", "formerly-managed", "unproven", "released", "unknown"]


class Unmanaged(Frozen):
    """A live cluster that no manifest declares and that the plan leaves alone; `removed_by` is a commit."""

    name: str
    ownership: Ownership
    removed_by: str | None = None


def judge_ownership(live: LiveCluster, evidence: Evidence, prune_within: float, now: float) -> Unmanaged:
    """What git says of it; `prune_within` is in seconds, `now` in epoch seconds."""
    of = evidence.of(live.name)
    removed_by = of.removal.commit if of.removal else None
    ownership = _ownership(live, evidence, prune_within, now)
    return Unmanaged(name=live.name, ownership=ownership, removed_by=removed_by)


def _ownership(live: LiveCluster, evidence: Evidence, prune_within: float, now: float) -> Ownership:
    of = evidence.of(live.name)
    if any(d is not None and d.manifest.lifecycle.on_remove == "keep" for d in (of.last, of.applied)):
        return "released"  # even where nothing can be proven: what is let go is nobody's to delete
    if evidence.clusters is None or evidence.unproven is not None:
        return "unknown"
    if of.applied is not None and (of.applied_here or _looks_like(live, of.applied)):
        return "owned"
    if not of.declarations:
        return "never-declared"
    if of.removal is not None and now - of.removal.at > prune_within:
        return "formerly-managed"
    dated = of.base is not None or of.removal is not None
    return "owned" if dated and any(_looks_like(live, d) for d in of.declarations) else "unproven"


def _looks_like(live: LiveCluster, declaration: Declaration) -> bool:
    """Whether the cluster is still as it was declared, in all that was managed; nothing managed proves nothing."""
    wanted = declared_view(declaration.manifest, managed_fields(declaration.manifest))
    return bool(wanted) and live_view(live, wanted) == wanted
