"""The workflow's run that a page is of, and where people look at it and at what it read. No address is made up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

_SERVER = re.compile(r"https?://[A-Za-z0-9._:/-]+")
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_NUMBER = re.compile(r"[0-9]{1,20}")
_FETCHED_ACTION = re.compile(r".*/_actions/([A-Za-z0-9._-]+/[A-Za-z0-9._-]+)/([A-Za-z0-9._/-]+)")
_PUBLIC = "https://github.com"
_DOCS = "docs"


@dataclass(frozen=True, slots=True)
class Run:
    """What the variables of a workflow say of it; None, or empty, for what they don't.

    `commit` is the one that was checked out. `shows_files`: files and commits have the addresses that GitHub gives
    them. `docs` is where the documents of this very version of the action stand. `name` tells this try of this run from
    every other.
    """

    server_url: str | None = None
    repository: str = ""
    commit: str | None = None
    shows_files: bool = False
    url: str | None = None
    docs: str | None = None
    name: str = ""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Run":
        """The run of this environment; what makes no sense counts as not said."""
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
            shows_files=not is_gitea,
            url=f"{server}/{repository}/actions/runs/{number}" if known else None,
            docs=None if is_gitea else _docs(server, repository, commit, environment),
            name=f"{number}-{attempt if _NUMBER.fullmatch(attempt) else 1}" if known else "",
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
