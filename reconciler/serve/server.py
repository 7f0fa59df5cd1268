"""Serves what is shown over HTTP, in a thread of its own: a probe is answered while the loop plans.

Whoever can connect can hold connections open and say nothing. Only so many are held, and each that comes ends the one
that is held longest: what asks and goes, such as a probe, is answered all the same, and the loop keeps its descriptors.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from reconciler.asgi import listening_on, server_of, serving_in_thread
from reconciler.errors import UsageError
from reconciler.serve.address import Address
from reconciler.wire.client import most_listened

_MOST_CONNECTIONS = 100
"""More than a wall, some phones and Prometheus hold."""
_BACKLOG = 16
"""How many may wait to be let in: asyncio lets in as many at once, each with a descriptor, before it ends any."""


@contextmanager
def serving(app: ASGIApp, address: Address) -> Iterator[str]:
    """Serve meanwhile; the base URL. Raises UsageError where the address can't be had."""
    with ExitStack() as stack:
        try:
            listening = stack.enter_context(listening_on(address.ip, address.port, _BACKLOG))
        except OSError as error:
            message = f"--listen: {address.ip} port {address.port} can't be taken: {error.strerror}"
            raise UsageError(message, remedy="name another address or port; port 0 takes a free one") from error
        places = _places(min(_MOST_CONNECTIONS, most_listened()))
        stack.enter_context(serving_in_thread(server_of(app, connection=places, backlog=_BACKLOG), listening))
        yield address.url(listening.getsockname()[1])


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
