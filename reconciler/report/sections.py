"""A plan as it is read: this change first, all else apart, and equal changes as one.

What destroys stands above every section, whatever its cause: `destroyed` lists it.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeAlias

from reconciler.plan.change import Change, Create, Delete, Origin, Update
from reconciler.plan.plan import Plan
from reconciler.report.words import TOPICS, Topic

_ACTION_ORDER: Final = {"create": 0, "update": 1, "delete": 2}
ACTIONS: Final = tuple(_ACTION_ORDER)

PlannedChange: TypeAlias = tuple[Plan, Change]
"""A change, and the plan it is of."""


class Alike(NamedTuple):
    """Changes that do the same to their clusters, by name; never none."""

    changes: tuple[Change, ...]

    @property
    def first(self) -> Change:
        """One of them, to tell what all do."""
        return self.changes[0]


class Section(NamedTuple):
    """What is read under one title."""

    topic: Topic
    groups: tuple[Alike, ...]


def topic_of(change: Change) -> Topic:
    """What a change is read under: one that also does what head means is this change's, whatever it brings along."""
    if change.left is not None:
        return "left"
    if isinstance(change, Update) and not change.fields:
        return "retry"
    causes = {change.cause, *(field.cause for field in change.fields if field.left is None)}
    return next((topic for topic in TOPICS if topic in causes), "plain")


def sections(plan: Plan) -> list[Section]:
    """Creates and updates by topic, in the order of a page, the largest groups first."""
    found: dict[Topic, dict[object, list[Change]]] = {topic: {} for topic in TOPICS}
    for change in sorted(plan.changes, key=lambda change: (_ACTION_ORDER[change.action], change.name)):
        if not isinstance(change, Delete):
            found[topic_of(change)].setdefault(_likeness(change), []).append(change)
    return [
        Section(topic, tuple(Alike(tuple(changes)) for changes in sorted(alike.values(), key=len, reverse=True)))
        for topic, alike in found.items()
        if alike
    ]


def _likeness(change: Create | Update) -> object:
    """What equal changes have in common: everything but whose they are and where they stand."""
    if change.moved_from is not None or len(change.requests) > 1 or not change.fields:
        return change.name
    fields = tuple((f.path, f.before, f.after, f.cause, f.commit, f.recorded, f.left) for f in change.fields)
    return (change.action, repr(fields), change.risks, change.waits_for, change.left)


def destroyed(plans: Iterable[Plan]) -> list[PlannedChange]:
    """Every cluster that is deleted, also that to be made anew: target by target, by name."""
    return [
        (plan, change)
        for plan in plans
        for change in sorted(plan.changes, key=lambda change: change.name)
        if isinstance(change, Delete) or is_replacement(change)
    ]


def is_replacement(change: Change) -> bool:
    """Whether a create deletes first what was never Active."""
    return isinstance(change, Create) and any(request.method == "DELETE" for request in change.requests)


def successors(plans: Iterable[Plan]) -> dict[Origin, Origin]:
    """Of each cluster that moves or is renamed, what takes its place."""
    return {
        change.moved_from: Origin(target=plan.target, name=change.name)
        for plan in plans
        for change in plan.changes
        if change.moved_from is not None
    }


def judges_a_change(plans: Iterable[Plan]) -> bool:
    """Whether head is held against something else than itself: only then is there a 'this change'."""
    return any(
        plan.base is not None
        and (plan.base.commit != plan.revision or bool(plan.dirty) or any(map(_is_revision, plan.changes)))
        for plan in plans
    )


def _is_revision(change: Change) -> bool:
    return topic_of(change) == "revision"


def has_no_record(plan: Plan) -> bool:
    """Whether git is at hand, live was read, and nothing tells whose is what."""
    return plan.live_read and plan.record is None and plan.revision is not None
