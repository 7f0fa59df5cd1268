"""What httpx, ssl and the sockets raise, made into our typed errors: the one place that knows those exceptions."""

import errno
import re
import ssl
from collections.abc import Iterator

import httpx

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
from reconciler.wire.peer import Peer

RAISED = (
    *(httpx.HTTPError, httpx.InvalidURL, httpx.StreamError),
    *(UnicodeError, OverflowError, OSError, ExceptionGroup),
)
"""By an exchange. A broken TLS record comes through as ssl's own, which is an OSError; so is asyncio's timeout.

OverflowError is of numbers in addresses, a group of several addresses that were tried at once.
"""

PROXY_PASSWORD = "give HTTPS_PROXY the proxy's user and password: http://USER:PASSWORD@HOST:PORT"  # noqa: S105

_FORBIDDEN_BY_PROXY = "ask whoever runs the proxy to let this host through, or name the host in NO_PROXY"
_ENVIRONMENT = "fix HTTPS_PROXY, ALL_PROXY, NO_PROXY or SSL_CERT_FILE"
_DESCRIPTORS = "raise the limit (ulimit -n), or lower --concurrency"
_CERTIFICATE = "behind a proxy that re-signs, set SSL_CERT_FILE to its certificate"


def failure(error: Exception, peer: Peer, method: str, asked: str) -> HttpError:
    """The typed error of an exchange that gave no answer; `may_have_reached` errs on the side of caution."""
    asked, host = peer.harmless(asked), peer.host
    words = peer.harmless(str(error)) or type(error).__name__
    changes = method != "GET"
    if _has_no_descriptor(error):
        return Exhausted(f"{asked}: not sent, as this process has too many files open", remedy=_DESCRIPTORS)
    if _is_distrust(error):
        remedy = f"check {peer.check}; {_CERTIFICATE}"
        return Untrusted(f"{asked}: the certificate of {host} can't be verified: {words}", remedy=remedy)
    match error:
        case httpx.ProxyError() if refused := re.match(r"(4\d\d)\b", str(error)):
            remedy = PROXY_PASSWORD if refused[1] == "407" else _FORBIDDEN_BY_PROXY
            return ProxyRefused(f"{asked}: a proxy lets nothing through to {host}: {words}", remedy=remedy)
        case httpx.UnsupportedProtocol() | httpx.InvalidURL() | UnicodeError():
            remedy = f"check {peer.check}; a name too long for a URL can't have come from a manifest"
            return Unsendable(f"{asked}: {host} can't be asked this: {words}", remedy=remedy)
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout() | httpx.ProxyError():
            remedy = f"check the network, and {peer.check}"
            return Unreachable(f"{asked}: no connection to {host}: {words}", remedy=remedy)
        case httpx.DecodingError():
            message = f"{asked}: {host} answered with a body that can't be decoded"
            return Undocumented(message, remedy="run again", may_have_reached=changes)
    return NoAnswer(f"{asked}: {host} gave no whole answer: {words}", remedy="run again", may_have_reached=changes)


def unopened(error: Exception, peer: Peer) -> HttpError:
    """The typed error of a client that can't be made here."""
    if _has_no_descriptor(error):
        return Exhausted(f"{peer.host}: not asked, as this process has too many files open", remedy=_DESCRIPTORS)
    message = f"{peer.host} can't be spoken to in this environment: {peer.harmless(str(error))}"
    own = f"look at {peer.certificates}; else " if peer.certificates else ""
    return Unsendable(message, remedy=own + _ENVIRONMENT)


def _is_distrust(error: Exception) -> bool:
    told = isinstance(error, httpx.ConnectError) and "CERTIFICATE_VERIFY_FAILED" in str(error)
    return told or isinstance(error, ssl.SSLCertVerificationError)


def _has_no_descriptor(error: BaseException) -> bool:
    return any(isinstance(e, OSError) and e.errno in {errno.EMFILE, errno.ENFILE} for e in _behind(error))


def _behind(error: BaseException) -> Iterator[BaseException]:
    """The error and whatever it came of."""
    yield error
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _behind(one)
    origin = error.__cause__ or error.__context__
    if origin is not None:
        yield from _behind(origin)
