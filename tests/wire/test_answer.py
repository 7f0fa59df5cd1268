"""What an answer says, made harmless, and what it asks for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.errors import HttpError, NoAnswer, Undocumented
from reconciler.model.secret import ApiKey
from reconciler.wire.answer import Answer
from reconciler.wire.peer import Peer
from tests.fakes import KEY

JSON = {"content-type": "application/json"}
NOW = 1_800_000_000.0


def answer(
    body: bytes | str, status: int = 200, headers: dict[str, str] | None = None, *, method: str = "GET", key: str = KEY
) -> Answer:
    peer = Peer("https://api.example.com", ApiKey(key), "--endpoint")
    data = body if isinstance(body, bytes) else body.encode()
    return Answer(peer, method, f"{peer.address}/cluster", f"{method} /cluster", status, headers or {}, data)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"message": "no such\\ninstance", "code": 7}', r"no such\ninstance"),
        ('{\n  "error": "bad zone"\n}', "bad zone"),
        ('{\n  "code": 7,\n  "why": {"zone": "é"}\n}', '{"code": 7, "why": {"zone": "é"}}'),
        ('"quota"', "quota"),
        ('{"message": "\\ud83d\\ude80 \\ud800"}', r"🚀 \ud800"),
        ("plain \u202etext", r"plain \u202etext"),
        ("<html><body>Bad gateway", "(an HTML page)"),
        ("", ""),
        (b"\xff", "\ufffd"),
        ("w" * 400, "w" * 299 + "…"),
        ("[" * 100_000, "[" * 299 + "…"),
        ("9" * 400, "9" * 299 + "…"),
        ("9" * 100_000, "9" * 299 + "…"),
        ("NaN", "NaN"),
    ],
)
def test_the_others_words_are_one_short_harmless_line(body: bytes | str, words: str) -> None:
    """JSON with a message, JSON without, text, a page or nothing: at most 300 characters that steer nothing."""
    assert answer(body, 500).words() == words


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=40),
    st.text(max_size=320),
    st.sampled_from([str, json.dumps, lambda said: json.dumps({"message": said}), lambda said: json.dumps([said])]),
)
def test_the_key_is_in_no_word(key: str, before: str, write: object) -> None:
    """However it is written, and wherever the words are cut."""
    said = write(before + key + "…")  # type: ignore[operator]
    words = answer(said, 500, key=key).words()
    assert key not in words
    assert len(words) <= 300
    assert not set(words) & set("\n\r\x1b\u2028\u202e")


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("99999999999999999999", 999_999_999.0),
        ("Fri, 15 Jan 2027 08:00:20 GMT", 20.0),
        ("Friday, 15-Jan-27 08:00:20 GMT", 20.0),
        ("Fri Jan 15 08:00:20 2027", 20.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("1, 2", None),
        ("٣", None),
        ("Fri, 99 Foo 2027 99:99:99 GMT", None),
        ("", None),
    ],
)
def test_retry_after_is_read_in_both_its_forms(retry_after: str, seconds: float | None) -> None:
    """Seconds, or any date of HTTP; nonsense is none."""
    assert answer("", 429, {"retry-after": retry_after}).retry_after(NOW) == seconds
    assert answer("", 429).retry_after(NOW) is None


@pytest.mark.parametrize(
    ("body", "headers", "message"),
    [
        ("null", JSON, "200 with no list"),
        ('{"clusters": []}', JSON, "200 with no list"),
        (" ", JSON, "200 with an empty body"),
        ("<!DOCTYPE html><p>Sign in", {}, "200 with an HTML page"),
        ("[]", {"content-type": "text/html"}, None),
        ("welcome\x1b[2J", {"content-type": "text/plain"}, r"200 with a body that is not JSON: welcome\x1b[2J"),
        ("[{", JSON, "200 with half a body, or none that is JSON"),
        ('{"a"', JSON, "200 with half a body, or none that is JSON"),
        (")]}',\n[]", JSON, r"200 with a body that is not JSON: )]}',\n[]"),
        ("[" * 100_000, JSON, "200 with more than is read: it is nested too deeply"),
        (b"\xff\xfe[\x00]\x00", {"content-type": "text/plain"}, "200 with a body that is not JSON: ��[\\x00]\\x00"),
    ],
)
def test_what_is_no_list_says_what_it_is_instead(
    body: bytes | str, headers: dict[str, str], message: str | None
) -> None:
    """Only half a body is worth another try; of a change, it is not known what became of it."""
    if message is None:
        assert list(answer(body, headers=headers).entries()) == []
        return
    for method in ("GET", "PUT"):
        with pytest.raises(HttpError) as caught:
            list(answer(body, headers=headers, method=method).entries())
        assert caught.value.message == f"{method} /cluster: {message}"
        assert type(caught.value) is (NoAnswer if "half" in message else Undocumented)
        assert caught.value.may_have_reached is (method == "PUT")
        assert caught.value.remedy
