"""What each guard looks at, and how it says no: all are checked, each names its limit and every way to allow it.

The guards themselves, with their limits and who lifts them, are `reconciler.model.guards`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from reconciler.model.amount import amount_text, exact
from reconciler.model.evidence import Evidence
from reconciler.model.fleet import Head
from reconciler.model.guards import GUARDS, Guard, Limit, Limits
from reconciler.model.text import matching_pattern
from reconciler.plan.change import Change, Delete, Update
from reconciler.plan.intent import Intent
from reconciler.plan.plan import Violation
from reconciler.plan.size import Added, Size
from reconciler.problem import Place

COUNTS_FROM: Final = 4
"""Clusters from which a fraction means something; below, one delete is let through."""


class Guarded(NamedTuple):
    """What the guards look at; `live` counts all clusters of the account that aren't on their way out."""

    changes: Sequence[Change]
    head: Head
    live: int
    size: Size
    evidence: Evidence

    @property
    def deletes(self) -> list[Delete]:
        """The deletes."""
        return [change for change in self.changes if isinstance(change, Delete)]

    @property
    def clusters(self) -> int:
        """What fractions are of."""
        return max(len(self.head.declarations), self.live)


class Breach(NamedTuple):
    """One reason to refuse: what would be done, where that is ruled out if not by the guard's limit, and how to go on.

    `limit` and `allow` are None where the guard's own limit, and its own ways, count.
    """

    message: str
    actual: float | None = None
    limit: float | None = None
    place: Place | None = None
    allow: str | None = None


Check: TypeAlias = Callable[[Guarded, Limit, Intent], Iterator[Breach]]


def check_guards(guarded: Guarded, limits: Limits, intent: Intent) -> tuple[Violation, ...]:
    """Every violation that isn't allowed for this run."""
    return tuple(
        _violation(guard, refusal, limits)
        for guard in GUARDS
        if guard.name in CHECKS and not (guard.lifted_by == "--allow" and guard.name in intent.allow)
        for refusal in CHECKS[guard.name](guarded, limits.of(guard.key) if guard.key else None, intent)
    )


def exceeds(count: int, size: int, fraction: Limit) -> bool:
    """Whether so many are more than a fraction allows; of few clusters none is."""
    return isinstance(fraction, int | float) and size >= COUNTS_FROM and count / size > fraction


def _empty_head(guarded: Guarded, _limit: Limit, _intent: Intent) -> Iterator[Breach]:
    if guarded.deletes and not guarded.head.declarations:
        yield Breach(f"head declares no cluster at all, and {_clusters(len(guarded.deletes))} would be deleted", 0)


def _max_deletes(guarded: Guarded, limit: Limit, _intent: Intent) -> Iterator[Breach]:
    count = len(guarded.deletes)
    if isinstance(limit, int | float) and count > limit:
        yield Breach(f"{_clusters(count)} would be deleted; the limit is {limit:g}", count)


def _max_delete_fraction(guarded: Guarded, limit: Limit, _intent: Intent) -> Iterator[Breach]:
    count, size = len(guarded.deletes), guarded.clusters
    if not isinstance(limit, int | float):
        return
    if guarded.live < COUNTS_FROM and count > 1:
        few = f"of fewer than {COUNTS_FROM} clusters the limit is 1"
        yield Breach(f"{count} of {_clusters(guarded.live)} would be deleted; {few}", count, 1)
    elif exceeds(count, size, limit):
        message = f"{count} of {size} clusters would be deleted; the limit is {limit * 100:g}%"
        yield Breach(message, round(count / size, 4))


def _max_added_nodes(guarded: Guarded, limit: Limit, _intent: Intent) -> Iterator[Breach]:
    nodes = guarded.size.nodes
    added = nodes.after - nodes.before
    if isinstance(limit, int | float) and added > limit:
        yield Breach(f"{added} nodes would be added; the limit is {limit:g}", added)


def _max_added_cost(guarded: Guarded, limit: Limit, _intent: Intent) -> Iterator[Breach]:
    """By head's prices and by earlier ones: no change makes itself cheaper."""
    if not isinstance(limit, int | float):
        return
    now, before = _added(guarded)
    counted, by = (now, "") if before is None or now >= before else (before, ", by the prices before this change")
    if counted.unpriced:
        mend = f"{_once('max-added-cost')}; permanently: add the price in a change of its own, and apply that"
        yield Breach(f"nodes without a price would be added{by}: {_names(counted.unpriced)}", allow=mend)
    elif counted.amount > exact(limit):
        message = f"{amount_text(counted.amount)} an hour would be added{by}; the limit is {amount_text(exact(limit))}"
        yield Breach(message, float(counted.amount))


def _added(guarded: Guarded) -> tuple[Added, Added | None]:
    """What is added by head's prices, and by the record's or base's, whichever is less; None where neither has any."""
    earlier = [limits.prices for limits in guarded.evidence.earlier_limits if limits.prices]
    added = guarded.size.added
    return added(guarded.head.target.limits.prices), min((added(prices) for prices in earlier), default=None)


def _protected(guarded: Guarded, limit: Limit, _intent: Intent) -> Iterator[Breach]:
    for delete in guarded.deletes:
        line, last = guarded.evidence.line(delete.name), guarded.evidence.last(delete.name)
        pattern = matching_pattern(delete.name, limit if isinstance(limit, tuple) else ())
        place = None
        if last is not None and last.lifecycle.prevent_destroy:
            place = last.place_of("lifecycle")
            why = f"prevent_destroy is set at {place.file}:{place.line}"
        elif line is not None and line.lifecycle.prevent_destroy:
            place = Place(line.file, line.line)
            why = f"the record has prevent_destroy, as last applied from {place}"
        elif pattern is not None:
            why = f"protect has the pattern {pattern}"
        else:
            continue
        mend = "only git lifts this: take it out in a change of its own, apply that, then remove the manifest"
        yield Breach(f"{delete.name} would be deleted, but {why}", place=place, allow=mend)


def _adopt(guarded: Guarded, _limit: Limit, intent: Intent) -> Iterator[Breach]:
    """Once for all of them: who adopts a fleet says yes to a fleet."""
    names = [
        change.name
        for change in guarded.changes
        if isinstance(change, Update)
        and change.cause == "adoption"
        and not intent.adopts(change.name)
        and not guarded.head.declarations[change.name].lifecycle.adopt
    ]
    if len(names) == 1:
        once = f"allow it for one run with --adopt={names[0]}, or `adopt: {names[0]}` in the workflow"
        mend = f"{once}; permanently: write `lifecycle: {{adopt: true}}` in its manifest"
        yield Breach(f"{names[0]} is live already, made by somebody else, and would be changed", allow=mend)
    elif names:
        once = "allow it for one run with --adopt, or --adopt=GLOB for some of them, or `adopt: GLOB` in the workflow"
        mend = f"{once}; permanently: write `lifecycle: {{adopt: true}}` in their manifests"
        were = f"{_clusters(len(names))} are live already, made by somebody else, and would be changed"
        yield Breach(f"{were} ({_names(names)})", allow=mend)


def _orphans(guarded: Guarded, _limit: Limit, _intent: Intent) -> Iterator[Breach]:
    for gone in guarded.evidence.gone:
        does = f"sends target {gone.target} to {gone.sent_to}" if gone.sent_to else f"takes target {gone.target} away"
        message = f"this change {does}, and leaves {_clusters(len(gone.clusters))} behind at {gone.endpoint}"
        yield Breach(f"{message}: {_names(gone.clusters)}", len(gone.clusters))


CHECKS: Final[Mapping[str, Check]] = {
    "empty-head": _empty_head,
    "max-deletes": _max_deletes,
    "max-delete-fraction": _max_delete_fraction,
    "max-added-nodes": _max_added_nodes,
    "max-added-cost": _max_added_cost,
    "protected": _protected,
    "adopt": _adopt,
    "orphans": _orphans,
}
"""By the guard's name. `max-drift-fraction` refuses nothing, and `stale-head` refuses before there is a plan."""


def _violation(guard: Guard, refusal: Breach, limits: Limits) -> Violation:
    at_limit = limits.places.get(guard.key) if guard.key and refusal.place is None else None
    stands = f" ({guard.key} at {at_limit.file}:{at_limit.line})" if at_limit is not None else ""
    place = refusal.place or at_limit
    limit = limits.of(guard.key) if guard.key and refusal.limit is None else refusal.limit
    return Violation(
        guard=guard.name,
        message=f"{refusal.message}{stands}: {refusal.allow or _ways(guard)}",
        limit=limit if isinstance(limit, int | float) else None,
        actual=refusal.actual,
        file=place.file if place else None,
        line=place.line if place else None,
    )


def _ways(guard: Guard) -> str:
    """How a guard is allowed: in git, in the workflow, on the command line."""
    in_git = f"; permanently: raise guards.{guard.key} in a change of its own, and apply that" if guard.key else ""
    return f"{_once(guard.name)}{in_git}"


def _once(guard: str) -> str:
    return f"allow it for one run with --allow {guard}, or `allow: {guard}` in the workflow"


def _clusters(count: int) -> str:
    return f"{count} cluster{'' if count == 1 else 's'}"


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
