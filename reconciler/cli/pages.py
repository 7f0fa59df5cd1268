"""What a page on a forge points to: the run, the commit that was read, its files, and the documents."""

from collections.abc import Mapping

from reconciler.forge.run import ForgeName, Run
from reconciler.plan.document import PlanDocument
from reconciler.plan.plan import Plan
from reconciler.report.inline import Links
from reconciler.report.look import Look
from reconciler.results import ReportDocument, TargetReport

_PAGES: Mapping[ForgeName, tuple[str, str]] = {
    "github": ("blob", "commit"),
    "gitea": ("src/commit", "commit"),
    "gitlab": ("-/blob", "-/commit"),
}
"""Below which path a forge shows a file at a commit, and a commit."""


def page_look(document: PlanDocument | ReportDocument, run: Run, limit: int) -> Look:
    """How a document is shown where this run is looked at, in so many bytes of Markdown."""
    return Look(limit=limit, links=_links(document, run), docs=run.docs, run=run.url)


def _links(document: PlanDocument | ReportDocument, run: Run) -> Links | None:
    """To the one commit that was read: the document's, or the run's where it comes to none; else none.

    What isn't committed stands nowhere on the forge.
    """
    commits = {_commit(target) for target in document.targets} or {run.commit}
    commit = commits.pop() if len(commits) == 1 else None
    if commit is None or run.server_url is None:
        return None
    return Links(run.server_url, run.repository, commit, *_PAGES[run.forge])


def _commit(target: Plan | TargetReport) -> str | None:
    return None if isinstance(target, Plan) and target.dirty else target.revision
