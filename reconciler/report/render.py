"""One result, in the format that was asked for."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, assert_never

from reconciler.errors import Problem
from reconciler.plan.document import dump_plans
from reconciler.plan.plan import Plan
from reconciler.report.style import Style
from reconciler.results import TargetReport, dump_reports

if TYPE_CHECKING:
    from reconciler.report.inline import Links

Format: TypeAlias = Literal["text", "json", "markdown"]


def render_plans(
    plans: Sequence[Plan],
    problems: Sequence[Problem],
    format_name: Format,
    *,
    color: bool,
    one_line: bool = False,
    links: "Links | None" = None,
    limit: int | None = None,
) -> str:
    """The plans of all targets; ends in a line break. The same plans give the same bytes.

    As text it holds no problems: for people these go to stderr. `links` and `limit`, in bytes, are for Markdown alone.
    """
    match format_name:
        case "json":
            return json_text(dump_plans(plans, problems), one_line=one_line)
        case "markdown":
            from reconciler.report.markdown import plans_markdown  # noqa: PLC0415  # only what is used

            return plans_markdown(plans, problems, links=links, limit=limit)
        case "text":
            from reconciler.report.text import plans_text  # noqa: PLC0415

            return plans_text(plans, style=Style(color))
        case unreachable:
            assert_never(unreachable)


def render_reports(
    reports: Sequence[TargetReport],
    problems: Sequence[Problem],
    format_name: Format,
    *,
    color: bool,
    one_line: bool = False,
    links: "Links | None" = None,
    limit: int | None = None,
) -> str:
    """How all targets' changes ended; ends in a line break."""
    match format_name:
        case "json":
            return json_text(dump_reports(tuple(reports), tuple(problems)), one_line=one_line)
        case "markdown":
            from reconciler.report.markdown import reports_markdown  # noqa: PLC0415

            return reports_markdown(reports, problems, links=links, limit=limit)
        case "text":
            from reconciler.report.text import reports_text  # noqa: PLC0415

            return reports_text(reports, style=Style(color))
        case unreachable:
            assert_never(unreachable)


def render_validation(checked: Mapping[str, int], problems: Sequence[Problem], format_name: Format) -> str:
    """Whether manifests are valid: the number of clusters of each target, and every problem.

    As text it holds no problems: for people these go to stderr.
    """
    if format_name == "json":
        targets = [{"target": target, "clusters": count} for target, count in checked.items()]
        listed = [asdict(problem) for problem in problems]
        return json_text({"kind": "validation", "format_version": 1, "targets": targets, "errors": listed})
    if format_name == "markdown":
        from reconciler.report.markdown import problems_markdown  # noqa: PLC0415

        return problems_markdown(problems) if problems else f"{_valid(checked)}\n"
    return "" if problems else f"{_valid(checked)}\n"


def _valid(checked: Mapping[str, int]) -> str:
    count = sum(checked.values())
    where = "" if len(checked) == 1 else f" in {len(checked)} targets"
    return f"{count} manifest{'' if count == 1 else 's'}{where}: valid"


def json_text(document: dict[str, Any], *, one_line: bool = False) -> str:
    """A document, in ASCII: no character of it steers a terminal, and none starts a workflow command."""
    text = json.dumps(document, indent=None if one_line else 2, ensure_ascii=True)
    return re.sub(r"#(?=#\w*\[)", r"\\u0023", text) + "\n"
