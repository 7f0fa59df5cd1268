"""How two values differ that should have been the same: one line, bounded and harmless, for a person to read."""

from collections.abc import Iterator
from typing import Any, Final

from reconciler.model.text import printable

_MOST: Final = 3
_WIDTH: Final = 60
"""Differences that are told, and characters of each value."""


def difference_of(was: Any, now: Any) -> str:
    """`shard_count: 2, now 3` for each place where two nested values differ; `was` and `now` are plain JSON values."""
    from deepdiff import DeepDiff  # noqa: PLC0415  # a third of a second, and only where something doesn't fit

    tree = DeepDiff(was, now, view="tree")
    found = sorted(_told(level) for levels in tree.values() for level in levels)
    return "; ".join(found[:_MOST]) + (f"; and {len(found) - _MOST} more" if len(found) > _MOST else "")


def _told(level: Any) -> str:
    """One difference, as deepdiff has it."""
    path = "".join(_steps(level.path(output_format="list")))
    return f"{printable(path, _WIDTH)}: {_value(level.t1)}, now {_value(level.t2)}"


def _steps(path: list[str | int]) -> Iterator[str]:
    for position, step in enumerate(path):
        if isinstance(step, int):
            yield f"[{step}]"
        else:
            yield f".{step}" if position else step


def _value(value: Any) -> str:
    from deepdiff.helper import notpresent  # noqa: PLC0415

    return "nothing" if value is notpresent else printable(repr(value), _WIDTH)
