"""The three requests, over a scripted transport in virtual time."""

import html
import json
import traceback
from collections.abc import Awaitable, Callable
from typing import TypeVar

import httpx
import pytest

from reconciler.apply.options import Stop
from reconciler.errors import (
    Forbidden,
    HttpError,
    InTransition,
    LeaseLost,
    NotFound,
    Rejected,
    Unauthenticated,
    Unavailable,
    Undocumented,
)
from reconciler.live.answers import Listing
from reconciler.live.client import FIRST_LIST_BUDGET_SECONDS, Accepted, Client
from reconciler.model.view import body_of, values_of
from reconciler.plan.change import DeleteRequest, PutRequest
from tests.fakes import KEY, FakeClock, connection, entry, live, manifest
from tests.wire.test_client import HOSTILE_KEY

T = TypeVar("T")

LISTED = json.dumps([entry()])
PUT = PutRequest(path="/cluster/orders", body=body_of(values_of(manifest())))
DELETE = DeleteRequest(path="/cluster/orders")

Reply = httpx.Response | Exception
Call = Callable[[Client], Awaitable[T]]


def put(client: Client) -> Awaitable[Accepted]:
    return client.send(PUT, cluster="orders")


def delete(client: Client) -> Awaitable[Accepted]:
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

    def refuse(self, call: Call[object]) -> HttpError:
        with pytest.raises(HttpError) as caught:
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
def test_a_refusal_is_told_once_as_what_it_is(status: int, kind: type[HttpError], message: str) -> None:
    """What the service says no to isn't asked again; the error has its words, its code, and what to do."""
    headers = {"location": "https://evil.example.com/"}
    service = Service(httpx.Response(status, json={"message": "Invalid cluster configuration"}, headers=headers))
    error = service.refuse(put)
    assert (type(error), error.message, error.http_status) == (kind, message, status)
    assert error.remedy
    assert (error.attempts, error.may_have_reached, len(service.arrived)) == (1, False, 1)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_asked_again(status: int) -> None:
    """Until it is answered, for all three; a 5xx leaves open whether the request had its effect."""
    again = httpx.Response(status)
    listing = Service(again, again, httpx.Response(200, text=LISTED)).ask(lambda c: c.list_clusters())
    assert listing == Listing((live(),), {})
    assert Service(again, httpx.Response(200, json=entry())).ask(put) == Accepted(live(), 2, 200)
    assert Service(again, httpx.Response(204)).ask(delete) == Accepted(None, 2, 204)
    error = Service(again).refuse(put)
    assert (type(error), error.http_status, error.may_have_reached) == (Unavailable, status, status >= 500)


def test_an_operation_has_five_minutes_and_a_first_list_one() -> None:
    """Somebody waits for a plan; an apply outlasts what it can."""
    for call, seconds in ((put, 300), (first_list, 60)):
        service = Service(httpx.Response(503, headers={"retry-after": "20"}))
        service.refuse(call)
        assert service.clock.seconds == seconds


def first_list(client: Client) -> Awaitable[Listing]:
    return client.list_clusters(budget_seconds=FIRST_LIST_BUDGET_SECONDS)


def test_the_service_may_ask_for_a_longer_wait() -> None:
    """As a date, too, by the injected clock."""
    service = Service(
        httpx.Response(429, headers={"retry-after": "Fri, 15 Jan 2027 08:00:20 GMT"}), httpx.Response(204)
    )
    assert service.ask(delete).attempts == 2
    assert service.clock.slept == [20.0]


def test_what_is_not_where_it_should_be_says_where_to_look() -> None:
    """404 to a GET or PUT: another endpoint, or an API that has moved on."""
    for call in (put, first_list):
        assert Service(httpx.Response(404)).refuse(call).remedy == (
            "is this the endpoint? its API may have moved on: check --endpoint, --region or the fleet file"
        )


def test_what_is_not_there_is_deleted() -> None:
    """404 to a DELETE is success."""
    assert Service(httpx.Response(404)).ask(delete) == Accepted(None, 1, 404)


def test_who_looks_before_each_further_try_may_end_it() -> None:
    """That the first may have arrived stays true."""
    looks: list[float] = []
    service = Service(httpx.Response(503))

    async def look() -> None:
        looks.append(service.clock.seconds)
        if len(looks) == 2:
            raise InTransition("it has moved")

    error = service.refuse(lambda client: client.send(DELETE, cluster="orders", look=look))
    assert (type(error), error.attempts, error.may_have_reached, len(service.arrived)) == (InTransition, 3, True, 2)
    assert looks[0] > service.arrived[0]


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
        json.dumps([{**entry(), "name": {HOSTILE_KEY: HOSTILE_KEY}}]),
        json.dumps({HOSTILE_KEY: HOSTILE_KEY}),
        json.dumps([entry(HOSTILE_KEY)] * 2),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_echoed_key_is_told_nowhere(status: int, echo: str) -> None:
    """However the service writes it, cut at whatever place: no piece of it in message, fields, repr or traceback."""
    error = Service(httpx.Response(status, text=echo), key=HOSTILE_KEY).refuse(lambda client: client.list_clusters())
    told = "".join(traceback.format_exception(error)) + repr(error) + str(error.problems())
    assert not [HOSTILE_KEY[at : at + 6] for at in range(len(HOSTILE_KEY) - 5) if HOSTILE_KEY[at : at + 6] in told]


def test_nothing_leaves_without_a_permit() -> None:
    """It is asked before each attempt, and after the wait for the rate's turn: a retry may come too late."""
    clock, sent = FakeClock(), list[float]()

    def reply(_request: httpx.Request) -> httpx.Response:
        sent.append(clock.seconds)
        return httpx.Response(503)

    def permit() -> None:
        if clock.seconds >= 40:
            raise LeaseLost("not sent, as the lease is no longer held")

    held = connection(lambda: httpx.MockTransport(reply), clock, rate=0.1, permit=permit)

    async def ask() -> None:
        async with held.client() as client:
            await put(client)

    with pytest.raises(LeaseLost, match="no longer held") as raised:
        clock.run(ask())
    assert sent == [0, 10, 20, 30]
    assert (raised.value.attempts, raised.value.may_have_reached) == (5, True)
