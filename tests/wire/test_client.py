"""One exchange: over a transport that fails in every way, and over a real socket whose other end misbehaves."""

import asyncio
import errno
import gzip
import ssl
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeVar

import httpx
import pytest

from reconciler import __version__
from reconciler.errors import (
    Exhausted,
    HttpError,
    NoAnswer,
    ProxyRefused,
    Undocumented,
    Unreachable,
    Unsendable,
    Untrusted,
)
from reconciler.model.secret import ApiKey, redact
from reconciler.wire.answer import Answer
from reconciler.wire.client import open_client
from reconciler.wire.peer import Peer
from reconciler.wire.rate import RateLimit
from reconciler.wire.retry import Policy
from tests.fakes import KEY, FakeClock
from tests.wire.server import RESET, SILENCE, Server, answer

T = TypeVar("T")

HOSTILE_KEY = "k\"e\\y&<'>-0123456789-abcdefghij"
QUICK = Policy(connect_timeout=5, read_timeout=0.1, attempt_timeout=9)

Reply = httpx.Response | Exception


async def exchanged(
    address: str,
    *requests: tuple[str, str],
    key: str = KEY,
    reply: Callable[[httpx.Request], httpx.Response] | None = None,
    policy: Policy = QUICK,
) -> list[Answer]:
    """What came back of each request, over one client."""
    clock = FakeClock()
    transport = None if reply is None else lambda: httpx.MockTransport(reply)
    peer = Peer(address, ApiKey(key), "--endpoint", {"X-Version": "1"})
    async with open_client(peer, policy, RateLimit(None, clock), transport) as client:
        return [await client.exchange(method, path, b"{}" if method == "PUT" else None) for method, path in requests]


def refused(method: str, raised: Exception | Callable[[], Exception]) -> HttpError:
    """What one exchange ends in whose transport raises this."""

    def reply(_request: httpx.Request) -> httpx.Response:
        raise raised() if callable(raised) else raised

    with pytest.raises(HttpError) as caught:
        asyncio.run(exchanged("https://api.example.com", (method, "/x"), reply=reply))
    return caught.value


def over_the_wire(*replies: bytes, requests: int = 1, key: str = KEY) -> tuple[list[Answer], list[bytes]]:
    """What came back of as many GETs over a real socket, and what arrived."""

    async def asked() -> tuple[list[Answer], list[bytes]]:
        async with Server(*replies).serve() as server:
            answers = await exchanged(f"http://{server.address}", *[("GET", "/x")] * requests, key=key)
            return answers, server.requests

    return asyncio.run(asked())


# --- what the library raises


def subclasses(kind: type[Exception]) -> Iterator[type[Exception]]:
    yield kind
    for subclass in kind.__subclasses__():
        yield from subclasses(subclass)


NOT_SENT = {httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError}
UNSENDABLE = {httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError}
OF_HTTPX = sorted({*subclasses(httpx.HTTPError), *subclasses(httpx.StreamError), httpx.InvalidURL}, key=str)
OTHERS = [TimeoutError, UnicodeError, OSError, ConnectionResetError, ssl.SSLError]


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("raised", [*OF_HTTPX, *OTHERS], ids=lambda raised: raised.__name__)
def test_no_exception_of_the_library_gets_out(raised: type[Exception], method: str) -> None:
    """Each becomes one of ours, chained, without the key; `may_have_reached` errs on the side of caution."""
    error = refused(method, lambda: raised.__new__(raised, f"it said {KEY}"))
    if raised in NOT_SENT:
        assert (type(error), error.may_have_reached) == (Unreachable, False)
    elif raised in UNSENDABLE:
        assert (type(error), error.may_have_reached) == (Unsendable, False)
    else:
        expected = Undocumented if raised is httpx.DecodingError else NoAnswer
        assert (type(error), error.may_have_reached) == (expected, method == "PUT")
    assert isinstance(error.__cause__, raised)
    assert error.remedy
    assert KEY not in str(error.problems())


@pytest.mark.parametrize(
    ("raised", "kind", "message"),
    [
        (
            httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed"),
            Untrusted,
            "PUT /x: the certificate of api.example.com can't be verified: [SSL: CERTIFICATE_VERIFY_FAILED] self-signed",
        ),
        (
            ssl.SSLError(1, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] bad record mac"),
            NoAnswer,
            "PUT /x: api.example.com gave no whole answer: [SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] bad record mac",
        ),
        (
            httpx.ProxyError("407 Proxy Authentication Required"),
            ProxyRefused,
            "PUT /x: a proxy lets nothing through to api.example.com: 407 Proxy Authentication Required",
        ),
        (
            httpx.ProxyError("503 Service Unavailable"),
            Unreachable,
            "PUT /x: no connection to api.example.com: 503 Service Unavailable",
        ),
    ],
)
def test_what_happened_is_told_as_what_it_is(raised: Exception, kind: type[HttpError], message: str) -> None:
    """A certificate, a broken record, a proxy: each is another thing to mend, or none."""
    error = refused("PUT", raised)
    assert (type(error), error.message) == (kind, message)


def test_no_descriptor_left_is_no_word_about_the_other_end() -> None:
    """However deep in the chain, or the group, the system's own error is."""
    group = OSError("All connection attempts failed")
    group.__cause__ = ExceptionGroup("several", [OSError(errno.ECONNREFUSED, "refused"), OSError(errno.EMFILE, "many")])
    outer = httpx.ConnectError("All connection attempts failed")
    outer.__cause__ = group
    error = refused("PUT", outer)
    assert (type(error), error.may_have_reached, error.transient) == (Exhausted, False, True)
    assert error.message == "PUT /x: not sent, as this process has too many files open"
    assert error.remedy == "raise the limit (ulimit -n), or lower --concurrency"


def test_there_are_no_more_clients_than_descriptors() -> None:
    """Some are kept for who looks at a loop, and for all else."""
    program = (
        "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))\n"
        "from reconciler.wire.client import most_clients\nprint(most_clients())\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout == "3\n"


def test_an_answer_of_407_is_the_proxys() -> None:
    """Whoever sends it: no API has it."""

    def reply(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(407)

    with pytest.raises(ProxyRefused, match="a proxy asks for a password"):
        asyncio.run(exchanged("https://api.example.com", ("GET", "/x"), reply=reply))


# --- what is bounded


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
def test_an_answer_without_an_end_is_given_up(seconds: float, chunk: bytes, kind: type[HttpError]) -> None:
    """However slowly it drips, and however much it is."""
    clock = FakeClock()

    def reply(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Dripping(clock, seconds, chunk))

    with pytest.raises(kind):
        clock.run(exchanged("https://api.example.com", ("GET", "/x"), reply=reply))
    assert clock.seconds <= QUICK.attempt_timeout


def test_what_is_compressed_twice_is_not_unpacked() -> None:
    """A few hundred bytes would become a gigabyte before anybody could count them."""
    bomb = gzip.compress(gzip.compress(bytes(2**24)))

    def reply(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": "gzip, gzip"}, content=bomb)

    with pytest.raises(Undocumented):
        asyncio.run(exchanged("https://api.example.com", ("GET", "/x"), reply=reply))


# --- over a real socket


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (RESET, NoAnswer),
        (b"", NoAnswer),
        (answer("[", length=9), NoAnswer),
        (SILENCE, NoAnswer),
        (b"\x16\x03\x01 not HTTP\r\n\r\n", NoAnswer),
        (answer("xx", "200 OK", "Content-Encoding: gzip"), Undocumented),
    ],
)
def test_whatever_is_no_whole_answer_is_an_error_of_ours(reply: bytes, kind: type[HttpError]) -> None:
    """Reset, hung up, cut short, silent, garbled."""
    with pytest.raises(kind):
        over_the_wire(reply)


def test_no_cookie_is_sent_back_and_no_redirect_followed() -> None:
    """Each request is the same as the first: the key once, who we are, the peer's own headers."""
    moved = answer("", "302 Found", "Location: /elsewhere", "Set-Cookie: session=1; Path=/")
    answers, requests = over_the_wire(moved, moved, requests=2)
    assert [(one.status, one.is_redirect, one.asked) for one in answers] == [(302, True, "GET /x")] * 2
    assert len(set(requests)) == 1
    lines = requests[0].decode().split("\r\n")
    assert [line for line in lines if KEY in line] == [f"Authorization: {KEY}"]
    assert {f"User-Agent: reconciler/{__version__}", "X-Version: 1"} <= set(lines)


def test_loopback_is_spoken_to_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says."""
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:1")
    answers, _ = over_the_wire(answer("[]"))
    assert answers[0].body == b"[]"


def test_nobody_home_is_unreachable() -> None:
    """What can't have arrived is never told as if it might have."""

    async def asked() -> None:
        async with Server().serve() as server:
            address = server.address
        await exchanged(f"http://{address}", ("PUT", "/x"))

    with pytest.raises(Unreachable) as caught:
        asyncio.run(asked())
    assert not caught.value.may_have_reached


def test_garbage_with_the_key_in_it_is_told_without() -> None:
    """An answer that isn't HTTP is quoted by the library: what is told of it is clean all the same."""
    with pytest.raises(NoAnswer) as caught:
        over_the_wire(b"HTTP/1.1 " + HOSTILE_KEY.encode() + b"\r\n\r\n", key=HOSTILE_KEY)
    assert "(api key)" in caught.value.message
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert "0123456789" not in caught.value.message
    assert "0123456789" not in redact(told, [ApiKey(HOSTILE_KEY)])


@pytest.mark.parametrize(("no_proxy", "status"), [("", "403 No Tunnel"), ("fd00::/8", "407 Who Are You")])
def test_a_proxy_never_sees_the_key(monkeypatch: pytest.MonkeyPatch, no_proxy: str, status: str) -> None:
    """It is asked for a tunnel, and told nothing else; its refusal is told as its own."""

    async def asked() -> list[bytes]:
        async with Server(answer("", status)).serve() as server:
            monkeypatch.setenv("HTTPS_PROXY", f"http://{server.address}")
            monkeypatch.delenv("https_proxy", raising=False)
            monkeypatch.delenv("no_proxy", raising=False)
            monkeypatch.setenv("NO_PROXY", no_proxy)
            with pytest.raises(ProxyRefused, match=f"a proxy lets nothing through to api.example.com: {status}"):
                await exchanged("https://api.example.com", ("GET", "/x"))
            return server.requests

    [request] = asyncio.run(asked())
    assert request.startswith(b"CONNECT api.example.com:443 HTTP/1.1\r\n")
    assert KEY.encode() not in request


@pytest.mark.parametrize("proxy", ["ftp://proxy", "http://proxy:port", "http://proxy:99999"])
def test_an_environment_that_cant_be_used_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """It says which variables to look at."""
    for variable in ("https_proxy", "HTTPS_PROXY", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("ALL_PROXY", proxy)
    with pytest.raises(Unsendable, match=r"api.example.com can't be spoken to in this environment") as caught:
        asyncio.run(exchanged("https://api.example.com"))
    assert caught.value.remedy == "fix HTTPS_PROXY, ALL_PROXY, NO_PROXY or SSL_CERT_FILE"
