"""Faults, each as a client meets it: over real HTTP on loopback, with a socket that hides nothing."""

import http.client
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from reconciler.sandbox.faults import Faults
from reconciler.sandbox.server import Certificate, in_thread
from reconciler.sandbox.store import Store
from tests.fakes import FakeClock
from tests.sandbox.calls import BODY, SECONDS, call

LIST = b"GET /cluster HTTP/1.1\r\nHost: x\r\nAuthorization: sandbox-admin\r\nConnection: close\r\n\r\n"


class Faulty:
    """The control plane at an address, with faults; `kept` is what reached it."""

    def __init__(self, store: Store, url: str) -> None:
        self._store = store
        self.url = url

    @property
    def kept(self) -> list[str]:
        return [cluster["name"] for cluster in self._store.clusters("default")]

    def put(self) -> None:
        call(self.url, "PUT", "/cluster/orders", BODY)

    def raw(self, request: bytes = LIST, patience_seconds: float = SECONDS) -> bytes:
        """Every byte of the answer, until the server closes the connection."""
        where = urlsplit(self.url)
        with socket.create_connection((where.hostname, where.port), timeout=patience_seconds) as client:
            client.sendall(request)
            return b"".join(iter(lambda: client.recv(65536), b""))


@contextmanager
def faulty(
    folder: Path, spec: str, clock: FakeClock | None = None, certificate: Certificate | None = None
) -> Iterator[Faulty]:
    clock = clock or FakeClock()
    with (
        closing(Store(str(folder / "s.db"), clock=clock)) as store,
        in_thread(store, clock, Faults.parse(spec), certificate=certificate) as url,
    ):
        yield Faulty(store, url)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_refusal_is_whole_and_reaches_nothing(tmp_path: Path, status: int) -> None:
    """The status with a message as JSON, and after 429 `Retry-After`; the request has no effect."""
    with faulty(tmp_path, f"{status}=1") as service:
        answer = call(service.url, "PUT", "/cluster/orders", BODY)
        assert answer.told == (status, f"{status}, on demand")
        assert answer.headers.get("retry-after") == ("1" if status == 429 else None)
        assert answer.headers["content-length"] == str(len(answer.body))
        assert service.kept == []
        assert call(service.url, "GET", "/openapi.json").status == 200


def test_a_hang_is_silence_until_the_client_gives_up(tmp_path: Path) -> None:
    """No byte comes, the connection stays open, the request has no effect."""
    with faulty(tmp_path, "hang=1") as service:
        with pytest.raises(TimeoutError):
            service.raw(patience_seconds=0.2)
        assert service.kept == []


def test_a_reset_comes_before_the_write_or_after_it(tmp_path: Path) -> None:
    """The client can't tell: RST and no byte in both cases. The request has no effect in one, and all of it in the other."""
    with faulty(tmp_path, "reset-before=1") as service:
        with pytest.raises(ConnectionResetError):
            service.raw()
        with pytest.raises(ConnectionResetError):
            service.put()
        assert service.kept == []
    with faulty(tmp_path, "reset-after=1") as service:
        with pytest.raises(ConnectionResetError):
            service.raw()
        with pytest.raises(ConnectionResetError):
            service.put()
        assert service.kept == ["orders"]


def test_a_truncated_body_is_half_of_what_was_announced(tmp_path: Path) -> None:
    """The status and the length are right, then the connection closes; the request had its effect."""
    with faulty(tmp_path, "truncate=1") as service:
        with pytest.raises(http.client.IncompleteRead):
            service.put()
        assert service.kept == ["orders"]
        head, _, body = service.raw().partition(b"\r\n\r\n")
        announced = re.search(rb"content-length: (\d+)", head)
        assert announced is not None
        assert (head.partition(b"\r\n")[0], len(body)) == (b"HTTP/1.1 200 OK", int(announced[1]) // 2)
        assert body.startswith(b'[{"name":"orders"')


def test_a_broken_tls_record_takes_the_place_of_the_answer(tmp_path: Path, certificate: Certificate) -> None:
    """The handshake is sound, then a record that can't be read, again and again; the request had its effect."""
    with faulty(tmp_path, "broken-record=1", certificate=certificate) as service:
        for _ in range(3):
            with pytest.raises(ssl.SSLError, match="DECRYPTION_FAILED_OR_BAD_RECORD_MAC"):
                call(service.url, "GET", "/cluster")
        with pytest.raises(ssl.SSLError, match="DECRYPTION_FAILED_OR_BAD_RECORD_MAC"):
            service.put()
        assert service.kept == ["orders"]


@pytest.mark.parametrize(
    ("fault", "met"),
    [("reset-after", ConnectionResetError), ("truncate", http.client.IncompleteRead), ("reset-before", OSError)],
)
def test_the_other_faults_are_the_same_under_tls(
    tmp_path: Path, certificate: Certificate, fault: str, met: type[Exception]
) -> None:
    """The connection is reset or closed, not only its TLS."""
    with faulty(tmp_path, f"{fault}=1", certificate=certificate) as service:
        with pytest.raises(met):
            service.put()
        assert service.kept == ([] if fault == "reset-before" else ["orders"])


def test_latency_comes_before_every_answer(tmp_path: Path) -> None:
    """It is slept by the injected clock, before answers and refusals alike."""
    clock = FakeClock()
    with faulty(tmp_path, "latency=1ms", clock) as service:
        service.put()
        assert service.kept == ["orders"]
    with faulty(tmp_path, "latency=1ms,500=1", clock) as service:
        service.put()
    assert clock.slept == [0.001, 0.001]


def test_a_client_that_left_harms_nobody(tmp_path: Path) -> None:
    """A fault for a connection that is gone is no fault of the service: it goes on answering."""
    with faulty(tmp_path, "reset-after=0.5,truncate=0.5,latency=20ms") as service:
        for _ in range(10):
            with pytest.raises(TimeoutError):
                service.raw(patience_seconds=0.001)
        assert call(service.url, "GET", "/openapi.json").status == 200


def test_a_seed_gives_the_same_faults_again(tmp_path: Path) -> None:
    """The same requests meet the same faults, about as often as their rates say; another seed gives others."""

    def met(seed: int) -> list[int]:
        with faulty(tmp_path, f"500=0.2,429=0.3,seed={seed}") as service:
            return [call(service.url, "GET", "/cluster").status for _ in range(100)]

    first = met(7)
    assert met(7) == first
    assert met(8) != first
    assert 10 <= first.count(500) <= 30
    assert 20 <= first.count(429) <= 40
    assert first.count(200) == 100 - first.count(500) - first.count(429)


def test_a_spec_is_read_as_people_write_it() -> None:
    """Any order, spaces around, nothing at all; rates may add up to 1 exactly."""
    wanted = Faults((("500", 0.05), ("hang", 1.0 - 0.05)), 0.05, 7)
    assert Faults.parse(" seed=7, 500=5e-2,latency=50ms , hang=0.95,") == wanted
    assert Faults.parse("") == Faults()
    assert len(Faults.parse("500=0.2,503=0.4,429=0.3,hang=0.1").rates) == 4


KNOWN = (
    "give 500=RATE, 503=RATE, 429=RATE, hang=RATE, reset-before=RATE, reset-after=RATE, truncate=RATE, broken-record=RATE, "
    "latency=DURATION or seed=NUMBER, rates 0 to 1"
)


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("502=0.1", f"'502=0.1' is not a fault: {KNOWN}"),
        ("500", f"'500' is not a fault: {KNOWN}"),
        ("500=", f"'500=' is not a fault: {KNOWN}"),
        ("500=1.1", f"'500=1.1' is not a fault: {KNOWN}"),
        ("500=-0.1", f"'500=-0.1' is not a fault: {KNOWN}"),
        ("500=nan", f"'500=nan' is not a fault: {KNOWN}"),
        ("500=0.1,seed=x", f"'seed=x' is not a fault: {KNOWN}"),
        ("latency=50", "'50' is not a duration: write a number and a unit, such as 30s, 5m, 2h or 30d"),
        ("500=0.6,429=0.5", "the rates of all faults add up to more than 1"),
    ],
)
def test_a_bad_spec_says_what_is_wrong(spec: str, why: str) -> None:
    """ValueError, its text fit to be shown."""
    with pytest.raises(ValueError, match=f"^{re.escape(why)}$"):
        Faults.parse(spec)
