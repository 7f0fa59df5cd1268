"""Serving while others hold connections open: they take no descriptor of the loop's, and no probe's answer."""

import socket
from urllib.parse import urlsplit

import httpx
import pytest

from tests.serve.scenes import all_in_sync
from tests.serve.serving import shown

HELD = 100


@pytest.mark.slow
def test_whoever_holds_connections_open_loses_the_longest_held_to_who_asks() -> None:
    """A probe is answered while others hold more than are held, half a request each; the newest of these stay."""
    with shown(all_in_sync()) as wall:
        there = ("127.0.0.1", urlsplit(wall.url).port or 0)
        silent = [socket.create_connection(there) for _ in range(HELD + 20)]
        for one in silent:
            one.send(b"GET /healthz HTTP/1.1\r\n")
        assert httpx.get(f"{wall.url}/healthz", trust_env=False).text == "ok\n"
        assert [_is_ended(one) for one in silent] == [True] * 21 + [False] * (HELD - 1)


def _is_ended(connection: socket.socket) -> bool:
    connection.settimeout(0)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
    finally:
        connection.close()
