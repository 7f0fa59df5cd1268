"""The faults themselves: an application in front of the other one that now and then spoils a request."""

from collections.abc import Callable
from typing import assert_never

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.clock import Clock, Random, SeededRandom
from reconciler.sandbox.faults import Fault, Faults

CONNECTION = "reconciler.sandbox.connection"
"""The ASGI extension by which the server hands out the connection: reset(), close() and break_record()."""


class FaultyApp:
    """The application, with faults in front of it."""

    def __init__(self, app: ASGIApp, faults: Faults, clock: Clock, random: Random | None = None) -> None:
        self._app = app
        self._faults = faults
        self._clock = clock
        self._random = random or SeededRandom(faults.seed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or spoil it."""
        if scope["type"] != "http" or scope["path"] == "/openapi.json":
            await self._app(scope, receive, send)
            return
        fault = self._choose()
        if self._faults.latency:
            await self._clock.sleep(self._faults.latency)
        if fault is None:
            await self._app(scope, receive, send)
        else:
            await self._spoil(fault, scope, receive, send)

    async def _spoil(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        match fault:
            case "hang":
                while (await receive())["type"] != "http.disconnect":
                    pass
            case "reset-before":
                _connection(scope, "reset")()
            case "reset-after":
                await self._app(scope, receive, _swallow)
                _connection(scope, "reset")()
            case "truncate":
                await self._app(scope, receive, _Truncating(send, _connection(scope, "close")))
            case "broken-record":
                await self._app(scope, receive, _swallow)
                _connection(scope, "break_record")()
            case "500" | "503" | "429":
                await _refuse(int(fault), send)
            case unreachable:
                assert_never(unreachable)

    def _choose(self) -> Fault | None:
        drawn = self._random.uniform(0.0, 1.0)
        for name, rate in self._faults.rates:
            if drawn < rate:
                return name
            drawn -= rate
        return None


class _Truncating:
    """Sends half of the body that was announced, then closes the connection."""

    def __init__(self, send: Send, close: Callable[[], None]) -> None:
        self._send = send
        self._close = close

    async def __call__(self, message: Message) -> None:
        body = message.get("body", b"")
        if message["type"] == "http.response.body" and body:
            await self._send({**message, "body": body[: len(body) // 2], "more_body": True})
            self._close()
        else:
            await self._send(message)


async def _swallow(_message: Message) -> None:
    pass


async def _refuse(status: int, send: Send) -> None:
    body = b'{"message": "%d, on demand"}' % status
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if status == 429:
        headers.append((b"retry-after", b"1"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _connection(scope: Scope, verb: str) -> Callable[[], None]:
    found: Callable[[], None] = scope["extensions"][CONNECTION][verb]
    return found
