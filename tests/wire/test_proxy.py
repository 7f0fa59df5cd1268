"""Which proxy stands before a host, as the environment says."""

import pytest

from reconciler.wire.proxy import proxy_for

PROXY = "http://proxy.test:3128"
HOST = "https://api.cache.cell.test/base"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)


@pytest.mark.parametrize(
    ("variables", "address", "proxy"),
    [
        ({}, HOST, None),
        ({"HTTPS_PROXY": PROXY}, HOST, PROXY),
        ({"https_proxy": "proxy.test:3128"}, HOST, PROXY),
        ({"ALL_PROXY": PROXY}, HOST, PROXY),
        ({"HTTP_PROXY": PROXY}, HOST, None),
        ({"HTTPS_PROXY": PROXY, "ALL_PROXY": "http://other.test"}, HOST, PROXY),
        ({"ALL_PROXY": PROXY, "HTTP_PROXY": PROXY}, "http://127.0.0.1:8080", None),
        ({"ALL_PROXY": PROXY, "HTTP_PROXY": PROXY}, "http://[::1]:8080", None),
        ({"ALL_PROXY": PROXY, "HTTP_PROXY": PROXY}, "http://localhost:8080", None),
    ],
)
def test_the_schemes_own_proxy_comes_first(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], address: str, proxy: str | None
) -> None:
    """Else the one for all; loopback has none."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_for(address) == proxy


@pytest.mark.parametrize(
    ("no_proxy", "address", "direct"),
    [
        ("*", HOST, True),
        ("cell.test", HOST, True),
        (".cell.test", HOST, True),
        ("*.cell.test", HOST, True),
        ("API.Cache.cell.TEST", HOST, True),
        ("localhost, other.test ,cell.test", HOST, True),
        ("cell.test:443", HOST, True),
        ("cell.test:8443", HOST, False),
        ("https://api.cache.cell.test", HOST, True),
        ("ell.test", HOST, False),
        ("", HOST, False),
        (" , ", HOST, False),
        ("fd00::/8", HOST, False),
        ("fd00::/8", "https://[fd12:3456::1]", True),
        ("fd00::/8,10.0.0.0/8", "https://10.1.2.3:8443", True),
        ("[fd12::1]", "https://[fd12::1]", True),
        ("10.0.0.0/8", "https://11.1.2.3", False),
        ("10.1.2.3", "https://10.1.2.3", True),
        ("::1", HOST, False),
        ("10.0.0.0/99,[::/0", HOST, False),
    ],
)
def test_no_proxy_names_hosts_domains_addresses_and_networks(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, address: str, *, direct: bool
) -> None:
    """Of both kinds of IP; what makes no sense names nothing, and breaks nothing."""
    monkeypatch.setenv("ALL_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert proxy_for(address) == (None if direct else PROXY)
