"""The three requests of the API, over httpx. One client for each worker: a shared pool slows down with many at once."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias
from urllib.parse import urlsplit

import httpx

from reconciler import __version__
from reconciler.clock import Clock, Random
from reconciler.errors import LiveError, NoAnswer, Undocumented, Unreachable, Untrusted
from reconciler.live.answers import LONGEST_WORDS, Raw, read_cluster, read_list, refusal
from reconciler.live.rate import RateLimit
from reconciler.live.retry import DEFAULT_POLICY, Policy, Retry
from reconciler.model.cluster import LiveCluster
from reconciler.model.endpoint import is_loopback, normalize_endpoint
from reconciler.model.secret import ApiKey, redact
from reconciler.model.text import printable
from reconciler.plan.change import DeleteRequest, PutRequest, Request

LARGEST_BODY = 64 * 1024 * 1024
"""Bytes of an answer that are read; 10,000 clusters are about 4 MB."""

TransportFactory: TypeAlias = Callable[[], httpx.AsyncBaseTransport]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a PUT or DELETE came to. `cluster` is PUT's; `attempts` is how many requests it took."""

    cluster: LiveCluster | None
    attempts: int
    http_status: int


class Connection:
    """One target's endpoint, key and policy; makes the clients of its workers.

    `rate` is requests a second at most, for all of them together. `give_up`, once set, ends all retrying. `transport`
    makes the transport of each client, where it isn't the network. Raises ValueError for an endpoint that is none.
    """

    def __init__(
        self,
        endpoint: str,
        key: ApiKey,
        *,
        clock: Clock,
        random: Random,
        give_up: asyncio.Event,
        rate: float | None = None,
        policy: Policy = DEFAULT_POLICY,
        transport: TransportFactory | None = None,
    ) -> None:
        self.endpoint = normalize_endpoint(endpoint)
        self.key = key
        self.clock = clock
        self.policy = policy
        self.retry = Retry(policy, clock, random, give_up)
        self.rate_limit = RateLimit(rate, clock)
        self._transport = transport

    @asynccontextmanager
    async def client(self) -> "AsyncIterator[Client]":
        """A client of its own, for one worker."""
        async with self._open() as http:
            yield Client(self, http)

    def _open(self) -> httpx.AsyncClient:
        url = urlsplit(self.endpoint)
        try:
            return httpx.AsyncClient(
                base_url=self.endpoint,
                headers={"Authorization": self.key.reveal(), "User-Agent": f"reconciler/{__version__}"},
                timeout=httpx.Timeout(self.policy.read_timeout, connect=self.policy.connect_timeout),
                verify=_tls_context() if url.scheme == "https" else False,
                trust_env=not is_loopback(url.hostname or ""),
                follow_redirects=False,
                transport=self._transport() if self._transport else None,
            )
        except (ValueError, ImportError, OSError, httpx.InvalidURL) as error:
            message = f"{url.netloc} can't be spoken to in this environment: {printable(str(error), LONGEST_WORDS)}"
            raise Unreachable(message, remedy=_ENVIRONMENT) from error


class Client:
    """Sends one request at a time."""

    def __init__(self, connection: Connection, http: httpx.AsyncClient) -> None:
        self._connection = connection
        self._http = http

    async def list_clusters(self) -> tuple[LiveCluster, ...]:
        """All clusters of the account, in any order.

        Raises a LiveError for anything but a whole, well-formed list: a failed read is never an empty fleet.
        """

        async def attempt() -> tuple[LiveCluster, ...]:
            raw = await self._exchange("GET", "/cluster", None)
            if raw.status != 200:
                raise refusal(raw, self._connection.clock.now())
            return read_list(raw)

        clusters, _ = await self._connection.retry.call(attempt, method="GET", cluster=None)
        return clusters

    async def send(self, request: Request, *, cluster: str) -> Answer:
        """Send one change. A cluster that isn't there is deleted already. Raises a LiveError with `attempts`."""

        async def attempt() -> Answer:
            content = request.body.model_dump_json().encode() if request.body is not None else None
            raw = await self._exchange(request.method, request.path, content)
            match request:
                case PutRequest() if raw.response.is_success:
                    return Answer(read_cluster(raw), 1, raw.status)
                case DeleteRequest() if raw.response.is_success or raw.status == 404:
                    return Answer(None, 1, raw.status)
            raise refusal(raw, self._connection.clock.now())

        answer, attempts = await self._connection.retry.call(attempt, method=request.method, cluster=cluster)
        return Answer(answer.cluster, attempts, answer.http_status)

    async def _exchange(self, method: str, path: str, content: bytes | None) -> Raw:
        await self._connection.rate_limit.turn()
        headers = {"Content-Type": "application/json"} if content is not None else None
        asked = f"{method} {path}"
        try:
            async with (
                asyncio.timeout(self._connection.policy.attempt_timeout),
                self._http.stream(method, path, content=content, headers=headers) as response,
            ):
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > LARGEST_BODY:
                        raise Undocumented(f"{asked}: more than {LARGEST_BODY} bytes of answer", may_have_reached=True)
                return Raw(asked, response, bytes(body), self._connection.key)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError, TimeoutError) as error:
            raise self._typed(error, asked) from error

    def _typed(self, error: Exception, asked: str) -> LiveError:
        host = urlsplit(self._connection.endpoint).netloc
        words = printable(redact(str(error), [self._connection.key]) or type(error).__name__, LONGEST_WORDS)
        match error:
            case httpx.ConnectError() if "CERTIFICATE_VERIFY_FAILED" in str(error):
                return Untrusted(f"{asked}: the certificate of {host} can't be verified: {words}", remedy=_TRUST)
            case (
                httpx.ConnectError()
                | httpx.ConnectTimeout()
                | httpx.PoolTimeout()
                | httpx.ProxyError()
                | httpx.UnsupportedProtocol()
            ):
                return Unreachable(f"{asked}: no connection to {host}: {words}", remedy=_REACH)
            case httpx.InvalidURL() | UnicodeError():
                return LiveError(f"{printable(asked, LONGEST_WORDS)}: {host} can't be asked this: {words}", remedy=_ASK)
            case httpx.DecodingError():
                message = f"{asked}: {host} answered with a body that can't be decoded"
                return Undocumented(message, remedy="run again", may_have_reached=True)
        return NoAnswer(f"{asked}: {host} gave no whole answer: {words}", remedy=_REPEAT, may_have_reached=True)


_ASK = "check the endpoint's host; a cluster's name too long for a URL can't have come from a manifest"
_REPEAT = "run again: every request may be repeated"
_TRUST = "check the endpoint; behind a proxy that re-signs, set SSL_CERT_FILE to its certificate"
_ENVIRONMENT = "mend HTTPS_PROXY, ALL_PROXY, NO_PROXY or SSL_CERT_FILE"
_REACH = "check the network and the endpoint: --endpoint, --region or the fleet file"


@cache
def _tls_context() -> ssl.SSLContext:
    return httpx.create_ssl_context()
