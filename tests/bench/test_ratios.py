"""Ratios that no change may break unseen: CPU time beside the floor's, in turn, with a wide margin.

`make bench` has the figures, and what they ought to be; these only catch what is far off, on any machine.
"""

from pathlib import Path

import pytest

from tests.bench import fleet
from tests.bench.bench import floor, plan, service
from tests.bench.processes import Run, in_turn

pytestmark = pytest.mark.slow


def cpu_seconds(runs: list[Run]) -> float:
    """The least that it took: what is more was another program's doing."""
    return min(one.cpu_seconds for one in runs)


def test_a_small_plan_costs_little_more_than_what_it_is_made_of(tmp_path: Path) -> None:
    """Of its libraries' imports most of it consists."""
    folder = str(fleet.write(tmp_path / "few", 10))
    with service(10) as url:
        ours, theirs = in_turn(plan(Path(folder), url), floor("small", folder, url), rounds=5)
    assert cpu_seconds(ours) < 2 * cpu_seconds(theirs)


def test_a_large_plan_costs_little_more_than_reading_both_sides(tmp_path: Path) -> None:
    """What each cluster more costs, beside a loader that checks nothing."""
    many, none = (fleet.write(tmp_path / str(count), count) for count in (3000, 0))
    with service(3000) as url, service(0) as empty:
        start, start_floor = in_turn(plan(none, empty), floor("read", str(none), empty), rounds=3)
        ours, theirs = in_turn(plan(many, url), floor("read", str(many), url), rounds=3)
    each, each_of_theirs = cpu_seconds(ours) - cpu_seconds(start), cpu_seconds(theirs) - cpu_seconds(start_floor)
    assert each < 2 * each_of_theirs
