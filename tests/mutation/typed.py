"""Which mutants the type checker refuses: nobody could commit them."""

import re
import subprocess
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.mutation.mutants import Mutant

_ERROR: Final = re.compile(r"^(\S+?):(\d+):(?:\d+:)? error: .*\[(?!unreachable|redundant-expr)[a-z-]+\]$", re.MULTILINE)
"""But for what it says of each condition that is always the same: how a condition is broken isn't the point."""


def ill_typed(mutants: Sequence[Mutant]) -> frozenset[Mutant]:
    """Those that mypy refuses. All are checked at once: each file with its broken functions below the sound ones."""
    files = defaultdict[str, list[Mutant]](list)
    for mutant in mutants:
        files[mutant.file].append(mutant)
    with TemporaryDirectory() as folder:
        shadows: list[str] = []
        owners: dict[tuple[str, int], Mutant] = {}
        for number, (file, its) in enumerate(files.items()):
            lines: list[str] = []
            for line, owner in _with_all(file, its):
                lines.append(line)
                if owner is not None:
                    owners[file, len(lines)] = owner
            shadow = Path(folder, f"{number}.py")
            shadow.write_text("\n".join(lines))
            shadows += ["--shadow-file", file, str(shadow)]
        mypy = [sys.executable, "-m", "mypy", "--cache-dir", f"{folder}/cache", *shadows, *files]
        told = subprocess.run(mypy, check=False, capture_output=True, text=True).stdout
    refused = [(file, int(line)) for file, line in _ERROR.findall(told)]
    strays = [place for place in refused if place not in owners]
    if strays or not refused:
        raise RuntimeError(f"mypy speaks of what is sound, {strays[:5]}:\n{told[:2000]}")
    return frozenset(owners[place] for place in refused)


def _with_all(file: str, mutants: Sequence[Mutant]) -> Iterator[tuple[str, Mutant | None]]:
    """A file's lines, each broken function standing after the sound one, with the mutant that a line belongs to."""
    after = defaultdict[int, list[Mutant]](list)
    for mutant in mutants:
        after[mutant.end].append(mutant)
    for number, line in enumerate(Path(file).read_text().splitlines(), 1):
        yield line, None
        for index, mutant in enumerate(after[number]):
            text = mutant.renamed(f"mutant_{index}_of_line_{number}")
            for each in textwrap.indent(text, "    " if "." in mutant.function else "").splitlines():
                yield each, mutant
