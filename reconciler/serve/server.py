"""Serves what is shown over HTTP, in a thread of its own: a probe is answered while the loop plans.

Whoever can connect can hold connections open and say nothing. Only so many are held, and each that comes ends the one
that is held longest: what asks and goes, such as a probe, is answered all the same, and the loop keeps its descriptors.
"""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from reconciler.errors import UsageError
from reconciler.serve.address import Address
from reconciler.wire.client import most_listened

_SHUTDOWN_SECONDS = 1
_MOST_CONNECTIONS = 100
"""More than a wall, some phones and Prometheus hold."""
_BACKLOG = 16
"""How many may wait to be let in: asyncio lets in as many at once, each with a descriptor, before it ends any."""


@contextmanager
def serving(app: ASGIApp, address: Address) -> Iterator[str]:
    """Serve meanwhile; the base URL. Raises UsageError where the address can't be had."""
    with _bound(address) as listening:
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=_places(min(_MOST_CONNECTIONS, most_listened())),
                ws="none",
                lifespan="off",
                loop="asyncio",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                backlog=_BACKLOG,
                timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
            )
        )
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])), daemon=True)
        thread.start()
        try:
            yield address.url(listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(timeout=10 * _SHUTDOWN_SECONDS)


def _places(most: int) -> type[asyncio.Protocol]:
    """Connections as uvicorn has them, of which so many are held."""
    held: dict[H11Protocol, None] = {}  # the longest held first

    class Connection(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
            if len(held) >= most:
                longest = next(iter(held))
                del held[longest]
                longest.transport.abort()
            held[self] = None
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            held.pop(self, None)
            super().connection_lost(exc)

    return Connection


@contextmanager
def _bound(address: Address) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if address.ip.version == 6 else socket.AF_INET
    # IPPROTO_TCP by name: asyncio sets TCP_NODELAY only where it sees it, and each answer would take 40 ms without.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((str(address.ip), address.port))
            listening.listen(_BACKLOG)
        except OSError as error:
            message = f"--listen: {address.ip} port {address.port} can't be taken: {error.strerror}"
            raise UsageError(message, remedy="name another address or port; port 0 takes a free one") from error
        yield listening
