"""Strings from outside, on a line of text."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.text import did_you_mean, matching_pattern, printable

ANY = st.text(st.characters() | st.sampled_from("\x1b\n\\:#[ \u202e\ud800\U000e0001"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("Orders and their line items (EU), 100 %", "Orders and their line items (EU), 100 %"),
        ("naïve 東京 שלום 🚀", "naïve 東京 שלום 🚀"),
        (r"C:\new", r"C:\new"),
        ("C:\\new\n", r"C:\\new\n"),
        ("\x1b[31m\r\n\t\0", r"\x1b[31m\r\n\t\x00"),
        ("\x85\x9b", r"\x85\x9b"),
        ("\u2028\u202e\u200b\ufeff", r"\u2028\u202e\u200b\ufeff"),
        ("\ud800\ue000\U000e0041", r"\ud800\ue000\U000e0041"),
        ("::error::x", r"\x3a:error::x"),
        ("  ::error::x", r"  \x3a:error::x"),
        ("a ::b", "a ::b"),
        ("##[error]", r"\x23#[error]"),
        ("a###[b##vso[c", r"a#\x23#[b\x23#vso[c"),
        ("# [x] ## y", "# [x] ## y"),
    ],
)
def test_what_steers_is_written_out(text: str, shown: str) -> None:
    """Controls, formats, surrogates, what isn't assigned, a CI's commands; a backslash is doubled only beside them."""
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("12345678", "12345678"),
        ("123456789", "1234567…"),
        ("\x1b1234", r"\x1b1234"),
        ("\x1b12345", r"\x1b123…"),
        ("\x1b" * 9, r"\x1b\x1…"),
    ],
)
def test_a_limit_is_of_what_is_shown(text: str, shown: str) -> None:
    """Eight characters at most, the last an ellipsis where there was more."""
    assert printable(text, 8) == shown


@given(ANY, st.none() | st.integers(1, 20))
def test_the_printable_is_one_harmless_line_and_stays_as_it_is(text: str, limit: int | None) -> None:
    """Whatever comes: no control or format character, no command, within the limit, and the same when printed again."""
    shown = printable(text, limit)
    assert len(shown.splitlines()) <= 1
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert "##[" not in shown
    assert not shown.lstrip().startswith("::")
    assert limit is None or len(shown) <= limit
    assert printable(shown, limit) == shown


@given(ANY.map(lambda text: text.replace("\\", "/")), st.integers(1, 20))
def test_a_limit_cuts_and_changes_nothing_else(text: str, limit: int) -> None:
    """What is shown of a long text is how the whole of it begins."""
    whole, cut = printable(text), printable(text, limit)
    assert cut == (whole if len(whole) <= limit else f"{whole[: limit - 1]}…")


def test_a_slip_is_told_what_was_meant() -> None:
    """The nearest of what is known, or all of it; the first pattern that fits a name, or none."""
    known = ["shard_count", "shard_counts", "description"]
    assert did_you_mean("shard_cuont", known) == "did you mean shard_count?"
    assert did_you_mean("replicas", known) == "known are shard_count, shard_counts, description"
    assert matching_pattern("orders-eu", ["sessions", "orders-*", "*"]) == "orders-*"
    assert matching_pattern("orders", ["sessions"]) is None


@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"])).filter(lambda text: not re.search("::|##", text)))
def test_the_ordinary_reads_as_it_was_written(text: str) -> None:
    """Letters of any script, numbers, signs and spaces stay, backslashes too."""
    assert printable(text) == text
