"""No key, however odd, is shown; and nothing else is taken out for it."""

import html
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.redactor import Redactor
from reconciler.model.secret import MASK, ApiKey, may_be_in, redact_values
from reconciler.problem import Problem
from reconciler.report.json_text import json_text
from reconciler.report.sarif import errors_sarif

ODD_KEYS = [
    "1",
    "true",
    "null",
    "name",
    "plan",
    "create",
    "k1",
    "a",
    '"',
    "\\",
    "{",
    ",",
    "e",
    "0",
    "(api",
    "format_version",
]


@pytest.mark.parametrize("key", ODD_KEYS)
@pytest.mark.parametrize("one_line", [False, True])
def test_an_odd_key_breaks_no_document(key: str, one_line: bool) -> None:
    """Numbers, names of fields and the program's own words stay; the key itself, as a text of its own, is taken out."""
    document = {"kind": "plan", "format_version": 1, "targets": [{"name": "orders", "action": "create", "cause": None}]}
    text = json.dumps(document, indent=None if one_line else 2)
    redactor = Redactor()
    redactor.keep(ApiKey(key))
    assert redactor.document(text) == text
    leaking = json.dumps({**document, "errors": [{"message": f"refused: {key}"}]})
    clean = json.loads(redactor.document(leaking))
    assert clean == {**document, "errors": [{"message": f"refused: {MASK}"}]}


@pytest.mark.parametrize("key", [*ODD_KEYS, "error", "error/manifest", 'orders-"key"\\'])
def test_an_odd_key_breaks_no_sarif(key: str) -> None:
    """What a code scanner goes by stays; of the message the key is taken out, quotes and all."""
    redactor = Redactor()
    problems = [Problem("manifest", "refused: ", "mend it", file="a.yaml", line=1)]
    plain = json.loads(errors_sarif(problems))
    redactor.keep(ApiKey(key))
    problems = [replace(problem, message=f"{problem.message}{key}") for problem in problems]
    (result,) = json.loads(redactor.document(errors_sarif(problems)))["runs"][0]["results"]
    (expected,) = plain["runs"][0]["results"]
    assert {**result, "message": None} == {**expected, "message": None}
    assert result["message"]["text"].startswith(f"refused: {MASK} →")


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8), st.text())
def test_no_document_and_no_text_gives_a_key_away(key: str, around: str) -> None:
    """However it is escaped, wherever it stands: what is left is JSON, and the rest of it as it was."""
    redactor = Redactor()
    redactor.keep(ApiKey(key))
    text = json.dumps({"targets": [{"description": f"{around}{key}"}], "count": 1})
    clean = json.loads(redactor.document(text))
    assert key not in clean["targets"][0]["description"].replace(MASK, "")
    assert clean["count"] == 1
    assert key not in redactor.text(f"{around}{key}").replace(MASK, "")


@given(
    st.lists(st.sampled_from(["##[", "a", "\\", '"', "é"]), min_size=1, max_size=9).map("".join),
    st.sampled_from(["", "#", "a[", "…"]),
    st.integers(0, 12),
)
def test_what_is_not_read_to_be_cleaned_holds_no_key(key: str, around: str, cut: int) -> None:
    """Only a document that can't hold one is left unread: not one in which it is escaped, or cut."""
    known = [ApiKey(key)]
    for shown in (key, html.escape(key), f"{key[:cut]}…"):
        document = {"errors": [{"message": f"{around}{shown}{around}"}]}
        assert redact_values(document, known) == document or may_be_in(json_text(document), known)
    assert not may_be_in(json_text({"errors": [{"message": "nothing"}]}), [ApiKey("another-key")])


def test_what_passes_is_forgotten_and_what_lasts_is_not() -> None:
    """However many have come, few are looked for; the newest are among them, once each."""
    redactor = Redactor()
    assert not redactor
    redactor.keep(ApiKey("lasting"))
    for hour in range(1000):
        redactor.keep_passing(ApiKey(f"token {hour}"))
        redactor.keep_passing(ApiKey(f"token {hour}"))
        redactor.keep(ApiKey("lasting"))
    assert list(redactor) == [ApiKey("lasting"), *(ApiKey(f"token {hour}") for hour in (996, 997, 998, 999))]


def test_who_reads_them_is_not_disturbed_by_who_adds_one() -> None:
    """The lease's thread and the page's both do it all the time."""
    redactor = Redactor()
    redactor.keep(ApiKey("first"))
    reading = iter(redactor)
    redactor.keep(ApiKey("second"))
    assert list(reading) == [ApiKey("first")]
