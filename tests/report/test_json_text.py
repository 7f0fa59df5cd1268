"""JSON that is valid, and safe in a log."""

import json

from hypothesis import given
from hypothesis import strategies as st

from reconciler.report.json_text import json_text
from reconciler.report.render import render_reports
from tests.report.everything import a_report, reported


def test_json_starts_no_command_in_a_log() -> None:
    """`##[` and `##vso[` are written so that a CI doesn't see them, and read back as they were."""
    document = {"a": "##[error]", "b": ["###[x ##vso[y", "\\##[", "## ["], "##[key": "#"}
    assert json_text(document, one_line=True) == (
        r'{"a": "\u0023#[error]", "b": ["#\u0023#[x \u0023#vso[y", "\\\u0023#[", "## ["], "\u0023#[key": "#"}' + "\n"
    )
    assert json.loads(json_text(document)) == document


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(st.dictionaries(st.text(max_size=3), values, max_size=3), st.integers(0, 3))
def test_a_document_in_pieces_is_the_same_document(document: dict[str, object], depth: int) -> None:
    """Byte for byte what the encoder makes of it as a whole, however deep it is."""
    for _ in range(depth):
        document = {"items": [document, {}], "none": []}
    whole = json.dumps(document, indent=2)
    assert json_text(document).replace("\\u0023", "#") == whole.replace("\\u0023", "#") + "\n"
    assert json.loads(json_text(document)) == document


def test_json_has_no_nan() -> None:
    """A strict reader takes it: what is no number is null."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    odd = [result.model_copy(update={"seconds": float("nan")}) for result in a_report().results]
    text = render_reports(reported(a_report().model_copy(update={"results": tuple(odd)})), "json")
    read = json.loads(text, parse_constant=refuse)
    assert {result["seconds"] for result in read["targets"][0]["results"]} == {None}
    assert json_text({"a": [1.5, float("inf"), {"b": float("-inf")}]}, one_line=True) == (
        '{"a": [1.5, null, {"b": null}]}\n'
    )
