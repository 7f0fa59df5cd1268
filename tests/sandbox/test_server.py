"""The sandbox as a process: its port, its signals, and that nothing acknowledged is lost when it is killed."""

import http.client
import signal
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import structlog

from reconciler.cli.main import exit_code_of
from reconciler.clock import SystemClock
from reconciler.sandbox.server import Certificate, in_thread, serve
from reconciler.sandbox.store import Store
from tests.fakes import FakeClock
from tests.sandbox.calls import BODY, SECONDS, call, served


@pytest.fixture
def logs() -> Iterator[None]:
    """Logs of a command that is run in this process: its stderr ends with the test, and its number is another's then."""
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("logs")
def test_what_cannot_be_started_says_why(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A port in use, a file that is no store, faults, switches and files that are none: what is wrong, and what to do."""
    (tmp_path / "notes.txt").write_text("orders: {}\n" * 1000)
    notes = str(tmp_path / "notes.txt")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        codes = [
            exit_code_of(["sandbox", "--data", str(tmp_path / "s.db"), "--port", str(port)]),
            exit_code_of(["sandbox", "--data", str(tmp_path / "notes.txt"), "--port", "0"]),
            exit_code_of(["sandbox", "--data", str(tmp_path / "s.db"), "--faults", "500=0.6,503=0.6"]),
            exit_code_of(["sandbox", "--data", str(tmp_path / "s.db"), "--switch", "list-lag=2"]),
            exit_code_of(["sandbox", "--data", str(tmp_path / "s.db"), "--tls-cert", "cert.pem"]),
            exit_code_of(["sandbox", "--data", str(tmp_path / "s.db"), "--tls-cert", notes, "--tls-key", notes]),
            exit_code_of(["sandbox", "--data", str(tmp_path / "s.db"), "--port", "0", "--faults", "broken-record=1"]),
        ]
    assert codes == [1, 1, 64, 64, 64, 1, 1]
    assert capfd.readouterr() == (
        "",
        (
            f"error: port {port} of 127.0.0.1 can't be taken: Address already in use\n"
            "  → name another with --port, or 0 for a free one\n"
            f"error: {tmp_path}/notes.txt can't be used as the sandbox's store: file is not a database\n"
            "  → move the file away to begin again, or name another\n"
            "error: --faults: the rates of all faults add up to more than 1\n"
            "  → see reconciler sandbox --help for what there is\n"
            "error: --switch: list-lag: '2' is not a duration: write a number and a unit, such as 30s, 5m, 2h or 30d\n"
            "  → see reconciler sandbox --help for what there is\n"
            "error: --tls-cert and --tls-key belong together\n"
            "  → give both, or none\n"
            f"error: {notes} and {notes} can't be read as a certificate and its key\n"
            "  → name two PEM files that belong together, unencrypted\n"
            "error: broken-record is a fault of TLS, and this is plain HTTP\n"
            "  → give --tls-cert and --tls-key\n"
        ),
    )


def test_an_output_that_broke_is_no_port_in_use(tmp_path: Path) -> None:
    """Whatever else goes wrong is told as what it is; the signals' handlers are put back."""

    def broken(_base: str) -> None:
        raise BrokenPipeError

    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with closing(Store(str(tmp_path / "s.db"), clock=SystemClock())) as store, pytest.raises(BrokenPipeError):
        serve(store, SystemClock(), 0, broken)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_ends_it_soon_whatever_hangs(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """One second is what requests in flight get; then it ends silently, its store closed."""
    with served(tmp_path, "--faults", "hang=1") as (process, url):
        where = urlsplit(url)
        with socket.create_connection((where.hostname, where.port), timeout=SECONDS) as client:
            client.sendall(b"GET /cluster HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 100 ")  # the request is in flight
            process.send_signal(number)
            assert process.wait(timeout=5) == code
    assert [file.name for file in tmp_path.iterdir()] == ["s.db"]


def test_answers_are_sent_at_once(tmp_path: Path) -> None:
    """The server's end of a connection has TCP_NODELAY: else each answer on it would take 40 ms."""
    clock, ends = FakeClock(), []
    with closing(Store(str(tmp_path / "s.db"), clock=clock)) as store, in_thread(store, clock) as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=SECONDS)
        connection.request("GET", "/openapi.json")
        assert connection.getresponse().read()
        ours = connection.sock.getsockname()
        for number in Path("/dev/fd").iterdir():
            with suppress(OSError), socket.fromfd(int(number.name), socket.AF_INET, socket.SOCK_STREAM) as end:
                if end.getpeername() == ours:
                    ends.append(end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        connection.close()
    assert len(ends) == 1
    assert ends[0] != 0


def test_https_is_served_with_a_given_certificate(tmp_path: Path, certificate: Certificate) -> None:
    """Who trusts the certificate reaches the same API, and the address says https; plain HTTP gets nowhere."""
    options = ("--tls-cert", certificate.cert_file, "--tls-key", certificate.key_file)
    with served(tmp_path, *options) as (_, url):
        assert url.startswith("https://127.0.0.1:")
        trusted = ssl.create_default_context(cafile=certificate.cert_file)
        connection = http.client.HTTPSConnection(urlsplit(url).netloc, timeout=SECONDS, context=trusted)
        with closing(connection):
            connection.request("GET", "/cluster", headers={"Authorization": "sandbox-admin"})
            assert connection.getresponse().read() == b"[]"
        with pytest.raises((OSError, http.client.HTTPException)):
            call(url.replace("https", "http"), "GET", "/cluster")


class Writer:
    """A client that writes its own cluster again and again, each time as another version, until nobody answers."""

    def __init__(self, name: str, version: int) -> None:
        self.name = name
        self.acknowledged = version

    def write(self, url: str, told: threading.Semaphore) -> None:
        for version in count(self.acknowledged + 1):
            try:
                answer = call(url, "PUT", f"/cluster/{self.name}", {**BODY, "description": str(version)})
            except (OSError, http.client.HTTPException):
                return
            assert answer.status == 200
            self.acknowledged = version
            told.release()


@pytest.mark.slow
def test_what_was_acknowledged_survives_sigkill(tmp_path: Path) -> None:
    """Killed in the middle of many writes, twice: each cluster is as last answered, or as its one write in flight."""
    kept = dict.fromkeys("abcdefgh", 0)
    for _ in range(2):
        writers = [Writer(name, version) for name, version in kept.items()]
        told = threading.Semaphore(0)
        with ThreadPoolExecutor(len(writers)) as threads, served(tmp_path, "--settle", "0s") as (process, url):
            writing = [threads.submit(writer.write, url, told) for writer in writers]
            assert all(told.acquire(timeout=SECONDS) for _ in range(100))
            process.kill()
            assert [one.result(SECONDS) for one in writing] == [None] * len(writers)
        with closing(Store(str(tmp_path / "s.db"), clock=SystemClock())) as store:
            kept |= {cluster["name"]: int(cluster["description"]) for cluster in store.clusters("default")}
        assert all(kept[writer.name] - writer.acknowledged in {0, 1} for writer in writers)


@pytest.mark.slow
def test_two_processes_share_one_file(tmp_path: Path) -> None:
    """Of the many who create one cluster at once, here and there, one does; both show its cluster, and only it."""
    with served(tmp_path, "--settle", "1h") as (_, here), served(tmp_path, "--settle", "1h") as (_, there):

        def create(writer: int) -> list[str]:
            url = (here, there)[writer % 2]
            bodies = {name: {**BODY, "description": str(writer)} for name in "abcdefghij"}
            answers = {name: call(url, "PUT", f"/cluster/{name}", body).status for name, body in bodies.items()}
            assert set(answers.values()) <= {200, 409}
            return [name for name, status in answers.items() if status == 200]

        with ThreadPoolExecutor(8) as threads:
            won = dict(enumerate(threads.map(create, range(8))))
        for url in (here, there):
            listed = {c["name"]: c["description"] for c in call(url, "GET", "/cluster").json}
            assert listed == {name: str(writer) for writer, names in won.items() for name in names}
        assert sum(map(len, won.values())) == len("abcdefghij")
