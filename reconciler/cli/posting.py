"""What `comment` and `issue` share: the document of a file, its text, the way to the forge."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import ValidationError

from reconciler.cli.console import Console
from reconciler.clock import SystemClock, SystemRandom
from reconciler.errors import DamagedPlan, UsageError
from reconciler.forge.api import connect
from reconciler.forge.github import Repository
from reconciler.forge.workflow import Workflow, read_token
from reconciler.plan.document import PlanDocument, load_plans
from reconciler.report.inline import Links
from reconciler.report.look import Look
from reconciler.report.render import render_plans, render_reports
from reconciler.results import ReportDocument

SavedDocument = PlanDocument | ReportDocument

LIMIT_BYTES = 60_000
"""Of Markdown: a comment or an issue holds 65,536 characters, its hidden lines included."""


def read_document(file: str) -> SavedDocument:
    """The plan or report of a file.

    Raises UsageError where it can't be opened, DamagedPlan where it isn't as it was written.
    """
    try:
        text = Path(file).read_bytes()
    except OSError as error:
        remedy = "name what was saved with --out"
        raise UsageError(f"{file} can't be read: {error.strerror}", remedy=remedy) from error
    try:
        return ReportDocument.model_validate_json(text) if _kind(text) == "report" else load_plans(text)
    except ValidationError as error:
        remedy = "make a new one: reconciler apply --out FILE"
        raise DamagedPlan("the report is damaged: its shape is wrong", remedy=remedy) from error


def _kind(text: bytes) -> object:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value.get("kind") if isinstance(value, dict) else None


def posted_text(console: Console, document: SavedDocument, workflow: Workflow) -> str:
    """The document as Markdown that a comment holds, with links to the manifests where the forge shows them."""
    if isinstance(document, ReportDocument):
        text = render_reports(document, "markdown", Look(limit=LIMIT_BYTES))
    else:
        text = render_plans(document, "markdown", Look(limit=LIMIT_BYTES, links=_links(document, workflow)))
    return console.without_keys(text)


def _links(document: PlanDocument, workflow: Workflow) -> Links | None:
    """Links to what the plan was made of; none where that is no commit. Gitea's addresses are others."""
    commits = {None if plan.dirty else plan.revision for plan in document.targets}
    commit = commits.pop() if len(commits) == 1 else None
    if commit is None or workflow.server_url is None or workflow.is_gitea:
        return None
    return Links(workflow.server_url, workflow.repository, commit)


@asynccontextmanager
async def on_forge(console: Console, workflow: Workflow) -> AsyncIterator[Repository]:
    """The workflow's repository, with the token of the environment. Raises CredentialsError, HttpError."""
    token = read_token(console.environment)
    console.keep_secret(token)
    async with connect(workflow.api_url, token, clock=SystemClock(), random=SystemRandom()) as api:
        yield Repository(api, workflow)
