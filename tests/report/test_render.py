"""One result, in each format."""

import json
from typing import get_args

import pytest

from reconciler.errors import Problem
from reconciler.plan.document import dump_plans, load_plans
from reconciler.plan.plan import Plan
from reconciler.report.render import Format, json_text, render_plans, render_reports, render_validation
from reconciler.results import TargetReport, dump_reports
from tests.report.everything import a_plan, a_report, in_sync, the_problems

PLANS = [a_plan(), in_sync()]
REPORTS = [a_report()]


@pytest.mark.parametrize("one_line", [False, True])
def test_json_is_one_document_in_ascii(one_line: bool) -> None:
    """Nothing before it, nothing after it; on one line where that is asked for; what was dumped, and a plan again."""
    plans = render_plans(PLANS, the_problems(), "json", color=True, one_line=one_line)
    reports = render_reports(REPORTS, the_problems(), "json", color=True, one_line=one_line)
    assert json.loads(plans) == dump_plans(PLANS, the_problems())
    assert json.loads(reports) == dump_reports(tuple(REPORTS), the_problems())
    assert load_plans(plans).targets == tuple(PLANS)
    for text in (plans, reports):
        assert text.isascii()
        assert text.endswith("}\n")
        assert (text.count("\n") == 1) is one_line


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("format_name", get_args(Format))
def test_the_same_inputs_give_the_same_bytes(format_name: Format, color: bool) -> None:
    """In any format: text that ends in one line break, and none of it depends on when or how often it is made."""
    for plans, reports in ((PLANS, REPORTS), ([a_plan(), in_sync()], [a_report()])):
        shown = render_plans(plans, the_problems(), format_name, color=color)
        ended = render_reports(reports, the_problems(), format_name, color=color)
        assert shown.encode() == render_plans(PLANS, the_problems(), format_name, color=color).encode()
        assert ended.encode() == render_reports(REPORTS, the_problems(), format_name, color=color).encode()
        assert all(text.endswith("\n") and not text.endswith("\n\n") for text in (shown, ended))


@pytest.mark.parametrize("format_name", get_args(Format))
def test_only_documents_hold_problems(format_name: Format) -> None:
    """In text they are missing: for people they go to stderr, and would come twice. Only text is ever coloured."""
    for text in (
        render_plans(PLANS, the_problems(), format_name, color=True),
        render_reports(REPORTS, the_problems(), format_name, color=True),
        render_validation({}, the_problems(), format_name),
    ):
        assert ("no connection" in text) is (format_name != "text")
        assert format_name == "text" or "\x1b" not in text


NO_PLANS: list[Plan] = []
NO_REPORTS: list[TargetReport] = []


def test_nothing_at_all_is_still_a_document() -> None:
    """No target: JSON says so; people see nothing."""
    assert json.loads(render_plans(NO_PLANS, (), "json", color=False))["targets"] == []
    assert json.loads(render_reports(NO_REPORTS, (), "json", color=False))["targets"] == []
    assert render_plans(NO_PLANS, (), "text", color=False) == ""
    assert render_reports(NO_REPORTS, (), "markdown", color=False) == ""


VALID = """\
{
  "kind": "validation",
  "format_version": 1,
  "targets": [
    {
      "target": "eu",
      "clusters": 1
    },
    {
      "target": "us",
      "clusters": 2
    }
  ],
  "errors": []
}
"""

INVALID = """\
{
  "kind": "validation",
  "format_version": 1,
  "targets": [],
  "errors": [
    {
      "kind": "manifest",
      "message": "na\\u00efve",
      "remedy": null,
      "target": null,
      "cluster": null,
      "file": "a.yaml",
      "line": 3,
      "column": null
    }
  ]
}
"""


def test_manifests_are_valid_or_every_problem_is_told() -> None:
    """How many clusters of how many targets; or what is wrong, which text leaves to stderr."""
    problems = [Problem("manifest", "naïve", file="a.yaml", line=3)]
    assert render_validation({"default": 1}, (), "text") == "1 manifest: valid\n"
    assert render_validation({"eu": 1, "us": 2}, (), "markdown") == "3 manifests in 2 targets: valid\n"
    assert render_validation({"eu": 1, "us": 2}, (), "json") == VALID
    assert render_validation({}, problems, "text") == ""
    assert render_validation({}, problems, "markdown") == "- **error** `a.yaml:3`: `naïve`\n"
    assert render_validation({}, problems, "json") == INVALID


def test_json_starts_no_command_in_a_log() -> None:
    """`##[` and `##vso[` are written so that a CI doesn't see them, and read back as they were."""
    document = {"a": "##[error]", "b": ["###[x ##vso[y", "\\##[", "## ["], "##[key": "#"}
    assert json_text(document, one_line=True) == (
        r'{"a": "\u0023#[error]", "b": ["#\u0023#[x \u0023#vso[y", "\\\u0023#[", "## ["], "\u0023#[key": "#"}' + "\n"
    )
    assert json.loads(json_text(document)) == document
