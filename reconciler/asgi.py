"""An ASGI application on a socket of this machine: how uvicorn is set up, for the sandbox and for what `run` shows."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

_SHUTDOWN_SECONDS = 1
BACKLOG = 1024
"""Connections that wait to be taken: also those that come before the server is up."""


@contextmanager
def listening_on(ip: IPv4Address | IPv6Address, port: int, backlog: int = BACKLOG) -> Iterator[socket.socket]:
    """A socket that listens; port 0 takes a free one. Raises OSError where it can't be had."""
    family = socket.AF_INET6 if ip.version == 6 else socket.AF_INET
    # IPPROTO_TCP by name: asyncio sets TCP_NODELAY only where it sees it, and each answer would take 40 ms without.
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((str(ip), port))
        listening.listen(backlog)
        yield listening


def server_of(
    app: ASGIApp,
    *,
    connection: type[asyncio.Protocol] = H11Protocol,
    backlog: int = BACKLOG,
    cert_file: str | None = None,
    key_file: str | None = None,
) -> uvicorn.Server:
    """A server that says nothing by itself, believes no proxy, and ends within a second.

    `connection` is made for each that comes. With a certificate it speaks TLS.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=connection,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=backlog,
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
            ssl_certfile=cert_file,
            ssl_keyfile=key_file,
        )
    )


@contextmanager
def serving_in_thread(server: uvicorn.Server, listening: socket.socket) -> Iterator[None]:
    """Serve meanwhile, in a thread of its own; what connects before the server is up waits in the socket's queue."""
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=10 * _SHUTDOWN_SECONDS)
