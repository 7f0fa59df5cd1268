"""Why a field or a cluster differs: four readings, R recorded, B base, H head, L live.

L is ours if it is what the record says was declared, sent or kept, or what base declares. Where H ≠ L:

    not in the record   adoption   somebody else made it
    L ours, B ≠ H       revision   this change does it
    L ours, B = H       pending    merged before, not applied yet; conflict where it was applied from elsewhere
    L not ours, H = R   drift      changed outside git
    L not ours, H ≠ R   conflict   would overwrite a change that nobody reviewed

A field that R has not seen settled counts as ours: it was not managed, or what became of its first value is not known.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Final, NamedTuple, get_args

from reconciler.model.cluster import LiveCluster
from reconciler.model.evidence import Evidence
from reconciler.plan.change import Cause
from reconciler.plan.compare import Comparison, Difference, Pair, absent_differences

CAUSES: Final[tuple[Cause, ...]] = get_args(Cause)


class Explained(NamedTuple):
    """A pair with a cause for each of its differences, and for the whole; `kept` are differences that are no change."""

    pair: Pair
    fields: tuple[tuple[Difference, Cause | None], ...]
    cause: Cause | None
    kept: tuple[Difference, ...] = ()


def explain_present(pair: Pair, live: LiveCluster, evidence: Evidence) -> Explained:
    """A live cluster that differs, or whose last update failed."""
    line = evidence.line(live.name)
    keeps = line is not None and line.owns(live) and line.keeps
    kept = tuple(d for d in pair.differences if keeps and keeps(d.path, d.head, d.live))
    fields = tuple((d, cause_of_field(d, live, evidence)) for d in pair.differences if d not in kept)
    cause = first_cause(cause for _, cause in fields) if fields else cause_of_retry(pair, live, evidence)
    return Explained(pair, fields, cause, kept)


def explain_absent(pair: Pair, evidence: Evidence) -> Explained:
    """A declared cluster that isn't live: all of it has one cause."""
    cause = cause_of_create(pair.declaration.name, evidence)
    return Explained(pair, tuple((difference, cause) for difference in pair.differences), cause)


def who_set_what(comparison: Comparison, evidence: Evidence) -> Mapping[str, Collection[str]]:
    """The paths by cluster whose commit a reader wants to know: of what was merged before, and isn't applied yet."""
    present = (explain_present(p, p.live, evidence) for p in comparison.differing if p.live is not None)
    explained = (*present, *(explain_absent(pair, evidence) for pair in comparison.absent))
    asked = {o.pair.declaration.name: [d.path for d, cause in o.fields if cause == "pending"] for o in explained}
    return {name: paths for name, paths in asked.items() if paths}


def as_absent(pair: Pair) -> Pair:
    """The same cluster, as if there were none of its name."""
    return Pair(pair.declaration, None, absent_differences(pair.declaration))


def is_owned(live: LiveCluster, evidence: Evidence) -> bool:
    """Whether a live cluster is in the record, as ours."""
    line = evidence.line(live.name)
    return line is not None and line.owns(live)


def cause_of_field(difference: Difference, live: LiveCluster, evidence: Evidence) -> Cause | None:
    """Why one field differs; None where there is no base to tell it by."""
    line = evidence.line(live.name)
    if line is None or not line.owns(live):
        return "adoption"
    if not evidence.tells_causes:
        return None
    path, head = difference.path, difference.head
    base = evidence.at_base(live.name)
    at_base = base.managed.get(path) if base is not None else None
    unsettled = path not in (line.declared or {})
    if unsettled or line.wrote(path, difference.live) or (at_base is not None and at_base == difference.live):
        if at_base != head:
            return "revision"
        return "conflict" if live.name in evidence.astray else "pending"
    recorded = (values.get(path) for values in (line.declared or {}, line.sent))
    return "drift" if head in recorded else "conflict"


def cause_of_retry(pair: Pair, live: LiveCluster, evidence: Evidence) -> Cause | None:
    """Why an update is sent again that changes no field: the last one failed, and this change, or none, mends it."""
    if not is_owned(live, evidence):
        return "adoption"
    if not evidence.tells_causes:
        return None
    base = evidence.at_base(live.name)
    return "pending" if base is not None and base.managed == pair.declaration.managed else "revision"


def cause_of_create(name: str, evidence: Evidence) -> Cause | None:
    """Why a declared cluster isn't live: it is new, somebody deleted it, or it wasn't made yet."""
    if not evidence.tells_causes:
        return None
    if evidence.at_base(name) is None:
        return "revision"
    line = evidence.line(name)
    return "drift" if line is not None and line.settled and not line.released else "pending"


def cause_of_delete(name: str, evidence: Evidence) -> Cause | None:
    """Why a live cluster isn't declared: this change removes it, or an earlier one did."""
    if not evidence.tells_causes:
        return None
    return "pending" if evidence.at_base(name) is None else "revision"


def first_cause(causes: Iterable[Cause | None]) -> Cause | None:
    """A change's own cause, of its fields'."""
    found = set(causes)
    return next((cause for cause in CAUSES if cause in found), None)
