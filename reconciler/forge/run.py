"""The workflow's run that a page is of, and where people look at it and at what it read. No address is made up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, TypeAlias

from reconciler.event import on_gitlab

ForgeName: TypeAlias = Literal["github", "gitea", "gitlab"]
"""`gitea` is Forgejo's, too, and `github` Enterprise's."""

_SERVER = re.compile(r"https?://[A-Za-z0-9._:/-]+")
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
PROJECT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+")
"""GitLab's: groups may stand in groups."""
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NUMBER = re.compile(r"[0-9]{1,20}")
_FETCHED_ACTION = re.compile(r".*/_actions/([A-Za-z0-9._-]+/[A-Za-z0-9._-]+)/([A-Za-z0-9._/-]+)")
_PUBLIC = "https://github.com"
_DOCS = "docs"


@dataclass(frozen=True, slots=True)
class Run:
    """What the variables of a workflow say of it; None, or empty, for what they don't.

    `commit` is the one that was checked out. `docs` is where the documents of this very version of the action stand.
    `name` tells this try of this run from every other.
    """

    server_url: str | None = None
    repository: str = ""
    commit: str | None = None
    forge: ForgeName = "github"
    url: str | None = None
    docs: str | None = None
    name: str = ""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Run":
        """The run of this environment; what makes no sense counts as not said."""
        if on_gitlab(environment):
            return _on_gitlab(environment)
        server = environment.get("GITHUB_SERVER_URL", "").rstrip("/")
        repository = environment.get("GITHUB_REPOSITORY", "")
        if not (_SERVER.fullmatch(server) and _REPOSITORY.fullmatch(repository)):
            return cls()
        is_gitea = speaks_gitea(environment.get("GITHUB_API_URL", ""))
        commit = environment.get("GITHUB_SHA", "")
        # Theirs are found by their number in the repository, GitHub's by one of their own.
        number = environment.get("GITHUB_RUN_NUMBER" if is_gitea else "GITHUB_RUN_ID", "")
        known = _NUMBER.fullmatch(number)
        attempt = environment.get("GITHUB_RUN_ATTEMPT", "")
        return cls(
            server_url=server,
            repository=repository,
            commit=commit if _COMMIT.fullmatch(commit) else None,
            forge="gitea" if is_gitea else "github",
            url=f"{server}/{repository}/actions/runs/{number}" if known else None,
            docs=None if is_gitea else _docs(server, repository, commit, environment),
            name=f"{number}-{attempt if _NUMBER.fullmatch(attempt) else 1}" if known else "",
        )


def _on_gitlab(environment: Mapping[str, str]) -> Run:
    """A pipeline's page, and the job's number for its name: each try of a job has its own."""
    server, project = environment.get("CI_SERVER_URL", "").rstrip("/"), environment.get("CI_PROJECT_PATH", "")
    if not (_SERVER.fullmatch(server) and PROJECT.fullmatch(project)):
        return Run()
    commit = environment.get("CI_COMMIT_SHA", "")
    pipeline, job = environment.get("CI_PIPELINE_ID", ""), environment.get("CI_JOB_ID", "")
    known = _NUMBER.fullmatch(pipeline)
    return Run(
        server_url=server,
        repository=project,
        commit=commit if _COMMIT.fullmatch(commit) else None,
        forge="gitlab",
        url=f"{server}/{project}/-/pipelines/{pipeline}" if known else None,
        name=f"{pipeline}-{job}" if known and _NUMBER.fullmatch(job) else "",
    )


def speaks_gitea(api_url: str) -> bool:
    """Whether this is Gitea's or Forgejo's API: the first version of theirs; GitHub's is unversioned or v3."""
    return api_url.rstrip("/").endswith("/api/v1")


def _docs(server: str, repository: str, commit: str, environment: Mapping[str, str]) -> str | None:
    """The documents beside the action: as it was fetched, or in the repository that uses it as its own."""
    action = environment.get("GITHUB_ACTION_PATH", "")
    fetched = _FETCHED_ACTION.fullmatch(action)
    if fetched and ".." not in fetched[2]:
        return f"{server}/{fetched[1]}/blob/{fetched[2].strip('/')}/{_DOCS}" if server == _PUBLIC else None
    workspace, path = PurePosixPath(environment.get("GITHUB_WORKSPACE", "")), PurePosixPath(action)
    if not (action and workspace.is_absolute() and path.is_relative_to(workspace) and _COMMIT.fullmatch(commit)):
        return None
    inside = (path.relative_to(workspace) / _DOCS).as_posix()
    return None if ".." in inside else f"{server}/{repository}/blob/{commit}/{inside}"
