"""How large a target is before and after a plan: its nodes by instance type, and what they cost an hour.

Whatever of it depends on a price that nobody gave is not known, and never taken for nothing.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from reconciler.model.amount import exact
from reconciler.model.cluster import DELETING, LiveCluster, Values, instance_type_of, nodes_of
from reconciler.model.guards import Prices
from reconciler.plan.change import Change
from reconciler.plan.plan import Cost, Nodes


class Added(NamedTuple):
    """What a plan adds to the cost of an hour, and instance types of which it adds nodes at no known price.

    They compare as costs do: what isn't known is more than any amount.
    """

    unpriced: tuple[str, ...]
    amount: Decimal


class Size(NamedTuple):
    """Nodes by instance type, of all clusters of the target that aren't being deleted, before and after the plan."""

    before: Mapping[str, int]
    after: Mapping[str, int]

    @property
    def nodes(self) -> Nodes:
        """How many they are."""
        return Nodes(before=sum(self.before.values()), after=sum(self.after.values()))

    def cost(self, prices: Prices) -> Cost | None:
        """What they cost; None where nothing has a price."""
        if not prices:
            return None
        unpriced = sorted(kind for kind in {*self.before, *self.after} if kind not in prices)
        return Cost(before=_total(self.before, prices), after=_total(self.after, prices), unpriced=tuple(unpriced))

    def added(self, prices: Prices) -> Added:
        """What the plan adds; what goes away and has no price saves nothing."""
        more = {kind: self.after.get(kind, 0) - self.before.get(kind, 0) for kind in {*self.before, *self.after}}
        unpriced = sorted(kind for kind, nodes in more.items() if nodes > 0 and kind not in prices)
        amount = sum((nodes * exact(prices[kind]) for kind, nodes in more.items() if kind in prices), Decimal())
        return Added(tuple(unpriced), amount)


def size_of(live: Iterable[LiveCluster], changes: Iterable[Change]) -> Size:
    """The size of all that stays, and of all that will be there."""
    standing = {cluster.name: cluster.values for cluster in staying(live)}
    before: dict[str, int] = {}
    for values in standing.values():
        _add(before, values, 1)
    after = dict(before)
    for change in changes:
        if change.requests:
            _add(after, standing.get(change.name), -1)
            _add(after, change.requests[-1].body, 1)
    return Size(before, {kind: nodes for kind, nodes in after.items() if nodes})


def staying(live: Iterable[LiveCluster]) -> list[LiveCluster]:
    """The clusters that aren't on their way out."""
    return [cluster for cluster in live if cluster.status != DELETING]


def _add(nodes: dict[str, int], values: Values | None, sign: int) -> None:
    if values is not None:
        kind = instance_type_of(values)
        nodes[kind] = nodes.get(kind, 0) + sign * nodes_of(values)


def _total(nodes: Mapping[str, int], prices: Prices) -> float | None:
    if not nodes.keys() <= prices.keys():
        return None
    return float(sum((count * exact(prices[kind]) for kind, count in nodes.items()), Decimal()))
