"""Serves what is shown over HTTP, in a thread of its own: a probe is answered while the loop plans."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from starlette.types import ASGIApp

from reconciler.asgi import listening_on, server_of, serving_in_thread
from reconciler.errors import UsageError
from reconciler.serve.address import Address

_MOST_CONNECTIONS = 100
"""More than a wall, some phones and Prometheus hold; whoever holds open more than that is told to come back."""


@contextmanager
def serving(app: ASGIApp, address: Address) -> Iterator[str]:
    """Serve meanwhile; the base URL. Raises UsageError where the address can't be had."""
    with ExitStack() as stack:
        try:
            listening = stack.enter_context(listening_on(address.ip, address.port))
        except OSError as error:
            message = f"--listen: {address.ip} port {address.port} can't be taken: {error.strerror}"
            raise UsageError(message, remedy="name another address or port; port 0 takes a free one") from error
        stack.enter_context(serving_in_thread(server_of(app, most_connections=_MOST_CONNECTIONS), listening))
        yield address.url(listening.getsockname()[1])
