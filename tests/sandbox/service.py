"""The control plane at an address, in a time that stands still."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from reconciler.sandbox.server import in_thread
from reconciler.sandbox.store import Store
from reconciler.sandbox.switches import Switches
from tests.fakes import FakeClock
from tests.sandbox.calls import Answer, call

SETTLE_SECONDS = 600.0


class Api:
    """The control plane at an address, in a time that stands still."""

    def __init__(self, url: str, store: Store, clock: FakeClock) -> None:
        self.url = url
        self.store = store
        self._clock = clock

    def __call__(self, method: str, path: str, body: object = None, **options: Any) -> Answer:
        return call(self.url, method, path, body, **options)

    def listed(self) -> dict[str, Any]:
        return {cluster["name"]: cluster for cluster in self("GET", "/cluster").json}

    def after(self, seconds: float) -> "Api":
        self._clock.seconds += seconds
        return self

    def settle(self) -> "Api":
        return self.after(SETTLE_SECONDS)


@contextmanager
def opened(folder: Path, *switches: str) -> Iterator[Api]:
    """One with a store of its own, and switches as people write them."""
    clock = FakeClock()
    store = Store(str(folder / "s.db"), clock=clock, settle_seconds=SETTLE_SECONDS, switches=Switches.parse(switches))
    with closing(store), in_thread(store, clock) as url:
        yield Api(url, store, clock)
