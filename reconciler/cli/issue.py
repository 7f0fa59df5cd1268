"""`reconciler issue`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from reconciler.cli import exits, parameters
from reconciler.errors import Problem

if TYPE_CHECKING:
    from reconciler.cli.console import Console
    from reconciler.forge.workflow import Workflow
    from reconciler.plan.plan import Plan


@click.command("issue", cls=parameters.Command)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@parameters.logs
@click.pass_obj
def command(console: "Console", /, *, files: tuple[str, ...]) -> int:
    """Keep one issue for each target of each FILE, with the label reconciler-drift.

    FILE is what `drift --out` found. An issue is opened, or reopened, where a target isn't as git says, edited when
    that changes, closed when all is in sync. A target that could not be read keeps its issue as it is.
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
    plans = joined_plans(documents).targets
    refuse_other_plans(plans)
    return asyncio.run(_keep_issues(console, Workflow.read(console.environment), plans))


async def _keep_issues(console: "Console", workflow: "Workflow", plans: "Sequence[Plan]") -> int:
    """Every target's turn, whatever became of the one before; the exit code."""
    from reconciler.cli.posting import on_forge, posted_text  # noqa: PLC0415
    from reconciler.errors import HttpError  # noqa: PLC0415
    from reconciler.forge.drift import drift_draft  # noqa: PLC0415
    from reconciler.forge.port import publish  # noqa: PLC0415
    from reconciler.model.text import printable  # noqa: PLC0415
    from reconciler.plan.document import PlanDocument  # noqa: PLC0415

    problems = list[Problem]()
    async with on_forge(console, workflow) as forge:
        for plan in plans:
            draft = drift_draft(plan, posted_text(console, [PlanDocument(targets=(plan,))], workflow))
            try:
                done, post = await publish(forge.drift_issues(), draft)
            except HttpError as error:
                error.target = plan.target
                console.problems(error.problems())
                problems += error.problems()
                continue
            said = f"issue #{post.number} {done}: {printable(post.url, 300)}" if post else "in sync, no issue"
            console.result(f"{printable(plan.target, 100)}: {said}\n")
    return exits.of_problems(problems)
