"""The three requests over a real socket."""

import asyncio
import json

from reconciler.clock import SystemClock
from reconciler.live.answers import Listing
from reconciler.live.client import Client
from reconciler.wire.retry import Policy
from tests.fakes import KEY, connection, entry, head, live, planned
from tests.live.test_client import LISTED, PUT, Call, T
from tests.wire.server import RESET, SILENCE, Server, answer

QUICK = Policy(budget=10, first_wait=0.001, longest_wait=0.001, connect_timeout=5, read_timeout=0.1, attempt_timeout=9)


def over_the_wire(server: Server, call: Call[T]) -> T:
    async def asked() -> T:
        async with server.serve():
            endpoint = f"http://{server.address}/base"
            async with connection(None, SystemClock(), endpoint=endpoint, policy=QUICK).client() as client:
                return await call(client)

    return asyncio.run(asked())


def test_whatever_the_network_does_one_whole_answer_is_enough() -> None:
    """Reset, hung up, cut short, silent, garbled, overloaded: the same request goes out again, and no other."""
    server = Server(
        RESET,
        b"",
        answer(LISTED[:20], length=len(LISTED)),
        answer(LISTED[:20], "200 OK", "Content-Type: application/json"),
        SILENCE,
        b"\x16\x03\x01 not HTTP\r\n\r\n",
        answer("<html>", "503 Service Unavailable", "Retry-After: 0", "Set-Cookie: a=b"),
        answer(LISTED),
    )
    assert over_the_wire(server, lambda client: client.list_clusters()) == Listing((live(),), {})
    assert len(server.requests) == 7
    assert len(set(server.requests)) == 1


def test_a_request_is_what_the_document_says() -> None:
    """The key raw in Authorization and nowhere else, the body as declared, the name percent-encoded."""
    odd = live("a/b c?%2e#é")
    [change] = planned(head(), (odd,), prune_all=True).changes
    server = Server(answer("[]"), answer(json.dumps(entry(odd.name))), answer("", "204 No Content"))

    async def talk(client: Client) -> None:
        await client.list_clusters()
        await client.send(PUT, cluster="orders")
        await client.send(change.requests[0], cluster=change.name)

    over_the_wire(server, talk)
    requests = [request.decode().partition("\r\n\r\n") for request in server.requests]
    lines = [start.split("\r\n") for start, _, _ in requests]
    assert [first for first, *_ in lines] == [
        "GET /base/cluster HTTP/1.1",
        "PUT /base/cluster/orders HTTP/1.1",
        "DELETE /base/cluster/a%2Fb%20c%3F%252e%23%C3%A9 HTTP/1.1",
    ]
    for request, headers in zip(server.requests, lines, strict=True):
        assert f"Authorization: {KEY}" in headers
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
