"""The three requests over a real socket, whose other end misbehaves."""

import asyncio
import json
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest

from reconciler import __version__
from reconciler.clock import SystemClock
from reconciler.errors import (
    NoAnswer,
    Undocumented,
    Unreachable,
)
from reconciler.live.client import Client
from reconciler.live.retry import Policy
from reconciler.model.secret import ApiKey, redact
from tests.fakes import KEY, connection, head, live, planned
from tests.live.test_client import HOSTILE_KEY, LISTED, PUT, Call, put

T = TypeVar("T")

QUICK = Policy(budget=10, first_wait=0.001, longest_wait=0.001, connect_timeout=5, read_timeout=0.1, attempt_timeout=9)
RESET, SILENCE = b"reset", b"silence"


def answer(body: str, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    size = len(body.encode()) if length is None else length
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {size}", "Connection: close", *headers, "", body)
    return "\r\n".join(lines).encode()


class Wire:
    """A server that sends these bytes, one answer a connection; `requests` are the bytes that it got."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self._done = asyncio.Event()
        self.requests: list[bytes] = []
        self.address = ""

    @asynccontextmanager
    async def serve(self) -> "AsyncIterator[Wire]":
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        self.address = f"{host}:{port}"
        async with server:
            yield self
            self._done.set()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reply = self._answers.pop(0)
        if reply == RESET:
            writer.transport.abort()
            return
        request = await reader.readuntil(b"\r\n\r\n")
        length = [line for line in request.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        request += await reader.readexactly(int(length[0].partition(b":")[2])) if length else b""
        self.requests.append(request)
        if reply == SILENCE:
            await self._done.wait()
        else:
            writer.write(reply)
        writer.close()


def over_the_wire(
    wire: Wire, call: Call[T], *, scheme: str = "http", host: str | None = None, key: str = KEY, policy: Policy = QUICK
) -> T:
    async def asked() -> T:
        async with wire.serve():
            endpoint = f"{scheme}://{host or wire.address}/base"
            async with connection(None, SystemClock(), endpoint=endpoint, key=key, policy=policy).client() as client:
                return await call(client)

    return asyncio.run(asked())


def test_whatever_the_network_does_one_whole_answer_is_enough() -> None:
    """Reset, hung up, cut short, silent, garbled, overloaded: the same request goes out again, and no other."""
    wire = Wire(
        RESET,
        b"",
        answer(LISTED[:20], length=len(LISTED)),
        answer(LISTED[:20], "200 OK", "Content-Type: application/json"),
        SILENCE,
        b"\x16\x03\x01 not HTTP\r\n\r\n",
        answer("<html>", "503 Service Unavailable", "Retry-After: 0"),
        answer(LISTED),
    )
    assert over_the_wire(wire, lambda client: client.list_clusters()) == (live(),)
    assert len(wire.requests) == 7
    assert len(set(wire.requests)) == 1


def test_a_request_is_what_the_document_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key raw in Authorization and nowhere else, the body as declared, the name percent-encoded, no proxy.

    What a proxy variable says doesn't matter: loopback is spoken to directly.
    """
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    odd = live("a/b c?%2e#é")
    [change] = planned(head(), (odd,), prune_all=True).changes
    wire = Wire(answer("[]"), answer(odd.model_dump_json()), answer("", "204 No Content"))

    async def talk(client: Client) -> None:
        await client.list_clusters()
        await client.send(PUT, cluster="orders")
        await client.send(change.requests[0], cluster=change.name)

    over_the_wire(wire, talk)
    requests = [request.decode().partition("\r\n\r\n") for request in wire.requests]
    lines = [start.split("\r\n") for start, _, _ in requests]
    assert [first for first, *_ in lines] == [
        "GET /base/cluster HTTP/1.1",
        "PUT /base/cluster/orders HTTP/1.1",
        "DELETE /base/cluster/a%2Fb%20c%3F%252e%23%C3%A9 HTTP/1.1",
    ]
    for request, headers in zip(wire.requests, lines, strict=True):
        assert f"Authorization: {KEY}" in headers
        assert f"User-Agent: reconciler/{__version__}" in headers
        assert request.count(KEY.encode()) == 1
    assert "Content-Type: application/json" in lines[1]
    assert [json.loads(body) if body else None for _, _, body in requests] == [
        None,
        {
            "node_instance_type": "m6g.large",
            "shard_count": 2,
            "replication_factor": 1,
            "enforce_shard_multi_az": True,
        },
        None,
    ]


def test_a_redirect_is_not_followed() -> None:
    """Not even on the same host: one request, and an error."""
    wire = Wire(answer("", "302 Found", "Location: /base/elsewhere"))
    with pytest.raises(Undocumented, match="302: it points elsewhere"):
        over_the_wire(wire, lambda client: client.list_clusters())
    assert len(wire.requests) == 1


def test_nobody_home_is_unreachable() -> None:
    """To the last attempt: what can't have arrived is never told as if it might have."""

    async def closed() -> str:
        async with Wire().serve() as wire:
            return wire.address

    policy = Policy(budget=0.05, first_wait=0.01)
    with pytest.raises(Unreachable) as caught:
        over_the_wire(Wire(), put, host=asyncio.run(closed()), policy=policy)
    assert caught.value.attempts > 1
    assert not caught.value.may_have_reached


def test_garbage_with_the_key_in_it_is_told_without() -> None:
    """An answer that isn't HTTP is quoted by the library: what is logged of it is clean all the same."""
    garbage = b"HTTP/1.1 " + HOSTILE_KEY.encode() + b"\r\n\r\n"
    with pytest.raises(NoAnswer) as caught:
        over_the_wire(Wire(*[garbage] * 99), put, key=HOSTILE_KEY, policy=Policy(budget=0.02, first_wait=0.01))
    assert "(api key)" in caught.value.message
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert "0123456789" not in caught.value.message
    assert "0123456789" not in redact(told, [ApiKey(HOSTILE_KEY)])


def test_a_proxy_never_sees_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere a proxy is used as the environment says: it is asked for a tunnel, and told nothing else."""
    wire = Wire(*[answer("", "403 No Tunnel")] * 99)

    async def asked() -> None:
        async with wire.serve():
            monkeypatch.setenv("HTTPS_PROXY", f"http://{wire.address}")
            for variable in ("https_proxy", "NO_PROXY", "no_proxy"):
                monkeypatch.delenv(variable, raising=False)
            policy = Policy(budget=0.02, first_wait=0.01)
            async with connection(None, SystemClock(), policy=policy).client() as client:
                await client.list_clusters()

    with pytest.raises(Unreachable, match=r"no connection to api.cache.example.com: 403 No Tunnel"):
        asyncio.run(asked())
    assert wire.requests[0].startswith(b"CONNECT api.cache.example.com:443 HTTP/1.1\r\n")
    assert not [request for request in wire.requests if KEY.encode() in request]


@pytest.mark.parametrize("proxy", ["ftp://proxy", "http://proxy:port"])
def test_an_environment_that_cant_be_used_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """It says which variables to look at."""
    monkeypatch.setenv("ALL_PROXY", proxy)

    async def asked() -> None:
        async with connection(None, SystemClock()).client():
            pass

    with pytest.raises(Unreachable, match=r"api.cache.example.com can't be spoken to in this environment") as caught:
        asyncio.run(asked())
    assert caught.value.remedy == "mend HTTPS_PROXY, ALL_PROXY, NO_PROXY or SSL_CERT_FILE"
