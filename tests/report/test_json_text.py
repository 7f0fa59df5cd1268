"""JSON that is valid, and safe in a log."""

import json

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
