"""Faults on demand, by rate and seed: what a client has to survive, over real HTTP."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from reconciler.clock import Clock, Random, SeededRandom, parse_duration

RATES = ("500", "503", "429", "hang", "reset-before", "reset-after", "truncate")
CONNECTION = "reconciler.sandbox.connection"
"""The ASGI extension by which the server hands out the connection: reset() and close()."""


@dataclass(frozen=True, slots=True)
class Faults:
    """`rates` are shares of all requests, from 0 to 1; `latency` is seconds before every answer."""

    rates: tuple[tuple[str, float], ...] = ()
    latency: float = 0.0
    seed: int = 0

    @classmethod
    def parse(cls, text: str) -> "Faults":
        """`500=0.05,429=0.1,hang=0.01,latency=50ms,seed=7`. Raises ValueError, its text fit to be shown."""
        rates: dict[str, float] = {}
        latency, seed = 0.0, 0
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _, value = part.partition("=")
            if name == "latency":
                latency = parse_duration(value)
            elif name == "seed" and value.isdecimal():
                seed = int(value)
            elif name in RATES and _is_rate(value):
                rates[name] = float(value)
            else:
                known = ", ".join(f"{rate}=RATE" for rate in RATES)
                raise ValueError(f"{part!r} is no fault: give {known}, latency=DURATION or seed=NUMBER, rates 0 to 1")
        if math.fsum(rates.values()) > 1:
            raise ValueError("the rates of all faults add up to more than 1")
        return cls(tuple(rates.items()), latency, seed)


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
        match fault:
            case None:
                await self._app(scope, receive, send)
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
            case _:
                await _refuse(int(fault), send)

    def _choose(self) -> str | None:
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


def _is_rate(text: str) -> bool:
    try:
        return 0.0 <= float(text) <= 1.0
    except ValueError:
        return False
