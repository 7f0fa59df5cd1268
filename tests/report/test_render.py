"""One result, in each format."""

import json
from typing import get_args

import pytest

from reconciler.plan.document import dump_plans, load_plans
from reconciler.problem import Problem
from reconciler.report.look import Look
from reconciler.report.render import (
    Format,
    ReportFormat,
    render_plans,
    render_reports,
    render_validation,
    without_places,
)
from reconciler.results import dump_reports
from tests.report.everything import a_plan, a_report, document, explained, in_sync, left_behind, reported, the_problems

COLOR, ONE_LINE = Look(color=True), Look(color=True, one_line=True)
PLANS = document(a_plan(), explained(), in_sync(), errors=the_problems(), left_behind=left_behind())
REPORTS = reported(a_report(), errors=the_problems())


@pytest.mark.parametrize("look", [COLOR, ONE_LINE])
def test_json_is_one_document_in_ascii(look: Look) -> None:
    """Nothing before it, nothing after it; on one line where that is asked for; what was dumped, and a plan again."""
    plans, reports = render_plans(PLANS, "json", look), render_reports(REPORTS, "json", look)
    assert json.loads(plans) == dump_plans(PLANS.targets, PLANS.errors, PLANS.left_behind)
    assert json.loads(reports) == dump_reports(REPORTS.targets, REPORTS.errors)
    assert load_plans(plans) == PLANS
    for text in (plans, reports):
        assert text.isascii()
        assert text.endswith("}\n")
        assert (text.count("\n") == 1) is look.one_line


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("format_name", get_args(Format))
def test_the_same_plans_give_the_same_bytes(format_name: Format, color: bool) -> None:
    """In any format: text that ends in one line break, and none of it depends on when or how often it is made."""
    again = document(a_plan(), explained(), in_sync(), errors=the_problems(), left_behind=left_behind())
    shown = render_plans(PLANS, format_name, Look(color=color))
    assert shown.encode() == render_plans(again, format_name, Look(color=color)).encode()
    assert shown.endswith("\n")
    assert not shown.endswith("\n\n")


@pytest.mark.parametrize("format_name", get_args(ReportFormat))
def test_the_same_reports_give_the_same_bytes(format_name: ReportFormat) -> None:
    """Likewise."""
    shown = render_reports(REPORTS, format_name)
    assert shown.encode() == render_reports(reported(a_report(), errors=the_problems()), format_name).encode()
    assert shown.endswith("\n")
    assert not shown.endswith("\n\n")


@pytest.mark.parametrize("format_name", get_args(Format))
def test_only_documents_hold_errors(format_name: Format) -> None:
    """In text they are missing: for people they go to stderr, and would come twice. Only text is ever coloured."""
    texts = [render_plans(PLANS, format_name, COLOR), render_validation({}, the_problems(), format_name, COLOR)]
    if without_places(format_name) == format_name:
        texts.append(render_reports(REPORTS, without_places(format_name), COLOR))
    for text in texts:
        assert ("must be a whole number" in text) is (format_name != "text")
        assert format_name == "text" or "\x1b" not in text


def test_nothing_at_all_is_still_a_document() -> None:
    """No target: JSON says so; people see nothing."""
    assert json.loads(render_plans(document(), "json"))["targets"] == []
    assert json.loads(render_reports(reported(), "json"))["targets"] == []
    assert json.loads(render_plans(document(), "sarif"))["runs"][0]["results"] == []
    assert render_plans(document(), "text") == ""
    assert render_reports(reported(), "markdown") == ""


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
