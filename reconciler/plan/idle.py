"""What nothing is done about: in sync, taken over, still settling, blocked, or nobody's business."""

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from reconciler.model.cluster import LiveCluster
from reconciler.model.declaration import Declaration
from reconciler.model.evidence import Evidence
from reconciler.plan.causes import is_owned
from reconciler.plan.change import Change, Source
from reconciler.plan.compare import Comparison, Pair
from reconciler.plan.ownership import unmanaged
from reconciler.plan.plan import ReplaceNeeds, Settling, Unhealthy, Unmanaged


class Idle(NamedTuple):
    """By name; `unchanged` counts declared clusters that are as they should be, `Active` and well."""

    unchanged: int
    taken_over: tuple[str, ...]
    settling: tuple[Settling, ...]
    unhealthy: tuple[Unhealthy, ...]
    unmanaged: tuple[Unmanaged, ...]


def find_idle(changes: Iterable[Change], comparison: Comparison, evidence: Evidence) -> Idle:
    """What remains of a comparison once its changes are known."""
    changed = {change.name for change in changes}
    declared = comparison.declared
    idle = [pair for pair in declared if pair.declaration.name not in changed]
    settling = tuple(_settling(idle))
    unhealthy = tuple(_unhealthy(declared, changed, evidence))
    return Idle(
        unchanged=len(idle) - len(settling) - sum(cluster.blocked for cluster in unhealthy),
        taken_over=tuple(_taken_over(idle, evidence)),
        settling=settling,
        unhealthy=unhealthy,
        unmanaged=tuple(unmanaged(live, evidence) for live in comparison.undeclared if live.name not in changed),
    )


def _settling(idle: Iterable[Pair]) -> Iterator[Settling]:
    for pair in idle:
        if pair.live is not None and pair.live.in_transition and not pair.live.never_active:
            yield Settling(name=pair.live.name, status=pair.live.status)


def _unhealthy(declared: Iterable[Pair], changed: Collection[str], evidence: Evidence) -> Iterator[Unhealthy]:
    for pair in declared:
        live = pair.live
        if live is not None and live.unhealthy:
            blocked = live.never_active and live.name not in changed
            needs = _replace_needs(pair.declaration, live, evidence) if blocked else None
            yield Unhealthy(
                name=live.name,
                status=live.status,
                errors=live.errors,
                blocked=blocked,
                replace_needs=needs,
                source=Source(file=pair.declaration.file, line=pair.declaration.line),
            )


def _replace_needs(declaration: Declaration, live: LiveCluster, evidence: Evidence) -> ReplaceNeeds | None:
    line = evidence.line(live.name)
    if line is not None and line.settled:
        return "forget"
    return None if is_owned(live, evidence) or declaration.lifecycle.adopt else "adopt"


def _taken_over(idle: Iterable[Pair], evidence: Evidence) -> Iterator[str]:
    """Declared, live, equal, and not in the record yet: the next apply takes them over, and changes nothing.

    Without git there is no record to take them into.
    """
    if evidence.provenance.revision is None:
        return
    for pair in idle:
        line = evidence.line(pair.declaration.name)
        if pair.live is not None and not pair.live.never_active and (line is None or not line.owns(pair.live)):
            yield pair.declaration.name
