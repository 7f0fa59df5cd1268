"""The rules that may refuse a plan. All are checked, each says how exactly it may be allowed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.model.cluster import Frozen
from reconciler.model.evidence import Evidence
from reconciler.model.guards import GuardName, Guards
from reconciler.plan.change import Change, Delete, Update
from reconciler.plan.settings import Intent

COUNTS_FROM = 4
"""Clusters from which a fraction means something; below, one delete is let through."""

NOT_LIFTED: frozenset[GuardName] = frozenset({"protected", "adopt"})
"""Guards that `--allow` doesn't lift: what is protected only git lets go, and `--adopt` names what it adopts."""


class Violation(Frozen):
    """A guard that refuses: what it allows, and what the plan would do."""

    guard: GuardName
    message: str
    limit: int | float | None = None
    actual: int | float | None = None


class Nodes(Frozen):
    """Nodes of all clusters of the target that aren't being deleted, before and after the plan."""

    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Held:
    """What the guards look at.

    `declared` and `live` count all clusters of the target, whatever is selected; those on their way out are not live.
    """

    changes: Sequence[Change]
    declared: int
    live: int
    nodes: Nodes

    @property
    def deletes(self) -> list[Delete]:
        """The deletes."""
        return [change for change in self.changes if isinstance(change, Delete)]

    @property
    def size(self) -> int:
        """What fractions are of."""
        return max(self.declared, self.live)


def check_guards(held: Held, limits: Guards, intent: Intent, evidence: Evidence) -> tuple[Violation, ...]:
    """Every violation that isn't allowed for this run."""
    found = [
        *_deletes(held, limits),
        *_unreviewed(held, limits),
        *_added_nodes(held, limits),
        *_protected(held, limits, evidence),
        *_adoptions(held, intent),
    ]
    lifted = {*intent.allow} - NOT_LIFTED
    return tuple(violation for violation in found if violation.guard not in lifted)


def _deletes(held: Held, limits: Guards) -> Iterator[Violation]:
    count = len(held.deletes)
    if count and not held.declared:
        message = f"head declares no cluster at all, and {_clusters(count)} would be deleted"
        yield _violation("empty-head", message, 1, 0)
    if limits.max_deletes is not None and count > limits.max_deletes:
        message = f"{_clusters(count)} would be deleted, and {limits.max_deletes} are the most"
        yield _violation("max-deletes", message, limits.max_deletes, count)
    if limits.max_delete_fraction is None:
        return
    if held.live < COUNTS_FROM and count > 1:
        message = f"{_clusters(count)} of {held.live} would be deleted, and of so few one is the most"
        yield _violation("max-delete-fraction", message, 1, count)
    elif _exceeds(count, held, limits.max_delete_fraction):
        most = _percent(limits.max_delete_fraction)
        message = f"{count} of {held.size} clusters would be deleted, and {most} are the most"
        yield _violation("max-delete-fraction", message, limits.max_delete_fraction, round(count / held.size, 4))


def _unreviewed(held: Held, limits: Guards) -> Iterator[Violation]:
    limit = limits.max_unreviewed_fraction
    count = sum(map(_is_unreviewed, held.changes))
    if limit is not None and _exceeds(count, held, limit):
        message = (
            f"{count} of {held.size} clusters would be changed for what nobody reviewed (drift, conflicts, adoptions), "
            f"and {_percent(limit)} are the most"
        )
        yield _violation("max-unreviewed-fraction", message, limit, round(count / held.size, 4))


def _added_nodes(held: Held, limits: Guards) -> Iterator[Violation]:
    limit, added = limits.max_added_nodes, held.nodes.after - held.nodes.before
    if limit is not None and added > limit:
        yield _violation("max-added-nodes", f"{added} nodes would be added, and {limit} are the most", limit, added)


def _protected(held: Held, limits: Guards, evidence: Evidence) -> Iterator[Violation]:
    for delete in held.deletes:
        of = evidence.of(delete.name)
        holding = next((d for d in (of.last, of.applied) if d and d.manifest.lifecycle.prevent_destroy), None)
        if holding is not None:
            why = f"prevent_destroy stands at {holding.file}:{holding.line_of('lifecycle')}"
            mend = "take it out in a change of its own, and apply that, before the manifest is removed"
        elif (pattern := limits.protector(delete.name)) is not None:
            why = f"protect has {pattern}"
            mend = "take the pattern out in a change of its own, and apply that"
        else:
            continue
        yield Violation(guard="protected", message=f"{delete.name} would be deleted, but {why}: {mend}")


def _adoptions(held: Held, intent: Intent) -> Iterator[Violation]:
    for change in held.changes:
        if isinstance(change, Update) and change.adopts and not intent.adopts(change.name):
            message = (
                f"{change.name} is live already, and declaring it would change it: allow it with --adopt={change.name}"
            )
            yield Violation(guard="adopt", message=message)


def _is_unreviewed(change: Change) -> bool:
    """Whether it sends what nobody reviewed; what `on_drift: report` leaves as it is isn't sent."""
    causes = {change.cause}
    if isinstance(change, Update):
        causes = {field.cause for field in change.fields if field.path in change.managed}
    return bool(change.requests) and (change.adopts or not causes.isdisjoint({"drift", "conflict"}))


def _exceeds(count: int, held: Held, fraction: float) -> bool:
    return held.size >= COUNTS_FROM and count / held.size > fraction  # a product would miss 0.29 of 100


def _percent(fraction: float) -> str:
    return f"{fraction * 100:g}%"


def _violation(guard: GuardName, message: str, limit: float, actual: float) -> Violation:
    return Violation(
        guard=guard, message=f"{message}: allow it for one run with --allow {guard}", limit=limit, actual=actual
    )


def _clusters(count: int) -> str:
    return f"{count} cluster{'' if count == 1 else 's'}"
