"""The loop of `run`, put together: who watches it, the lease that it needs, what its rounds are made with."""

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from reconciler.apply.options import ApplyOptions
from reconciler.cli.console import Console
from reconciler.cli.listening import MARGIN_SECONDS, listening
from reconciler.cli.options import RunOptions
from reconciler.cli.rounds import Rounds
from reconciler.cli.signals import Runner
from reconciler.cli.sites import Sites
from reconciler.evidence.position import position_of
from reconciler.loop.repeat import repeat
from reconciler.reconcile.listing import Patience
from reconciler.reconcile.planning import PlanRequest
from reconciler.serve.events import Event, Exchanged
from reconciler.serve.picture import Picture
from reconciler.wire.client import Permit, always


class LoopOptions(NamedTuple):
    """`apply` is None where plans are only shown, `listen` where nobody watches, `lease` where there is one replica."""

    interval_seconds: float
    once: bool
    apply: ApplyOptions | None
    listen: str | None
    lease: str | None


_Rounds = Coroutine[Any, Any, int]


def run_loop(options: LoopOptions, shared: RunOptions, console: Console, runner: Runner) -> int:
    """Run rounds until a signal ends them, or one; the exit code of the last."""
    permit, while_held = _under_lease(options.lease, console, runner)
    with _watched(options, console, runner) as tell:
        sites = Sites(shared, console, runner, lambda method, status: tell(Exchanged(method, status)), permit)
        with sites.reopened() as opened:
            rounds = Rounds(
                console,
                opened,
                PlanRequest(shared.intent()),
                shared.invocation(),
                options.apply and options.apply._replace(apart=not options.once),
                runner.clock,
                runner.stop,
                tell,
                patience=None if options.once else Patience(runner.clock, runner.stop.requested),
            )
            repeated = repeat(
                rounds.one,
                interval_seconds=options.interval_seconds,
                clock=runner.clock,
                random=runner.random,
                stop=runner.stop.requested,
                position=lambda: None if shared.manifests == "-" else position_of(shared.manifests),
                once=options.once,
                tell=tell,
            )
            return runner.run_gracefully(while_held(repeated, tell))


def _watched(options: LoopOptions, console: Console, runner: Runner) -> AbstractContextManager[Callable[[Event], None]]:
    if options.listen is None:
        return nullcontext(lambda _event: None)
    longest = MARGIN_SECONDS + (2 * options.apply.timeout_seconds if options.apply is not None else 0)
    return listening(options.listen, console, runner.clock, Picture(options.apply is not None, longest))


def _under_lease(
    text: str | None, console: Console, runner: Runner
) -> tuple[Permit, Callable[[_Rounds, Callable[[Event], None]], _Rounds]]:
    """What is asked before each request, and how rounds are run: while the lease is held, where there is one."""
    if text is None:
        return always, lambda rounds, _tell: rounds
    from reconciler.cli.leased import lease_of, leased  # noqa: PLC0415  # few runs have one

    lease = lease_of(text, console, runner)
    return lease.permit, lambda rounds, tell: leased(lease, rounds, console, runner, tell)
