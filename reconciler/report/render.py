"""One result, in the format that was asked for: what is in no format's file is decided here."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Literal, TypeAlias, assert_never

from reconciler.plan.document import PlanDocument, dump_plans
from reconciler.problem import Problem
from reconciler.report.json_text import json_text
from reconciler.report.look import PLAIN, Look
from reconciler.report.nextsteps import NextStep
from reconciler.report.values import counted

if TYPE_CHECKING:
    from reconciler.results import ReportDocument

ReportFormat: TypeAlias = Literal["text", "json", "markdown"]
Format: TypeAlias = Literal["text", "json", "markdown", "sarif", "codequality"]
"""The last two are for what has places in files: plans and validations, not reports."""


def without_places(format_name: Format) -> ReportFormat:
    """The format of what code scanning couldn't show: there it is told as text."""
    match format_name:
        case "text" | "json" | "markdown":
            return format_name
        case "sarif" | "codequality":
            return "text"
        case unreachable:
            assert_never(unreachable)


def render_plans(document: PlanDocument, format_name: Format, look: Look = PLAIN) -> str:
    """The plans of all targets; ends in a line break. The same plans give the same bytes.

    As text it holds no errors: for people these go to stderr.
    """
    match format_name:
        case "json":
            whole = dump_plans(document.targets, document.errors, document.left_behind)
            return json_text(whole, one_line=look.one_line)
        case "markdown":
            from reconciler.report.markdown import plans_markdown  # noqa: PLC0415  # only what is used

            return plans_markdown(document, look)
        case "sarif":
            from reconciler.report.sarif import plans_sarif  # noqa: PLC0415

            return plans_sarif(document)
        case "codequality":
            from reconciler.report.codequality import plans_codequality  # noqa: PLC0415

            return plans_codequality(document)
        case "text":
            from reconciler.report.text import plans_text  # noqa: PLC0415

            return plans_text(document, look)
        case unreachable:
            assert_never(unreachable)


def render_reports(
    document: "ReportDocument", format_name: ReportFormat, look: Look = PLAIN, *, also_next: Sequence[NextStep] = ()
) -> str:
    """How all targets' changes ended; ends in a line break. `also_next` is what a page's reader does next besides."""
    match format_name:
        case "json":
            from reconciler.results import dump_reports  # noqa: PLC0415

            return json_text(dump_reports(document.targets, document.errors), one_line=look.one_line)
        case "markdown":
            from reconciler.report.markdown import reports_markdown  # noqa: PLC0415

            return reports_markdown(document, look, also_next)
        case "text":
            from reconciler.report.text_report import reports_text  # noqa: PLC0415

            return reports_text(document, look, also_next)
        case unreachable:
            assert_never(unreachable)


def render_validation(
    checked: Mapping[str, int], errors: Sequence[Problem], format_name: Format, look: Look = PLAIN
) -> str:
    """Whether manifests are valid: the number of clusters of each target, and every error.

    As text it holds no errors: for people these go to stderr.
    """
    match format_name:
        case "json":
            targets = [{"target": target, "clusters": count} for target, count in checked.items()]
            listed = [asdict(error) for error in errors]
            return json_text({"kind": "validation", "format_version": 1, "targets": targets, "errors": listed})
        case "sarif":
            from reconciler.report.sarif import errors_sarif  # noqa: PLC0415

            return errors_sarif(errors)
        case "codequality":
            from reconciler.report.codequality import errors_codequality  # noqa: PLC0415

            return errors_codequality(errors)
        case "markdown" if errors:
            from reconciler.report.markdown import problems_markdown  # noqa: PLC0415

            return problems_markdown(errors, look)
        case "markdown" | "text":
            return "" if errors else f"{_valid(checked)}\n"
        case unreachable:
            assert_never(unreachable)


def _valid(checked: Mapping[str, int]) -> str:
    where = "" if len(checked) == 1 else f" in {len(checked)} targets"
    return f"{counted(sum(checked.values()), 'manifest')}{where}: valid"
