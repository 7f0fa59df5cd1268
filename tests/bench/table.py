"""What was measured, as a table, as a file, and beside what an earlier revision had.

python -m tests.bench.table BEFORE.json AFTER.json
"""

import json
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.bench.processes import ROOT, Run

_WORK = 76


class Row(NamedTuple):
    """A piece of work: what it took us and whatever it is held against, of each round, and what is allowed.

    Of two sides the ratio of their medians counts. `unit` is of all numbers.
    """

    work: str
    ours: list[float]
    theirs: list[float]
    budget: str
    unit: str = "s"

    @property
    def ratio(self) -> float | None:
        """How much of theirs we take; None where there is nothing beside us, or next to nothing."""
        beside = statistics.median(self.theirs) if self.theirs else 0.0
        return statistics.median(self.ours) / beside if beside > 0 else None


def seconds(runs: Sequence[Run], without: Sequence[Run] = ()) -> list[float]:
    """Of each run; less what the others took at the median."""
    least = statistics.median(run.seconds for run in without) if without else 0.0
    return [run.seconds - least for run in runs]


class Table:
    """Rows, printed as they come."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        print(f"{'work':<{_WORK}} {'ours':>19} {'beside':>19} {'ratio':>6}  budget")

    def add(self, row: Row) -> None:
        """Print it, and keep it."""
        self.rows.append(row)
        ratio = f"{row.ratio:>6.2f}" if row.ratio is not None else " " * 6
        told = f"{row.work:<{_WORK}} {_spread(row.ours, row.unit)} {_spread(row.theirs, row.unit)} {ratio}"
        print(f"{told}  {row.budget}", flush=True)

    def save(self, folder: Path) -> Path:
        """Write all rows to a file that the revision names."""
        revision = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()
        folder.mkdir(exist_ok=True)
        file = folder / f"{revision}.json"
        rows = [row._asdict() for row in self.rows]
        file.write_text(json.dumps({"revision": revision, "python": platform.python_version(), "rows": rows}, indent=2))
        return file


def compare(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Each row of both: the ratio then and now, since what a machine takes differs from day to day."""
    earlier, now = (_by_work([Row(**row) for row in kept["rows"]]) for kept in (before, after))
    print(f"{'work':<{_WORK}} {before['revision'][:12]:>12} {after['revision'][:12]:>12}")
    for key, row in now.items():
        print(f"{row.work:<{_WORK}} {_told(earlier.get(key)):>12} {_told(row):>12}  {row.budget}")


def _by_work(rows: Sequence[Row]) -> dict[tuple[str, str], Row]:
    """By the work, and what it belongs to: an indented row is of the one above it."""
    found: dict[tuple[str, str], Row] = {}
    above = ""
    for row in rows:
        above = above if row.work.startswith(" ") else row.work
        found[above, row.work if (above, row.work) not in found else f"{row.work} of {len(found)}"] = row
    return found


def _told(row: Row | None) -> str:
    if row is None:
        return "-"
    return f"{row.ratio:.2f}" if row.ratio is not None else f"{statistics.median(row.ours):.2f} {row.unit}"


def _spread(values: Sequence[float], unit: str) -> str:
    if not values:
        return " " * 19
    middle, digits = statistics.median(values), 3 if unit == "s" else 0
    return f"{f'{middle:.{digits}f} ±{(max(values) - min(values)) / 2:.{digits}f} {unit}':>19}"


if __name__ == "__main__":
    compare(*(json.loads(Path(file).read_text()) for file in sys.argv[1:3]))
