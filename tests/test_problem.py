"""What can be wrong is one list, and each of it is said and used."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from reconciler import problem
from reconciler.problem import KIND_MEANINGS, Kind

ROOM = Path(problem.__file__).parent


def strings(source: str) -> Iterator[str]:
    """Every text that a module uses, save the list of kinds itself."""
    for statement in ast.parse(source).body:
        listed = isinstance(statement, ast.AnnAssign) and ast.unparse(statement.target) in {"Kind", "KIND_MEANINGS"}
        for node in () if listed else ast.walk(statement):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_kind_means_something() -> None:
    """None is listed twice, and each is said in one short line."""
    listed = get_args(Kind)
    assert len(set(listed)) == len(listed)
    assert tuple(KIND_MEANINGS) == listed
    assert all(meaning and len(meaning) < 80 and "|" not in meaning for meaning in KIND_MEANINGS.values())


def test_every_kind_is_used() -> None:
    """By a class, or where a problem or a result is made."""
    used = {text for path in ROOM.rglob("*.py") for text in strings(path.read_text())}
    assert not set(get_args(Kind)) - used
