"""Whole processes, one after the other, and what each took."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent


class Run(NamedTuple):
    """One finished process."""

    seconds: float
    cpu_seconds: float
    peak_mib: float


def in_turn(*commands: Sequence[str], rounds: int) -> list[list[Run]]:
    """The runs of each command: one after the other, again and again, after a round that doesn't count."""
    counted = [[run(command) for command in commands] for _ in range(rounds + 1)][1:]
    return [list(runs) for runs in zip(*counted, strict=True)]


def run(command: Sequence[str], cwd: Path = ROOT) -> Run:
    """Run to the end; ends this program where it fails."""
    environment = {**os.environ, "MOMENTO_API_KEY": "sandbox-admin"}
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    with process.stderr as stderr:
        said = stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended in {process.returncode}: {said.decode(errors='replace')[-500:]}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
