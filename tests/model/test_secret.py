"""A key that shows itself nowhere."""

import html
import json
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.model.secret import MASK, ApiKey, redact

HOSTILE = "k\"e\\y&<s>'-0123456789"
keys = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8)


def test_a_key_shows_itself_only_where_it_is_revealed() -> None:
    """Printed, formatted, in a container, as JSON's last resort, in a traceback: it is its mask."""
    key = ApiKey(HOSTILE)
    with pytest.raises(RuntimeError) as caught:
        raise RuntimeError(key)
    ways = [str(key), repr(key), f"{key}", f"{key!r:>9}", json.dumps(key, default=str), str({"key": [key]})]
    ways += traceback.format_exception(caught.value)
    assert not [shown for shown in ways if HOSTILE[:4] in shown]
    assert (repr(key), key.reveal()) == (MASK, HOSTILE)


def test_a_key_is_taken_out_however_it_is_written() -> None:
    """Raw, and as JSON, HTML or Python escape it; all of them in one text."""
    text = f"{HOSTILE} {json.dumps(HOSTILE)} {html.escape(HOSTILE)} {HOSTILE!r}"
    assert redact(text, [ApiKey(HOSTILE)]) == f"""{MASK} "{MASK}" {MASK} '{MASK}'"""


def test_of_two_keys_the_longer_goes_first() -> None:
    """A key that begins as another one does leaves no tail behind; an empty one takes nothing out."""
    assert redact("secret secret-2", [ApiKey("secret"), ApiKey(""), ApiKey("secret-2")]) == f"{MASK} {MASK}"


@given(keys, st.text(), st.text(), st.sampled_from([str, json.dumps, html.escape, repr]))
def test_no_text_gives_a_key_away(key: str, before: str, after: str, write: object) -> None:
    """Whatever stands around it, the key is gone; what held none stays as it was."""
    assert callable(write)
    redacted = redact(before + str(write(key)) + after, [ApiKey(key)])
    assert key not in redacted.replace(MASK, "")
    assert redact(before, [ApiKey(key + before)]) == before
