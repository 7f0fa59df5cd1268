"""A server that misbehaves as it is told, on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

RESET, SILENCE = b"reset", b"silence"


def answer(body: str, status: str = "200 OK", *headers: str, length: int | None = None) -> bytes:
    size = len(body.encode()) if length is None else length
    lines = (f"HTTP/1.1 {status}", f"Content-Length: {size}", "Connection: close", *headers, "", body)
    return "\r\n".join(lines).encode()


class Server:
    """A server that sends these bytes, one answer a connection; `requests` are the bytes that it got."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self._done = asyncio.Event()
        self._talks: set[asyncio.Future[None]] = set()
        self.requests: list[bytes] = []
        self.address = ""

    @asynccontextmanager
    async def serve(self) -> "AsyncIterator[Server]":
        server = await asyncio.start_server(self._begin, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        self.address = f"{host}:{port}"
        async with server:
            try:
                yield self
            finally:
                self._done.set()
                await asyncio.gather(*self._talks, return_exceptions=True)

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._talks.add(asyncio.ensure_future(self._talk(reader, writer)))

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
        await writer.wait_closed()
