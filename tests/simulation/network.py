"""The simulated network between one run and the sandbox: every request passes here, goes wrong here, and is seen here."""

import asyncio
import random  # noqa: TID251  # seeded
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import httpx
from starlette.types import ASGIApp, Message, Scope

from reconciler.clock import Clock


class Killed(BaseException):
    """The process is gone: nothing of it runs any more, not even what would clean up."""


class Witness(Protocol):
    """Who sees each request of a run."""

    def instant(self) -> None:
        """Something is about to happen: raises Killed where the process doesn't live to see it."""
        ...

    def sends(self, request: httpx.Request) -> None:
        """A request is on its way; what is asserted of it is asserted now."""
        ...

    def effected(self, request: httpx.Request, answer: httpx.Response) -> None:
        """The service has done what it was asked, whether or not anybody will hear of it."""
        ...

    def hears(self, request: httpx.Request, answer: httpx.Response) -> None:
        """A whole answer arrives."""
        ...


@dataclass(slots=True)
class Conditions:
    """How often each fault happens now."""

    faults: Mapping[str, float]

    def drawn(self, chance: random.Random) -> str | None:
        """What happens to one request."""
        share = chance.random()
        for fault, rate in self.faults.items():
            if share < rate:
                return fault
            share -= rate
        return None


class Network(httpx.AsyncBaseTransport):
    """A transport of one worker of one run."""

    def __init__(
        self, app: ASGIApp, clock: Clock, conditions: Conditions, chance: random.Random, witness: Witness
    ) -> None:
        self._app = app
        self._clock = clock
        self._conditions = conditions
        self._chance = chance
        self._witness = witness

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange."""
        self._witness.instant()
        self._witness.sends(request)
        fault = self._conditions.drawn(self._chance)
        await self._clock.sleep(self._chance.choice([0.001, 0.01, 0.05, 0.3]))
        self._witness.instant()
        if fault is not None and fault in _INSTEAD:
            return await _INSTEAD[fault](request, self._clock)
        if fault == "slow":
            await self._clock.sleep(self._chance.uniform(1.0, 25.0))
            self._witness.instant()
        answer = await _answered(self._app, request)
        body = answer.content
        self._witness.effected(request, answer)
        await self._clock.sleep(self._chance.choice([0.001, 0.01, 0.05, 0.3]))
        self._witness.instant()
        match fault:
            case "lost":
                raise httpx.ReadError("connection reset by peer", request=request)
            case "truncated" if body:
                return httpx.Response(answer.status_code, headers=answer.headers, stream=_Cut(body, request))
            case "half" if body:
                return httpx.Response(answer.status_code, json=None, content=body[: len(body) // 2])
        self._witness.hears(request, answer)
        return httpx.Response(answer.status_code, headers=answer.headers, content=body)


async def _answered(app: ASGIApp, request: httpx.Request) -> httpx.Response:
    """What the service answers. httpx's own transport looks for another event loop's library with each request."""
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "https",
        "root_path": "",
        "method": request.method,
        "path": request.url.path,
        "raw_path": request.url.raw_path,
        "query_string": request.url.query,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": None,
        "server": ("service", 443),
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": request.content, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *rest = sent
    content = b"".join(message.get("body", b"") for message in rest)
    return httpx.Response(start["status"], headers=start["headers"], content=content)


class _Cut(httpx.AsyncByteStream):
    """Half of a body, and then a connection that is closed."""

    def __init__(self, body: bytes, request: httpx.Request) -> None:
        self._body = body
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body[: len(self._body) // 2]
        raise httpx.RemoteProtocolError("peer closed connection", request=self._request)


async def _refuses(request: httpx.Request, _clock: Clock) -> httpx.Response:
    raise httpx.ConnectError("connection refused", request=request)


async def _hangs(request: httpx.Request, clock: Clock) -> httpx.Response:
    await clock.sleep(30.0)
    raise httpx.ReadTimeout("timed out", request=request)


def _answers(status: int, content: str, headers: Mapping[str, str]) -> Callable[..., Awaitable[httpx.Response]]:
    async def answer(request: httpx.Request, _clock: Clock) -> httpx.Response:
        await asyncio.sleep(0)  # noqa: TID251  # an answer comes later than its question
        words = content.replace("KEY", request.headers["authorization"])
        return httpx.Response(status, headers=headers, content=words.encode())

    return answer


_INSTEAD: Mapping[str, Callable[[httpx.Request, Clock], Awaitable[httpx.Response]]] = {
    "refused": _refuses,
    "hang": _hangs,
    "500": _answers(500, '{"message": "trouble with KEY"}', {"content-type": "application/json"}),
    "503": _answers(503, "", {"retry-after": "2"}),
    "429": _answers(429, '{"message": "slow down"}', {"retry-after": "1"}),
    "html": _answers(200, "<html>a captive portal for KEY</html>", {"content-type": "text/html"}),
}
"""What comes in the place of the service's answer, with no effect there."""
