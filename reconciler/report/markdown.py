"""Plans and results as GitHub-flavoured Markdown, for reviewers: what destroys or failed first, never over a limit.

What came from outside stands in code, where it steers nothing.
"""

from collections.abc import Sequence

from reconciler.errors import Problem
from reconciler.plan.plan import Plan
from reconciler.report.blocks import Block, page
from reconciler.report.inline import Links, code
from reconciler.report.markdown_plan import plan_blocks, plan_lead
from reconciler.report.markdown_report import report_blocks, report_lead
from reconciler.results import TargetReport

REST = "the job summary"
"""Where a reader finds what a comment has no room for."""


def plans_markdown(
    plans: Sequence[Plan],
    problems: Sequence[Problem] = (),
    *,
    links: Links | None = None,
    limit: int | None = None,
    rest: str = REST,
) -> str:
    """What would be done: counts, every delete, what is refused, then the rest, each cluster a block that opens.

    `limit` is in bytes of UTF-8, None for none: whole clusters are left out, names of deletes last of all. `rest` is
    where the reader is told to find what is missing.
    """
    blocks = [*_problems(problems, links), *plan_blocks(plans, links)]
    return page(plan_lead(plans, len(problems)), blocks, limit=limit, rest=rest)


def reports_markdown(
    reports: Sequence[TargetReport],
    problems: Sequence[Problem] = (),
    *,
    links: Links | None = None,
    limit: int | None = None,
    rest: str = REST,
) -> str:
    """How each change ended: what failed and why, what else wasn't done, then what was. `limit` as for plans."""
    blocks = [*_problems(problems, links), *report_blocks(reports)]
    return page(report_lead(reports, len(problems)), blocks, limit=limit, rest=rest)


def problems_markdown(
    problems: Sequence[Problem], *, links: Links | None = None, limit: int | None = None, rest: str = REST
) -> str:
    """What is wrong, and what to do about it, as a list."""
    return page([], _problems(problems, links), limit=limit, rest=rest)


def _problems(problems: Sequence[Problem], links: Links | None) -> list[Block]:
    lines = [Block(_problem(problem, links), 2, "errors") for problem in problems]
    return [Block("\n", inside=lines)] if lines else []


def _problem(problem: Problem, links: Links | None) -> str:
    where = problem.target or ""
    url = None
    if problem.file and problem.line:
        where = str(problem.place)
        url = links.manifest_url(problem.file, problem.line) if links else None
    about = f" cluster {code(problem.cluster)}" if problem.cluster else ""
    remedy = f"  <br>→ {code(problem.remedy)}\n" if problem.remedy else ""
    return "- **error**" + (f" {code(where, url)}" if where else "") + f"{about}: {code(problem.message)}\n{remedy}"
