"""Where it listens, and who is answered."""

import base64

import pytest

from reconciler.model.secret import ApiKey
from reconciler.serve.address import carries, is_for_this_machine, parse_address, refuse_token

TOKEN = "0123456789abcdef-token"


@pytest.mark.parametrize(
    ("text", "url", "loopback"),
    [
        ("127.0.0.1:9090", "http://127.0.0.1:9090", True),
        ("localhost:0", "http://127.0.0.1:0", True),
        ("127.8.8.8:80", "http://127.8.8.8:80", True),
        ("[::1]:9090", "http://[::1]:9090", True),
        ("0.0.0.0:9090", "http://0.0.0.0:9090", False),
        ("[::]:9090", "http://[::]:9090", False),
        ("192.168.1.7:9090", "http://192.168.1.7:9090", False),
    ],
)
def test_an_address_is_an_ip_address_and_a_port(text: str, url: str, loopback: bool) -> None:
    """Whether others reach it is known from it alone: no name is looked up."""
    address = parse_address(text)
    assert (address.url(address.port), address.is_loopback) == (url, loopback)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "9090",
        ":9090",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:65536",
        "127.0.0.1:-1",
        "host:1",
        "1.2.3:1",
        "a@127.0.0.1:1",
        "127.0.0.1:1/x",
        "127.0.0.1:\u0661",
    ],
)
def test_what_is_no_address_is_told_as_one_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"such as 127\.0\.0\.1:9090$"):
        parse_address(text)


@pytest.mark.parametrize(
    ("header", "is_ours"),
    [
        ("localhost", True),
        ("127.0.0.1:9090", True),
        ("[::1]:9090", True),
        ("LOCALHOST:1", True),
        ("127.8.8.8:1", True),
        ("192.168.1.7:9090", False),
        ("", False),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("evil.example:127.0.0.1", False),
        ("[::1", False),
    ],
)
def test_a_request_names_this_machine(header: str, is_ours: bool) -> None:
    """A name that somebody else's DNS leads here is none of its names."""
    assert is_for_this_machine(header) == is_ours


def basic(text: str) -> str:
    return f"Basic {base64.b64encode(text.encode()).decode()}"


@pytest.mark.parametrize(
    ("header", "is_let_in"),
    [
        (f"Bearer {TOKEN}", True),
        (f"bearer  {TOKEN}", True),
        (basic(f"anybody:{TOKEN}"), True),
        (basic(f":{TOKEN}"), True),
        ("", False),
        (TOKEN, False),
        (f"Bearer {TOKEN}x", False),
        (f"Bearer {TOKEN[:-1]}", False),
        ("Bearer \xe9", False),
        (basic(TOKEN), False),
        (basic(f"{TOKEN}:"), False),
        ("Basic !", False),
        (f"Digest {TOKEN}", False),
    ],
)
def test_the_token_is_bearers_or_the_password(header: str, is_let_in: bool) -> None:
    assert carries(ApiKey(TOKEN), header) == is_let_in


@pytest.mark.parametrize(
    "token", ["short", "0123456789abcde", "0123456789 abcdef", "0123456789abcdef:", "ä" * 20, "\t" * 20]
)
def test_a_token_that_cant_be_sent_or_can_be_guessed_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match=r"^it (has fewer than 16|holds something else)"):
        refuse_token(token)


def test_a_good_token_is_taken() -> None:
    refuse_token(TOKEN)
