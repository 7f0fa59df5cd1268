"""Which proxy stands before a host, as the environment says: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY.

Asked for the one host that a client is for. NO_PROXY holds names, addresses and networks, of both kinds of IP.
"""

import ipaddress
from urllib.parse import SplitResult, urlsplit
from urllib.request import getproxies

from reconciler.model.endpoint import is_loopback


def proxy_for(address: str) -> str | None:
    """The proxy's URL; None for none. Loopback never goes through one."""
    url = urlsplit(address)
    if is_loopback(url.hostname or ""):
        return None
    proxies = getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or any(_covers(entry.strip().lower(), url) for entry in proxies.get("no", "").split(",")):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _covers(entry: str, url: SplitResult) -> bool:
    """Whether an entry of NO_PROXY means this host."""
    host = url.hostname or ""
    name = entry.rpartition("://")[2]
    try:
        network = ipaddress.ip_network(name.strip("[]"), strict=False)
    except ValueError:
        pass
    else:
        return _is_in(host, network)
    name, _, port = name.partition(":")
    if port and port != str(url.port or (443 if url.scheme == "https" else 80)):
        return False
    name = name.removeprefix("*").removeprefix(".")
    return entry == "*" or bool(name and (host == name or host.endswith(f".{name}")))


def _is_in(host: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    try:
        return ipaddress.ip_address(host) in network
    except ValueError:
        return False
