"""A store's clusters, in a time that stands still."""

from pathlib import Path
from typing import Any

from reconciler.sandbox.model import ClusterBody
from reconciler.sandbox.store import Store
from tests.fakes import FakeClock
from tests.sandbox.calls import BODY

SETTLE_SECONDS = 600.0
ZONES = {"us-east-1a": ["us-east-1b"], "us-east-1b": ["us-east-1c"], "us-east-1c": ["us-east-1a"]}


class Clusters:
    """A store's account `default`, in a time that stands still."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.clock = FakeClock()
        self._store = Store(str(folder / "s.db"), clock=self.clock, settle_seconds=SETTLE_SECONDS, **options)
        self.close = self._store.close

    def put(self, name: str, **fields: Any) -> dict[str, Any]:
        return self._store.put("default", name, ClusterBody.model_validate({**BODY, **fields}))

    def delete(self, name: str) -> None:
        self._store.delete("default", name)

    def listed(self) -> dict[str, dict[str, Any]]:
        return {cluster["name"]: cluster for cluster in self._store.clusters("default")}

    def where(self, name: str) -> tuple[str, list[str]] | None:
        cluster = self.listed().get(name)
        return (cluster["status"], cluster["errors"]) if cluster else None

    def after(self, seconds: float) -> "Clusters":
        self.clock.seconds += seconds
        return self


def placed(*primaries: str) -> dict[str, Any]:
    """The fields of a cluster whose shards live in these zones."""
    placements = [
        {"shard_index": shard, "availability_zone": zone, "replica_availability_zones": ZONES[zone]}
        for shard, zone in enumerate(primaries)
    ]
    return {"shard_count": len(primaries), "replication_factor": 1, "shard_placements": placements}
