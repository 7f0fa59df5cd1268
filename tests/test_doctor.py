"""What one request tells of a key, an endpoint and a clock, over a scripted transport in virtual time."""

import json

import httpx
import pytest

from reconciler.doctor import is_tested, of_target
from reconciler.errors import CredentialsError, ReconcilerError, UsageError
from reconciler.live.client import Connection
from reconciler.model.fleet import Target
from tests.fakes import KEY, FakeClock, connection, entry

NOW = "Fri, 15 Jan 2027 08:00:00 GMT"
"""When a FakeClock begins."""


def checks(reply: httpx.Response | Exception | ReconcilerError) -> tuple[dict[str, tuple[str, str, str | None]], int]:
    """State, message and remedy by the check's name, and how often the service was asked."""
    clock, asked = FakeClock(), list[httpx.Request]()

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if isinstance(reply, httpx.Response):
            return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)
        raise reply

    way: Connection | ReconcilerError = connection(lambda: httpx.MockTransport(answer), clock)
    found = clock.run(of_target(Target("east", "east"), reply if isinstance(reply, ReconcilerError) else way, clock))
    assert all(check.target == "east" for check in found)
    return {check.name: (check.state, check.message, check.remedy) for check in found}, len(asked)


def listed(date: str) -> httpx.Response:
    return httpx.Response(200, headers={"date": date}, content=json.dumps([entry(), entry("b", status=7)]))


def test_all_is_well() -> None:
    """Each is told, with what was seen; what isn't as documented is counted, too."""
    assert checks(listed(NOW)) == (
        {
            "key": ("ok", "accepted", None),
            "endpoint": ("ok", "https://api.cache.example.com answered in 0s, with 2 clusters", None),
            "clock": ("ok", "as the service's", None),
        },
        1,
    )


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused(status: int) -> None:
    """The endpoint is there, and says so; its words hold no key."""
    found, _ = checks(httpx.Response(status, headers={"date": NOW}, content=f"bad key {KEY}"))
    assert {name: state for name, (state, _, _) in found.items()} == {"key": "failed", "endpoint": "ok", "clock": "ok"}
    assert (
        found["key"][1]
        == f"GET /cluster: {status} {'Unauthorized' if status == 401 else 'Forbidden'}: bad key (api key)"
    )
    assert found["key"][2]


@pytest.mark.parametrize(
    "reply",
    [
        httpx.Response(503, content="later"),
        httpx.Response(404),
        httpx.Response(200, content="<html>"),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("late"),
    ],
)
def test_an_endpoint_that_does_not_do(reply: httpx.Response | Exception) -> None:
    """It failed, with a remedy; of the key nothing is known; nothing is tried again."""
    found, asked = checks(reply)
    assert (found["key"][0], found["endpoint"][0], asked) == ("warning", "failed", 1)
    assert found["endpoint"][2]


@pytest.mark.parametrize(
    ("date", "state", "message"),
    [
        ("Fri, 15 Jan 2027 07:59:01 GMT", "ok", "as the service's"),
        ("Fri, 15 Jan 2027 07:55:00 GMT", "failed", "5m ahead of the service's"),
        ("Fri, 15 Jan 2027 10:00:00 GMT", "failed", "2h behind the service's"),
        ("", "ok", "the service tells no time to compare with"),
        ("yesterday", "ok", "the service tells no time to compare with"),
    ],
)
def test_a_clock_that_is_off(date: str, state: str, message: str) -> None:
    """By the date of the answer, which is true to the second."""
    found, _ = checks(listed(date))
    assert found["clock"][:2] == (state, message)


def test_an_old_git_is_not_tested() -> None:
    """By its own word, whoever built it."""
    told = ("git version 2.38.5", "git version 1.99", "git version 2.39.0.windows.1", "git version 10.1", "git")
    assert [is_tested(version) for version in told] == [False, False, True, True, True]


def test_what_keeps_a_target_from_being_asked() -> None:
    """Is its own check, and names the target once."""
    assert checks(CredentialsError("target east: no API key", remedy="set it")) == (
        {"key": ("failed", "no API key", "set it")},
        0,
    )
    assert checks(UsageError("target east has no endpoint", remedy="give one")) == (
        {"endpoint": ("failed", "target east has no endpoint", "give one")},
        0,
    )
