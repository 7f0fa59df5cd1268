"""`--listen`: what happens in the loop goes into a picture, and the picture to whoever asks."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import structlog

from reconciler.clock import Clock
from reconciler.errors import UsageError
from reconciler.model.secret import ApiKey
from reconciler.serve.address import TOKEN_VARIABLE, Address, parse_address, refuse_token
from reconciler.serve.picture import Picture
from reconciler.serve.transition import after

if TYPE_CHECKING:
    from reconciler.cli.console import Console
    from reconciler.serve.events import Event

log = structlog.get_logger()

MARGIN_SECONDS: Final = 900.0
"""What a round may take besides waiting: git's remotes, lists that are tried again, a large fleet."""


class Watch:
    """Where the newest picture is kept. The loop makes it anew, the server's thread reads it whole."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture

    def tell(self, event: "Event") -> None:
        """This has happened."""
        self.picture = after(self.picture, event)


@contextmanager
def listening(listen: str, console: "Console", clock: Clock, picture: Picture) -> Iterator[Callable[["Event"], None]]:
    """Serve meanwhile what the loop tells, beginning with this picture.

    Raises UsageError for an address that is none, can't be had, or is open to others without a token; and where the
    extra isn't installed.
    """
    address = _address(listen)
    token = _token(console, address)
    app, server = _import_server()
    watch = Watch(picture)
    shown = app.Shown(lambda: watch.picture, clock.now, console.redactor.text, console.redactor.document)
    with server.serving(app.create_app(shown, token=token, loopback=address.is_loopback), address) as url:
        log.info("listen.began", url=url, needs_token=token is not None)
        yield watch.tell


def _address(listen: str) -> Address:
    try:
        return parse_address(listen)
    except ValueError as error:
        raise UsageError(f"--listen: {error}") from error


def _token(console: "Console", address: Address) -> ApiKey | None:
    text = console.environment.get(TOKEN_VARIABLE, "").strip()
    if not text:
        if address.is_loopback:
            return None
        raise UsageError(
            f"--listen: other machines reach {address.ip}, and {TOKEN_VARIABLE} is not set",
            remedy=f"set it to a secret of your own (openssl rand -hex 32), or listen on 127.0.0.1:{address.port}",
        )
    token = ApiKey(text)
    console.redactor.keep(token)
    try:
        refuse_token(text)
    except ValueError as error:
        raise UsageError(
            f"{TOKEN_VARIABLE} is not a token: {error}", remedy="openssl rand -hex 32 makes one"
        ) from error
    return token


def _import_server() -> tuple[Any, Any]:
    """The application and its server. Raises UsageError where the extra isn't installed."""
    try:
        from reconciler.serve import app, server  # noqa: PLC0415  # an extra, and heavy
    except ModuleNotFoundError as error:
        raise UsageError(
            f"--listen needs {error.name}, which is not installed", remedy="pip install 'momento-reconciler[serve]'"
        ) from error
    return app, server
