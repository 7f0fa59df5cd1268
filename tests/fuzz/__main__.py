"""`python -m tests.fuzz EXAMPLES [SUBJECT…]`: many examples of each subject, each in five seconds and 200 MiB.

The seconds are the processor's, so that a busy machine breaks nothing; a minute by the clock is a hang. A subject has a
process of its own. What breaks is told made short, as Hypothesis does, and the others go on.
"""

import resource
import signal
import subprocess
import sys
import time  # noqa: TID251  # the slowest example
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final

from hypothesis import HealthCheck, given, settings

from tests.fuzz.subject import Subject
from tests.fuzz.test_fuzz import SUBJECTS

SECONDS: Final = 5
HANGS_AFTER_SECONDS: Final = 60
BYTES: Final = 200 << 20
_HOPELESS_SECONDS: Final = 3600
_PAGE_BYTES: Final = resource.getpagesize()


class _Bounded:
    """A check with its bounds; counts what it was given, and the slowest of it."""

    def __init__(self, check: Callable[[Any], None]) -> None:
        self._check = check
        self.count = 0
        self.slowest = 0.0

    def __call__(self, value: object) -> None:
        self.count += 1
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE_BYTES
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (mapped + BYTES, hard))
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        signal.setitimer(signal.ITIMER_REAL, HANGS_AFTER_SECONDS)
        began = time.process_time()
        try:
            self._check(value)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
            resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
            self.slowest = max(self.slowest, time.process_time() - began)


def _too_slow(number: int, _frame: FrameType | None) -> None:
    seconds = SECONDS if number == signal.SIGPROF else HANGS_AFTER_SECONDS
    raise AssertionError(f"it takes more than {seconds} seconds")


def fuzz(subject: Subject[Any], examples: int) -> None:
    """Try so many of one subject, or fewer where each takes long."""
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, _too_slow)
    bounded = _Bounded(subject.check)

    def check(value: object) -> None:
        bounded(value)

    few = max(1, examples // subject.slowness)
    settings(max_examples=few, deadline=None, suppress_health_check=[*HealthCheck])(given(subject.given)(check))()
    print(f"{subject.name}: {bounded.count} inputs, the slowest in {bounded.slowest:.2f} s", flush=True)


def main(examples: int, *names: str) -> int:
    """Each subject in a process of its own; 1 where one breaks, or hangs where no signal reaches it."""
    broken = []
    for subject in SUBJECTS:
        if not names or subject.name in names:
            command = [sys.executable, "-m", "tests.fuzz", "--one", subject.name, str(examples)]
            try:
                ended = subprocess.run(command, check=False, timeout=_HOPELESS_SECONDS).returncode
            except subprocess.TimeoutExpired:
                ended = -1
            broken += [subject.name] * (ended != 0)
    print(f"broken: {', '.join(broken)}" if broken else "nothing broke")
    return 1 if broken else 0


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        fuzz(next(one for one in SUBJECTS if one.name == sys.argv[2]), int(sys.argv[3]))
    else:
        sys.exit(main(int(sys.argv[1]), *sys.argv[2:]))
