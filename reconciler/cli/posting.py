"""What `comment` and `issue` share: the document of a file, its text, the way to the forge."""

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from pydantic import ValidationError

from reconciler.cli import exits
from reconciler.cli.console import Console
from reconciler.cli.pages import page_look
from reconciler.cli.saved import read_saved
from reconciler.clock import SystemClock, SystemRandom
from reconciler.errors import EXIT_OK, DamagedPlan, UsageError
from reconciler.forge.forges import open_forge
from reconciler.forge.port import Forge
from reconciler.forge.run import Run
from reconciler.forge.workflow import Workflow, read_token
from reconciler.model.text import printable
from reconciler.plan.document import PlanDocument, load_plans, refuse_excess
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
        text = read_saved(file)
    except OSError as error:
        remedy = "name what was saved with --out"
        raise UsageError(f"{file} can't be read: {error.strerror}", remedy=remedy) from error
    refuse_excess(text)
    try:
        return ReportDocument.model_validate_json(text) if _kind(text) == "report" else load_plans(text)
    except ValidationError as error:
        remedy = "make a new one: reconciler apply --out FILE"
        raise DamagedPlan("the report is damaged: its shape is wrong", remedy=remedy) from error


def read_documents(files: Sequence[str]) -> Sequence[SavedDocument]:
    """The plans and the reports of all files, each kind as one document: jobs that run side by side save one each.

    Raises what `read_document` does, and UsageError where a target stands in two of a kind.
    """
    documents = [read_document(file) for file in files]
    plans = [document for document in documents if isinstance(document, PlanDocument)]
    reports = [document for document in documents if isinstance(document, ReportDocument)]
    return [*([joined_plans(plans)] if plans else []), *([_joined_reports(reports)] if reports else [])]


def joined_plans(documents: Sequence[PlanDocument]) -> PlanDocument:
    """All of them as one; what several say alike, such as what is left behind, it says once. Raises UsageError."""
    _refuse_twice(plan.target for document in documents for plan in document.targets)
    return PlanDocument(
        errors=tuple(dict.fromkeys(error for document in documents for error in document.errors)),
        left_behind=tuple(dict.fromkeys(left for document in documents for left in document.left_behind)),
        targets=tuple(plan for document in documents for plan in document.targets),
    )


def _joined_reports(documents: Sequence[ReportDocument]) -> ReportDocument:
    _refuse_twice(report.target for document in documents for report in document.targets)
    return ReportDocument(
        errors=tuple(dict.fromkeys(error for document in documents for error in document.errors)),
        targets=tuple(report for document in documents for report in document.targets),
    )


def _refuse_twice(targets: Iterable[str]) -> None:
    seen = set[str]()
    for target in targets:
        if target in seen:
            message = f"target {printable(target, 100)} is in two of the files"
            raise UsageError(message, remedy="give the file of each target once")
        seen.add(target)


def _kind(text: bytes) -> object:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value.get("kind") if isinstance(value, dict) else None


def posted_text(console: Console, documents: Sequence[SavedDocument]) -> str:
    """The documents as Markdown that one comment holds, with links to where the forge shows what they are of."""
    run, limit = Run.read(console.environment), LIMIT_BYTES // len(documents)
    return console.redactor.text("\n".join(_markdown(document, run, limit) for document in documents))


def _markdown(document: SavedDocument, run: Run, limit: int) -> str:
    look = page_look(document, run, limit)
    if isinstance(document, ReportDocument):
        return render_reports(document, "markdown", look)
    return render_plans(document, "markdown", look)


def has_failed(documents: Iterable[SavedDocument]) -> bool:
    """Whether an apply that left these didn't do all that it was to: a plan is what it left undone."""
    return any(
        isinstance(document, PlanDocument) or exits.of_reports(document.targets, document.errors) != EXIT_OK
        for document in documents
    )


def says_something(document: SavedDocument) -> bool:
    """Whether whoever changed something else than manifests would want to know of it."""
    if document.errors:
        return True
    if isinstance(document, ReportDocument):
        return any(report.results or report.settling for report in document.targets)
    return bool(document.left_behind) or any(
        plan.changes or plan.violations or plan.taken_over or plan.blocked for plan in document.targets
    )


@asynccontextmanager
async def on_forge(console: Console, workflow: Workflow) -> AsyncIterator[Forge]:
    """The workflow's repository, with the token of the environment. Raises CredentialsError, HttpError."""
    token = read_token(console.environment, workflow.forge)
    console.redactor.keep(token)
    async with open_forge(workflow, token, clock=SystemClock(), random=SystemRandom()) as forge:
        yield forge
