"""Runs tests on mutants, each in a process forked from one where pytest has collected already.

Of the tests only those that reach what is broken, up to the first that fails: ahead of the others those that have failed
on other mutants of the function, then the quick ones. A mutant that needs much more time than its tests do on sound code
is noticed as well: it hangs.
"""

import gc
import importlib
import os
import pickle
import signal
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import FunctionType
from typing import Final, Literal, NamedTuple, NoReturn, TypeAlias

import coverage
import pytest

from reconciler.clock import SystemClock
from tests.mutation.mutants import Mutant

Verdict: TypeAlias = Literal["failed", "hung", "survived", "not reached"]

_SLOWER: Final = 10
"""A mutant may need so many times the seconds that its tests need."""

_SPARE_SECONDS: Final = 2.0

_MOST_EXIT_CODES: Final = 255


class _Sound(NamedTuple):
    """What the tests do on sound code: the seconds of each, and which of them run a line."""

    seconds: Mapping[str, float]
    reaching: Mapping[tuple[str, int], frozenset[str]]


class Trials:
    """A plugin of pytest: in the place of running the tests it tries the mutants, and tells what came of each."""

    def __init__(self, mutants: Sequence[Mutant], tell: Callable[[Mutant, Verdict], None]) -> None:
        self._mutants = mutants
        self._tell = tell
        self._failed = False
        self._failures = Counter[tuple[str, str]]()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember that a test failed."""
        self._failed = self._failed or report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Sound code first; then each mutant, one on each core."""
        items = {item.nodeid: item for item in session.items}
        gc.freeze()  # what is collected stays shared
        sound = self._on_sound_code(items)
        under_way: dict[int, tuple[Mutant, Sequence[str]]] = {}
        for mutant in self._mutants:
            order = self._tests_of(mutant, sound)
            if not order:
                self._tell(mutant, "not reached")
                continue
            if len(under_way) == (os.cpu_count() or 1):
                self._end_one(under_way)
            child = os.fork()
            if not child:
                self._try(mutant, [items[name] for name in order], sound)
            under_way[child] = mutant, order
        while under_way:
            self._end_one(under_way)
        return True

    def _tests_of(self, mutant: Mutant, sound: _Sound) -> list[str]:
        """Those that reach what is broken, in the order in which they are run."""
        names = {name for line in mutant.lines for name in sound.reaching.get((mutant.file, line), ())}
        return sorted(names, key=lambda name: (-self._failures[mutant.function, name], sound.seconds[name]))

    def _end_one(self, under_way: dict[int, tuple[Mutant, Sequence[str]]]) -> None:
        """Wait for a child: it ends in 0, in the number of the test that failed, or by a signal."""
        child, status = os.wait()
        mutant, order = under_way.pop(child)
        code = os.waitstatus_to_exitcode(status)
        if code > 0:
            self._failures[mutant.function, order[code - 1]] += 1
        self._tell(mutant, "survived" if code == 0 else "failed" if code > 0 else "hung")

    def _on_sound_code(self, items: Mapping[str, pytest.Item]) -> _Sound:
        """Run all tests in a process of their own, that leaves nothing warm or changed behind."""
        reader, writer = os.pipe()
        if not os.fork():
            with os.fdopen(writer, "wb") as told:
                _be_silent()
                pickle.dump(self._measure(items.values()), told)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as told:
            sound = pickle.load(told)  # noqa: S301  # from our own child
        os.wait()
        if not isinstance(sound, _Sound):
            raise pytest.UsageError(f"a test fails on sound code: {sound}")
        return sound

    def _measure(self, items: Iterable[pytest.Item]) -> _Sound | str:
        clock, seconds = SystemClock(), dict[str, float]()
        files = sorted({mutant.file for mutant in self._mutants})
        covered = coverage.Coverage(data_file=None, config_file=False, include=files)
        covered.start()
        for item in items:
            covered.switch_context(item.nodeid)
            began = clock.monotonic()
            self._run(item)
            seconds[item.nodeid] = clock.monotonic() - began
            if self._failed:
                return item.nodeid
        covered.stop()
        reaching = defaultdict[tuple[str, int], frozenset[str]](frozenset)
        for file in files:
            for line, names in covered.get_data().contexts_by_lineno(str(Path(file).resolve())).items():
                reaching[file, line] = frozenset(names) & seconds.keys()
        return _Sound(seconds, dict(reaching))

    def _try(self, mutant: Mutant, items: Sequence[pytest.Item], sound: _Sound) -> NoReturn:
        """Break the function, run its tests, and end the process: by a signal where they don't end in time."""
        limit = _SPARE_SECONDS + _SLOWER * sum(sound.seconds[item.nodeid] for item in items)
        signal.setitimer(signal.ITIMER_PROF, limit)
        signal.setitimer(signal.ITIMER_REAL, 2 * limit)
        _be_silent()
        function = _function(mutant)
        function.__code__ = mutant.code()
        for number, item in enumerate(items, 1):
            self._run(item)
            if self._failed:
                os._exit(min(number, _MOST_EXIT_CODES))
        os._exit(0)

    @staticmethod
    def _run(item: pytest.Item) -> None:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)


def _function(mutant: Mutant) -> FunctionType:
    """The sound function, behind whatever a decorator made of it."""
    found: object = importlib.import_module(mutant.file.removesuffix(".py").replace("/", "."))
    for name in mutant.function.split("."):
        found = vars(found)[name]
    for wrapped in ("fget", "__func__", "__wrapped__"):
        found = getattr(found, wrapped, found)
    if not isinstance(found, FunctionType):
        raise TypeError(f"{mutant.function} is {found!r}, no function")
    return found


def _be_silent() -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nothing, stream)
