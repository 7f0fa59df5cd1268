"""Where a job runs: the variables that GitHub, Enterprise, Gitea, Forgejo and GitLab set. No address is made up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from reconciler.errors import CredentialsError, UsageError
from reconciler.event import WorkflowEvent, on_gitlab
from reconciler.forge.run import PROJECT, ForgeName, Run, speaks_gitea
from reconciler.model.endpoint import is_loopback
from reconciler.model.secret import ApiKey
from reconciler.model.text import printable

_REPOSITORY = re.compile(r"(?!\.{1,2}/)[A-Za-z0-9._-]+/(?!\.{1,2}$)[A-Za-z0-9._-]+")
_PROJECT_ID = re.compile(r"[1-9][0-9]{0,17}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ELSEWHERE = "a workflow sets it; elsewhere set it by hand"


@dataclass(frozen=True, slots=True)
class Workflow:
    """Which forge, where its API is and keeps this repository, and what started this run.

    `repository` is what the forge's pages call it, `server_url` where they are; None where that isn't told.
    `pull_request` is the proposed change's number, `pushed` the commit of a push; a run may be about neither.
    """

    forge: ForgeName
    api_url: str
    path: str
    repository: str
    pull_request: int | None = None
    pushed: str | None = None
    server_url: str | None = None

    def shown(self, number: int) -> str:
        """A pull request's number as the forge writes it."""
        return f"!{number}" if self.forge == "gitlab" else f"#{number}"

    @classmethod
    def read(cls, environment: Mapping[str, str], pull_request: int | None = None) -> "Workflow":
        """The workflow of this environment; what is given here counts more than what the event says.

        Raises UsageError where a variable is missing or makes no sense.
        """
        if on_gitlab(environment):
            return _on_gitlab(environment, pull_request)
        repository = _matching(environment, "GITHUB_REPOSITORY", _REPOSITORY, "OWNER/NAME")
        api_url = _api_url(environment, "GITHUB_API_URL")
        event = WorkflowEvent.read(environment)
        return cls(
            forge="gitea" if speaks_gitea(api_url) else "github",
            api_url=api_url,
            path=f"/repos/{repository}",
            repository=repository,
            pull_request=pull_request or event.number,
            pushed=_pushed(event, environment.get("GITHUB_SHA", "")),
            server_url=Run.read(environment).server_url,
        )


def read_token(environment: Mapping[str, str], forge: ForgeName) -> ApiKey:
    """The token of this environment. Raises CredentialsError, which never shows it, for none or what is none."""
    names = ("GITLAB_TOKEN",) if forge == "gitlab" else ("GITHUB_TOKEN", "GH_TOKEN")
    variable = next((name for name in names if environment.get(name, "").strip()), None)
    if variable is None:
        if forge == "gitlab":
            remedy = "give the job a project access token with the scope `api`: CI_JOB_TOKEN can't write notes"
            raise CredentialsError("no token: GITLAB_TOKEN is not set", remedy=remedy)
        remedy = "give the step `env: GITHUB_TOKEN: ${{ github.token }}`"
        raise CredentialsError(f"no token: neither {' nor '.join(names)} is set", remedy=remedy)
    token = environment[variable].strip()
    if not (token.isascii() and token.isprintable()) or " " in token:
        raise CredentialsError(
            f"what {variable} holds can't be a token: no header could carry it", remedy="set it again"
        )
    return ApiKey(token)


def _on_gitlab(environment: Mapping[str, str], merge_request: int | None) -> Workflow:
    number = _matching(environment, "CI_PROJECT_ID", _PROJECT_ID, "a number")
    event = WorkflowEvent.read(environment)
    return Workflow(
        forge="gitlab",
        api_url=_api_url(environment, "CI_API_V4_URL"),
        path=f"/projects/{number}",  # its name would stand there encoded, and not every proxy lets that through
        repository=_matching(environment, "CI_PROJECT_PATH", PROJECT, "GROUP/NAME"),
        pull_request=merge_request or event.number,
        pushed=_pushed(event, environment.get("CI_COMMIT_SHA", "")),
        server_url=Run.read(environment).server_url,
    )


def _matching(environment: Mapping[str, str], variable: str, pattern: re.Pattern[str], form: str) -> str:
    value = environment.get(variable, "")
    if not pattern.fullmatch(value):
        what = f"{printable(value, 100)!r} is not {form}" if value else "it is not set"
        raise UsageError(f"{variable}: {what}", remedy=f"it is {form}; {_ELSEWHERE}")
    return value


def _pushed(event: WorkflowEvent, commit: str) -> str | None:
    return commit if event.kind == "push" and _COMMIT.fullmatch(commit) else None


def _api_url(environment: Mapping[str, str], variable: str) -> str:
    """Where the token may go: over TLS, or not beyond this machine."""
    text = environment.get(variable, "").rstrip("/")
    if not text:
        raise UsageError(f"{variable} is not set", remedy=f"it is the address of the forge's API; {_ELSEWHERE}")
    try:
        url = urlsplit(text)
        url.port  # noqa: B018  # raises for what is none
    except ValueError as error:
        raise UsageError(f"{variable}: {printable(text, 100)!r} is not a URL", remedy=_ELSEWHERE) from error
    bare = not (url.query or url.fragment or url.username or url.password) and text.isascii() and text.isprintable()
    if url.scheme not in {"http", "https"} or not url.hostname or not bare or " " in text:
        raise UsageError(f"{variable} is not an API's address", remedy=f"it is https://HOST/PATH; {_ELSEWHERE}")
    if url.scheme == "http" and not is_loopback(url.hostname):
        raise UsageError(
            f"{variable}: http:// would send the token to {url.hostname} unencrypted", remedy="use https://"
        )
    return text
