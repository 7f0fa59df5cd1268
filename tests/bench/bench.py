"""The speed budget: each row a ratio, both sides run in turn, whole processes, medians.

`make bench` runs it in an environment that has what a user has. It judges nothing: it prints what it saw beside what is
allowed.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench import fleet, history

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = sys.executable
RECONCILER = [str(Path(PYTHON).with_name("reconciler"))]
MANY = 10_000
QUIET = ["--log-level", "error"]


@dataclass(frozen=True)
class Run:
    """One finished process."""

    seconds: float
    peak_mib: float


def main() -> None:
    """Print every row."""
    print(f"{'work':<70} {'ours':>9} {'floor':>9} {'ratio':>6}  budget")
    with tempfile.TemporaryDirectory() as scratch:
        start_up()
        plans(Path(scratch))
        applies(Path(scratch))
        settling(Path(scratch))
        causes(Path(scratch))


def start_up() -> None:
    """--version and --help."""
    floor = [PYTHON, "-c", "import click"]
    for option, budget in (("--version", 1.25), ("--help", 1.4)):
        ours, theirs = in_turn([*RECONCILER, option], floor, rounds=9)
        row(option, median(ours), median(theirs), budget)


def plans(scratch: Path) -> None:
    """Nothing to do: few manifests, and many."""
    few, many, none = (fleet.write(scratch / str(count), count) for count in (10, MANY, 0))
    with service(10) as url:
        ours, theirs = in_turn(plan(few, url), floor("small", str(few), url), rounds=7)
        row("plan, 10 manifests, nothing to do", median(ours), median(theirs), 1.4)
    with service(MANY) as url, service(0) as empty:
        start, start_floor = in_turn(plan(none, empty), floor("read", str(none), empty), rounds=3)
        ours, theirs = in_turn(plan(many, url), floor("read", str(many), url), rounds=3)
        took, least = median(ours) - median(start), median(theirs) - median(start_floor)
        row(f"plan, {MANY} manifests, nothing to do, after start-up", took, least, 1.0)
        print(f"{'  its peak memory, MiB':<70} {max(run.peak_mib for run in ours):>9.0f} {'':>9} {'':>6}  200")
        recorded = history.committed(shutil.copytree(many, scratch / "recorded" / "manifests"))
        run([*apply(recorded, url), "--no-wait"])
        with_record, without = in_turn(plan(recorded, url), plan(many, url), rounds=3)
        took, least = median(with_record) - median(start), median(without) - median(start)
        row(f"  with a record of {MANY} beside without git, after start-up", took, least, 1.1)
        print(f"{'  its peak memory, MiB':<70} {max(run.peak_mib for run in with_record):>9.0f} {'':>9} {'':>6}  200")


def applies(scratch: Path) -> None:
    """1,000 creates by many workers at once."""
    folder = fleet.write(scratch / "creates", 1000)
    with service(0, latency=0.05) as url:
        planned, _ = in_turn(plan(folder, url), floor("put", url, "0", "1"), rounds=3)
        for workers, rounds in ((32, 2), (100, 2)):
            ours, theirs = in_turn(
                [*apply(folder, url), "--no-wait", "--concurrency", str(workers)],
                floor("put", url, "1000", str(workers)),
                rounds=rounds,
            )
            _, idle = in_turn(floor("put", url, "0", "1"), floor("put", url, "0", "1"), rounds=1)
            took, least = median(ours) - median(planned), median(theirs) - median(idle)
            row(f"apply --no-wait, 1000 creates, 50 ms, {workers} at once, after planning", took, least, 1.2)


def settling(scratch: Path) -> None:
    """1,000 clusters on the embedded sandbox, settled; and a second apply, with nothing to do."""
    folder = scratch / "creates"
    command = [*RECONCILER, "apply", "--manifests", str(folder), "--sandbox", "--yes", "--concurrency", "32", "-q"]
    for what in ("apply --sandbox, 1000 creates, settled", "  again, nothing to do"):
        finished = run(command, cwd=scratch)
        print(f"{what:<70} {finished.seconds:>8.2f}s {'':>9} {'':>6}  peak {finished.peak_mib:.0f} MiB")


def causes(scratch: Path) -> None:
    """What git adds to a plan: over a long history, where much differs, and nothing; of a whole clone and a cut one."""
    commits, manifests = 10_000, 500
    for differing in (manifests, 0):
        repository = scratch / f"history-{differing}"
        whole = history.write(repository, commits, manifests, manifests - differing)
        without = shutil.copytree(whole, scratch / f"without-{differing}" / "manifests")
        with service(manifests) as url:
            history.record(repository, url, manifests)
            cut = history.clone(repository, scratch / f"cut-{differing}")
            for what, folder in (("a whole clone", whole), ("depth 1", cut)):
                ours, theirs = in_turn(plan(folder, url), [*plan(without, url), "--adopt=*"], rounds=3)
                added = median(ours) - median(theirs)
                work = f"plan, {commits} commits, {manifests} manifests, {differing} differ: {what}, no git"
                budget = "0.3 s on top" if differing else "nothing on top"
                print(f"{work:<70} {median(ours):>8.3f}s {median(theirs):>8.3f}s {added:>+5.2f}s  {budget}", flush=True)


def plan(folder: Path, url: str) -> list[str]:
    """The command that plans."""
    return [*RECONCILER, "plan", "--manifests", str(folder), "--endpoint", url, *QUIET]


def apply(folder: Path, url: str) -> list[str]:
    """The command that applies."""
    return [*RECONCILER, "apply", "--manifests", str(folder), "--endpoint", url, "--yes", "-q"]


def floor(*arguments: str) -> list[str]:
    """A program of `floors.py`."""
    return [PYTHON, "-m", "tests.bench.floors", *arguments]


@contextmanager
def service(clusters: int, latency: float = 0.0) -> Iterator[str]:
    """`service.py` on a port of its own; its base URL."""
    command = [PYTHON, "-m", "tests.bench.service", str(clusters), str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.terminate()


def in_turn(ours: Sequence[str], theirs: Sequence[str], *, rounds: int) -> tuple[list[Run], list[Run]]:
    """Both commands, one after the other, again and again, after a round that doesn't count."""
    pairs = [(run(ours), run(theirs)) for _ in range(rounds + 1)][1:]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def run(command: Sequence[str], cwd: Path = ROOT) -> Run:
    """Run to the end; ends this program where it fails."""
    environment = {**os.environ, "MOMENTO_API_KEY": "sandbox-admin"}
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - started
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended in {process.returncode}")
    return Run(seconds, usage.ru_maxrss / 1024)


def median(runs: Sequence[Run]) -> float:
    """Seconds."""
    return statistics.median(run.seconds for run in runs)


def row(work: str, ours: float, theirs: float, budget: float) -> None:
    """One line of the table."""
    print(f"{work:<70} {ours:>8.3f}s {theirs:>8.3f}s {ours / theirs:>6.2f}  {budget}", flush=True)


if __name__ == "__main__":
    main()
