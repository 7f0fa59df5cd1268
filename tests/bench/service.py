"""A service for measuring against: as little work for each request as can be, in a process of its own.

    python -m tests.bench.service CLUSTERS LATENCY_SECONDS

lists the clusters of `fleet.py`, takes every PUT and DELETE, and prints its port.
"""

import asyncio
import json
import sys

from tests.bench.fleet import cluster


class Service(asyncio.Protocol):
    """One connection: HTTP/1.1, one request after the other."""

    def __init__(self, listed: bytes, latency: float) -> None:
        self._listed = listed
        self._latency = latency
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        length = int(lengths[0].split(b":")[1]) if lengths else 0
        if len(body) < length:
            return
        self._received = body[length:]
        method, path, _ = head.split(b" ", 2)
        answer = self._answer(method, path, body[:length])
        asyncio.get_running_loop().call_later(self._latency, self._send, answer)

    def _answer(self, method: bytes, path: bytes, body: bytes) -> bytes:
        if method == b"GET":
            return self._listed
        if method == b"DELETE":
            return b"HTTP/1.1 204 No Content\r\n\r\n"
        name = path.rpartition(b"/")[2]
        return _ok(b'{"name":"' + name + b'","status":"Creating","errors":[],' + body[1:])

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)  # type: ignore[attr-defined]


def _ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


async def serve(clusters: int, latency: float) -> None:
    """Serve until told to end."""
    listed = _ok(json.dumps([cluster(number) for number in range(clusters)]).encode())
    server = await asyncio.get_running_loop().create_server(lambda: Service(listed, latency), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
