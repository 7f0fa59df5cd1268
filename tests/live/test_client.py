"""The three requests, over a scripted transport in virtual time."""

import asyncio
import html
import json
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar

import httpx
import pytest
from structlog.testing import capture_logs

from reconciler.apply.options import Stop
from reconciler.errors import (
    Forbidden,
    InTransition,
    LiveError,
    NoAnswer,
    NotFound,
    Rejected,
    Unauthenticated,
    Unavailable,
    Undocumented,
    Unreachable,
    Untrusted,
)
from reconciler.live.client import Answer, Client
from reconciler.plan.change import DeleteRequest, PutRequest
from tests.fakes import KEY, FakeClock, connection, live, manifest

T = TypeVar("T")

HOSTILE_KEY = "k\"e\\y&<'>-0123456789-abcdefghij"
LISTED = json.dumps([live().model_dump(mode="json")])
PUT = PutRequest(path="/cluster/orders", body=manifest().configuration())
DELETE = DeleteRequest(path="/cluster/orders")

Reply = httpx.Response | Exception
Call = Callable[[Client], Awaitable[T]]


def put(client: Client) -> Awaitable[Answer]:
    return client.send(PUT, cluster="orders")


def delete(client: Client) -> Awaitable[Answer]:
    return client.send(DELETE, cluster="orders")


class Service:
    """Replies as it is told, the last time again and again; `arrived` are the moments at which it was asked."""

    def __init__(self, *replies: Reply | Callable[[], Reply], key: str = KEY, rate: float | None = None) -> None:
        self.replies = list(replies)
        self.arrived: list[float] = []
        self.clock = FakeClock()
        self.stop = Stop()
        self.connection = connection(
            lambda: httpx.MockTransport(self._reply), self.clock, stop=self.stop, key=key, rate=rate
        )

    def _reply(self, _request: httpx.Request) -> httpx.Response:
        self.arrived.append(self.clock.seconds)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if callable(reply):
            reply = reply()
        if isinstance(reply, Exception):
            raise reply
        return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)

    def ask(self, call: Call[T]) -> T:
        async def asked() -> T:
            async with self.connection.client() as client:
                return await call(client)

        return self.clock.run(asked())

    def refuse(self, call: Call[object]) -> LiveError:
        with pytest.raises(LiveError) as caught:
            self.ask(call)
        return caught.value


# --- which answer is which error


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (400, Rejected, "PUT /cluster/orders: 400 Bad Request: Invalid cluster configuration"),
        (401, Unauthenticated, "PUT /cluster/orders: 401 Unauthorized: Invalid cluster configuration"),
        (403, Forbidden, "PUT /cluster/orders: 403 Forbidden: Invalid cluster configuration"),
        (404, NotFound, "PUT /cluster/orders: 404 Not Found: Invalid cluster configuration"),
        (409, InTransition, "PUT /cluster/orders: 409 Conflict: Invalid cluster configuration"),
        (418, Undocumented, "PUT /cluster/orders: 418 I'm a Teapot: Invalid cluster configuration"),
        (
            307,
            Undocumented,
            "PUT /cluster/orders: 307: it points elsewhere, and that is not followed: the API key would go along",
        ),
    ],
)
def test_a_refusal_is_told_once_as_what_it_is(status: int, kind: type[LiveError], message: str) -> None:
    """What the service says no to isn't asked again; the error has its words, its code, and what to do."""
    headers = {"location": "https://evil.example.com/"}
    service = Service(httpx.Response(status, json={"message": "Invalid cluster configuration"}, headers=headers))
    error = service.refuse(put)
    assert (type(error), error.message, error.http_status) == (kind, message, status)
    assert error.remedy
    assert (error.attempts, error.may_have_reached, len(service.arrived)) == (1, False, 1)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_asked_again(status: int) -> None:
    """Until it is answered, for all three; only a gateway that gave up leaves open whether a request arrived."""
    again = httpx.Response(status)
    assert Service(again, again, httpx.Response(200, text=LISTED)).ask(lambda c: c.list_clusters()) == (live(),)
    assert Service(again, httpx.Response(200, json=live().model_dump())).ask(put) == Answer(live(), 2, 200)
    assert Service(again, httpx.Response(204)).ask(delete) == Answer(None, 2, 204)
    error = Service(again).refuse(put)
    assert (type(error), error.http_status, error.may_have_reached) == (Unavailable, status, status in {502, 504})


def test_what_is_not_there_is_deleted() -> None:
    """404 to a DELETE is success."""
    assert Service(httpx.Response(404)).ask(delete) == Answer(None, 1, 404)


def subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for subclass in kind.__subclasses__():
        yield from subclasses(subclass)


NOT_SENT = {
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
}
OF_HTTPX = sorted({*subclasses(httpx.HTTPError), *subclasses(httpx.StreamError), httpx.InvalidURL}, key=str)


@pytest.mark.parametrize("raised", [*OF_HTTPX, TimeoutError, UnicodeError], ids=lambda raised: raised.__name__)
def test_no_exception_of_the_library_gets_out(raised: type[Exception]) -> None:
    """Each becomes one of ours, chained, without the key; `may_have_reached` errs on the side of caution."""

    def reply() -> Exception:
        return raised.__new__(raised, f"it said {KEY}")

    error = Service(reply).refuse(put)
    if raised in NOT_SENT:
        expected: tuple[type[LiveError], bool, bool] = (Unreachable, False, True)
    elif raised in {httpx.InvalidURL, UnicodeError}:
        expected = (LiveError, False, False)
    elif raised is httpx.DecodingError:
        expected = (Undocumented, True, False)
    else:
        expected = (NoAnswer, True, True)
    assert (type(error), error.may_have_reached, error.attempts > 1) == expected
    assert isinstance(error.__cause__, raised)
    assert KEY not in str(error.problems())


def test_a_certificate_that_cant_be_verified_is_not_tried_again() -> None:
    """Nothing was sent, and nothing will be."""
    error = Service(httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed")).refuse(put)
    assert (type(error), error.attempts, error.may_have_reached) == (Untrusted, 1, False)
    assert error.message == (
        "PUT /cluster/orders: the certificate of api.cache.example.com can't be verified: "
        "[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"
    )


# --- when a request is tried again


def test_waits_double_up_to_ten_seconds_within_a_minute() -> None:
    """The schedule, jitter at its longest; each retry is one event."""
    service = Service(httpx.Response(503))
    with capture_logs() as logs:
        error = service.refuse(put)
    assert service.clock.slept == [0.5, 1, 2, 4, 8, 10, 10, 10, 10, 4.5]
    assert (error.attempts, service.clock.seconds) == (11, 60)
    assert logs[1] == {
        "event": "request.retried",
        "log_level": "warning",
        "method": "PUT",
        "cluster": "orders",
        "attempt": 2,
        "http_status": 503,
        "seconds": 1.0,
        "kind": "unavailable",
    }
    assert len(logs) == 10


@pytest.mark.parametrize(
    ("retry_after", "wait"),
    [
        ("7", 7.0),
        ("0", 0.5),  # the own wait is the least: nobody asks to be hammered
        ("99999999999999999999", 60.0),
        ("Fri, 15 Jan 2027 08:00:20 GMT", 20.0),
        ("Friday, 15-Jan-27 08:00:20 GMT", 20.0),
        ("Fri Jan 15 08:00:20 2027", 20.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.5),
        ("Fri, 15 Jan 9999 08:00:20 GMT", 60.0),
        ("soon", 0.5),
        ("-5", 0.5),
        ("Fri, 99 Foo 2027 99:99:99 GMT", 0.5),
        ("", 0.5),
    ],
)
def test_the_service_may_ask_for_a_longer_wait(retry_after: str, wait: float) -> None:
    """Retry-After in seconds or as any date of HTTP, clamped to what is left of the minute; nonsense is ignored."""
    service = Service(httpx.Response(429, headers={"retry-after": retry_after}), httpx.Response(204))
    assert service.ask(delete).attempts == 2
    assert service.clock.slept == [wait]


@pytest.mark.parametrize(
    ("replies", "may_have_reached"),
    [
        ([httpx.ReadTimeout("silence"), httpx.Response(403)], True),
        ([httpx.ReadTimeout("silence"), httpx.ConnectError("refused")], True),
        ([httpx.ReadTimeout("silence"), httpx.Response(400)], False),
        ([httpx.ConnectError("refused"), httpx.Response(503)], False),
    ],
)
def test_one_attempt_without_an_answer_leaves_it_open(replies: list[Reply], may_have_reached: bool) -> None:
    """Whatever came later, unless the very same request was then rejected."""
    assert Service(*replies).refuse(put).may_have_reached is may_have_reached


def test_a_stop_ends_the_waiting_at_once() -> None:
    """Nothing is tried again after it."""
    service = Service(httpx.Response(503, headers={"retry-after": "50"}))

    async def stopped(client: Client) -> Answer:
        asyncio.get_running_loop().call_at(3, service.stop.requested.set)
        return await put(client)

    assert service.refuse(stopped).attempts == 1
    assert service.clock.seconds == 3


class Dripping(httpx.AsyncByteStream):
    """A body without an end."""

    def __init__(self, clock: FakeClock, seconds: float, chunk: bytes) -> None:
        self._clock = clock
        self._seconds = seconds
        self._chunk = chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await self._clock.sleep(self._seconds)
            yield self._chunk


@pytest.mark.parametrize(("seconds", "chunk", "kind"), [(20.0, b" ", NoAnswer), (0.0, b" " * 2**20, Undocumented)])
def test_an_answer_without_an_end_is_given_up(seconds: float, chunk: bytes, kind: type[LiveError]) -> None:
    """However slowly it drips, and however much it is."""
    clock = FakeClock()
    endless = connection(
        lambda: httpx.MockTransport(lambda _request: httpx.Response(200, stream=Dripping(clock, seconds, chunk))), clock
    )

    async def asked() -> None:
        async with endless.client() as client:
            await client.list_clusters()

    with pytest.raises(kind):
        clock.run(asked())
    assert clock.seconds <= 60 + endless.policy.attempt_timeout


def test_requests_of_all_workers_keep_the_rate() -> None:
    """Evenly spaced, retries too; without a burst after a pause."""
    service = Service(httpx.Response(503), httpx.Response(204), rate=2.0)

    async def asked(_client: Client) -> None:
        async def work() -> None:
            async with service.connection.client() as client:
                await delete(client)

        await asyncio.gather(*(work() for _ in range(4)))
        await service.clock.sleep(10)
        await asyncio.gather(*(work() for _ in range(2)))

    service.ask(asked)
    assert service.arrived == [0, 0.5, 1, 1.5, 2, 12, 12.5]


# --- the key


@pytest.mark.parametrize(
    "echo",
    [
        HOSTILE_KEY,
        json.dumps({"message": f"bad key {HOSTILE_KEY}"}),
        json.dumps({"key": [HOSTILE_KEY]}),
        json.dumps({"message": "".join(f"\\u{ord(c):04x}" for c in HOSTILE_KEY)}).replace("\\\\", "\\"),
        json.dumps({"key": "".join(f"\\u{ord(c):04x}" for c in HOSTILE_KEY)}).replace("\\\\", "\\"),
        html.escape(f"bad key {HOSTILE_KEY}"),
        "x" * 280 + HOSTILE_KEY,
        json.dumps([{**live().model_dump(mode="json"), "shard_count": HOSTILE_KEY}]),
        json.dumps({HOSTILE_KEY: HOSTILE_KEY}),
        json.dumps([live(HOSTILE_KEY).model_dump(mode="json")] * 2),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_echoed_key_is_told_nowhere(status: int, echo: str) -> None:
    """However the service writes it, cut at whatever place: no piece of it in message, fields, repr or traceback."""
    error = Service(httpx.Response(status, text=echo), key=HOSTILE_KEY).refuse(lambda client: client.list_clusters())
    told = "".join(traceback.format_exception(error)) + repr(error) + str(error.problems())
    assert not [HOSTILE_KEY[at : at + 6] for at in range(len(HOSTILE_KEY) - 5) if HOSTILE_KEY[at : at + 6] in told]
