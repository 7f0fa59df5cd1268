"""A text, written and read again: by our reader, and by one that knows nothing of it."""

import pytest
import yaml
from hypothesis import given

from reconciler.desired.yaml import read_documents
from reconciler.export.quoting import block, one_line
from tests.export.live_fleets import ODD_WORDS, TEXTS


@given(TEXTS)
def test_every_reader_reads_what_was_written(text: str) -> None:
    """On one line, on several, in brackets; and no character of it steers a terminal."""
    assert_read(text)


@pytest.mark.parametrize("text", [*ODD_WORDS, " a", "a ", "a,", "a]b", "a}", "{", "#"])
def test_what_yaml_has_meanings_for_is_read_as_it_was_meant(text: str) -> None:
    """Words, indicators, numbers of all sorts, breaks, and what can't be seen."""
    assert_read(text)


def assert_read(text: str) -> None:
    written = f"a: {one_line(text)}\nb: [{one_line(text, inside_brackets=True)}]\nc: {block(text, 2)}\nd: 1\n"
    meant = {"a": text, "b": [text], "c": text, "d": 1}
    (document,) = read_documents(written.encode())
    assert document.value == meant
    assert yaml.load(written, yaml.CSafeLoader) == meant
    assert "\x1b" not in written
    assert "\r" not in written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Order service, 2nd (eu)", "Order service, 2nd (eu)"),
        ('it\'s "ours"', 'it\'s "ours"'),
        ("no", '"no"'),
        ("n", '"n"'),
        ("0x1F", '"0x1F"'),
        ("12:30:45", '"12:30:45"'),
        ("3-orders", "3-orders"),
        ("a: b", '"a: b"'),
        ('"a" # b', '"\\"a\\" # b"'),
        ("größer 😀", "größer 😀"),
        ("\x1b[31m\u202e\U000e0001", '"\\u001b[31m\\u202e\\U000e0001"'),
        ("one\ntwo", "|-\n  one\n  two"),
        ("one\n\ntwo\n", "|\n  one\n\n  two"),
        (" one\ntwo", '" one\\ntwo"'),
        ("", '""'),
    ],
)
def test_quotes_only_where_they_are_needed(text: str, written: str) -> None:
    """As a person would write it behind a key."""
    assert block(text, 2) == written


def test_what_is_no_text() -> None:
    """Numbers and booleans as JSON has them."""
    assert list(map(one_line, (True, 3))) == ["true", "3"]
