"""One plan held against another: what somebody has seen is done, and nothing else.

A plan that was saved or reviewed is what people read, never an order: it says which of the fresh changes may be made. A
change stands in it if its digest does: the same thing done to the same configuration.
"""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, TypeAlias, assert_never

from reconciler.model.cluster import DELETING, LiveCluster
from reconciler.plan.change import Change, Create, Delete, Update
from reconciler.plan.difference import difference_of
from reconciler.plan.digest import change_digest, live_digest
from reconciler.plan.plan import Plan
from reconciler.problem import Problem

Unreviewed: TypeAlias = Literal["refuse", "harmless"]

_HARMLESS_CAUSES: Final = frozenset({None, "revision", "pending"})
_MOST_TOLD: Final = 10
"""Clusters of which a refusal says how they differ from what was reviewed."""


class Reviewed(NamedTuple):
    """What was seen: digests of whole plans; and changes, by target and endpoint, then by their digest."""

    plans: frozenset[str] = frozenset()
    changes: Mapping[tuple[str, str], Mapping[str, Change]] = MappingProxyType({})

    @classmethod
    def of(cls, digests: Iterable[str], plans: Iterable[Plan]) -> "Reviewed":
        """Digests of plans as they are, and all changes of these plans; one that was made offline shows nothing."""
        changes: dict[tuple[str, str], dict[str, Change]] = {}
        for plan in plans:
            if plan.live_read:
                of_target = changes.setdefault((plan.target, plan.endpoint), {})
                of_target.update((change_digest(change), change) for change in plan.changes)
        return cls(frozenset(digests), changes)

    def of_target(self, target: str, endpoint: str) -> frozenset[str]:
        """The changes that were seen of one target."""
        return frozenset(self.changes.get((target, endpoint), ()))

    def shows(self, plan: Plan, change: Change) -> bool:
        """Whether somebody has seen a change."""
        seen = self.changes.get((plan.target, plan.endpoint), {})
        return plan.digest in self.plans or change_digest(change) in seen

    def nearest(self, plan: Plan, change: Change) -> Change | None:
        """What was seen of the same cluster, if that was the same action."""
        seen = self.changes.get((plan.target, plan.endpoint), {})
        return next((c for c in seen.values() if (c.action, c.name) == (change.action, change.name)), None)


class Verdict(NamedTuple):
    """What came of holding a plan against what was reviewed: what refuses it, and what goes on and is said."""

    refusals: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def hold_against(plan: Plan, reviewed: Reviewed, unreviewed: Unreviewed) -> Verdict:
    """Refuse what nobody has seen; with `harmless`, only what isn't harmless."""
    unseen = [change for change in plan.sends if not reviewed.shows(plan, change)]
    grave = unseen if unreviewed == "refuse" else [change for change in unseen if not is_harmless(change)]
    if grave:
        message = f"not reviewed: {_names(grave)}"
        remedy = "look at it with `reconciler plan`, and have that plan reviewed; or apply it by hand without --expect"
        return Verdict((Problem("stale", message, remedy, plan.target), *_otherwise(plan, reviewed, grave)))
    return Verdict(notes=(f"not reviewed, and harmless: {_names(unseen)}",) if unseen else ())


def _otherwise(plan: Plan, reviewed: Reviewed, grave: Iterable[Change]) -> Iterator[Problem]:
    """How changes differ from what was seen of the same clusters."""
    pairs = [(seen, change) for change in grave if (seen := reviewed.nearest(plan, change)) is not None]
    for seen, change in pairs[:_MOST_TOLD]:
        how = difference_of(_shown(seen), _shown(change)) or "what is live has changed"
        source = change.source
        where = (source.file, source.line) if source is not None else (None, None)
        yield Problem("stale", f"not as reviewed: {how}", None, plan.target, change.name, *where)


def _shown(change: Change) -> dict[str, Any]:
    """What a change was decided on, and what it does, nested as it is told."""
    return {
        "live": {field.path: field.before for field in change.fields},
        "sent": dict(change.requests[-1].body or {}) if change.requests else {},
        "requests": [request.method for request in change.requests],
    }


def is_harmless(change: Change) -> bool:
    """Whether it may be done although nobody has seen it: it risks nothing, and is what was merged.

    Drift that is left is not done; what is done without a field is a retry.
    """
    causes = {one.cause for one in change.fields if one.left is None} or {change.cause}
    return not change.risks and change.action != "delete" and causes <= _HARMLESS_CAUSES


class Standing(NamedTuple):
    """What has become of a saved plan's changes: still to do as they are, done already, or stale and why."""

    done: tuple[Change, ...]
    stale: tuple[tuple[Change, str], ...]


NOTHING_STANDS = Standing((), ())

_UNREADABLE: Final = "the service doesn't list it as documented: look at it in the Momento console"


def what_stands(
    saved: Plan, fresh: Plan, live: Sequence[LiveCluster], unreadable: Container[str] = frozenset()
) -> Standing:
    """Sort the saved changes that `fresh`, which was made of them alone, doesn't have.

    What is listed and `unreadable` is there, but how it is can't be known: its change is stale, and never done.
    """
    todo = {change_digest(change) for change in fresh.changes}
    listed = {cluster.name: cluster for cluster in live}
    gone = [change for change in saved.sends if change_digest(change) not in todo]
    done = tuple(c for c in gone if c.name not in unreadable and _is_done(c, listed.get(c.name)))
    stale = tuple(
        (c, _UNREADABLE if c.name in unreadable else _why_stale(c, listed.get(c.name))) for c in gone if c not in done
    )
    return Standing(done, stale)


def _is_done(change: Change, live: LiveCluster | None) -> bool:
    match change:
        case Delete():
            return live is None or live.status == DELETING
        case Create() | Update():
            wanted = {field.path: field.after for field in change.fields if field.left is None}
            if live is None or live.status == DELETING or live.unhealthy:
                return False
            return wanted.items() <= live.values.items()
        case unreachable:
            assert_never(unreachable)


def _why_stale(change: Change, live: LiveCluster | None) -> str:
    """Why a saved change isn't made: what is live has changed, and how; else what git says of it has."""
    if live is None and change.live_digest is not None:
        return "it has been deleted since the plan was made"
    if live is not None and change.live_digest is None:
        return "it has been created since, and not as declared"
    if live is None or live_digest(live) == change.live_digest:
        return "what git says of it has changed since the plan was made"
    how = _moved(change, live)
    return "it has changed since the plan was made" + (f": {how}" if how else "")


def _moved(change: Change, live: LiveCluster) -> str:
    """How a cluster differs from what a change was decided on, as far as that shows: its fields, what it carries."""
    sent = change.requests[-1].body if change.requests else None
    carried = {path: value for path, value in (sent or {}).items() if not isinstance(value, list)}
    was = {**carried, **{field.path: field.before for field in change.fields}}
    return difference_of(was, {path: live.values.get(path) for path in was})


def _names(changes: Sequence[Change]) -> str:
    told = ", ".join(f"{change.action} {change.name}" for change in changes[:5])
    return told + (f" and {len(changes) - 5} more" if len(changes) > 5 else "")
