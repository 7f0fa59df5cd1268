"""A key that shows itself nowhere."""

import html
import json
import traceback
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from reconciler.model.secret import MASK, OWN_WORDS, ApiKey, redact, redact_values
from reconciler.model.text import printable
from reconciler.plan.document import PlanDocument
from reconciler.report.values import value_text
from reconciler.results import ReportDocument

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


@given(keys, st.text(), st.text(), st.sampled_from([str, json.dumps, html.escape, repr, value_text]))
def test_no_text_gives_a_key_away(key: str, before: str, after: str, write: object) -> None:
    """Whatever stands around it, the key is gone; what held none stays as it was."""
    assert callable(write)
    redacted = redact(before + str(write(key)) + after, [ApiKey(key)])
    assert key not in redacted.replace(MASK, "")
    assert MASK in redacted or "…" in redacted
    assert redact(before, [ApiKey(key + before)]) == before


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("k1", MASK),
        ("the key 'k1' is refused: k1.", f"the key '{MASK}' is refused: {MASK}."),
        ("Authorization=k1, (k1)", f"Authorization={MASK}, ({MASK})"),
        (
            "k10 ak1 k1-a a-k1 k1.large m.k1 a/k1 k1/a k1:8 :k1",
            f"k10 ak1 k1-a a-k1 k1.large m.k1 a/k1 k1/a k1:8 :{MASK}",
        ),
    ],
)
def test_a_short_key_goes_only_where_it_stands_by_itself(text: str, expected: str) -> None:
    """As part of a name, a path or a number it is no key."""
    assert redact(text, [ApiKey("k1")]) == expected


@given(keys, st.integers(min_value=8), st.text(), st.sampled_from([str, json.dumps, html.escape, repr, printable]))
def test_half_a_key_is_taken_out_too(key: str, length: int, before: str, write: Callable[[str], str]) -> None:
    """What somebody cut before an ellipsis, if eight characters of it are left."""
    redacted = redact(f"{before}{write(key)[:length]}…", [ApiKey(key)])
    assert key[:8] not in redacted.replace(MASK, "") or key[:8] in before


def test_a_value_is_cleaned_before_it_is_serialised() -> None:
    """Texts at any depth; numbers, names of fields and the program's own words stay as they are."""
    document = {"kind": "plan", "count": 1, "ok": True, "texts": ["1", {"message": "1 and true"}], "1": None}
    redacted = redact_values(document, [ApiKey("1"), ApiKey("true"), ApiKey("plan"), ApiKey("message")])
    assert redacted == {**document, "texts": [MASK, {"message": f"{MASK} and {MASK}"}]}


@pytest.mark.parametrize("document", [PlanDocument, ReportDocument])
def test_every_word_of_our_own_is_known(document: type[BaseModel]) -> None:
    """A field of a document that takes one of a few words is among those that no key is taken out of."""
    schema = document.model_json_schema()
    places = [schema, *schema["$defs"].values()]
    closed = {
        name
        for place in places
        for name, field in place.get("properties", {}).items()
        if '"enum"' in json.dumps(field) or '"const"' in json.dumps(field)
    }
    assert closed <= OWN_WORDS
    assert {"kind", "action"} <= closed
