"""Values and positions, as YAML 1.2, git and editors have them; and no input that takes long."""

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.desired.scalars import NUMBER_STARTS, SPECIAL, STARTS, Odd, plain_number, plain_value
from reconciler.desired.yaml import MOST_DOCUMENTS, Unreadable, lines, read_documents

BREAKS = "\x85\u2028\u2029"


@pytest.mark.parametrize("character", BREAKS)
def test_what_ends_a_line_to_yaml_1_1_alone_ends_none(character: str) -> None:
    """Values keep it, in keys, quotes, plain scalars and blocks; later places are right."""
    text = f'a{character}b: "x{character} y"\nc: p{character}q\nd: |\n  r{character}s\ne: [1]\n'
    (document,) = read_documents(text.encode())
    key = f"a{character}b"
    assert document.value == {key: f"x{character} y", "c": f"p{character}q", "d": f"r{character}s\n", "e": [1]}
    assert [document.marks.place((key,)), document.marks.place(("c",)), document.marks.place(("e", 0))] == [
        (1, 6),
        (2, 4),
        (5, 5),
    ]


@pytest.mark.parametrize("data", [b"", b"\xef", b"\xef\xbb", b"\xef\xbb\xbf"])
def test_a_file_without_text_has_one_line(data: bytes) -> None:
    """A byte order mark is none, whole or begun: what is wrong with it stands somewhere."""
    assert [*lines(data)] == [""]


@given(st.lists(st.sampled_from(["x", " ", "é", "\x85", "\u2028", "\u2029", "\r", "\n", "\r\n", "🚀"])).map("".join))
def test_a_place_is_right_behind_any_characters(before: str) -> None:
    """Line and column count what precedes, whatever it is."""
    text = f'- "{before}"\n- here'
    (document,) = read_documents(text.encode())
    lines_before = list(lines(text[: text.index("here")].encode()))
    assert document.marks.place((1,)) == (len(lines_before), len(lines_before[-1]) + 1)


@pytest.mark.parametrize(
    ("data", "where", "what"),
    [
        ("\ufeff\ufeffa: 1", (1, 1), "there is a byte order mark here"),
        ("a: 1\nb: x\ufeffy", (2, 5), "there is a byte order mark here"),
        ("a: \u2028\x00", (1, 5), "there is a control character, '\\x00', here"),
        ("a: 1\r\nb: \ufdd0", (2, 4), "there is a control character, '\\ufdd0', here"),
    ],
)
def test_a_character_that_belongs_in_no_text_is_an_error(data: str, where: tuple[int, int], what: str) -> None:
    """One byte order mark at the start is none of the text."""
    with pytest.raises(Unreadable) as caught:
        list(read_documents(data.encode()))
    assert (caught.value.flaw.position, caught.value.flaw.message) == (where, what)
    assert [d.value for d in read_documents(f"\ufeff{data.replace(data, 'a: 1')}".encode())] == [{"a": 1}]


@pytest.mark.parametrize(
    "text", ["0" * 100_000, "0" * 99_999 + "8", "1" * 100_000, "1_" * 50_000, "1:" * 50_000, "." * 100_000]
)
def test_a_number_of_any_length_is_read_in_passing(text: str) -> None:
    """A pattern that tries each digit anew would take minutes: so a test that ends has shown it."""
    value = plain_number(text)
    assert value == text or (isinstance(value, Odd) and value.text == text and value.instead is None)


@given(st.from_regex(r"[-+.]?[0-9_.eE:oxb+-]{0,8}", fullmatch=True))
def test_a_plain_scalar_is_a_number_only_if_there_is_one_way_to_read_it(text: str) -> None:
    """Decimals without a zero in front, and their fractions; the rest is a string, or odd."""
    value = plain_number(text)
    if isinstance(value, int | float):
        assert float(text) == value
        assert Counter(text)["."] == isinstance(value, float)
    else:
        assert value == text or isinstance(value, Odd)


@given(st.text("nt~-+.01e", min_size=1, max_size=4) | st.sampled_from([*SPECIAL]))
@example(".5")
@example("+1")
@example("-1")
def test_what_a_plain_scalar_starts_with_rules_out_strings_alone(text: str) -> None:
    """So most are looked at no further."""
    assert text[:1] in NUMBER_STARTS or text in SPECIAL or plain_number(text) == text
    assert text[:1] in STARTS or text not in SPECIAL
    assert plain_value(text) == (SPECIAL[text] if text in SPECIAL else plain_number(text))


def test_documents_of_one_file_have_an_end() -> None:
    """Empty ones cost time, too."""
    with pytest.raises(Unreadable, match="more than 20000 documents in one file") as caught:
        list(read_documents(b"---\n" * (MOST_DOCUMENTS + 2)))
    assert caught.value.flaw.position == (MOST_DOCUMENTS + 1, 1)
