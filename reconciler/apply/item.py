"""One change of a run, or one declared cluster that is only waited for, and where it stands."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reconciler.apply.job import Job
from reconciler.apply.judge import Goal
from reconciler.apply.protocol import Ended, ItemState, Queued, Waiting
from reconciler.model.cluster import LiveCluster
from reconciler.plan.change import Change, Delete
from reconciler.plan.request import expected_values
from reconciler.results import ErrorDetail


@dataclass(slots=True)
class Item:
    """`change` is None for what is only waited for. `step` is the request that is under way, or comes next.

    `reached`: a request may have had an effect. `answer` is PUT's own, `status` the cluster's, as last seen.
    """

    goal: Goal
    change: Change | None
    state: ItemState = Queued()  # noqa: RUF009  # frozen
    step: int = 0
    attempts: int = 0
    started: float | None = None
    ended: float | None = None
    status: str | None = None
    reached: bool = False
    answer: LiveCluster | None = None

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self.goal.name

    @property
    def is_delete(self) -> bool:
        """Whether the change is a delete."""
        return isinstance(self.change, Delete)

    @property
    def is_going(self) -> bool:
        """Whether the request under way deletes: a delete's, or a replacement's first."""
        return self.change is not None and self.change.requests[self.step].method == "DELETE"

    @property
    def is_half_done(self) -> bool:
        """Whether it is a replacement of which only the delete was done."""
        return self.step > 0

    @property
    def is_unsent(self) -> bool:
        """Whether nothing of it is under way."""
        return isinstance(self.state, Queued | Waiting)

    def seconds(self, at: float) -> float:
        """How long it has taken, from its first request on."""
        until = self.ended if self.ended is not None else at
        return 0.0 if self.started is None else round(until - self.started, 3)


def items_of(job: Job) -> Iterator[Item]:
    """Every change, and every declared cluster that is in transition without one, by name."""
    done, stale = {change.name for change in job.saved.done}, {change.name: why for change, why in job.saved.stale}
    settling = {cluster.name: cluster.status for cluster in job.plan.settling}
    changes = {change.name: change for change in job.changes}
    before = {cluster.name: cluster for cluster in job.listing.clusters}
    for name in sorted({*changes, *settling}):
        change = changes.get(name)
        item = Item(goal_of(job, name, change, before), change, status=settling.get(name))
        if name in done:
            item.state = Ended("applied", settled=item.is_delete or item.goal.stands(item.goal.before))
        elif name in stale:
            item.state = Ended("stale", ErrorDetail(kind="stale", message=stale[name]))
        elif change is not None and change.left is not None:
            item.state = Ended("left")
        yield item


def goal_of(job: Job, name: str, change: Change | None, before: Mapping[str, LiveCluster]) -> Goal:
    """What is to become of a cluster, declared or not."""
    declaration = job.head.declarations.get(name)
    left = {field.path for field in change.fields if field.left is not None} if change is not None else set[str]()
    values = expected_values(declaration, left) if declaration is not None else {}
    return Goal(name, values, job.lines.get(name), before.get(name))
