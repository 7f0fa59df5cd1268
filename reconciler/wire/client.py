"""The one way out: clients of httpx, opened alike, and one exchange over one of them.

A client for each worker: a pool that many share slows down. What is opened follows no redirect, keeps no cookie, and
speaks to loopback without a proxy.
"""

import asyncio
import resource
import ssl
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TypeAlias
from urllib.parse import urlsplit

import httpx

from reconciler import __version__
from reconciler.errors import ProxyRefused, Undocumented
from reconciler.wire.answer import Answer
from reconciler.wire.failures import PROXY_PASSWORD, RAISED, failure, unopened
from reconciler.wire.peer import Peer
from reconciler.wire.proxy import proxy_for
from reconciler.wire.rate import RateLimit
from reconciler.wire.retry import Policy

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes of an answer that are read; 10,000 clusters are about 4 MB, a hundred of the longest comments 26."""

TransportFactory: TypeAlias = Callable[[], httpx.AsyncBaseTransport]
"""Makes the transport of each client, where it isn't the network."""

Permit: TypeAlias = Callable[[], None]
"""Asked right before each request leaves; raises an HttpError where nothing may be sent any more."""


def always() -> None:
    """The permit of whoever is alone."""


Observer: TypeAlias = Callable[[str, int | None], None]
"""Is told each exchange: its method, and its answer's status, None where no answer came."""


def unobserved(_method: str, _status: int | None) -> None:
    """Tell nobody."""


_OTHER_DESCRIPTORS = 32
"""Kept for all else that a process has open: streams, the event loop, git, files, name look-ups."""


def most_clients() -> int:
    """How many clients may be open at once: each holds its connection, and this process a limited number of files."""
    return max(1, _descriptors() - most_listened() - _OTHER_DESCRIPTORS)


def most_listened() -> int:
    """How many connections may be open at once to who looks at this process: a small share of what it may have."""
    return max(1, _descriptors() // 8)


def _descriptors() -> int:
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit


class HttpClient:
    """One worker's client for one peer: it sends one request at a time."""

    def __init__(
        self,
        peer: Peer,
        http: httpx.AsyncClient,
        policy: Policy,
        rate_limit: RateLimit,
        observer: Observer,
        permit: Permit,
    ) -> None:
        self.peer = peer
        self._http = http
        self._policy = policy
        self._rate_limit = rate_limit
        self._observer = observer
        self._permit = permit

    async def exchange(self, method: str, path: str, content: bytes | None = None) -> Answer:
        """Send one request, once; `path` comes after the peer's address. Raises an HttpError where no answer comes."""
        await self._rate_limit.turn(method)
        self._permit()
        asked, url = f"{method} {path.partition('?')[0]}", self.peer.address + path
        headers = {"Content-Type": "application/json"} if content is not None else None
        try:
            async with (
                asyncio.timeout(self._policy.attempt_timeout),
                self._http.stream(method, url, content=content, headers=headers) as response,
            ):
                body = None if _is_wrapped_twice(response) else await _bounded(response)
        except RAISED as error:
            self._observer(method, None)
            raise failure(error, self.peer, method, asked) from error
        self._observer(method, response.status_code)
        if response.status_code == httpx.codes.PROXY_AUTHENTICATION_REQUIRED:
            raise ProxyRefused(f"{asked}: a proxy asks for a password (407)", remedy=PROXY_PASSWORD, http_status=407)
        if body is None:
            raise Undocumented(
                f"{asked}: more than {LARGEST_ANSWER} bytes of answer, or compressed, so that its size can't be known",
                remedy=f"is this the endpoint? check {self.peer.check}",
                http_status=response.status_code,
                may_have_reached=method != "GET",
            )
        return Answer(self.peer, method, url, asked, response.status_code, dict(response.headers), body)


@asynccontextmanager
async def open_client(
    peer: Peer,
    policy: Policy,
    rate_limit: RateLimit,
    transport: TransportFactory | None = None,
    observer: Observer = unobserved,
    permit: Permit = always,
) -> AsyncIterator[HttpClient]:
    """A client of its own. Raises Unsendable where this environment can't be used, Exhausted where it is used up."""
    try:
        http = httpx.AsyncClient(
            headers={
                **peer.headers,
                "Authorization": peer.authorization,
                "User-Agent": f"reconciler/{__version__}",
            },
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=httpx.Timeout(policy.read_timeout, connect=policy.connect_timeout),
            verify=_tls_context(peer.certificates) if urlsplit(peer.address).scheme == "https" else False,
            proxy=_proxy(peer.address),
            trust_env=False,
            follow_redirects=False,
            transport=transport() if transport else None,
        )
    except (ValueError, ImportError, OSError, httpx.InvalidURL) as error:
        raise unopened(error, peer) from error
    async with http:
        yield HttpClient(peer, http, policy, rate_limit, observer, permit)


def _is_wrapped_twice(response: httpx.Response) -> bool:
    """Whether it is compressed more than once, which nobody does to whom the result shall not be too large."""
    return "," in response.headers.get("Content-Encoding", "")


async def _bounded(response: httpx.Response) -> bytes | None:
    """The body; None where it is too large."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            return None
    return bytes(body)


def _proxy(address: str) -> httpx.Proxy | None:
    """Raises ValueError where its address is none."""
    url = proxy_for(address)
    if url is None:
        return None
    _ = urlsplit(url).port  # a number that is no port shows only here, and else in the middle of connecting
    return httpx.Proxy(url, ssl_context=_tls_context(None) if url.startswith("https://") else None)


@cache
def _tls_context(certificates: str | None) -> ssl.SSLContext:
    return httpx.create_ssl_context() if certificates is None else ssl.create_default_context(cafile=certificates)
