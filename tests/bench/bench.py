"""The speed budget: each row a ratio, both sides run in turn, whole processes, medians and half of their spread.

`make bench` runs it in an environment that has what a user has. It judges nothing: it prints what it saw beside what is
allowed, and keeps it in `.bench/`, for `make bench-compare`.
"""

import math
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench import fleet, history, peers
from tests.bench.processes import ROOT, in_turn, run
from tests.bench.table import Row, Table, seconds

PYTHON = sys.executable
RECONCILER = [str(Path(PYTHON).with_name("reconciler"))]
MANY = 10_000
QUIET = ["--log-level", "error"]


def main() -> None:
    """Print every row, and keep them."""
    table = Table()
    with tempfile.TemporaryDirectory() as scratch:
        start_up(table)
        plans(table, Path(scratch))
        growth(table, Path(scratch))
        beside_peers(table, Path(scratch))
        applies(table, Path(scratch))
        settling(table, Path(scratch))
        causes(table, Path(scratch))
    print(f"kept in {table.save(ROOT / '.bench').relative_to(ROOT)}")


def start_up(table: Table) -> None:
    """--version and --help."""
    least = [PYTHON, "-c", "import click"]
    for option, budget in (("--version", "1.25"), ("--help", "1.4")):
        ours, theirs = in_turn([*RECONCILER, option], least, rounds=9)
        table.add(Row(option, seconds(ours), seconds(theirs), budget))


def plans(table: Table, scratch: Path) -> None:
    """Nothing to do: few manifests, and many."""
    few, many, none = (fleet.write(scratch / str(count), count) for count in (10, MANY, 0))
    with service(10) as url:
        ours, theirs = in_turn(plan(few, url), floor("small", str(few), url), rounds=7)
        table.add(Row("plan, 10 manifests, nothing to do", seconds(ours), seconds(theirs), "1.4"))
    with service(MANY) as url, service(0) as empty:
        start, start_floor = in_turn(plan(none, empty), floor("read", str(none), empty), rounds=3)
        ours, theirs = in_turn(plan(many, url), floor("read", str(many), url), rounds=5)
        work = f"plan, {MANY} manifests, nothing to do, after start-up"
        table.add(Row(work, seconds(ours, start), seconds(theirs, start_floor), "1.0"))
        table.add(Row("  its peak memory", [one.peak_mib for one in ours], [], "200 MiB", "MiB"))
        recorded = history.committed(shutil.copytree(many, scratch / "recorded" / "manifests"))
        run([*apply(recorded, url), "--no-wait"])
        with_record, theirs, without = in_turn(
            plan(recorded, url), floor("read", str(many), url), plan(many, url), rounds=5
        )
        work = f"  with a record of {MANY}"
        table.add(Row(work, seconds(with_record, start), seconds(theirs, start_floor), "1.1"))
        table.add(Row("  that, beside ours without git", seconds(with_record, start), seconds(without, start), ""))
        table.add(Row("  its peak memory", [one.peak_mib for one in with_record], [], "200 MiB", "MiB"))


def growth(table: Table, scratch: Path) -> None:
    """Ten times as many manifests, beside a tenth of them."""
    most = fleet.write(scratch / "most", 10 * MANY)
    with service(10 * MANY) as all_of_them, service(MANY) as url:
        ours, tenth = in_turn(plan(most, all_of_them), plan(scratch / str(MANY), url), rounds=1)
    row = Row(f"plan, {10 * MANY} manifests, beside {MANY}", seconds(ours), seconds(tenth), "10.5")
    table.add(row)
    table.add(Row("  its peak memory", [one.peak_mib for one in ours], [], "", "MiB"))
    print(f"  it grows by the power of {math.log10(row.ratio or math.nan):.2f}")


def beside_peers(table: Table, scratch: Path) -> None:
    """Programs of the same kind, where they are at hand: how much of their time ours takes."""
    octodns, terraform = peers.octodns(scratch / "octodns", MANY), peers.terraform(scratch / "terraform", 1000)
    thousand = fleet.write(scratch / "thousand", 1000)
    with service(MANY) as many, service(1000) as few:
        for what, ours, theirs in (
            (f"plan, {MANY} manifests, beside octoDNS", plan(scratch / str(MANY), many), octodns),
            ("plan, 1000 manifests, beside terraform", plan(thousand, few), terraform),
        ):
            if theirs is None:
                print(f"{what}: not at hand")
                continue
            mine, other = in_turn(ours, theirs, rounds=2)
            table.add(Row(what, seconds(mine), seconds(other), "0.2"))


def applies(table: Table, scratch: Path) -> None:
    """1,000 creates by many workers at once."""
    folder = fleet.write(scratch / "creates", 1000)
    with service(0, latency=0.05) as url:
        planned, idle = in_turn(plan(folder, url), floor("put", url, "0", "1"), rounds=3)
        for workers, rounds in ((8, 1), (32, 3), (100, 3)):
            ours, theirs = in_turn(
                [*apply(folder, url), "--no-wait", "--concurrency", str(workers)],
                floor("put", url, "1000", str(workers)),
                rounds=rounds,
            )
            work = f"apply --no-wait, 1000 creates, 50 ms, {workers} at once, after planning"
            table.add(Row(work, seconds(ours, planned), seconds(theirs, idle), "1.2"))


def settling(table: Table, scratch: Path) -> None:
    """1,000 clusters on the embedded sandbox, settled; and a second apply, with nothing to do."""
    folder = scratch / "creates"
    command = [*RECONCILER, "apply", "--manifests", str(folder), "--sandbox", "--yes", "--concurrency", "32", "-q"]
    for what in ("apply --sandbox, 1000 creates, settled", "  again, nothing to do"):
        finished = run(command, cwd=scratch)
        table.add(Row(what, [finished.seconds], [], ""))
        table.add(Row("  its peak memory", [finished.peak_mib], [], "", "MiB"))


def causes(table: Table, scratch: Path) -> None:
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
                work = f"plan, {commits} commits, {manifests} manifests, {differing} differ: git adds, {what}"
                table.add(Row(work, seconds(ours, theirs), [], "0.3 s" if differing else "nothing"))


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


if __name__ == "__main__":
    main()
