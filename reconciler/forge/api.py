"""A forge's API: pages followed where they lead, a change a second at most, refusals that name the permission.

Reading is tried again as a matter of course; a change only where it may be repeated, and a post where it isn't there.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode

from reconciler.clock import Clock, Random
from reconciler.errors import HttpError, NotFound, Undocumented
from reconciler.forge.answers import Dialect, next_page, status_error
from reconciler.forge.port import Post
from reconciler.model.secret import ApiKey
from reconciler.wire.answer import Answer
from reconciler.wire.client import HttpClient, TransportFactory, open_client
from reconciler.wire.peer import Peer
from reconciler.wire.rate import RateLimit
from reconciler.wire.retry import Policy, Retry

Find: TypeAlias = Callable[[], Awaitable[Post | None]]

MOST_PAGES = 100
"""Of a hundred each. What has more isn't searched to its end, and nothing is posted there."""

POLICY = Policy(budget=60.0, first_wait=1.0, longest_wait=15.0, attempt_timeout=60.0)
"""A comment isn't worth five minutes; a rate limit is worth ten, as it surely ends."""

_MUTATIONS_PER_SECOND = 1.0


@asynccontextmanager
async def connect(
    api_url: str,
    token: ApiKey,
    dialect: Dialect,
    *,
    clock: Clock,
    random: Random,
    policy: Policy = POLICY,
    transport: TransportFactory | None = None,
) -> "AsyncIterator[ForgeApi]":
    """The API of this address; `transport` is for what isn't the network. Raises HttpError."""
    peer = Peer(api_url, token, dialect.check, dialect.headers, bearer=True)
    rate_limit = RateLimit(_MUTATIONS_PER_SECOND, clock, reads=False)
    async with open_client(peer, policy, rate_limit, transport) as http:
        yield ForgeApi(http, Retry(policy, clock, random, asyncio.Event()), clock, dialect)


class ForgeApi:
    """Speaks to one forge with one token. `grant` is what a refusal says would mend it."""

    def __init__(self, http: HttpClient, retry: Retry, clock: Clock, dialect: Dialect) -> None:
        self.clock = clock
        self._http = http
        self._retry = retry
        self._dialect = dialect

    async def get(self, path: str, grant: str) -> Answer:
        """Read something. Raises HttpError."""
        return await self._tried("GET", path, grant)

    async def pages(self, path: str, grant: str, query: Mapping[str, str]) -> AsyncIterator[Iterator[Any]]:
        """A list's entries, page by page, where `Link` leads and nowhere else: a forge may not know of pages."""
        page: str | None = f"{path}?{urlencode(query)}"
        seen: set[str] = set()
        while page is not None and page not in seen:
            if len(seen) == MOST_PAGES:
                message = f"GET {path}: more than {MOST_PAGES} pages"
                raise Undocumented(message, remedy="post elsewhere: this is too long")
            seen.add(page)
            answer = await self.get(page, grant)
            yield answer.entries()
            page = next_page(answer)

    async def create(self, path: str, grant: str, body: Mapping[str, object]) -> Answer:
        """Send what must not be repeated, once. Raises HttpError."""
        return await self._ask("POST", path, grant, body)

    async def post(
        self, path: str, grant: str, body: Mapping[str, object], *, find: Find, read: Callable[[Answer], Post]
    ) -> Post:
        """Post something, and look first whether it stands there already, where an answer got lost."""
        lost = False

        async def attempt() -> Post:
            nonlocal lost
            if lost:
                found = await find()
                if found is not None:
                    return found
                lost = False
            try:
                return read(await self.create(path, grant, body))
            except HttpError as error:
                lost = error.may_have_reached
                raise

        posted, _ = await self._retry.call(attempt, method="POST")
        return posted

    async def edit(self, method: Literal["PATCH", "PUT"], path: str, grant: str, body: Mapping[str, object]) -> None:
        """Change what stands there: that may be repeated."""
        await self._tried(method, path, grant, body)

    async def delete(self, path: str, grant: str) -> None:
        """Take away what stands there; that may be repeated, as gone is gone."""
        try:
            await self._tried("DELETE", path, grant)
        except NotFound:
            return

    async def _tried(self, method: str, path: str, grant: str, body: Mapping[str, object] | None = None) -> Answer:
        """The answer at last. Raises the last HttpError, once it is no use to wait on."""
        answer, _ = await self._retry.call(lambda: self._ask(method, path, grant, body), method=method)
        return answer

    async def _ask(self, method: str, path: str, grant: str, body: Mapping[str, object] | None) -> Answer:
        answer = await self._http.exchange(method, path, None if body is None else json.dumps(body).encode())
        if not answer.is_success:
            raise status_error(answer, grant, self._dialect, self.clock.now())
        return answer
