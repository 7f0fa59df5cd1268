"""What a forge answered, made into a next page or a typed error. Whatever it says is hostile until shown otherwise."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
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
from reconciler.wire.answer import Answer

_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_NEXT = re.compile(r';\s*rel\s*=\s*"?next"?\s*(?:[;,]|$)')


class Dialect(NamedTuple):
    """What a forge's errors and addresses are told by. `check` names the variables that its address comes from.

    `headers` go with every request. `no_token` mends a 401; `forbidden` is added to what a 403 says would mend it.
    """

    check: str
    headers: Mapping[str, str]
    no_token: str
    forbidden: str


def status_error(answer: Answer, grant: str, dialect: Dialect, now: float) -> HttpError:
    """The typed error of an answer that is no success; `grant` says how the request's permission is given."""
    status, words, check = answer.status, answer.words(), f"check {answer.peer.check}"
    said = f"{answer.asked}: {status} {answer.phrase}" + (f": {words}" if words else "")
    match status:
        case 403 | 429 if status == 429 or _is_limit(answer, words):
            wait = _wait(answer, now)
            return RateLimited(f"{said} (rate limit)", remedy="run again later", http_status=status, retry_after=wait)
        case 401:
            return Unauthenticated(said, remedy=dialect.no_token, http_status=status)
        case 403:
            return Forbidden(said, remedy=f"{grant}; {dialect.forbidden}", http_status=status)
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
    remedy = f"{answer.peer.check.split()[0]} must be the address that the forge calls itself by"
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


def number_of(value: object) -> int | None:
    """A number that somebody else's JSON may have where one is wanted."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def text_of(item: dict[Any, Any], key: str) -> str:
    """A text likewise; empty where there is none."""
    value = item.get(key)
    return value if isinstance(value, str) else ""
