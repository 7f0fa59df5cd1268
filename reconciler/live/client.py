"""The three requests of the API. One client for each worker."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from reconciler.clock import Clock, Random
from reconciler.errors import HttpError
from reconciler.live.answers import Listing, read_cluster, read_listing, status_error
from reconciler.model.cluster import LiveCluster
from reconciler.model.endpoint import normalize_endpoint
from reconciler.model.secret import ApiKey
from reconciler.plan.change import DeleteRequest, PutRequest, Request
from reconciler.wire.client import (
    HttpClient,
    Observer,
    Permit,
    TransportFactory,
    always,
    most_clients,
    open_client,
    unobserved,
)
from reconciler.wire.peer import Peer
from reconciler.wire.rate import RateLimit
from reconciler.wire.retry import DEFAULT_POLICY, Policy, Retry

FIRST_LIST_BUDGET_SECONDS = 60.0
"""Of a plan's one GET: somebody waits for it, and nothing has been sent that it must outlast."""


class Accepted(NamedTuple):
    """What a PUT or DELETE came to. `cluster` is PUT's; `attempts` is how many requests it took."""

    cluster: LiveCluster | None
    attempts: int
    http_status: int


class Probe(NamedTuple):
    """What one GET came to, with both ends' time in epoch seconds; `service_time` is None where it tells none."""

    came_to: Listing | HttpError
    own_time: float
    service_time: float | None


class Connection:
    """One target's endpoint, key and policy; makes the clients of its workers.

    `rate` is requests a second at most, for all of them together. `give_up`, once set, ends all retrying. `permit` is
    asked before each request, `observer` is told each exchange. `transport` makes the transport of each client, where
    it isn't the network. Raises ValueError for an endpoint that is none.
    """

    def __init__(  # noqa: PLR0913  # keyword-only, each with one meaning
        self,
        endpoint: str,
        key: ApiKey,
        *,
        clock: Clock,
        random: Random,
        give_up: asyncio.Event,
        rate: float | None = None,
        policy: Policy = DEFAULT_POLICY,
        permit: Permit = always,
        transport: TransportFactory | None = None,
        observer: Observer = unobserved,
    ) -> None:
        self.peer = Peer(normalize_endpoint(endpoint), key, "--endpoint, --region or the fleet file")
        self.policy = policy
        self._clock = clock
        self._retry = Retry(policy, clock, random, give_up)
        self._rate_limit = RateLimit(rate, clock)
        self._permit = permit
        self._transport = transport
        self._observer = observer

    @property
    def most_clients(self) -> int:
        """How many clients this process can hold at once."""
        return most_clients()

    @asynccontextmanager
    async def client(self) -> "AsyncIterator[Client]":
        """A client of its own, for one worker. Raises an HttpError where this environment doesn't let one be made."""
        async with open_client(
            self.peer, self.policy, self._rate_limit, self._transport, self._observer, self._permit
        ) as http:
            yield Client(http, self._retry, self._clock)


class Client:
    """Sends one request at a time. Every operation of the API may be repeated, so each is."""

    def __init__(self, http: HttpClient, retry: Retry, clock: Clock) -> None:
        self._http = http
        self._retry = retry
        self._clock = clock

    async def list_clusters(self, *, budget_seconds: float | None = None) -> Listing:
        """All clusters of the account, tried for no longer than the budget, if one is given.

        Raises an HttpError for anything but a whole list of names: a failed read is never an empty fleet.
        """

        async def attempt() -> Listing:
            answer = await self._http.exchange("GET", "/cluster")
            if answer.status != 200:
                raise status_error(answer, self._clock.now())
            return read_listing(answer)

        listing, _ = await self._retry.call(attempt, method="GET", budget_seconds=budget_seconds)
        return listing

    async def probe(self) -> Probe:
        """Ask once what is there. Raises an HttpError where no answer comes."""
        answer = await self._http.exchange("GET", "/cluster")
        now = self._clock.now()
        try:
            came_to: Listing | HttpError = read_listing(answer) if answer.status == 200 else status_error(answer, now)
        except HttpError as error:
            came_to = error
        return Probe(came_to, now, answer.moment())

    async def send(
        self, request: Request, *, cluster: str, look: Callable[[], Awaitable[None]] | None = None
    ) -> Accepted:
        """Send one change. A cluster that isn't there is deleted already. Raises an HttpError with `attempts`.

        `look` is called before each attempt but the first; it may raise an HttpError in the place of that attempt.
        """
        tried = False

        async def attempt() -> Accepted:
            nonlocal tried
            if tried and look is not None:
                await look()
            tried = True
            content = json.dumps(request.body).encode() if request.body is not None else None
            answer = await self._http.exchange(request.method, request.path, content)
            match request:
                case PutRequest() if answer.is_success:
                    return Accepted(read_cluster(answer), 1, answer.status)
                case DeleteRequest() if answer.is_success or answer.status == 404:
                    return Accepted(None, 1, answer.status)
            raise status_error(answer, self._clock.now())

        accepted, attempts = await self._retry.call(attempt, method=request.method, cluster=cluster)
        return Accepted(accepted.cluster, attempts, accepted.http_status)
