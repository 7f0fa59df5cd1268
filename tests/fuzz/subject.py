"""What is fuzzed: something that reads what comes from outside, and how such a thing is damaged.

A subject's `check` fails by any exception: what it reads is taken as it is meant, or refused by an error of ours.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from hypothesis import strategies as st

from reconciler.errors import ReconcilerError
from reconciler.model.text import is_printable

T = TypeVar("T")

WORDS = ("", " ", "\t", "\n", "\r", "\x00", "\x1b[2J", "\x85", "\u2028", "\u202e", "\ufeff", "é", "🚀", "9" * 400)
"""What steers, what is no text, what is long: at home in no format."""

JSON_WORDS = ("null", "true", "-1", "1e999", "NaN", "2.0", '"', "\\", "\\ud800", "[", "]", "{", "}", ":", ",", "[" * 99)
YAML_WORDS = (
    *("- ", ": ", "? ", ",", "|\n", ">-\n", "'", '"', "[", "{", "}", "]", "&a ", "*a", "<<: ", "!!str ", "---\n", "...\n"),
    *("~", "null", "yes", "NO", "0o7", "010", "0x1F", "1_000", "1:30", "1e3", ".5", "-.inf", "%YAML 1.1\n", "# "),
    *("name: a\n", "  ", "shard_count: 2\n", "lifecycle: {}\n"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subject(Generic[T]):
    """`slowness`: how many times fewer examples of it are tried, since each takes so long."""

    name: str
    given: st.SearchStrategy[T]
    check: Callable[[T], None]
    slowness: int = 1


@st.composite
def damaged(draw: st.DrawFn, whole: Sequence[bytes], words: Sequence[str]) -> bytes:
    """One of these, with some pieces cut out, doubled, moved or put in."""
    data = draw(st.sampled_from(whole))
    for _ in range(draw(st.integers(0, 5))):
        at, until = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
        until = min(until, at + draw(st.sampled_from([0, 1, 8, 1 << 20])))
        piece = draw(
            st.sampled_from([b"", data[at:until] * 2])
            | st.sampled_from([*words, *WORDS]).map(str.encode)
            | st.binary(max_size=4)
        )
        data = data[:at] + piece + data[until:]
    return data


_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([10**400, -1, 2**63, 1.5, float("inf"), float("nan"), "", "a", "\ud800", "\x1b[2J", "x" * 300])
    | st.text(max_size=6)
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)


@st.composite
def altered(draw: st.DrawFn, whole: Sequence[Any]) -> bytes:
    """One of these JSON documents, still JSON, with other values in some places, fewer keys, or more."""
    root = {"": json.loads(json.dumps(draw(st.sampled_from(whole))))}
    for _ in range(draw(st.integers(1, 3))):
        holder: Any = root
        key: Any = ""
        while isinstance(holder[key], dict | list) and holder[key] and draw(st.integers(0, 5)):
            holder = holder[key]
            key = draw(st.sampled_from([*holder] if isinstance(holder, dict) else range(len(holder))))
        match draw(st.sampled_from(["replace", "take out", "add", "double"])):
            case "take out" if holder is not root and len(holder) > 1:
                del holder[key]
            case "add" if holder is not root and isinstance(holder, dict):
                holder[draw(st.text(max_size=4))] = draw(VALUES)
            case "double" if isinstance(holder, list):
                holder.append(holder[key])
            case _:
                holder[key] = draw(VALUES)
    return json.dumps(root[""]).encode()


def told(error: ReconcilerError) -> None:
    """An error of ours says what is wrong in words that steer nothing, each at a place that exists."""
    assert error.problems()
    for problem in error.problems():
        assert problem.message.strip()
        assert is_printable(problem.message)
        assert is_printable(problem.remedy or "")
        assert (problem.line or 1) >= 1
        assert (problem.column or 1) >= 1
