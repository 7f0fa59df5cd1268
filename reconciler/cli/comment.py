"""`reconciler comment`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from reconciler.cli import parameters
from reconciler.errors import EXIT_OK

if TYPE_CHECKING:
    from reconciler.cli.console import Console
    from reconciler.cli.posting import SavedDocument
    from reconciler.forge.port import Draft
    from reconciler.forge.workflow import Workflow


@click.command("comment", cls=parameters.Command)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@parameters.option(
    "--pull-request", type=click.IntRange(min=1), metavar="N", help="Comment there, instead of where the event says."
)
@parameters.option(
    "--key",
    default="default",
    show_default=True,
    metavar="NAME",
    help="Which of a pull request's comments: one for each name. A workflow with a job for each target names it.",
)
@parameters.option(
    "--applied", is_flag=True, help="FILE is what apply left: a plan, too, then says that none of it was carried out."
)
@parameters.logs
@click.pass_obj
def command(console: "Console", /, *, files: tuple[str, ...], pull_request: int | None, key: str, applied: bool) -> int:
    """Post each FILE in the pull request's one comment, or bring that comment up to date.

    FILE is a plan (`plan --out`) or a report (`apply --out`); of several, each has other targets. What was applied has
    a comment of its own beside the plan that was reviewed, and a new one where it failed, so that somebody is told. On
    a push, the pull request is the one that was merged as its commit. Where nothing would change, and no comment shows
    otherwise, none is posted. What can't be posted is a warning: the run's own result stands, and the exit is 0.
    """
    import asyncio  # noqa: PLC0415  # --help imports none of it

    from reconciler.cli.posting import read_documents  # noqa: PLC0415
    from reconciler.errors import CredentialsError, HttpError  # noqa: PLC0415
    from reconciler.forge.workflow import Workflow  # noqa: PLC0415
    from reconciler.results import ReportDocument  # noqa: PLC0415

    documents = read_documents(files)
    workflow = Workflow.read(console.environment, pull_request)
    applied = applied or any(isinstance(document, ReportDocument) for document in documents)
    draft = _draft(console, documents, key, applied=applied)
    try:
        console.result(asyncio.run(_comment(console, workflow, draft)))
    except (HttpError, CredentialsError) as error:
        console.warn("comment.unposted", f"no comment was posted: {error.message}", remedy=error.remedy)
    return EXIT_OK


def _draft(console: "Console", documents: "Sequence[SavedDocument]", key: str, *, applied: bool) -> "Draft":
    """The comment, and which it is: an apply that failed has one to itself, by the run that it was."""
    from reconciler.cli.posting import has_failed, posted_text, says_something  # noqa: PLC0415
    from reconciler.forge.port import Draft, marker  # noqa: PLC0415
    from reconciler.forge.run import Run  # noqa: PLC0415
    from reconciler.plan.document import PlanDocument  # noqa: PLC0415

    failed = applied and has_failed(documents)
    if failed:
        run = Run.read(console.environment).name or console.run_id
        first_line = marker("apply-failed", f"{key} {run}")
    else:
        first_line = marker("apply" if applied else "plan", key)
    needed = failed or any(says_something(document) for document in documents)
    text = posted_text(console, documents)
    if applied and all(isinstance(document, PlanDocument) for document in documents):
        text = f"### Nothing was applied\n\n{text}"
    return Draft(first_line, text, needed=needed)


async def _comment(console: "Console", workflow: "Workflow", draft: "Draft") -> str:
    """What was done, in a line."""
    from reconciler.cli.posting import on_forge  # noqa: PLC0415
    from reconciler.forge.port import publish  # noqa: PLC0415
    from reconciler.model.text import printable  # noqa: PLC0415

    if workflow.pull_request is None and workflow.pushed is None:
        return "no comment: this run is about no pull request; --pull-request N names one\n"
    async with on_forge(console, workflow) as forge:
        number = workflow.pull_request
        if number is None and workflow.pushed is not None:
            number = await forge.merged_pull_request(workflow.pushed)
        if number is None:
            return f"no comment: no pull request was merged as {(workflow.pushed or '')[:10]}\n"
        done, post = await publish(forge.comments(number), draft)
    if post is None:
        return f"no comment on {workflow.shown(number)}: nothing would change\n"
    return f"comment on {workflow.shown(number)} {done}{f': {printable(post.url, 300)}' if post.url else ''}\n"
