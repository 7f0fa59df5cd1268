"""The forge's API: pages followed where they lead, a change a second at most, refusals that name the permission.

Reading is tried again as a matter of course. A change is sent once: whoever repeats it, by `retry`, knows whether it
may be repeated.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar
from urllib.parse import urlencode

from reconciler.clock import Clock, Random
from reconciler.errors import Undocumented
from reconciler.forge.answers import Entry, entries_of, next_page, status_error
from reconciler.model.secret import ApiKey
from reconciler.wire.answer import Answer
from reconciler.wire.client import HttpClient, TransportFactory, open_client
from reconciler.wire.peer import Peer
from reconciler.wire.rate import RateLimit
from reconciler.wire.retry import Policy, Retry

T = TypeVar("T")

MOST_PAGES = 100
"""Of a hundred each. What has more isn't searched to its end, and nothing is posted there."""

POLICY = Policy(budget=60.0, first_wait=1.0, longest_wait=15.0, attempt_timeout=60.0)
"""A comment isn't worth five minutes; a rate limit is worth ten, as it surely ends."""

_MUTATIONS_PER_SECOND = 1.0
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


@asynccontextmanager
async def connect(
    api_url: str,
    token: ApiKey,
    *,
    clock: Clock,
    random: Random,
    policy: Policy = POLICY,
    transport: TransportFactory | None = None,
) -> "AsyncIterator[ForgeApi]":
    """The API of this address; `transport` is for what isn't the network. Raises HttpError."""
    peer = Peer(api_url, token, "GITHUB_API_URL and GITHUB_REPOSITORY", _HEADERS, bearer=True)
    rate_limit = RateLimit(_MUTATIONS_PER_SECOND, clock, reads=False)
    async with open_client(peer, policy, rate_limit, transport) as http:
        yield ForgeApi(http, Retry(policy, clock, random, asyncio.Event()), clock)


class ForgeApi:
    """Speaks to one forge with one token. `permission` is what a refusal says would mend it."""

    def __init__(self, http: HttpClient, retry: Retry, clock: Clock) -> None:
        self.clock = clock
        self._http = http
        self._retry = retry

    async def get(self, path: str, permission: str) -> Answer:
        """Read something. Raises HttpError."""
        return await self.retry(lambda: self._ask("GET", path, permission), method="GET")

    async def pages(self, path: str, permission: str, query: Mapping[str, str]) -> AsyncIterator[Iterator[Entry]]:
        """A list, page by page, where `Link` leads and nowhere else: a forge may not know of pages."""
        page: str | None = f"{path}?{urlencode(query)}"
        seen: set[str] = set()
        while page is not None and page not in seen:
            if len(seen) == MOST_PAGES:
                message = f"GET {path}: more than {MOST_PAGES} pages"
                raise Undocumented(message, remedy="post elsewhere: this is too long")
            seen.add(page)
            answer = await self.get(page, permission)
            yield entries_of(answer)
            page = next_page(answer)

    async def change(self, method: str, path: str, permission: str, body: Mapping[str, object] | None = None) -> Answer:
        """Send one change, once. Raises HttpError."""
        return await self._ask(method, path, permission, None if body is None else json.dumps(body).encode())

    async def retry(self, attempt: Callable[[], Awaitable[T]], *, method: str) -> T:
        """What the attempt gives at last. Raises its last HttpError, once it is no use to wait on."""
        result, _ = await self._retry.call(attempt, method=method)
        return result

    async def _ask(self, method: str, path: str, permission: str, content: bytes | None = None) -> Answer:
        answer = await self._http.exchange(method, path, content)
        if not answer.is_success:
            raise status_error(answer, permission, self.clock.now())
        return answer
