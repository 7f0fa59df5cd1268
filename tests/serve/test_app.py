"""Over real HTTP on loopback: who is answered, what with, and what nobody can do."""

import json
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx
import pytest

from reconciler.errors import UsageError
from reconciler.serve.address import parse_address
from reconciler.serve.events import LeaseAwaited
from reconciler.serve.server import serving
from tests.serve.scenes import APPLYING, NOW, all_in_sync, drifted, waiting_for_the_lease
from tests.serve.serving import shown

PATHS = ["/", "/healthz", "/readyz", "/metrics", "/api/state", "/api/schema"]
TOKEN = "0123456789abcdef-token"


def ask(url: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> httpx.Response:
    return httpx.request(method, url, headers=headers, trust_env=False)


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
def test_what_is_served_is_read_only_kept_by_nobody_and_framed_by_nobody(path: str) -> None:
    """GET and HEAD, the latter without a body; every other method is refused, with the same headers."""
    with shown(all_in_sync()) as wall:
        got, head = ask(wall.url + path), ask(wall.url + path, "HEAD")
        assert (got.status_code, head.status_code, head.content) == (200, 200, b"")
        assert head.headers["content-length"] == str(len(got.content))
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
            refused = ask(wall.url + path, method)
            assert refused.status_code == 405
            for answer in (got, head, refused):
                assert answer.headers["content-security-policy"].startswith("default-src 'none'; ")
                assert answer.headers["cache-control"] == "no-store"
                assert answer.headers["x-content-type-options"] == "nosniff"
                assert answer.headers["x-frame-options"] == "DENY"
                assert "server" not in answer.headers


@pytest.mark.slow
def test_each_path_is_what_it_is_said_to_be() -> None:
    """By its type and a word of it; nothing else is there."""
    with shown(drifted()) as wall:
        got = {path: ask(wall.url + path) for path in PATHS}
        assert got["/healthz"].text == "ok\n"
        assert got["/readyz"].text == "ready\n"
        assert got["/metrics"].headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert "1 of 2 targets drifted" in got["/"].text
        assert got["/"].headers["content-type"] == "text/html; charset=utf-8"
        assert [target["condition"] for target in got["/api/state"].json()["targets"]] == ["drifted", "in-sync"]
        assert got["/api/schema"].json()["title"] == "The state of a running reconciler"
        assert [ask(wall.url + path).status_code for path in ("/favicon.ico", "/docs", "/api/", "/api/state/")] == [
            404
        ] * 4


def test_it_is_not_ready_before_the_first_round() -> None:
    """503, and why; it lives all the same."""
    with shown(APPLYING) as wall:
        answer = ask(wall.url + "/readyz")
        assert (answer.status_code, answer.text) == (503, "no round has planned a fleet that can be read\n")
        assert ask(wall.url + "/healthz").status_code == 200


def test_a_replica_that_waits_for_the_lease_is_ready_while_it_sees_it() -> None:
    """And says so, without a name; once it hasn't seen it for as long as it lasts, 503 and why."""
    with shown(waiting_for_the_lease()) as wall:
        answer = ask(wall.url + "/readyz")
        assert (answer.status_code, answer.text) == (200, "waiting for the lease\n")
        wall.picture = wall.picture._replace(lease=LeaseAwaited(NOW - 91, "first", 90))
        answer = ask(wall.url + "/readyz")
        assert (answer.status_code, answer.text) == (503, "the lease can't be read\n")
        assert ask(wall.url + "/healthz").status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_a_name_that_is_led_here_gets_nothing(path: str) -> None:
    """A page of somebody else's makes a browser ask under its own name: nothing is told, not even to a probe."""
    with shown(all_in_sync()) as wall:
        answer = ask(wall.url + path, headers={"Host": "rebound.example"})
        assert (answer.status_code, answer.text) == (421, "this is answered as localhost alone\n")
        port = urlsplit(wall.url).port
        assert ask(wall.url + path, headers={"Host": f"localhost:{port}"}).status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("loopback", [False, True])
def test_with_a_token_only_its_holder_is_answered(path: str, loopback: bool) -> None:
    """Whether as Bearer or as a password; a probe asks without it, and is told no name."""
    with shown(all_in_sync(), token=TOKEN, loopback=loopback) as wall:
        url = wall.url + path
        is_open = path in {"/healthz", "/readyz"}
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Digest {TOKEN}"}):
            refused = ask(url, headers=headers)
            assert refused.status_code == (200 if is_open else 401)
            assert "us-east-1" not in refused.text
            assert is_open or refused.headers["www-authenticate"] == 'Basic realm="reconciler", charset="UTF-8"'
        assert ask(url, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        assert httpx.get(url, auth=("anybody", TOKEN), trust_env=False).status_code == 200


def test_others_are_answered_under_any_name_where_a_token_is_asked_for() -> None:
    """A service has names of its own."""
    with shown(all_in_sync(), token=TOKEN, loopback=False) as wall:
        headers = {"Host": "reconciler.svc", "Authorization": f"Bearer {TOKEN}"}
        assert ask(wall.url, headers=headers).status_code == 200


def test_what_is_no_request_ends_nothing() -> None:
    """Bytes, a header without end, a connection that says nothing: the next one is answered."""
    with shown(all_in_sync()) as wall:
        port = urlsplit(wall.url).port
        silent = socket.create_connection(("127.0.0.1", port))
        for sent in (b"\x16\x03\x01\x00", b"GET / HTTP/1.1\r\nA: " + b"x" * 100_000, b"GET http://x/ HTTP/9\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                assert b"200 OK" not in connection.makefile("rb").read()
        assert ask(wall.url + "/healthz").status_code == 200
        silent.close()


def test_an_address_that_is_taken_is_told() -> None:
    """With what to do, before anything is read."""
    with shown(APPLYING) as wall:
        address = parse_address(f"127.0.0.1:{urlsplit(wall.url).port}")
        with pytest.raises(UsageError, match=r"^--listen: 127\.0\.0\.1 port \d+ can't be taken: ") as error:
            serving(None, address).__enter__()  # type: ignore[arg-type]
        assert error.value.remedy == "name another address or port; port 0 takes a free one"


def test_the_state_is_ascii() -> None:
    """And ends in a line break."""
    with shown(drifted(lambda text: f"\u202e{text}")) as wall:
        text = ask(wall.url + "/api/state").text
        assert text.isascii()
        assert text.endswith("}\n")
        assert json.loads(text)["targets"][0]["changes"][0]["name"] == "\u202ecarts"
