"""How problems are told: with their line, sorted, each once, and not without end."""

import json
from pathlib import Path

from reconciler.desired.manifests import parse_manifests
from reconciler.desired.problems import MOST_IN_A_FILE, MOST_IN_A_RUN, Problems
from reconciler.plan.document import dump_plans
from reconciler.problem import Problem, SourceProblem
from tests.desired.folders import GOOD, problems_of, write


def pointed(problem: Problem) -> tuple[str, str]:
    """The line, and what the caret points at."""
    assert isinstance(problem, SourceProblem)
    return problem.source, problem.source[problem.caret :]


def test_each_problem_has_its_line_and_a_caret() -> None:
    """Behind a byte order mark, a carriage return or a separator, too; and where the file ends too early."""
    text = f"\ufeffname: x\r\n{GOOD}description: '\u2028\x85'\r\ntypo: 1\r\nlifecycle: ["
    (end,) = parse_manifests(text.encode(), "m.yaml").problems
    assert (pointed(end), end.line, end.column) == (("lifecycle: [", ""), 8, 13)
    text = text.replace("lifecycle: [", "lifecycle: {adopt: 1}")
    assert [pointed(problem) for problem in parse_manifests(text.encode(), "m.yaml").problems] == [
        ("lifecycle: {adopt: 1}", "1}"),
        ("typo: 1", "typo: 1"),
    ]


def test_a_long_line_is_cut_at_its_end() -> None:
    """And nowhere else: a key that is cut there is still known for one."""
    (problem,) = parse_manifests(f"{{typo: {'x' * 1000}}}".encode(), "m.yaml").problems[-1:]
    source, rest = pointed(problem)
    assert (len(source), source[-1], source[:7]) == (161, "…", "{typo: ")
    assert source.endswith(rest)


def test_a_document_of_problems_holds_no_lines() -> None:
    """They are for people; a script has file, line and column."""
    problems = parse_manifests(b"name: [", "m.yaml").problems
    assert [*json.loads(json.dumps(dump_plans([], problems)))["errors"][0]] == [
        "kind", "message", "remedy", "target", "cluster", "file", "line", "column",
    ]  # fmt: skip


def test_a_file_is_not_read_on_for_ever() -> None:
    """A hundred errors are told, then where reading stopped."""
    text = "name: x\nx: 1\n---\n" * 5000
    told = parse_manifests(text.encode(), "m.yaml").problems
    assert len(told) == MOST_IN_A_FILE + 1
    assert (told[-1].message, told[-1].line) == ("more than 100 errors: the rest of the file was not read", 61)
    assert len(parse_manifests(text.encode(), "m.yaml").broken) < MOST_IN_A_FILE
    one = parse_manifests("".join(f"k{n}: 1\n" for n in range(9000)).encode(), "m.yaml").problems
    assert len(one) == MOST_IN_A_FILE + 1


def test_of_a_run_a_thousand_are_told_and_the_rest_counted(tmp_path: Path) -> None:
    """However many files are wrong."""
    write(tmp_path, {f"{n:04}.yaml": "[]" for n in range(MOST_IN_A_RUN + 5)})
    told = problems_of(tmp_path)
    assert len(told) == MOST_IN_A_RUN + 1
    assert (told[0].file, told[-1].message) == (f"{tmp_path}/0000.yaml", "and 5 more errors")


def test_what_two_say_is_told_once() -> None:
    """In the order of files and places."""
    a, b = (Problem("manifest", "x", file="f", line=line) for line in (2, 1))
    problems, others = Problems(), Problems()
    problems.add([a, b])
    others.add([b, a])
    problems.add_all(others)
    assert problems.told() == [b, a]
    problems.add(Problem("manifest", "x", line=line) for _ in range(2) for line in range(MOST_IN_A_RUN - 2))
    assert len(problems.told()) == MOST_IN_A_RUN


def test_what_is_said_is_short() -> None:
    """However long what is wrong is."""
    long = "9" * 200_000
    text = f"name: '{long}'\nnode_instance_type: {long}\nshard_count: '{long}'\n{long}: 1\ndescription: [{long}]\n'{long}': 2\n"
    for problem in parse_manifests(text.encode(), "m.yaml").problems:
        assert len(problem.message) + len(problem.remedy or "") < 600
