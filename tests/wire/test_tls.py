"""TLS as it breaks: over a real socket, with certificates of our own."""

import asyncio
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.certificates import make_certificate

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")

ASK = """
import asyncio, sys
from reconciler.errors import HttpError
from reconciler.model.secret import ApiKey
from reconciler.wire.client import open_client
from reconciler.wire.peer import Peer
from reconciler.wire.rate import RateLimit
from reconciler.wire.retry import DEFAULT_POLICY
from tests.fakes import FakeClock

async def main():
    peer = Peer(sys.argv[1], ApiKey("a-very-secret-api-key"), "--endpoint")
    async with open_client(peer, DEFAULT_POLICY, RateLimit(None, FakeClock())) as client:
        try:
            print((await client.exchange("PUT", "/x", b"{}")).status)
        except HttpError as error:
            print(error.kind, error.transient, error.may_have_reached)

asyncio.run(main())
"""
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine, and its key beside it."""
    return make_certificate(tmp_path_factory.mktemp("tls"))


def asked(certificate: Path, *, trusted: bool = True, spoiled: bool = False, wants_certificate: bool = False) -> str:
    """What a process of its own says of one request: certificates are read once a process."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    if wants_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(certificate)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        arrived = b""
        try:
            while not arrived.endswith(b"{}"):
                try:
                    arrived += tls.read()
                except ssl.SSLWantReadError:
                    writer.write(outgoing.read())
                    received = await reader.read(65536)
                    if not received:
                        return
                    incoming.write(received)
            tls.write(OK)
            record = outgoing.read()
            writer.write(record[:-1] + bytes([record[-1] ^ spoiled]))
        except ssl.SSLError:
            writer.write(outgoing.read())  # the alert
        finally:
            writer.close()

    async def run() -> str:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            environment = {"SSL_CERT_FILE": str(certificate)} if trusted else {}
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", ASK, url, stdout=subprocess.PIPE, env=environment
            )
            output, _ = await process.communicate()
            return output.decode().strip()

    return asyncio.run(run())


@pytest.mark.slow
def test_a_certificate_that_is_trusted_is_enough(certificate: Path) -> None:
    """SSL_CERT_FILE names whom to trust; whom nobody trusts is sent nothing, once."""
    assert asked(certificate) == "200"
    assert asked(certificate, trusted=False) == "untrusted False False"


@pytest.mark.slow
def test_a_broken_record_is_an_answer_that_never_came(certificate: Path) -> None:
    """After the handshake: like any broken connection, tried again, and it may have arrived."""
    assert asked(certificate, spoiled=True) == "no-answer True True"


@pytest.mark.slow
def test_a_client_certificate_asked_for_is_one_too(certificate: Path) -> None:
    """It is refused only after the handshake, where it looks like a broken connection."""
    assert asked(certificate, wants_certificate=True) == "no-answer True True"
