"""The picture as Prometheus metrics: drawn when somebody asks, in a registry of their own, from the picture alone.

Labels are of closed lists, and the names of the fleet's targets. What `deploy/prometheus/alerts.yaml` alerts on is
held against these by a test.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Final, get_args

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from reconciler import __version__
from reconciler.plan.change import Cause
from reconciler.serve.picture import Picture, TargetPicture
from reconciler.serve.totals import BUCKETS

PREFIX: Final = "reconciler_"

CAUSES: Final[tuple[str, ...]] = (*get_args(Cause), "unknown")
"""`unknown`: without git there are none."""


class PictureCollector(Collector):
    """What a registry asks; `picture` is the one of that moment."""

    def __init__(self, picture: Callable[[], Picture]) -> None:
        self._picture = picture

    def collect(self) -> Iterator[Metric]:
        """All metrics."""
        picture = self._picture()
        yield _gauge("build_info", "1, for the version that runs.", ["version"], {(__version__,): 1})
        yield from _counted(picture)
        yield from _standing(picture)

    def describe(self) -> list[Metric]:
        """Nothing: the registry needn't ask twice."""
        return []


def metrics_text(picture: Callable[[], Picture]) -> bytes:
    """The exposition, in Prometheus's text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(PictureCollector(picture))
    return generate_latest(registry)


def _counted(picture: Picture) -> Iterator[Metric]:
    totals = picture.totals
    durations = HistogramMetricFamily(f"{PREFIX}reconcile_duration_seconds", "How long rounds took.")
    up_to = totals.durations.up_to
    bounds = [*(str(bound) for bound in BUCKETS), "+Inf"]
    durations.add_metric([], list(zip(bounds, up_to, strict=True)), totals.durations.total)
    yield durations
    rounds = CounterMetricFamily(f"{PREFIX}reconcile", "Rounds, by how they ended.", labels=["result"])
    for result, count in totals.rounds.items():
        rounds.add_metric([result], count)
    yield rounds
    changes = CounterMetricFamily(
        f"{PREFIX}changes", "Changes of applies, by how they ended.", labels=["action", "outcome"]
    )
    for (action, outcome), count in totals.changes.items():
        changes.add_metric([action, outcome], count)
    yield changes
    requests = CounterMetricFamily(
        f"{PREFIX}http_requests", "Requests to the service; code none: no answer came.", labels=["method", "code"]
    )
    for (method, code), count in totals.requests.items():
        requests.add_metric([method, code], count)
    yield requests


_OF_A_TARGET: Final[tuple[tuple[str, str, Callable[[TargetPicture], int]], ...]] = (
    ("in_sync_clusters", "Clusters that are as declared.", lambda target: len(target.in_sync)),
    ("settling_clusters", "Clusters as declared, and not Active yet.", lambda target: len(target.settling)),
    ("unhealthy_clusters", "Declared clusters with errors.", lambda target: len(target.unhealthy)),
    ("refused", "1 where a guard refuses the plan.", lambda target: int(target.condition == "refused")),
    ("suspended", "1 where nothing is applied until a moment.", lambda target: int(target.suspension is not None)),
)


def _standing(picture: Picture) -> Iterator[Metric]:
    targets = picture.targets.values()
    seen = [target for target in targets if target.plan is not None]
    causes: dict[tuple[str, ...], float] = {(t.name, cause): count for t in seen for cause, count in _causes(t).items()}
    yield _gauge("out_of_sync_clusters", "Clusters that would be changed, by cause.", ["target", "cause"], causes)
    for name, told, value in _OF_A_TARGET:
        yield _gauge(name, told, ["target"], {(target.name,): value(target) for target in seen})
    yield _gauge(
        "consecutive_failures",
        "Rounds of a target that failed in a row.",
        ["target"],
        {(target.name,): target.due.failures for target in targets if target.due is not None},
    )
    yield _gauge(
        "last_success_timestamp_seconds",
        "When a target's last round without failure ended.",
        ["target"],
        {(t.name,): t.last_success_at for t in targets if t.last_success_at is not None},
    )
    yield _gauge(
        "next_round_timestamp_seconds",
        "When a target's next round begins.",
        ["target"],
        {(target.name,): target.due.at for target in targets if target.due is not None},
    )


def _causes(target: TargetPicture) -> Counter[str]:
    """A cause that has gone stays, at 0: an alert on it ends, and a graph doesn't break."""
    found = Counter(dict.fromkeys(CAUSES, 0))
    found.update(one.change.cause or "unknown" for one in target.outstanding)
    return found


def _gauge(name: str, told: str, labels: list[str], values: Mapping[tuple[str, ...], float]) -> Metric:
    gauge = GaugeMetricFamily(PREFIX + name, told, labels=labels)
    for key, value in values.items():
        gauge.add_metric(list(key), value)
    return gauge
