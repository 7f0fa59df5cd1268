"""A place is where the thing itself stands, whatever else the file holds."""

import json
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.manifests import parse_manifests
from reconciler.desired.marks import KeyPath
from reconciler.desired.yaml import read_documents
from tests.desired.folders import GOOD

keys = st.text("abc é", min_size=1, max_size=3)
nested = st.recursive(
    st.integers(0, 99) | st.text('x\n"', max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=9,
)
written = st.tuples(st.dictionaries(keys, nested, min_size=1), st.sampled_from([None, 1, 3]))


def leaves(value: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    """Every scalar, by its path."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, key))
    else:
        yield path, value


@given(st.lists(written, min_size=1, max_size=4))
def test_each_value_and_each_key_stands_where_it_is_said_to(
    documents: list[tuple[dict[str, object], int | None]],
) -> None:
    """Of any document, in any order: the last one is asked first."""
    text = "".join(f"---\n{json.dumps(value, indent=indent, ensure_ascii=False)}\n" for value, indent in documents)
    lines = text.split("\n")

    def at(line: int, column: int) -> str:
        return lines[line - 1][column - 1 :]

    read = [*read_documents(text.encode())]
    assert [document.value for document in read] == [value for value, _ in documents]
    for document in reversed(read):
        for path, value in leaves(document.value):
            assert at(*document.marks.place(path)).startswith(json.dumps(value, ensure_ascii=False))
            if isinstance(path[-1], str):
                assert at(*document.marks.place_of_key(path)).startswith(json.dumps(path[-1], ensure_ascii=False))


def test_places_are_told_of_what_precedes_what_cannot_be_read() -> None:
    """Documents that are empty count, too."""
    text = f"---\n---\nname: a\n{GOOD}---\nname: b\n{GOOD}lifecycle: {{adopt: true}}\n---\nname: [\n"
    parsed = parse_manifests(text.encode(), "m.yaml")
    a, b = parsed.declarations
    assert [problem.line for problem in parsed.problems] == [text.count("\n") + 1]
    assert [str(b.place_of("lifecycle.adopt")), str(a.place_of("name"))] == ["m.yaml:14:20", "m.yaml:3:7"]


def test_a_key_that_is_there_twice_is_told_with_the_first() -> None:
    """Inside of what is there twice itself, too: the first there, not that of the other."""
    (document,) = read_documents(b"a: {y: 1}\nb: 2\na:\n  y: 1\n  y: 2\nb: 3\n")
    assert [(flaw.message, flaw.position) for flaw in document.flaws] == [
        ('duplicate key "a": first in line 1', (3, 1)),
        ('duplicate key "y": first in line 4', (5, 3)),
        ('duplicate key "b": first in line 2', (6, 1)),
    ]


def test_an_alias_stands_where_it_is_written() -> None:
    """What it stands for has no place of its own there; what comes after it has."""
    (document,) = read_documents(b"a: &x {b: 1}\nc: [*x, 2, {d: *x}]\ne: *x\nf:\n- - 3\n")
    assert document.value == {"a": {"b": 1}, "c": [{"b": 1}, 2, {"d": {"b": 1}}], "e": {"b": 1}, "f": [[3]]}
    paths: list[KeyPath] = [("a", "b"), ("c", 0, "b"), ("c", 1), ("c", 2, "d"), ("e", "b"), ("f", 0, 0), ("g",)]
    assert [document.marks.place(path) for path in paths] == [(1, 11), (2, 5), (2, 9), (2, 16), (3, 4), (5, 5), (1, 1)]


def test_of_what_is_there_twice_the_first_is_meant() -> None:
    """As its value is: nothing of the second has a place of its own."""
    (document,) = read_documents(b"a: [{x: 1}]\na:\n- y: 2\n- 3\n")
    assert document.value == {"a": [{"x": 1}]}
    paths: list[KeyPath] = [("a", 0, "x"), ("a", 0, "y"), ("a", 1)]
    assert [document.marks.place(path) for path in paths] == [(1, 9), (1, 5), (1, 4)]
