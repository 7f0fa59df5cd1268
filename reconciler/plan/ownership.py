"""Whose a live cluster is that head doesn't declare, and whether a prune deletes it."""

from collections.abc import Iterable, Iterator
from typing import assert_never

from reconciler.model.cluster import LiveCluster
from reconciler.model.evidence import Evidence
from reconciler.plan.intent import Intent
from reconciler.plan.plan import Ownership, Unmanaged


def ownership_of(live: LiveCluster, evidence: Evidence) -> Ownership:
    """What the record, and the last declaration, say of it; what is let go is nobody's to delete."""
    line, last = evidence.line(live.name), evidence.last(live.name)
    lifecycles = [known.lifecycle for known in (line, last) if known is not None]
    if (line is not None and line.released) or any(lifecycle.on_remove == "keep" for lifecycle in lifecycles):
        return "released"
    if evidence.record is None:
        return "unknown"
    return "owned" if line is not None and line.owns(live) else "not-ours"


def pruned(undeclared: Iterable[LiveCluster], evidence: Evidence, intent: Intent) -> Iterator[LiveCluster]:
    """The clusters that a run deletes."""
    return (live for live in undeclared if _is_pruned(ownership_of(live, evidence), intent))


def unmanaged(live: LiveCluster, evidence: Evidence) -> Unmanaged:
    """A cluster that is left alone."""
    removal = evidence.removals.get(live.name)
    return Unmanaged(
        name=live.name, ownership=ownership_of(live, evidence), removed_by=removal.commit if removal else None
    )


def _is_pruned(ownership: Ownership, intent: Intent) -> bool:
    match intent.prune:
        case None:
            return False
        case "owned":
            return ownership == "owned"
        case "all":
            return ownership != "released"
        case unreachable:
            assert_never(unreachable)
