"""`python -m tests.mutation ROOM [MUTANTS…]`: breaks a room's code in every small way, and tells what no test of it notices.

In a copy of the project, by mutmut. What survives is a promise that nobody tests, or code that nobody needs. MUTANTS is
patterns of names, to look at some of them: `*judge*`, or `*7` for every tenth.
"""

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, NamedTuple


class Room(NamedTuple):
    """What is broken, and the tests that should notice; `wanted` is the share of the mutants that they do."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    wanted: float = 0.95


ROOMS: Final = {
    "plan": Room(("reconciler/plan/*",), ("tests/plan",)),
    "apply": Room(("reconciler/apply/*",), ("tests/apply", "tests/test_reconcile.py")),
    "evidence": Room(("reconciler/evidence/*",), ("tests/evidence",), 0.85),
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
            "tests/report/test_hostile.py",
            "tests/report/test_markdown.py",
            "tests/report/test_annotations.py",
            "tests/report/test_outputs.py",
        ),
        0.9,
    ),
}

_SKIPPED: Final = ("assert_never", "strict=True", "raise AssertionError")
"""Lines that say what can't happen: no test can tell them broken."""

_SETTINGS: Final = """
[tool.mutmut]
source_paths = ["reconciler"]
only_mutate = {files}
do_not_mutate_patterns = {skipped}
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = ["--hypothesis-profile=mutate", "-m", "not slow", "--ignore=tests/plan/test_lists.py"]
also_copy = ["manifests", "docs", "README.md"]
use_git_change_detection = false
track_dependencies = false
"""

_RESULT: Final = re.compile(r"^ {4}(\S+): (.+)$", re.MULTILINE)


def main(name: str, *mutants: str) -> int:
    """Break a room; 1 where its tests notice less than they should."""
    room = ROOMS[name]
    with TemporaryDirectory() as folder:
        _copy(Path(folder), room)
        mutmut = [str(Path(sys.executable).with_name("mutmut"))]
        subprocess.run([*mutmut, "run", "--max-children", "2", *mutants], cwd=folder, check=True)
        listed = subprocess.run(
            [*mutmut, "results", "--all", "true"], cwd=folder, check=True, capture_output=True, text=True
        )
        ended = {mutant: how for mutant, how in _RESULT.findall(listed.stdout) if how != "not checked"}
        for mutant in [mutant for mutant, how in ended.items() if how in {"survived", "no tests"}]:
            print(mutant, *_change(mutmut, mutant, folder), sep="\n")
    counts = Counter(ended.values())
    noticed = (counts["killed"] + counts["timeout"]) / max(1, counts.total())
    told = ", ".join(f"{count} {how}" for how, count in counts.most_common())
    print(f"{name}: {noticed:.1%} of {counts.total()} noticed, {room.wanted:.0%} wanted ({told})")
    return 0 if noticed >= room.wanted else 1


def _copy(folder: Path, room: Room) -> None:
    """The project as git has it, with the settings of this run."""
    listed = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True).stdout
    for file in filter(None, listed.decode().split("\0")):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder / file)
    settings = _SETTINGS.format(files=[*room.files], skipped=[*_SKIPPED], tests=[*room.tests])
    with (folder / "pyproject.toml").open("a") as project:
        project.write(settings)


def _change(mutmut: list[str], mutant: str, folder: str) -> list[str]:
    """The lines that a mutant takes out and puts in."""
    shown = subprocess.run([*mutmut, "show", mutant], cwd=folder, check=True, capture_output=True, text=True).stdout
    return [line for line in shown.splitlines() if re.match(r"[-+](?![-+])", line)]


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
