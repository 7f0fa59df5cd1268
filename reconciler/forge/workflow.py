"""Where a workflow posts: the variables that GitHub, GitHub Enterprise, Gitea, Forgejo set. No address is made up."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from reconciler.errors import CredentialsError, UsageError
from reconciler.forge.run import speaks_gitea
from reconciler.model.endpoint import is_loopback
from reconciler.model.secret import ApiKey
from reconciler.model.text import printable

TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")

_REPOSITORY = re.compile(r"(?!\.{1,2}/)[A-Za-z0-9._-]+/(?!\.{1,2}$)[A-Za-z0-9._-]+")
_PULL_REQUEST = re.compile(r"refs/pull/([1-9][0-9]{0,17})/[a-z]+")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ELSEWHERE = "a workflow sets it; elsewhere set it by hand"


@dataclass(frozen=True, slots=True)
class Workflow:
    """The API's address, the repository, and what started this run: a pull request, a pushed commit, or neither."""

    api_url: str
    repository: str
    pull_request: int | None = None
    pushed: str | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str], pull_request: int | None = None) -> "Workflow":
        """The workflow of this environment; what is given here counts more than what the event says.

        Raises UsageError where a variable is missing or makes no sense.
        """
        repository = environment.get("GITHUB_REPOSITORY", "")
        if not _REPOSITORY.fullmatch(repository):
            what = f"{printable(repository, 100)!r} is not a repository" if repository else "it is not set"
            raise UsageError(f"GITHUB_REPOSITORY: {what}", remedy=f"it is OWNER/NAME; {_ELSEWHERE}")
        commit = environment.get("GITHUB_SHA", "")
        pushed = environment.get("GITHUB_EVENT_NAME") == "push" and _COMMIT.fullmatch(commit)
        return cls(
            api_url=_api_url(environment),
            repository=repository,
            pull_request=pull_request or _pull_request(environment),
            pushed=commit if pushed else None,
        )

    @property
    def path(self) -> str:
        """Where the API keeps this repository."""
        return f"/repos/{self.repository}"

    @property
    def is_gitea(self) -> bool:
        """Whether this is Gitea or Forgejo."""
        return speaks_gitea(self.api_url)


def read_token(environment: Mapping[str, str]) -> ApiKey:
    """The token of this environment. Raises CredentialsError, which never shows it, for none or what is none."""
    variable = next((name for name in TOKENS if environment.get(name, "").strip()), None)
    if variable is None:
        remedy = "give the step `env: GITHUB_TOKEN: ${{ github.token }}`"
        raise CredentialsError(f"no token: neither {' nor '.join(TOKENS)} is set", remedy=remedy)
    token = environment[variable].strip()
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise CredentialsError(
            f"what {variable} holds can't be a token: no header could carry it", remedy="set it anew"
        )
    return ApiKey(token)


def _api_url(environment: Mapping[str, str]) -> str:
    text = environment.get("GITHUB_API_URL", "").rstrip("/")
    if not text:
        raise UsageError("GITHUB_API_URL is not set", remedy=f"it is the address of the forge's API; {_ELSEWHERE}")
    try:
        url = urlsplit(text)
        url.port  # noqa: B018  # raises for what is none
    except ValueError as error:
        raise UsageError(f"GITHUB_API_URL: {printable(text, 100)!r} is not a URL", remedy=_ELSEWHERE) from error
    bare = not (url.query or url.fragment or url.username or url.password) and text.isascii() and text.isprintable()
    if url.scheme not in {"http", "https"} or not url.hostname or not bare or " " in text:
        raise UsageError("GITHUB_API_URL is not an API's address", remedy=f"it is https://HOST/PATH; {_ELSEWHERE}")
    if url.scheme == "http" and not is_loopback(url.hostname):
        raise UsageError(
            f"GITHUB_API_URL: http:// would send the token to {url.hostname} in the clear", remedy="use https://"
        )
    return text


def _pull_request(environment: Mapping[str, str]) -> int | None:
    event = _event(environment.get("GITHUB_EVENT_PATH", ""))
    for about in (event.get("pull_request"), _with_pull_request(event.get("issue"))):
        number = about.get("number") if isinstance(about, dict) else None
        if isinstance(number, int) and not isinstance(number, bool) and number > 0:
            return number
    found = _PULL_REQUEST.fullmatch(environment.get("GITHUB_REF", ""))
    return int(found[1]) if found else None


def _with_pull_request(issue: Any) -> Any:
    """The issue of an event, if it is a pull request."""
    return issue if isinstance(issue, dict) and issue.get("pull_request") else None


_LARGEST_EVENT = 32 * 1024 * 1024
"""Bytes; a forge's events have 25 million at most."""


def _read_event(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(_LARGEST_EVENT)


def _event(path: str) -> Mapping[str, Any]:
    if not path:
        return {}
    try:
        event = json.loads(_read_event(path))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(
            f"GITHUB_EVENT_PATH can't be read: {printable(str(error), 200)}", remedy="name it with --pull-request N"
        ) from error
    return event if isinstance(event, dict) else {}
