"""`python -m tests.mutation ROOM [NTH [FIRST]]`: tells which small breaks of a room's code nothing notices.

NTH tries every so manieth mutant only, from the one numbered FIRST on (0): 7 3 tries the mutants 3, 10, 17 and so on.
"""

import os
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple

import pytest

from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.trials import Trials, Verdict
from tests.mutation.typed import ill_typed


class Room(NamedTuple):
    """What is broken, and the tests that should notice; `wanted` is the share of the mutants that they do."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    wanted: float = 0.95


ROOMS: Final = {
    "plan": Room(("reconciler/plan/*.py",), ("tests/plan",)),
    "apply": Room(("reconciler/apply/*.py",), ("tests/apply", "tests/test_reconcile.py")),
    "evidence": Room(("reconciler/evidence/*.py",), ("tests/evidence",), 0.85),
    "escaping": Room(
        (
            "reconciler/model/text.py",
            "reconciler/report/inline.py",
            "reconciler/report/values.py",
            "reconciler/report/annotations.py",
            "reconciler/report/outputs.py",
        ),
        (
            "tests/model/test_text.py",
            "tests/report/test_inline.py",
            "tests/report/test_values.py",
            "tests/report/test_hostile.py",
            "tests/report/test_markdown.py",
            "tests/report/test_annotations.py",
            "tests/report/test_outputs.py",
        ),
        0.9,
    ),
}

_PYTEST: Final = ("-s", "-q", "-p", "no:xdist", "--hypothesis-profile=mutate", "-m", "not slow")


def main(name: str, nth: int = 1, first: int = 0) -> int:
    """Break a room; 1 where its tests notice less than they should."""
    room = ROOMS[name]
    files = sorted(file for pattern in room.files for file in Path().glob(pattern))
    every = [mutant for file in files for mutant in mutants_of(file)][first::nth]
    refused = ill_typed(every)
    print(f"{name}: {len(every)} mutants, {len(refused)} of them refused by mypy", flush=True)
    ended = Counter[Verdict]()

    def tell(mutant: Mutant, verdict: Verdict) -> None:
        ended[verdict] += 1
        if verdict in {"survived", "not reached"}:
            print(f"{verdict}: {mutant}", flush=True)

    with TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = os.environ["PYTEST_DEBUG_TEMPROOT"] = folder
        trials = Trials([mutant for mutant in every if mutant not in refused], tell)
        if pytest.main([*_PYTEST, *room.tests], plugins=[trials]) not in {
            pytest.ExitCode.OK,
            pytest.ExitCode.NO_TESTS_COLLECTED,
        }:
            return 1
    noticed = (ended["failed"] + ended["hung"]) / max(1, ended.total())
    told = ", ".join(f"{count} {how}" for how, count in ended.most_common())
    print(f"{name}: {noticed:.1%} of the other {ended.total()} noticed by tests, {room.wanted:.0%} wanted ({told})")
    return 0 if noticed >= room.wanted else 1


if __name__ == "__main__":
    room, *numbers = sys.argv[1:]
    sys.exit(main(room, *map(int, numbers)))
