"""Where a target's API is: regions, bare cell hosts and URLs, all to one normal form."""

import ipaddress
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Final
from urllib.parse import urlsplit

REGIONS = {
    "ap-northeast-1": "cell-ap-northeast-1-1",
    "ap-south-1": "cell-1-ap-south-1-1",
    "ap-southeast-1": "cell-1-ap-southeast-1-1",
    "ap-southeast-2": "cell-1-ap-southeast-2-1",
    "eu-central-1": "cell-1-eu-central-1-1",
    "eu-north-1": "cell-1-eu-north-1-1",
    "eu-west-1": "cell-1-eu-west-1-1",
    "eu-west-2": "cell-1-eu-west-2-1",
    "us-east-1": "cell-us-east-1-1",
    "us-east-2": "cell-1-us-east-2-1",
    "us-west-2": "cell-4-us-west-2-1",
}
"""Region to Momento's published cell; other and private cells are given as an endpoint."""

OWN_HOSTS: Final = "*.momentohq.com"
"""Where a fleet file may send a key without anybody's leave."""

_HOST = re.compile(r"(?!.{254})[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*|[0-9a-f:.]*:[0-9a-f:.]*")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def region_endpoint(region: str) -> str:
    """The endpoint of a published region. Raises KeyError for another."""
    return f"https://api.cache.{REGIONS[region]}.prod.a.momentohq.com"


def is_loopback(host: str) -> bool:
    """Whether a URL's host never leaves this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def normalize_endpoint(text: str) -> str:
    """`https://host[:port][/path]` of a URL or a bare cell host: lower-case host, no default port, no trailing slash.

    A bare host gets `https://api.cache.` before it, as Momento's own tools do. Raises ValueError, its text fit to be
    shown, for what can't be an endpoint, and for `http://` to anywhere but this machine: the key would travel in the
    clear.
    """
    bare = "://" not in text
    url = urlsplit(f"https://{text}" if bare else text)
    host = (url.hostname or "").removesuffix(".")
    sound = not any(c.isspace() or not c.isprintable() for c in text)
    if url.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(host) or not sound:
        raise ValueError(f"{text!r} is not an endpoint: give https://HOST, or a bare cell host")
    if url.username is not None or url.password is not None or url.query or url.fragment:
        raise ValueError("an endpoint has no user, password, query or fragment: the API key comes from its variable")
    if url.scheme == "http" and not is_loopback(host):
        raise ValueError(f"http:// would send the API key to {host} unencrypted: use https://")
    if bare and not host.startswith("api.cache.") and not is_loopback(host):
        host = f"api.cache.{host}"
    shown_host = f"[{host}]" if ":" in host else host
    port = f":{url.port}" if url.port not in {None, _DEFAULT_PORTS[url.scheme]} else ""
    return f"{url.scheme}://{shown_host}{port}{url.path.rstrip('/')}"


def may_follow(endpoint: str, allowed_patterns: Iterable[str]) -> bool:
    """Whether a normalised endpoint that a repository names may be sent a key.

    It is Momento's, this machine's, or its host matches a pattern that was given from outside the repository; else a
    pull request could send the key anywhere. A pattern is matched against the whole host, whatever the port.
    """
    host = urlsplit(endpoint).hostname or ""
    return is_loopback(host) or any(
        fnmatchcase(host, pattern.strip().lower()) for pattern in (OWN_HOSTS, *allowed_patterns)
    )
