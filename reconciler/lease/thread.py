"""A thread of its own renews a lease: planning many clusters keeps an event loop busy for longer than one lasts."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from threading import Thread

from reconciler.lease.lease import Lease


@contextmanager
def renewed_in_thread(lease: Lease, on_lost: Callable[[], None]) -> Iterator[None]:
    """Keep a lease that is held; `on_lost` is called on the event loop that runs now."""
    here = asyncio.get_running_loop()
    with closing(asyncio.new_event_loop()) as there:
        ended = asyncio.Event()
        keeping = lease.keep(ended, lambda: _hand_over(here, on_lost))
        thread = Thread(target=there.run_until_complete, args=(keeping,), name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            there.call_soon_threadsafe(ended.set)
            thread.join()


def _hand_over(loop: asyncio.AbstractEventLoop, on_lost: Callable[[], None]) -> None:
    loop.call_soon_threadsafe(on_lost)
