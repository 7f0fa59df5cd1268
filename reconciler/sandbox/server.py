"""Serves the control plane over real HTTP, or HTTPS, on this machine only."""

import asyncio
import os
import signal
import socket
import ssl
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any, NoReturn

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from reconciler.asgi import listening_on, server_of, serving_in_thread
from reconciler.clock import Clock
from reconciler.errors import Interrupted, SandboxError
from reconciler.sandbox.app import Observer, create_app
from reconciler.sandbox.faults import Faults
from reconciler.sandbox.faulty import CONNECTION, FaultyApp
from reconciler.sandbox.store import Store

LOOPBACK = IPv4Address("127.0.0.1")
_BROKEN_RECORD = b"\x17\x03\x03\x00\x40" + bytes(64)
"""A TLS record of application data, by its head; nobody's key made the rest of it."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What HTTPS is served with: two PEM files. Raises SandboxError where they can't be used."""

    cert_file: str
    key_file: str

    def __post_init__(self) -> None:
        try:
            # With a password that is none, so that an encrypted key is an error and no prompt.
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.cert_file, self.key_file, password=str)
        except (OSError, ValueError) as error:
            message = f"{self.cert_file} and {self.key_file} can't be read as a certificate and its key"
            raise SandboxError(message, remedy="name two PEM files that belong together, unencrypted") from error


@contextmanager
def embedded(store: Store, accounts: Sequence[str], *, observer: Observer | None = None) -> Iterator[dict[str, str]]:
    """The control plane in a thread of this process; each account's endpoint by its name."""
    with _bound(0) as listening, _serving(create_app(store, observer=observer), listening, None) as base:
        yield {account: f"{base}/accounts/{account}" for account in accounts}


@contextmanager
def in_thread(
    store: Store,
    clock: Clock,
    faults: Faults | None = None,
    *,
    certificate: Certificate | None = None,
    observer: Observer | None = None,
) -> Iterator[str]:
    """The control plane in a thread of this process, as `serve` would run it; its base URL."""
    app = _faulty(create_app(store, observer=observer), faults, clock, certificate)
    with _bound(0) as listening, _serving(app, listening, certificate) as base:
        yield base


def serve(
    store: Store,
    clock: Clock,
    port: int,
    ready: Callable[[str], None],
    *,
    faults: Faults | None = None,
    certificate: Certificate | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; `ready` is told the base URL. Port 0 takes a free one.

    Raises SandboxError where the port or a fault can't be had, and Interrupted in the end.
    """
    app = _faulty(create_app(store), faults, clock, certificate)
    with _bound(port) as listening, _interruptible():
        server = _server(app, certificate)
        ready(_base(listening, certificate))
        asyncio.run(server.serve(sockets=[listening]))


def _faulty(app: ASGIApp, faults: Faults | None, clock: Clock, certificate: Certificate | None) -> ASGIApp:
    if faults is None:
        return app
    if faults.need_tls and certificate is None:
        raise SandboxError(
            "broken-record is a fault of TLS, and this is plain HTTP", remedy="give --tls-cert and --tls-key"
        )
    return FaultyApp(app, faults, clock)


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGINT and SIGTERM raise Interrupted: at once, or when uvicorn has ended what is in flight and hands them on."""

    def interrupt(number: int, _frame: object) -> NoReturn:
        raise Interrupted(number)

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _WithConnection:
    """Gives the application its connection, to reset or close it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.connections: set[Any] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = {
            "reset": lambda: self._reset(scope),
            "close": lambda: self._close(scope),
            "break_record": lambda: self._break_record(scope),
        }
        await self._app({**scope, "extensions": {CONNECTION: connection}}, receive, send)

    def _transports(self, scope: Scope) -> list[Any]:
        """The request's connection; none if the client has closed it meanwhile."""
        return [c.transport for c in self.connections if c.client == tuple(scope["client"])]

    def _close(self, scope: Scope) -> None:
        for transport in self._transports(scope):
            transport.close()

    def _reset(self, scope: Scope) -> None:
        for transport in self._transports(scope):
            # Without lingering, closing sends RST instead of FIN.
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()

    def _break_record(self, scope: Scope) -> None:
        for transport in self._transports(scope):
            os.write(transport.get_extra_info("socket").fileno(), _BROKEN_RECORD)  # past TLS, which would make it whole
            transport.close()


def _server(app: ASGIApp, certificate: Certificate | None) -> uvicorn.Server:
    wrapped = _WithConnection(app)
    files = (certificate.cert_file, certificate.key_file) if certificate else (None, None)
    server = server_of(wrapped, cert_file=files[0], key_file=files[1])
    wrapped.connections = server.server_state.connections
    return server


@contextmanager
def _serving(app: ASGIApp, listening: socket.socket, certificate: Certificate | None) -> Iterator[str]:
    with serving_in_thread(_server(app, certificate), listening):
        yield _base(listening, certificate)


@contextmanager
def _bound(port: int) -> Iterator[socket.socket]:
    with ExitStack() as stack:
        try:
            listening = stack.enter_context(listening_on(LOOPBACK, port))
        except OSError as error:
            message = f"port {port} of {LOOPBACK} can't be taken: {error.strerror}"
            raise SandboxError(message, remedy="name another with --port, or 0 for a free one") from error
        yield listening


def _base(listening: socket.socket, certificate: Certificate | None) -> str:
    return f"{'https' if certificate else 'http'}://{LOOPBACK}:{listening.getsockname()[1]}"
