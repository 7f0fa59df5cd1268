"""What the forge answered, made into posts or into a typed error. Whatever it says is hostile until shown otherwise."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from reconciler.errors import (
    Forbidden,
    HttpError,
    NotFound,
    RateLimited,
    Unauthenticated,
    Unavailable,
    Undocumented,
)
from reconciler.forge.port import Post
from reconciler.wire.answer import Answer

_GITEA_ACTIONS = -2
"""The user that Gitea and Forgejo run workflows as; their users have no type."""

_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_NEXT = re.compile(r';\s*rel\s*=\s*"?next"?\s*(?:[;,]|$)')


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


def entries_of(answer: Answer) -> Iterator[Entry]:
    """What is listed; what can't be read in it is passed over. Raises HttpError where that is no list."""
    for item in answer.entries():
        entry = Entry.read(item)
        if entry is not None:
            yield entry


def status_error(answer: Answer, permission: str, now: float) -> HttpError:
    """The typed error of an answer that is no success; `permission` is what the request needs."""
    status, words, check = answer.status, answer.words(), f"check {answer.peer.check}"
    said = f"{answer.asked}: {status} {answer.phrase}" + (f": {words}" if words else "")
    grant = f"give the job `permissions: {permission}`"
    match status:
        case 403 | 429 if status == 429 or _is_limit(answer, words):
            wait = _wait(answer, now)
            return RateLimited(f"{said} (rate limit)", remedy="run again later", http_status=status, retry_after=wait)
        case 401:
            remedy = "the token is invalid, or expired: set GITHUB_TOKEN to the job's own, `${{ github.token }}`"
            return Unauthenticated(said, remedy=remedy, http_status=status)
        case 403:
            remedy = f"{grant}; the token of a fork's pull request can never write"
            return Forbidden(said, remedy=remedy, http_status=status)
        case 404:
            return NotFound(said, remedy=f"{grant}; or what is asked for isn't there: {check}", http_status=status)
        case 410:
            remedy = "switch the repository's issues on, or leave this command out"
            return NotFound(said, remedy=remedy, http_status=status)
        case _ if status == 408 or status >= 500:
            return Unavailable(
                said,
                remedy="run again later",
                http_status=status,
                may_have_reached=True,
                retry_after=answer.retry_after(now),
            )
        case _ if answer.is_redirect:
            said = f"{answer.asked}: {status}: it points elsewhere, and that is not followed: the token would go along"
    return Undocumented(said, remedy=check, http_status=status)


def next_page(answer: Answer) -> str | None:
    """Where the list goes on, as its Link header says; None at its end. Raises HttpError for another address.

    As a path after the peer's address, to which alone the token may go.
    """
    for target, parameters in _LINK.findall(answer.headers.get("link", "")):
        if _NEXT.search(parameters):
            return _below(answer, str(target))
    return None


def _below(answer: Answer, target: str) -> str:
    remedy = "GITHUB_API_URL must be the address that the forge calls itself by"
    try:
        here, there = urlsplit(answer.peer.address), urlsplit(urljoin(answer.url, target))
        same = _origin(here) == _origin(there) and there.path.startswith(f"{here.path}/")
    except ValueError as error:
        raise Undocumented(f"{answer.asked}: its next page has no address", remedy=remedy) from error
    if not same:
        where = answer.peer.harmless(there.netloc + there.path)
        raise Undocumented(f"{answer.asked}: its next page is at {where}: the token would go along", remedy=remedy)
    return f"{there.path.removeprefix(here.path)}?{there.query}"


def _origin(url: SplitResult) -> tuple[str, str | None, int]:
    return url.scheme, url.hostname, url.port or {"http": 80}.get(url.scheme, 443)


def _is_limit(answer: Answer, words: str) -> bool:
    told = words.lower()
    return (
        "retry-after" in answer.headers
        or answer.headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in told
        or "abuse detection" in told
    )


def _wait(answer: Answer, now: float) -> float | None:
    """Seconds: `retry-after`; else until the reset, where nothing remains; None where it doesn't say."""
    wait = answer.retry_after(now)
    if wait is not None:
        return wait
    reset = answer.headers.get("x-ratelimit-reset", "").strip()
    if answer.headers.get("x-ratelimit-remaining") == "0" and reset.isascii() and reset.isdigit():
        return max(1.0, float(reset[:12]) - now)
    return None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(item: dict[Any, Any], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""
