"""Whether what head declares stands, in the latest list: before that, nothing is deleted. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.apply import words
from reconciler.apply.item import Item, goal_of
from reconciler.apply.job import Held, Job
from reconciler.apply.protocol import Ended, Listed
from reconciler.model.cluster import LiveCluster


@dataclass(frozen=True, slots=True)
class Unready:
    """A declared cluster that doesn't stand; `pending`: it may, before long."""

    name: str
    why: str
    pending: bool


@dataclass(frozen=True, slots=True)
class Readiness:
    """One target's declared clusters: what became of their changes, how they were listed `before`, and how they are."""

    job: Job
    items: Mapping[str, Item]
    before: Mapping[str, LiveCluster]
    latest: Listed

    def unready(self, *, lasting: bool = False) -> Iterator[Unready]:
        """What head declares and doesn't stand, save what was left; `lasting`: it has had its patience."""
        for name in self.job.head.declarations:
            item = self.items.get(name)
            if item is None or item.state != Ended("left"):
                found = self._unready(name, lasting=lasting)
                if found is not None:
                    yield found

    def failures(self) -> Iterator[Unready]:
        """Declared clusters whose change, or wait, has ended, and not well."""
        return (failure for item in self.items.values() if (failure := self._failure(item)) is not None)

    def stands(self, name: str) -> bool:
        """Whether a declared cluster does: then what it takes the place of may go."""
        return name in self.job.head.declarations and self._unready(name) is None

    def settled(self) -> Iterator[tuple[str, Held]]:
        """Those without a change that stand, each with what the service keeps in it."""
        for name in self.job.head.declarations:
            item, live = self.items.get(name), self.latest.clusters.get(name)
            if live is not None and (item is None or item.change is None):
                goal = goal_of(self.job, name, None, self.before)
                if goal.stands(live):
                    yield name, goal.different(live)

    def _unready(self, name: str, *, lasting: bool = False) -> Unready | None:
        item = self.items.get(name)
        failure = self._failure(item) if item is not None else None
        if failure is not None:
            return failure
        goal = item.goal if item is not None else goal_of(self.job, name, None, self.before)
        if name in self.latest.unreadable:
            return Unready(name, f"{name} is not listed as documented", pending=False)
        live = self.latest.clusters.get(name)
        if goal.stands(live):
            return None
        if live is not None and (live.unhealthy or live.in_transition):
            return Unready(name, f"{name} is {words.condition(live)}", pending=not live.unhealthy)
        why = f"{name} isn't there" if live is None else f"{name} isn't as declared"
        expected = item is not None or goal.stands(goal.before)
        return Unready(name, why, pending=expected and not lasting)

    def _failure(self, item: Item) -> Unready | None:
        """What is amiss with a declared cluster whose change, or wait, has ended, if anything is."""
        state = item.state
        if item.is_delete or not isinstance(state, Ended) or state.outcome in {"applied", "left"}:
            return None
        if item.change is not None:
            past = {"skipped": "was skipped", "stale": "is stale", "unknown": "may not have arrived"}
            return Unready(item.name, f"{item.name} {past.get(state.outcome, state.outcome)}", pending=False)
        live = self.latest.clusters.get(item.name)
        why = f"{item.name} is {words.condition(live)}" if live is not None else f"{item.name} has not settled"
        return Unready(item.name, why, pending=state.outcome == "unknown")
