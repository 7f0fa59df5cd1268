"""Where to listen, and whom to answer: this machine without a token, anybody else with one."""

import base64
import binascii
import hmac
import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from reconciler.model.secret import ApiKey
from reconciler.model.text import printable

TOKEN_VARIABLE: Final = "RECONCILER_LISTEN_TOKEN"  # noqa: S105  # the variable's name
SHORTEST_TOKEN: Final = 16
"""Characters: fewer can be guessed by who may ask again and again."""

_PORT: Final = re.compile("[0-9]{1,5}")
_LARGEST_PORT: Final = 65535
_HOSTS: Final = {"localhost": "127.0.0.1"}


class Address(NamedTuple):
    """An address of this machine to listen on; port 0 takes a free one."""

    ip: IPv4Address | IPv6Address
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.ip.is_loopback

    def url(self, port: int) -> str:
        """Where a page is, once the port is known."""
        return f"http://[{self.ip}]:{port}" if self.ip.version == 6 else f"http://{self.ip}:{port}"


def parse_address(text: str) -> Address:
    """`127.0.0.1:9090`, `[::1]:9090`, `localhost:0`. Raises ValueError, its text fit to be shown."""
    host, colon, port = text.rpartition(":")
    if colon and _PORT.fullmatch(port) and int(port) <= _LARGEST_PORT:
        try:
            return Address(ip_address(_HOSTS.get(host, host.removeprefix("[").removesuffix("]"))), int(port))
        except ValueError:
            pass
    shown = printable(text, 100)
    raise ValueError(
        f"{shown!r} is not an address: write an IP address of this machine and a port, such as 127.0.0.1:9090"
    )


def refuse_token(token: str) -> None:
    """Raise ValueError, its text fit to be shown, for a token that can't be sent, or can be guessed."""
    if not token.isascii() or not token.isprintable() or " " in token or ":" in token:
        raise ValueError("it holds something else than printable ASCII, or a blank, or a colon")
    if len(token) < SHORTEST_TOKEN:
        raise ValueError(f"it has fewer than {SHORTEST_TOKEN} characters")


def is_for_this_machine(host_header: str) -> bool:
    """Whether a request names this machine: a page of somebody else's can make a browser ask under its own name."""
    try:
        host = urlsplit(f"//{host_header}").hostname or ""
        return host in _HOSTS or ip_address(host).is_loopback
    except ValueError:
        return False


def carries(token: ApiKey, authorization: str) -> bool:
    """Whether an `Authorization` header carries the token: as Bearer, or as the password of Basic, whoever asks."""
    scheme, _, given = authorization.partition(" ")
    match scheme.lower():
        case "bearer":
            secret = given.strip().encode("latin-1", "replace")
        case "basic":
            secret = _password(given.strip())
        case _:
            return False
    return hmac.compare_digest(secret, token.reveal().encode())


def _password(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True).partition(b":")[2]
    except (binascii.Error, ValueError):
        return b""
