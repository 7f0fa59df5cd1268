"""Rounds while a lease is held: it is taken before the first, renewed beside them, and given back after the last."""

import os
from collections.abc import Callable, Coroutine
from contextlib import closing
from typing import Any

from reconciler.cli.console import Console
from reconciler.cli.signals import Runner
from reconciler.errors import EXIT_FAILED, EXIT_OK, first_exit
from reconciler.lease.in_cluster import api_server, lease_name
from reconciler.lease.lease import DURATION_SECONDS, Lease
from reconciler.lease.requests import LeaseRequests
from reconciler.lease.thread import renewed_in_thread
from reconciler.serve.events import Event, LeaseAwaited


def lease_of(text: str, console: Console, runner: Runner) -> Lease:
    """The lease of `--lease`, as this process's to take. Raises UsageError for none, and outside a cluster."""
    requests = requests_of(text, console, runner)
    return Lease(requests, f"{os.uname().nodename}_{console.run_id}", runner.clock, runner.random)


def requests_of(text: str, console: Console, runner: Runner) -> LeaseRequests:
    """What is asked of the API server for it. Raises UsageError as `lease_of` does."""
    name, server = lease_name(text), api_server(console.environment)
    return LeaseRequests(server, name, runner.clock, keep_secret=console.redactor.keep_passing)


async def leased(
    lease: Lease, rounds: Coroutine[Any, Any, int], console: Console, runner: Runner, tell: Callable[[Event], None]
) -> int:
    """The rounds' exit code; 1 where the lease was lost, which ends them as a signal does.

    Whoever starts this process starts it again, to wait for the lease: what it knew of the clusters is then as old as
    it is. Where a second signal cut off what was in flight, the lease isn't given back: others wait it out.
    """
    stop, clock = runner.stop.requested, runner.clock
    with closing(rounds):
        if not await lease.acquire(stop, lambda holder: tell(LeaseAwaited(clock.now(), holder, DURATION_SECONDS))):
            return EXIT_OK
        with renewed_in_thread(lease, stop.set):
            code = await rounds
    if len(console.signals.received) < 2:
        await lease.release()
    return first_exit([code, EXIT_FAILED]) if lease.lost else code
