"""Serves what is shown over HTTP, in a thread of its own: a probe is answered while the loop plans."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from reconciler.errors import UsageError
from reconciler.serve.address import Address

_SHUTDOWN_SECONDS = 1
_MOST_CONNECTIONS = 100
"""More than a wall, some phones and Prometheus hold; whoever holds open more than that is told to come back."""


@contextmanager
def serving(app: ASGIApp, address: Address) -> Iterator[str]:
    """Serve meanwhile; the base URL. Raises UsageError where the address can't be had."""
    with _bound(address) as listening:
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                http="h11",
                ws="none",
                lifespan="off",
                loop="asyncio",
                log_config=None,
                log_level="critical",
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=_MOST_CONNECTIONS,
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


@contextmanager
def _bound(address: Address) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if address.ip.version == 6 else socket.AF_INET
    # IPPROTO_TCP by name: asyncio sets TCP_NODELAY only where it sees it, and each answer would take 40 ms without.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((str(address.ip), address.port))
            listening.listen(128)
        except OSError as error:
            message = f"--listen: {address.ip} port {address.port} can't be taken: {error.strerror}"
            raise UsageError(message, remedy="name another address or port; port 0 takes a free one") from error
        yield listening
