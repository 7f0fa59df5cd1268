"""What `comment` and `issue` share: the document of a file, its text, the way to the forge."""

import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pydantic import ValidationError

from reconciler.cli.output import KEYS, redacted
from reconciler.clock import SystemClock, SystemRandom
from reconciler.errors import DamagedPlan, UsageError
from reconciler.forge.github import Repository
from reconciler.forge.wire import connect
from reconciler.forge.workflow import Workflow, read_token
from reconciler.logs import LogFormat, configure
from reconciler.plan.document import PlanDocument, load_plans
from reconciler.report.inline import Links
from reconciler.report.render import render_plans, render_reports
from reconciler.results import ReportDocument

Document = PlanDocument | ReportDocument

LIMIT_BYTES = 60_000
"""Of Markdown: a comment or an issue holds 65,536 characters, its hidden lines included."""


def read_document(file: str) -> Document:
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


def posted_text(document: Document, workflow: Workflow) -> str:
    """The document as Markdown that a comment holds, with links to the manifests where the forge shows them."""
    if isinstance(document, ReportDocument):
        text = render_reports(document.targets, document.errors, "markdown", color=False, limit=LIMIT_BYTES)
    else:
        links = _links(document, workflow)
        text = render_plans(document.targets, document.errors, "markdown", color=False, links=links, limit=LIMIT_BYTES)
    return redacted(text)


def _links(document: PlanDocument, workflow: Workflow) -> Links | None:
    """Links to what the plan was made of; none where that is no commit. Gitea's addresses are others."""
    commits = {None if plan.dirty else plan.revision for plan in document.targets}
    commit = commits.pop() if len(commits) == 1 else None
    if commit is None or workflow.server_url is None or workflow.is_gitea:
        return None
    return Links(workflow.server_url, workflow.repository, commit)


@asynccontextmanager
async def on_forge(workflow: Workflow) -> AsyncIterator[Repository]:
    """The workflow's repository, with the token of the environment. Raises CredentialsError, ForgeError."""
    token = read_token(os.environ)
    KEYS.add(token)
    async with connect(workflow.api_url, token, clock=SystemClock(), random=SystemRandom()) as wire:
        yield Repository(wire, workflow)


def configure_logs(*, log_level: str, log_format: LogFormat, quiet: bool) -> None:
    """Send the events of this process to stderr."""
    configure(
        sys.stderr,
        level="error" if quiet else log_level,
        log_format=log_format,
        clock=SystemClock(),
        keys=KEYS,
        run_id=f"{int(SystemRandom().uniform(0, 16**12)):012x}",
    )
