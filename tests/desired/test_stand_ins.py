"""Values come out of libyaml as YAML 1.2 has them, and where they stand is told right."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.yaml import read_documents


def read(text: str) -> object:
    """The value of the one document."""
    (document,) = read_documents(text.encode())
    return document.value


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"], exclude_characters="\ufeff"), min_size=1))
def test_a_string_that_json_wrote_is_read_as_it_was(text: str) -> None:
    """With every character as an escape, pairs included, and with none."""
    for ascii_only in (True, False):
        assert read(json.dumps({"value": text}, ensure_ascii=ascii_only)) == {"value": text}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"\ud83d\ude80"', "🚀"),
        (r'"\\ud83d\ude80"', None),
        (r"'\ud83d\ude80'", r"\ud83d\ude80"),
        (r"a \uD83D\uDE80", r"a \uD83D\uDE80"),
        ('"\ue000\ue400"', "\ue000\ue400"),
    ],
)
def test_only_in_double_quotes_an_escape_is_one(written: str, value: str | None) -> None:
    """A backslash that is escaped, or stands in other quotes, is a backslash; half a pair is an error."""
    if value is None:
        with pytest.raises(Exception, match="invalid Unicode"):
            read(f"value: {written}")
    else:
        assert read(f"value: {written}") == {"value": value}


def test_what_stands_behind_a_pair_stands_where_it_stands() -> None:
    """Columns count the file's characters."""
    (document,) = read_documents(rb'{"a": "\ud83d\ude80", "b": 1}')
    assert document.marks.place(("b",)) == (1, 28)
