"""Signals, in processes of their own: at once, in good order, and now."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reconciler.cli.signals import Signals

START = "from reconciler.cli.signals import Runner, Signals\nsignals = Signals()\nsignals.install()\nimport asyncio\n"
WRITES = "import sys\nprint('ready', flush=True)\nwhile True: sys.stderr.write('x' * 4096)\n"
WAITS = (
    "async def work(stop):\n"
    "    print('ready', flush=True)\n"
    "    try:\n"
    "        await stop.requested.wait()\n"
    "        print('finishing', flush=True)\n"
    "        await asyncio.sleep(20)\n"  # so that one that is ignored fails the test, and hangs nothing
    "        print('ignored', flush=True)\n"
    "    finally:\n"
    "        print('told', flush=True)\n"
)
AT_ONCE = f"{START}{WAITS}with Runner(signals) as runner: runner.run(work(runner.stop))\n"
GRACEFUL = (
    f"{START}import sys, structlog\nfrom reconciler.errors import Interrupted\n{WAITS}"
    "structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))\n"
    "with Runner(signals) as runner:\n"
    "    try: runner.run_gracefully(work(runner.stop))\n"
    "    except Interrupted as error: print(error.exit_code, flush=True)\n"
    "print(signals.received, flush=True)\n"
    "while True: sys.stderr.write('x' * 4096)\n"
)
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGQUIT: 131}


@contextmanager
def process(code: str, *, before: str = "") -> "Iterator[subprocess.Popen[str]]":
    """A Python process that has said that it is ready."""
    command = (
        [sys.executable, "-c", code]
        if not before
        else ["sh", "-c", f'{before}; exec "$0" -c "$1"', sys.executable, code]
    )
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        try:
            assert started.stdout.readline() == "ready\n"
            yield started
        finally:
            started.kill()


@pytest.mark.parametrize(("number", "code"), CODES.items())
@pytest.mark.parametrize("program", [f"{START}{WRITES}", AT_ONCE], ids=["a write that blocks", "a wait"])
def test_a_signal_ends_it_wherever_it_stands(program: str, number: signal.Signals, code: int) -> None:
    """At once, without a traceback: also where nobody reads what it writes."""
    with process(program) as started:
        started.send_signal(number)
        assert started.wait() == code
        assert started.stderr is not None
        assert "Traceback" not in started.stderr.read()


def test_the_first_signal_lets_it_finish_and_the_second_stops_it() -> None:
    """Both in good order: what was under way has its last word; the third ends even that, where nobody listens."""
    with process(GRACEFUL) as started:
        assert started.stdout is not None
        started.send_signal(signal.SIGHUP)
        assert started.stdout.readline() == "finishing\n"
        started.send_signal(signal.SIGTERM)
        assert [started.stdout.readline() for _ in range(3)] == ["told\n", "129\n", "[1, 15]\n"]
        started.send_signal(signal.SIGTERM)
        assert started.wait() == 143


def test_a_signal_while_the_program_is_imported_ends_it_without_a_traceback() -> None:
    """The interpreter's own handler would show where in dataclasses it stood."""
    code = (
        "import os, signal, sys\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'reconciler.errors': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
        "from reconciler.__main__ import run\nrun()\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (-signal.SIGINT, "")


def test_what_breaks_after_a_signal_that_ended_it_broke_of_it() -> None:
    """In an import, or in a library's clean-up; while clusters are changed a signal ends nothing, and a bug is one."""
    signals = Signals()
    at_first = signals.ended_it
    signals.received.append(signal.SIGINT)
    at_once = signals.ended_it
    signals.watch(lambda _number: None)
    assert (at_first, at_once, signals.ended_it) == (False, True, False)


def test_a_hangup_that_is_ignored_stays_ignored() -> None:
    """As nohup has it; and what tells a service to turn its logs over ends nothing either."""
    with process(AT_ONCE, before="trap '' HUP") as started:
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
            started.send_signal(number)
        started.send_signal(signal.SIGTERM)
        assert started.wait() == 143


def test_a_run_with_too_few_descriptors_never_starts() -> None:
    """It would end in the middle, where what was sent is not known."""
    code = f"{START}import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (12, 12))\nwith Runner(signals): print('began')\n"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.stdout == ""
    assert ended.stderr.splitlines()[-1] == "OSError: [Errno 24] Too many open files: '/dev/null'"
