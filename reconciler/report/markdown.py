"""Plans and results as GitHub-flavoured Markdown, for reviewers: what destroys or failed first, never over a limit.

What came from outside stands in code, where it steers nothing.
"""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.plan.document import PlanDocument
from reconciler.problem import Problem
from reconciler.report.blocks import Block, page
from reconciler.report.inline import code, commit_code, run_link
from reconciler.report.invocation import Invocation, invocation_of, invocation_of_report
from reconciler.report.look import PLAIN, Look
from reconciler.report.markdown_plan import left_behind_blocks, plan_blocks, plan_lead, provenance
from reconciler.report.markdown_report import deleted_blocks, report_blocks, report_lead, report_provenance
from reconciler.report.nextsteps import NextStep, plan_steps, report_steps
from reconciler.results import ReportDocument


def plans_markdown(document: PlanDocument, look: Look = PLAIN) -> str:
    """What would be done: this change in counts, every delete, each refusal, then all else, and what to do next.

    Where `look.limit` asks for it whole clusters are left out, names of deletes last of all.
    """
    if not (document.targets or document.errors or document.left_behind):
        return ""
    destructive, rest = plan_blocks(document.targets, look)
    blocks = [
        *destructive,
        *_problems(document.errors, look),
        *left_behind_blocks(document, look),
        *rest,
        *_next(plan_steps(document), look.invocation or invocation_of(document)),
        *_footer(look, [plan.revision for plan in document.targets], _of_one(document, look)),
    ]
    return page(plan_lead(document, look), blocks, limit=look.limit, rest=look.rest)


def reports_markdown(document: ReportDocument, look: Look = PLAIN, also_next: Sequence[NextStep] = ()) -> str:
    """How each change ended: what failed and why, what else wasn't done, then what was, and what to do next."""
    if not (document.targets or document.errors):
        return ""
    blocks = [
        *deleted_blocks(document.targets),
        *_problems(document.errors, look),
        *report_blocks(document.targets, look),
        *_next(report_steps(document, also_next), look.invocation or invocation_of_report(document)),
        *_footer(look, [report.revision for report in document.targets], list(report_provenance(document.targets))),
    ]
    return page(report_lead(document), blocks, limit=look.limit, rest=look.rest)


def problems_markdown(problems: Sequence[Problem], look: Look = PLAIN) -> str:
    """What is wrong, and what to do about it, as a list."""
    return page([], list(_problems(problems, look)), limit=look.limit, rest=look.rest)


def _problems(problems: Sequence[Problem], look: Look) -> Iterator[Block]:
    if problems:
        yield Block("\n", inside=[Block(_problem(problem, look), 2, "errors") for problem in problems])


def _problem(problem: Problem, look: Look) -> str:
    where = problem.target or ""
    url = None
    if problem.file and problem.line:
        where = str(problem.place)
        url = look.links.manifest_url(problem.file, problem.line) if look.links else None
    about = f" cluster {code(problem.cluster)}" if problem.cluster else ""
    remedy = f"  <br>→ {code(problem.remedy)}\n" if problem.remedy else ""
    return "- **error**" + (f" {code(where, url)}" if where else "") + f"{about}: {code(problem.message)}\n{remedy}"


def _next(steps: Sequence[NextStep], invocation: Invocation) -> Iterator[Block]:
    told = [(step.text, step.command(invocation)) for step in steps]
    lines = [f"- {text}{f': {code(command)}' if command else ''}\n" for text, command in told]
    if lines:
        yield Block(f"\n**Next**\n\n{''.join(lines)}", 1)


def _of_one(document: PlanDocument, look: Look) -> list[str]:
    """What the one target was compared with; of several, each says it."""
    return provenance(document.targets[0], look) if len(document.targets) == 1 else []


def _footer(look: Look, revisions: Iterable[str | None], more: Sequence[str] = ()) -> Iterator[Block]:
    """The head commit and the run that this page is of."""
    heads = dict.fromkeys(revision for revision in revisions if revision)
    if not heads and look.links is not None:
        heads = {look.links.commit: None}
    told = [f"head {commit_code(head, look.links)}" for head in heads] + ([run_link(look.run)] if look.run else [])
    if told or more:
        yield Block(f"\n<sub>{' · '.join((*told, *more))}</sub>\n", 1)
