"""What a page on a forge points to: the run, the commit that was read, its files, and the documents."""

from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, metadata

from reconciler import __version__
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
    docs = run.docs or released_docs(_project_urls(), __version__)
    return Look(limit=limit, links=_links(document, run), docs=docs, run=run.url)


def released_docs(project_urls: Iterable[str], version: str) -> str | None:
    """The documents of a release, where its build said where the project is; None for what was built elsewhere.

    For a server of one's own, and for GitLab: there nothing tells where the action, if it is one, came from.
    """
    homes = (url for label, _, url in (entry.partition(", ") for entry in project_urls) if label == "Source")
    return next((f"{home}/blob/v{version}/docs" for home in homes), None)


def _project_urls() -> list[str]:
    try:
        return metadata("momento-reconciler").get_all("Project-URL") or []
    except PackageNotFoundError:  # run from a folder of sources
        return []


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
