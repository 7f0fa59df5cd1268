"""SIGINT, SIGTERM, SIGHUP and SIGQUIT: they end the run at once, or, while clusters are being changed, in good order.

Until something is in flight a signal raises SystemExit wherever the program stands, also in the middle of a read, a
parser or a write that blocks. From then on the first lets what is in flight finish, the second stops it now, neither
keeps it from reporting, and the third ends the process whatever it does.
"""

import os
import signal
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from reconciler.cli.exits import of_signal
from reconciler.errors import Interrupted

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_MEANING_NOTHING = (signal.SIGUSR1, signal.SIGUSR2)
"""They would end the process: what tells a service to turn its logs over may be sent to whoever stands beside it."""


_DESCRIPTORS = 32
"""What a run needs at least, beside the standard streams: event loops, connections, git's pipes, files."""


class Signals:
    """What has come in so far, and who is told."""

    def __init__(self) -> None:
        self.received: list[int] = []
        self._watcher: Callable[[int], None] | None = None

    def install(self) -> None:
        """Take the signals over. One that is ignored so that the program outlives its terminal stays ignored."""
        for number in _ENDING:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._on_signal)
        for number in _MEANING_NOTHING:
            signal.signal(number, signal.SIG_IGN)

    def watch(self, watcher: Callable[[int], None]) -> None:
        """Tell the watcher from now on, instead of ending at once."""
        self._watcher = watcher

    @property
    def ended_it(self) -> bool:
        """Whether a signal has ended the run wherever it stood: what broke after it broke of it."""
        return bool(self.received) and self._watcher is None

    @staticmethod
    def ignore() -> None:
        """All has been told: nothing is left to be ended but the exit itself, and its code."""
        for number in _ENDING:
            signal.signal(number, signal.SIG_IGN)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.received.append(number)
        if self._watcher is None or len(self.received) > 2:
            raise SystemExit(of_signal(number))
        self._watcher(number)


class Runner:
    """Runs coroutines, one after the other, on one event loop, with real time and chance.

    `stop` is how they learn that they should end.
    """

    def __init__(self, signals: Signals) -> None:
        import asyncio  # noqa: PLC0415  # --help imports none of it

        from reconciler.apply.options import Stop  # noqa: PLC0415
        from reconciler.clock import Clock, Random, SystemClock, SystemRandom  # noqa: PLC0415

        self.clock: Clock = SystemClock()
        self.random: Random = SystemRandom()
        self.stop = Stop()
        self._signals = signals
        self._runner: asyncio.Runner = asyncio.Runner()

    def __enter__(self) -> Self:
        """Raises OSError where too few descriptors are left for a run."""
        _try_descriptors()
        self._runner.__enter__()
        self._runner.get_loop().set_exception_handler(_on_lost_error)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._runner.__exit__(kind, error, traceback)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end; a signal ends the process at once, for nothing is in flight."""
        return self._runner.run(work)

    def run_gracefully(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end; the first signal sets `stop`, the second cancels.

        Raises Interrupted where that leaves nothing to return.
        """
        import asyncio  # noqa: PLC0415

        import structlog  # noqa: PLC0415

        log = structlog.get_logger()
        loop = self._runner.get_loop()

        async def watched() -> T:
            task = asyncio.current_task()

            def on_signal(number: int) -> None:
                log.warning("run.interrupted", signal=signal.Signals(number).name, times=len(self._signals.received))
                if len(self._signals.received) > 1 and task is not None:
                    task.cancel()
                self.stop.requested.set()

            self._signals.watch(lambda number: _hand_on(loop, on_signal, number))
            return await work

        try:
            return self._runner.run(watched())
        except asyncio.CancelledError:
            raise Interrupted(self._signals.received[0] if self._signals.received else signal.SIGINT) from None
        finally:
            self._signals.watch(lambda _number: None)  # what was done is still to be told


def _try_descriptors() -> None:
    """Take as many descriptors as any run needs, and give them back: better none of it than half.

    What runs out in the middle leaves changes unknown, and the interpreter complains about an event loop half made.
    """
    with ExitStack() as taken:
        for _ in range(_DESCRIPTORS):
            taken.callback(os.close, os.open(os.devnull, os.O_RDONLY))


def _hand_on(loop: "asyncio.AbstractEventLoop", on_signal: Callable[[int], None], number: int) -> None:
    loop.call_soon_threadsafe(on_signal, number)


def _on_lost_error(loop: "asyncio.AbstractEventLoop", context: dict[str, Any]) -> None:
    """What nobody waits for any more because a signal came is no news."""
    error = context.get("exception")
    in_group = isinstance(error, BaseExceptionGroup) and error.subgroup(SystemExit) is not None
    if not in_group and not isinstance(error, SystemExit):
        loop.default_exception_handler(context)
