"""What can be wrong, and which exit code matters most: each of them one list."""

import ast
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import get_args

from reconciler import errors
from reconciler.errors import (
    KIND_MEANINGS,
    HttpError,
    Kind,
    NoAnswer,
    Place,
    Problem,
    ReconcilerError,
    StalePlan,
    first_exit,
)

ROOM = Path(errors.__file__).parent


def classes(kind: type[ReconcilerError]) -> Iterator[type[ReconcilerError]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from classes(subclass)


def strings(source: str) -> Iterator[str]:
    """Every text that a module uses, save the list of kinds itself."""
    for statement in ast.parse(source).body:
        listed = isinstance(statement, ast.AnnAssign) and ast.unparse(statement.target) in {"Kind", "KIND_MEANINGS"}
        for node in () if listed else ast.walk(statement):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_kind_is_one_of_the_list_and_means_something() -> None:
    """No class has another, none is listed twice, and each is said in one short line."""
    listed = get_args(Kind)
    assert len(set(listed)) == len(listed)
    assert tuple(KIND_MEANINGS) == listed
    own = [subclass.kind for subclass in classes(ReconcilerError) if subclass is not HttpError]
    assert set(own) <= set(listed)
    assert len(set(own)) == len(own)
    assert all(meaning and len(meaning) < 80 and "|" not in meaning for meaning in KIND_MEANINGS.values())


def test_every_kind_is_used() -> None:
    """By a class, or where a problem or a result is made."""
    used = {text for path in ROOM.rglob("*.py") for text in strings(path.read_text())}
    assert not set(get_args(Kind)) - used


def test_of_several_exit_codes_the_gravest_counts() -> None:
    """Signals, then failure, stale, refusal, pending, unapplied; bad usage never comes with another."""
    order = (64, 130, 143, 129, 131, 1, 4, 3, 2, 5, 0)
    for first, second in permutations(order, 2):
        assert first_exit([first, second]) == min(first, second, key=order.index)
    assert first_exit([]) == 0


def test_an_error_is_told_as_data() -> None:
    """Whatever it knows of where and what to do."""
    error = StalePlan("it moved", remedy="plan again", target="t", cluster="c", place=Place("a.yaml", 3, 7))
    assert error.problems() == (Problem("stale", "it moved", "plan again", "t", "c", "a.yaml", 3, 7),)
    assert str(error.problems()[0].place) == "a.yaml:3:7"
    assert StalePlan("it moved").problems() == (Problem("stale", "it moved"),)


def test_the_last_of_several_attempts_keeps_what_it_knew() -> None:
    """And says how often there was none."""
    error = NoAnswer("silence", remedy="run again", http_status=200, retry_after=3.0).after(
        4, " (tried 4 times in 9s)", may_have_reached=True
    )
    assert (type(error), error.message, error.remedy) == (NoAnswer, "silence (tried 4 times in 9s)", "run again")
    assert (error.http_status, error.retry_after, error.attempts, error.may_have_reached) == (200, 3.0, 4, True)
