"""What the forge answered, made into posts or into a typed error. Whatever it says is hostile until shown otherwise."""

import json
from calendar import timegm
from dataclasses import dataclass, field
from email.utils import parsedate
from typing import Any

import httpx

from reconciler.errors import ForgeDenied, ForgeError, ForgeLimited, ForgeUnavailable
from reconciler.forge.port import Post
from reconciler.model.secret import ApiKey, redact
from reconciler.model.text import printable

LONGEST_WORDS = 300
"""Characters of the forge's own words that are shown."""

_GITEA_ACTIONS = -2
"""The user that Gitea and Forgejo run workflows as; their users have no type."""

_CHECK = "check GITHUB_API_URL and GITHUB_REPOSITORY"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came, to what was `asked`; `token` is taken out of whatever is told of it."""

    asked: str
    response: httpx.Response
    body: bytes = field(repr=False)
    token: ApiKey

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.response.status_code

    def harmless(self, text: str) -> str:
        """Words of the forge in one line, without the token: it goes first, as a cut could leave half of it."""
        return printable(redact(text, [self.token]), LONGEST_WORDS)

    def json(self) -> Any:
        """The body's value. Raises ForgeError where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise ForgeError(
                f"{self.asked}: {self.status} with a body that is no JSON", remedy=_CHECK, http_status=self.status
            ) from error

    def entries(self) -> list["Entry"]:
        """What is listed. Raises ForgeError where that is no list; what can't be read in it is passed over."""
        value = self.json()
        if not isinstance(value, list):
            raise ForgeError(f"{self.asked}: {self.status} with no list", remedy=_CHECK, http_status=self.status)
        return [entry for item in value if (entry := Entry.read(item)) is not None]


@dataclass(frozen=True, slots=True)
class Entry:
    """A comment, an issue, a pull request or a label: what is read of it, whatever else it says.

    `key` is a comment's id, an issue's number. `author` is a user's id; `by_robot`: it is no person.
    """

    key: int
    name: str
    body: str
    url: str
    author: int | None
    by_robot: bool
    open: bool
    merged: bool
    merge_commit: str
    is_pull_request: bool

    @classmethod
    def read(cls, item: object) -> "Entry | None":
        """None for what is no object with a number."""
        if not isinstance(item, dict):
            return None
        key = _number(item.get("number", item.get("id")))
        if key is None:
            return None
        user = item["user"] if isinstance(item.get("user"), dict) else {}
        author = _number(user.get("id"))
        return cls(
            key=key,
            name=_text(item, "name"),
            body=_text(item, "body"),
            url=_text(item, "html_url"),
            author=author,
            by_robot=user.get("type") == "Bot" or ("type" not in user and author == _GITEA_ACTIONS),
            open=item.get("state", "open") == "open",
            merged=bool(item.get("merged_at")),
            merge_commit=_text(item, "merge_commit_sha"),
            is_pull_request=bool(item.get("pull_request")),
        )

    def post(self) -> Post:
        """As the port knows it."""
        return Post(self.key, self.body, self.url, open=self.open)


def refusal(answer: Answer, permission: str, now: float) -> ForgeError:
    """The typed error of an answer that is no success; `permission` is what the request needs."""
    status, response = answer.status, answer.response
    words = _words(answer)
    said = f"{answer.asked}: {status}" + (f": {words}" if words else "")
    grant = f"give the job `permissions: {permission}`"
    match status:
        case 403 | 429 if status == 429 or _is_limit(response, words):
            wait = _wait(response, now)
            return ForgeLimited(f"{said} (rate limit)", remedy="run again later", http_status=status, retry_after=wait)
        case 401:
            remedy = "the token is none, or expired: set GITHUB_TOKEN to the job's own, `${{ github.token }}`"
            return ForgeDenied(said, remedy=remedy, http_status=status)
        case 403:
            remedy = f"{grant}; the token of a fork's pull request can never write"
            return ForgeDenied(said, remedy=remedy, http_status=status)
        case 404:
            return ForgeDenied(said, remedy=f"{grant}; or what is asked for isn't there: {_CHECK}", http_status=status)
        case 410:
            remedy = "switch the repository's issues on, or leave this command out"
            return ForgeDenied(said, remedy=remedy, http_status=status)
        case _ if status == 408 or status >= 500:
            return ForgeUnavailable(
                said,
                remedy="run again later",
                http_status=status,
                may_have_reached=True,
                retry_after=_retry_after(response, now),
            )
        case _ if response.is_redirect:
            said = f"{answer.asked}: {status}: it points elsewhere, and that is not followed: the token would go along"
    return ForgeError(said, remedy=_CHECK, http_status=status)


def next_page(answer: Answer) -> httpx.URL | None:
    """Where the list goes on, as its Link header says; None at its end. Raises ForgeError for another host."""
    text = answer.response.links.get("next", {}).get("url")
    if not text:
        return None
    here = answer.response.request.url
    try:
        there = here.join(text)
    except (httpx.InvalidURL, ValueError) as error:
        raise ForgeError(f"{answer.asked}: its next page has no address", remedy=_CHECK) from error
    if (there.scheme, there.host, there.port) != (here.scheme, here.host, here.port):
        message = f"{answer.asked}: its next page is at {answer.harmless(there.host)}: the token would go along"
        raise ForgeError(message, remedy="GITHUB_API_URL must be the address that the forge calls itself by")
    return there


def _is_limit(response: httpx.Response, words: str) -> bool:
    told = words.lower()
    return (
        "retry-after" in response.headers
        or response.headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in told
        or "abuse detection" in told
    )


def _wait(response: httpx.Response, now: float) -> float | None:
    """Seconds: `retry-after`; else until the reset, where nothing remains; None where it doesn't say."""
    wait = _retry_after(response, now)
    if wait is not None:
        return wait
    reset = response.headers.get("x-ratelimit-reset", "").strip()
    if response.headers.get("x-ratelimit-remaining") == "0" and reset.isascii() and reset.isdigit():
        return max(1.0, float(reset[:12]) - now)
    return None


def _retry_after(response: httpx.Response, now: float) -> float | None:
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate(value)
        return max(0.0, timegm(moment) - now) if moment else None
    except (ValueError, OverflowError):
        return None


def _words(answer: Answer) -> str:
    """What a refusal says, in one harmless line; empty where it says nothing."""
    text = answer.body.decode("utf-8", errors="replace").strip()
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "(an HTML page)" if text[:1] == "<" else answer.harmless(text)
    message = value.get("message") if isinstance(value, dict) else None
    return answer.harmless(message if isinstance(message, str) else json.dumps(value, ensure_ascii=False))


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(item: dict[Any, Any], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""
