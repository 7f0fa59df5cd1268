"""What came back, made into clusters or into a typed error: the documented codes, and all else clearly."""

import json
from calendar import timegm
from dataclasses import dataclass, field
from email.utils import parsedate
from http import HTTPStatus
from typing import Any

import httpx
from pydantic import ConfigDict, TypeAdapter, ValidationError

from reconciler.errors import (
    Forbidden,
    InTransition,
    LiveError,
    NoAnswer,
    NotFound,
    Rejected,
    Unauthenticated,
    Unavailable,
    Undocumented,
)
from reconciler.model.cluster import LiveCluster
from reconciler.model.secret import ApiKey, redact
from reconciler.model.text import printable

LONGEST_WORDS = 300
"""Characters of the service's own words that are shown."""

_LIST = TypeAdapter(tuple[LiveCluster, ...], config=ConfigDict(hide_input_in_errors=True))
_CHECK_ENDPOINT = "is this the endpoint? check --endpoint, --region or the fleet file"
_ASK_SUPPORT = "run again later; if it stays so, ask Momento's support"
_GATEWAY = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer as it came, to what was `asked`; `key` is taken out of whatever is told of it."""

    asked: str
    response: httpx.Response
    body: bytes = field(repr=False)
    key: ApiKey

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.response.status_code

    def text(self) -> str:
        """The body as text, however badly it is encoded."""
        return self.body.decode("utf-8", errors="replace").strip()

    def harmless(self, text: str) -> str:
        """Words of the service in one line, without the key, of at most 300 characters."""
        return printable(redact(text, [self.key]), LONGEST_WORDS)  # the key first: a cut could leave half of it


def read_list(raw: Raw) -> tuple[LiveCluster, ...]:
    """The clusters of a 200; raises Undocumented, or NoAnswer for half a body, where it is no whole list."""
    asked = raw.asked
    try:
        clusters = _LIST.validate_json(raw.body)
    except ValidationError as error:
        raise _unreadable(raw, _where(error)) from error
    seen: set[str] = set()
    for cluster in clusters:
        if cluster.name in {"", ".", ".."}:
            raise Undocumented(f"{asked}: the list holds a cluster named {cluster.name!r}", remedy=_CHECK_ENDPOINT)
        if cluster.name in seen:
            raise Undocumented(f"{asked}: the list holds {raw.harmless(cluster.name)} twice", remedy=_ASK_SUPPORT)
        seen.add(cluster.name)
    return clusters


def read_cluster(raw: Raw) -> LiveCluster:
    """The cluster of a PUT's 200; raises Undocumented, or NoAnswer for half a body, where it is none."""
    try:
        return LiveCluster.model_validate_json(raw.body)
    except ValidationError as error:
        unreadable = _unreadable(raw, _where(error))
        unreadable.may_have_reached = True
        raise unreadable from error


def refusal(raw: Raw, now: float) -> LiveError:
    """The typed error of an answer that is no success."""
    status, response = raw.status, raw.response
    words = service_words(raw)
    said = f"{raw.asked}: {status} {_phrase(status)}" + (f": {words}" if words else "")
    match status:
        case 400:
            return Rejected(said, remedy="mend the manifest: the service refuses these very values", http_status=status)
        case 401:
            return Unauthenticated(
                said,
                remedy="the API key is invalid or expired: make a new one in the Momento console",
                http_status=status,
            )
        case 403:
            return Forbidden(
                said, remedy="the API key doesn't grant this: use one that may manage clusters", http_status=status
            )
        case 404:
            return NotFound(said, remedy=_CHECK_ENDPOINT, http_status=status)
        case 409:
            return InTransition(said, remedy="wait until it is Active, then run again", http_status=status)
        case 408 | 429:
            return Unavailable(
                said, remedy="run again later", http_status=status, retry_after=_retry_after(response, now)
            )
        case _ if status >= 500:
            return Unavailable(
                said,
                remedy=_ASK_SUPPORT,
                http_status=status,
                may_have_reached=status in _GATEWAY,
                retry_after=_retry_after(response, now),
            )
        case _ if response.is_redirect:
            said = f"{raw.asked}: {status}: it points elsewhere, and that is not followed: the API key would go along"
            return Undocumented(said, remedy=_CHECK_ENDPOINT, http_status=status)
    return Undocumented(said, remedy=_CHECK_ENDPOINT, http_status=status)


def service_words(raw: Raw) -> str:
    """What an error's body says, in one harmless line; empty where it says nothing."""
    text = raw.text()
    return "(an HTML page)" if _is_html(raw.response, text) else raw.harmless(_message(text))


def _message(text: str) -> str:
    """The text's message, decoded: JSON has many ways to write a key that is to be found."""
    try:
        value: Any = json.loads(text)
        if isinstance(value, dict):
            value = next((v for k in ("message", "error", "detail") if isinstance(v := value.get(k), str)), value)
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _unreadable(raw: Raw, where: str) -> LiveError:
    asked, response, status, text = raw.asked, raw.response, raw.status, raw.text()
    if not text:
        return Undocumented(f"{asked}: {status} with an empty body", remedy=_CHECK_ENDPOINT, http_status=status)
    if _is_html(response, text):
        return Undocumented(f"{asked}: {status} with an HTML page", remedy=_CHECK_ENDPOINT, http_status=status)
    if where:
        return Undocumented(
            f"{asked}: {status}, not as documented: {where}", remedy=_CHECK_ENDPOINT, http_status=status
        )
    if "json" in response.headers.get("content-type", ""):
        return NoAnswer(
            f"{asked}: {status} with half a body, or none that is JSON", remedy="run again", http_status=status
        )
    return Undocumented(
        f"{asked}: {status} with a body that is no JSON: {raw.harmless(text)}",
        remedy=_CHECK_ENDPOINT,
        http_status=status,
    )


def _where(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        return ""
    path = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in first["loc"]).removeprefix(".")
    return printable(f"{path or 'the whole'}: {first['msg']}", LONGEST_WORDS)


def _is_html(response: httpx.Response, text: str) -> bool:
    return "html" in response.headers.get("content-type", "") or text[:15].lower().startswith(("<!doctype", "<html"))


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "(no status of HTTP)"


def _retry_after(response: httpx.Response, now: float) -> float | None:
    """Seconds to wait, of both forms that RFC 9110, 10.2.3 knows; None where it says nothing that can be read."""
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate(value)
        return max(0.0, timegm(moment) - now) if moment else None
    except (ValueError, OverflowError):
        return None
