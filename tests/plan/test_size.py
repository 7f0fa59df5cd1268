"""How large a target is before and after: nodes, and what they cost."""

from decimal import Decimal

from hypothesis import given

from reconciler.model.amount import exact
from reconciler.model.cluster import DELETING, LiveCluster, nodes_of
from reconciler.model.guards import Limits, Prices
from reconciler.plan.intent import Intent
from reconciler.plan.plan import Cost, Nodes
from tests.fakes import head, live, manifest
from tests.plan.histories import after, git, plan_of
from tests.plan.worlds import World, worlds


def test_nodes_are_of_all_that_stays() -> None:
    """Shards times one and the replicas; a cluster that nobody declares costs as much."""
    found = [live("a"), live("stray", shard_count=5, replication_factor=2), live("going", status="Deleting")]
    one = head(manifest("a", shard_count=3), manifest("going"))
    plan = plan_of(one, found, git(recorded=[manifest("a")]))
    assert plan.nodes == Nodes(before=4 + 15, after=6 + 15 + 4)
    assert plan_of(one, found, git(recorded=[manifest("a")]), Intent(prune="all")).nodes == Nodes(before=19, after=10)


def test_a_cost_is_nodes_times_price() -> None:
    """Exact, however binary fractions add up; unknown on the side where a type has no price."""
    found = [live("a"), live("b", node_instance_type="x.large")]
    one = [manifest("a", shard_count=3), manifest("b", node_instance_type="y.large")]

    def cost(**prices: float) -> Cost | None:
        limits = Limits(prices={kind.replace("_", "."): price for kind, price in prices.items()})
        return plan_of(head(*one, limits=limits), found, git(recorded=[manifest("a"), manifest("b")])).cost

    assert cost() is None
    assert cost(m6g_large=0.1, x_large=0.2, y_large=0) == Cost(before=1.2, after=0.6)
    assert cost(m6g_large=0.1, x_large=0.2) == Cost(before=1.2, after=None, unpriced=("y.large",))
    assert cost(z_large=1) == Cost(before=None, after=None, unpriced=("m6g.large", "x.large", "y.large"))


def summed(clusters: list[LiveCluster], prices: Prices) -> float | None:
    """Cluster by cluster; None where one has no price."""
    total = Decimal()
    for cluster in clusters:
        price = prices.get(str(cluster.values["node_instance_type"]))
        if price is None:
            return None
        total += nodes_of(cluster.values) * exact(price)
    return float(total)


@given(worlds())
def test_the_cost_is_that_of_all_clusters_before_and_after(world: World) -> None:
    """Whatever is created, updated, replaced, deleted or left."""
    plan, prices = world.plan, world.head.target.limits.prices
    clusters = [[one for one in all_ if one.status != DELETING] for all_ in (world.live, after(plan, world.live))]
    types = {str(one.values["node_instance_type"]) for standing in clusters for one in standing}
    before, now = (summed(standing, prices) for standing in clusters)
    expected = Cost(before=before, after=now, unpriced=tuple(sorted(types - prices.keys())))
    assert plan.cost == (expected if prices else None)
