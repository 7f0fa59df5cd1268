"""Where an API key may be sent."""

from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.model.endpoint import REGIONS, is_loopback, may_follow, normalize_endpoint, region_endpoint


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("cell-1.prod.a.momentohq.com", "https://api.cache.cell-1.prod.a.momentohq.com"),
        ("api.cache.cell-1.prod.a.momentohq.com", "https://api.cache.cell-1.prod.a.momentohq.com"),
        ("HTTPS://API.Cache.Example.com:443/", "https://api.cache.example.com"),
        ("https://api.cache.example.com.", "https://api.cache.example.com"),
        ("https://proxy.example.com:8443/momento/", "https://proxy.example.com:8443/momento"),
        ("http://localhost:80", "http://localhost"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("localhost:8080", "https://localhost:8080"),
    ],
)
def test_what_is_one_endpoint_is_written_one_way(written: str, normal: str) -> None:
    """A bare cell host and a URL both do; two ways to write an endpoint are one, so that its names stay together."""
    assert normalize_endpoint(written) == normal


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("http://example.com", "http:// would send the API key to example.com unencrypted: use https://"),
        ("http://127.0.0.1.example.com", "http:// would send the API key to 127.0.0.1.example.com unencrypted"),
        ("http://localhost@example.com", "an endpoint has no user, password, query or fragment"),
        ("https://key@example.com", "an endpoint has no user, password, query or fragment"),
        ("https://example.com?x=1", "an endpoint has no user, password, query or fragment"),
        ("ftp://example.com", "'ftp://example.com' is not an endpoint: give https://HOST, or a bare cell host"),
        ("https://", "'https://' is not an endpoint"),
        ("https://a..b", "'https://a..b' is not an endpoint"),
        ("https://exa mple.com", "'https://exa mple.com' is not an endpoint"),
        ("https://example.com\r\nX-Evil: 1", "'https://example.com\\r\\nX-Evil: 1' is not an endpoint"),
        ("https://ex\u202eample.com", "'https://ex\\u202eample.com' is not an endpoint"),
        ("https://example.com:99999", "Port out of range 0-65535"),
    ],
)
def test_what_can_be_no_endpoint_is_refused(written: str, why: str) -> None:
    """In plain text to another machine, with credentials in it, or not a URL: refused, in one harmless line."""
    with pytest.raises(ValueError, match=r".") as caught:
        normalize_endpoint(written)
    assert str(caught.value).startswith(why)
    assert str(caught.value).isprintable()


hosts = st.from_regex(r"[a-z0-9A-Z.:\[\]@\\%_é①-]{1,20}", fullmatch=True)


@given(st.one_of(st.text(), st.builds("{}{}{}".format, st.sampled_from(["", "http://", "https://"]), hosts, st.text())))
@example("http://127.0.0.1\\.example.com")
@example("https://a" + "a" * 63)
@example("https://[::1%lo]")
def test_an_endpoint_is_what_it_seems(text: str) -> None:
    """What is accepted is normal already, means the same host to the HTTP client, and never sends a key in the clear."""
    try:
        normal = normalize_endpoint(text)
    except ValueError:
        return
    parts = urlsplit(normal)
    assert normalize_endpoint(normal) == normal
    assert parts.scheme == "https" or is_loopback(parts.hostname or "")
    if not any(label.startswith("xn--") for label in (parts.hostname or "").split(".")):
        assert httpx.URL(normal).host == parts.hostname


def test_every_published_region_has_an_endpoint() -> None:
    """Momento's cells, by region; they are normal as they stand."""
    assert region_endpoint("us-west-2") == "https://api.cache.cell-4-us-west-2-1.prod.a.momentohq.com"
    assert all(normalize_endpoint(region_endpoint(region)) == region_endpoint(region) for region in REGIONS)


@pytest.mark.parametrize(
    ("endpoint", "allowed", "followed"),
    [
        ("https://api.cache.cell-1.prod.a.momentohq.com", (), True),
        ("http://127.0.0.1:8080", (), True),
        ("http://[::1]:8080", (), True),
        ("http://localhost", (), True),
        ("https://proxy.example.com:8443/momento", (), False),
        ("https://momentohq.com.example.com", (), False),
        ("https://evilmomentohq.com", (), False),
        ("https://example.com/a.momentohq.com", (), False),
        ("https://10.0.0.1", (), False),
        ("https://proxy.example.com:8443/momento", ("proxy.example.com",), True),
        ("https://proxy.example.com:8443/momento", ("other.example.com", " *.Example.com "), True),
        ("https://example.com", ("*.example.com",), False),
        ("https://example.com", ("",), False),
    ],
)
def test_a_key_goes_only_where_it_may(endpoint: str, allowed: tuple[str, ...], followed: bool) -> None:
    """To Momento, to this machine, and where somebody outside the repository allows it; whole hosts are matched."""
    assert normalize_endpoint(endpoint) == endpoint
    assert may_follow(endpoint, allowed) == followed


def test_every_published_region_may_be_followed() -> None:
    """Without anybody's leave."""
    assert all(may_follow(region_endpoint(region), ()) for region in REGIONS)
