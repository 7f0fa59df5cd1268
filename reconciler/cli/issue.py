"""`reconciler issue`."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import click

from reconciler.cli import exits, parameters
from reconciler.problem import Problem

if TYPE_CHECKING:
    from reconciler.cli.console import Console
    from reconciler.forge.port import Draft
    from reconciler.forge.workflow import Workflow
    from reconciler.plan.document import PlanDocument


@click.command("issue", cls=parameters.Command)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@parameters.logs
@click.pass_obj
def command(console: "Console", /, *, files: tuple[str, ...]) -> int:
    """Keep the issues of each target of each FILE, with the label reconciler-drift.

    FILE is what `drift --out` found. An issue is opened, or reopened, where a target isn't as git says, edited when
    that changes, closed when all is in sync. A target that could not be read keeps that issue as it is, and has another
    that says why, until it can be read again.
    """
    import asyncio  # noqa: PLC0415  # --help imports none of it

    from reconciler.cli.posting import joined_plans, read_document  # noqa: PLC0415
    from reconciler.errors import UsageError  # noqa: PLC0415
    from reconciler.forge.drift import refuse_other_plans  # noqa: PLC0415
    from reconciler.forge.workflow import Workflow  # noqa: PLC0415
    from reconciler.plan.document import PlanDocument  # noqa: PLC0415

    documents = list[PlanDocument]()
    for file in files:
        document = read_document(file)
        if not isinstance(document, PlanDocument):
            raise UsageError(f"{file} is a report", remedy="give it what `reconciler drift --out FILE` found")
        documents.append(document)
    found = joined_plans(documents)
    refuse_other_plans(found.targets)
    return asyncio.run(_keep_issues(console, Workflow.read(console.environment), found))


async def _keep_issues(console: "Console", workflow: "Workflow", found: "PlanDocument") -> int:
    """Every target's turn, whatever became of the one before; the exit code."""
    from reconciler.cli.posting import on_forge  # noqa: PLC0415
    from reconciler.errors import HttpError  # noqa: PLC0415
    from reconciler.forge.port import publish  # noqa: PLC0415
    from reconciler.model.text import printable  # noqa: PLC0415

    problems = list[Problem]()
    async with on_forge(console, workflow) as forge:
        for target, idle, draft in _drafts(console, found):
            try:
                done, post = await publish(forge.drift_issues(), draft)
            except HttpError as error:
                error.target = target
                console.problems(error.problems())
                problems += error.problems()
                continue
            said = f"issue #{post.number} {done}: {printable(post.url, 300)}" if post else idle
            if said:
                console.result(f"{printable(target or 'all targets', 100)}: {said}\n")
    return exits.of_problems(problems)


def _drafts(console: "Console", found: "PlanDocument") -> "Iterator[tuple[str | None, str, Draft]]":
    """Each issue as it should stand, of which target it is, and what is said where there is none."""
    from reconciler.cli.posting import posted_text  # noqa: PLC0415
    from reconciler.forge.drift import drift_draft, unread_draft  # noqa: PLC0415
    from reconciler.forge.run import Run  # noqa: PLC0415
    from reconciler.plan.document import PlanDocument  # noqa: PLC0415

    for plan in found.targets:
        yield plan.target, "in sync, no issue", drift_draft(plan, posted_text(console, [PlanDocument(targets=(plan,))]))
    url = Run.read(console.environment).url
    for target, problems in _unread(found).items():
        text = posted_text(console, [PlanDocument(targets=(), errors=tuple(problems))])
        again = f"It was looked at again{f', by {url}' if url else ''}."
        yield target, "", unread_draft(target, problems, text if problems else again)


def _unread(found: "PlanDocument") -> "Mapping[str | None, Sequence[Problem]]":
    """What kept each target from being looked at: nothing, for one that was. Wrong manifests stop all of them."""
    problems: dict[str | None, list[Problem]] = {None: [], **{plan.target: [] for plan in found.targets}}
    for problem in found.errors:
        problems.setdefault(None if problem.kind == "manifest" else problem.target, []).append(problem)
    return problems
