"""Problems as they are told: each with the line that it stands in, sorted, and no more of them than anybody reads."""

from collections.abc import Iterable, Sequence
from typing import Final

from reconciler.desired.yaml import Flaw, lines
from reconciler.problem import Problem, SourceProblem

MOST_IN_A_FILE: Final = 100
"""A file that has more is not read on: what is wrong with it is clear by then."""
MOST_IN_A_RUN: Final = 1000

_LONGEST_LINE: Final = 160
"""Characters; a longer one is cut at its end alone: half of a key, cut elsewhere, would not be known for one."""


class Problems:
    """Collects a run's problems, each once; beyond `MOST_IN_A_RUN` it counts, so that no input takes the memory."""

    def __init__(self) -> None:
        self._kept: dict[Problem, None] = {}
        self._more = 0

    def add(self, problems: Iterable[Problem]) -> None:
        """Take these in."""
        for problem in problems:
            if len(self._kept) < MOST_IN_A_RUN:
                self._kept[problem] = None
            elif problem not in self._kept:
                self._more += 1

    def add_all(self, others: "Problems") -> None:
        """Take in what another has."""
        self.add(others._kept)
        self._more += others._more

    def told(self) -> list[Problem]:
        """Those that are kept, by file and place, and last how many more there are."""
        told = sorted(self._kept, key=lambda p: (p.file or "", p.line or 0, p.column or 0, p.message))
        if self._more:
            message = f"and {self._more} more error{'s' if self._more > 1 else ''}"
            told.append(Problem("manifest", message, "fix these first"))
        return told


def flaw_problem(flaw: Flaw, file: str, cluster: str | None = None) -> Problem:
    """What the YAML reader found, as a problem."""
    return Problem("manifest", flaw.message, flaw.remedy, None, cluster, file, *flaw.position)


def bounded(problems: list[Problem]) -> list[Problem]:
    """At most `MOST_IN_A_FILE` of one file's, then where reading stopped."""
    if len(problems) <= MOST_IN_A_FILE:
        return problems
    first = problems[MOST_IN_A_FILE]
    message = f"more than {MOST_IN_A_FILE} errors: the rest of the file was not read"
    end = Problem("manifest", message, "fix those before it first", None, None, first.file, first.line, first.column)
    return [*problems[:MOST_IN_A_FILE], end]


def with_source(problems: Sequence[Problem], file: str, data: bytes) -> list[Problem]:
    """The same; those of this file with the line itself. What is said of the file's end stands in its last line."""
    wanted = {problem.line for problem in problems if problem.file == file and problem.line is not None}
    found: dict[int, str] = {}
    number, line = 1, ""
    for number, line in zip(range(1, max(wanted, default=0) + 1), lines(data), strict=False):
        if number in wanted:
            found[number] = line
    return [
        problem
        if problem.file != file or problem.line is None
        else _at(problem, problem.line, problem.column or 1, found[problem.line])
        if problem.line in found
        else _at(problem, number, len(line) + 1, line)
        for problem in problems
    ]


def _at(problem: Problem, number: int, column: int, line: str) -> SourceProblem:
    shown = line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"
    return SourceProblem(
        problem.kind,
        problem.message,
        problem.remedy,
        problem.target,
        problem.cluster,
        problem.file,
        number,
        column if problem.column is not None else None,
        shown,
        min(column - 1, len(shown)),
    )
