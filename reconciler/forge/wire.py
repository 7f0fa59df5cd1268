"""How the forge is spoken to: one request at a time, a mutation a second at most, tried again where that is allowed.

The order of waiting is GitHub's own: what `retry-after` says; else until the reset, where nothing remains; else a
minute, and doubling.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import httpx
import structlog

from reconciler import __version__
from reconciler.clock import Clock, Random
from reconciler.errors import ForgeError, ForgeLimited, ForgeUnavailable
from reconciler.forge.answers import LONGEST_WORDS, Answer, Entry, next_page, refusal
from reconciler.model.endpoint import is_loopback
from reconciler.model.secret import ApiKey, redact
from reconciler.model.text import printable

if TYPE_CHECKING:
    from tenacity import RetryCallState

log = structlog.get_logger()

T = TypeVar("T")

MOST_PAGES = 100
"""Of a hundred each. What has more isn't searched to its end, and nothing is posted there."""

LARGEST_BODY = 64 * 1024 * 1024
"""Bytes of an answer that are read: a hundred of the longest comments are about 26 MB."""


@dataclass(frozen=True, slots=True)
class Policy:
    """All in seconds.

    `patience` is for all rate limits of a command together: what asks for more is given up at once, as asking earlier
    makes it worse. `budget` is for one request that may go through later.
    """

    patience: float = 600.0
    limited_wait: float = 60.0
    budget: float = 60.0
    first_wait: float = 1.0
    longest_wait: float = 15.0
    mutation_interval: float = 1.0
    connect_timeout: float = 10.0
    read_timeout: float = 30.0
    attempt_timeout: float = 60.0


DEFAULT_POLICY = Policy()


@asynccontextmanager
async def connect(
    api_url: str,
    token: ApiKey,
    *,
    clock: Clock,
    random: Random,
    policy: Policy = DEFAULT_POLICY,
    transport: httpx.AsyncBaseTransport | None = None,
) -> "AsyncIterator[Wire]":
    """A wire to the API of this address; `transport` is for what isn't the network. Raises ForgeError."""
    url = urlsplit(api_url)
    try:
        httpx.URL(api_url)
        http = httpx.AsyncClient(
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {token.reveal()}",
                "User-Agent": f"reconciler/{__version__}",
                "X-GitHub-Api-Version": "2022-11-28",
            },
            timeout=httpx.Timeout(policy.read_timeout, connect=policy.connect_timeout),
            verify=_tls_context() if url.scheme == "https" else False,
            trust_env=not is_loopback(url.hostname or ""),
            follow_redirects=False,
            transport=transport,
        )
    except (ValueError, ImportError, OSError, httpx.InvalidURL) as error:
        message = f"{url.netloc} can't be spoken to in this environment: {printable(str(error), LONGEST_WORDS)}"
        raise ForgeError(
            message, remedy="mend GITHUB_API_URL, HTTPS_PROXY, ALL_PROXY, NO_PROXY or SSL_CERT_FILE"
        ) from error
    async with http:
        yield Wire(api_url, http, token, clock, random, policy)


class Wire:
    """Speaks to one forge with one token."""

    def __init__(
        self, api_url: str, http: httpx.AsyncClient, token: ApiKey, clock: Clock, random: Random, policy: Policy
    ) -> None:
        self.clock = clock
        self._api_url = api_url
        self._http = http
        self._token = token
        self._random = random
        self._policy = policy
        self._next_mutation = clock.monotonic()
        self._patient_until = clock.monotonic() + policy.patience

    async def get(self, path: str, permission: str, query: Mapping[str, str] | None = None) -> Answer:
        """Read something. Raises ForgeError; `permission` is what a refusal says would mend it."""
        url = httpx.URL(self._api_url + path, params=query)
        return await self.retry(lambda: self._ask("GET", url, permission))

    async def pages(self, path: str, permission: str, query: Mapping[str, str]) -> AsyncIterator[list[Entry]]:
        """A list, page by page, where `Link` leads and nowhere else: a forge may not know of pages."""
        url: httpx.URL | None = httpx.URL(self._api_url + path, params=query)
        seen: set[httpx.URL] = set()
        while url is not None and url not in seen:
            if len(seen) == MOST_PAGES:
                raise ForgeError(f"GET {path}: more than {MOST_PAGES} pages", remedy="post elsewhere: this is too long")
            seen.add(url)
            answer = await self._page(url, permission)
            yield answer.entries()
            url = next_page(answer)

    async def _page(self, url: httpx.URL, permission: str) -> Answer:
        return await self.retry(lambda: self._ask("GET", url, permission))

    async def change(self, method: str, path: str, permission: str, body: Mapping[str, object]) -> Answer:
        """Send one change, once: whoever repeats it, by `retry`, knows whether it may be repeated."""
        wait = self._next_mutation - self.clock.monotonic()
        if wait > 0:
            await self.clock.sleep(wait)
        try:
            return await self._ask(method, httpx.URL(self._api_url + path), permission, json.dumps(body).encode())
        finally:
            self._next_mutation = self.clock.monotonic() + self._policy.mutation_interval

    async def retry(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """What the attempt gives at last. Raises its last ForgeError, once it is no use to wait on."""
        from tenacity import AsyncRetrying, retry_if_exception_type  # noqa: PLC0415

        deadline = self.clock.monotonic() + self._policy.budget
        limits = 0

        async def once() -> T:  # a lambda would not be awaited
            return await attempt()

        def wait(state: "RetryCallState") -> float:
            nonlocal limits
            error, count = _error(state), state.attempt_number - 1
            if isinstance(error, ForgeLimited):
                limits += 1
                own = self._policy.limited_wait * 2 ** (limits - 1)
                return own if error.retry_after is None else max(1.0, error.retry_after)
            longest = min(self._policy.longest_wait, self._policy.first_wait * 2**count)
            return max(self._random.uniform(longest / 2, longest), error.retry_after or 0.0)

        def stop(state: "RetryCallState") -> bool:
            until = self._patient_until if isinstance(_error(state), ForgeLimited) else deadline
            return self.clock.monotonic() + state.upcoming_sleep > until

        retrying = AsyncRetrying(
            sleep=self.clock.sleep,
            wait=wait,
            stop=stop,
            retry=retry_if_exception_type((ForgeLimited, ForgeUnavailable)),
            before_sleep=_tell,
            reraise=True,
        )
        return await retrying(once)

    async def _ask(self, method: str, url: httpx.URL, permission: str, content: bytes | None = None) -> Answer:
        asked = f"{method} {url.path}"
        headers = {"Content-Type": "application/json"} if content is not None else None
        try:
            async with (
                asyncio.timeout(self._policy.attempt_timeout),
                self._http.stream(method, url, content=content, headers=headers) as response,
            ):
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > LARGEST_BODY:
                        raise ForgeError(f"{asked}: more than {LARGEST_BODY} bytes of answer")
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError, TimeoutError) as error:
            raise self._typed(error, asked, url.host) from error
        answer = Answer(asked, response, bytes(body), self._token)
        if not response.is_success:
            raise refusal(answer, permission, self.clock.now())
        return answer

    def _typed(self, error: Exception, asked: str, host: str) -> ForgeError:
        words = printable(redact(str(error), [self._token]) or type(error).__name__, LONGEST_WORDS)
        match error:
            case httpx.ConnectError() if "CERTIFICATE_VERIFY_FAILED" in str(error):
                remedy = "behind a proxy that re-signs, set SSL_CERT_FILE to its certificate"
                return ForgeError(f"{asked}: the certificate of {host} can't be verified: {words}", remedy=remedy)
            case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout() | httpx.ProxyError():
                return ForgeUnavailable(f"{asked}: no connection to {host}: {words}", remedy=_REACH)
            case httpx.InvalidURL() | UnicodeError() | httpx.UnsupportedProtocol():
                return ForgeError(f"{asked}: {host} can't be asked this: {words}", remedy=_REACH)
        message = f"{asked}: {host} gave no whole answer: {words}"
        return ForgeUnavailable(message, remedy="run again", may_have_reached=True)


_REACH = "check the network and GITHUB_API_URL"


def _error(state: "RetryCallState") -> ForgeError:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, ForgeError) else ForgeError("never sent")


def _tell(state: "RetryCallState") -> None:
    error = _error(state)
    log.warning(
        "request.retried",
        attempt=state.attempt_number,
        http_status=error.http_status,
        seconds=round(state.upcoming_sleep, 3),
        kind=error.kind,
        message=error.message,
    )


@cache
def _tls_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()
