"""An answer as it came: its values, its own words made harmless, and what it asks for."""

import json
from calendar import timegm
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate
from http import HTTPStatus
from typing import Any

from reconciler.errors import HttpError, NoAnswer, Undocumented
from reconciler.wire.peer import Peer
from reconciler.wire.values import LARGEST_VALUE, NotJsonError, TooMuchError, is_list, read_entries, read_value


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back of one request; `asked` is what it was, as people read it. Headers' names are in lower case."""

    peer: Peer
    method: str
    url: str
    asked: str
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def is_success(self) -> bool:
        """Any 2xx."""
        return 200 <= self.status < 300

    @property
    def is_redirect(self) -> bool:
        """Any 3xx: none is followed, as the key would go along."""
        return 300 <= self.status < 400

    @property
    def may_hold_key(self) -> bool:
        """Whether the body can hold the API key: as it is, or as JSON escapes it."""
        return b"\\" in self.body or self.peer.key.reveal().encode() in self.body

    @property
    def phrase(self) -> str:
        """What its status is called."""
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return "(no status of HTTP)"

    def value(self) -> Any:
        """The body's one JSON value. Raises Undocumented, or NoAnswer for half of it."""
        try:
            return read_value(self.body)
        except (NotJsonError, TooMuchError) as error:
            raise self._unreadable(error) from error

    def entries(self) -> Iterator[Any]:
        """The entries of the body's JSON list, one by one. Raises Undocumented, or NoAnswer for half of it."""
        try:
            if is_list(self.body):
                yield from read_entries(self.body)
                return
            read_value(self.body)
        except (NotJsonError, TooMuchError) as error:
            raise self._unreadable(error) from error
        raise self.undocumented("no list")

    def undocumented(self, what: str) -> Undocumented:
        """The error of a body that is not as documented: `what` it is, or has, instead."""
        return Undocumented(
            f"{self.asked}: {self.status} with {what}",
            remedy=f"is this the endpoint? check {self.peer.check}",
            http_status=self.status,
            may_have_reached=self.method != "GET",
        )

    def words(self) -> str:
        """What an error's body says, in one harmless line; empty where it says nothing."""
        return "(an HTML page)" if self._is_html() else self.peer.harmless(self._message())

    def retry_after(self, now: float) -> float | None:
        """Seconds to wait, of both forms that RFC 9110, 10.2.3 knows; None where it says nothing that can be read."""
        value = self.headers.get("retry-after", "").strip()
        if value.isascii() and value.isdigit():
            return float(value[:9])
        moment = _epoch_seconds(value)
        return max(0.0, moment - now) if moment is not None else None

    def moment(self) -> float | None:
        """When it was made, in epoch seconds, by the other end's clock; None where it doesn't say."""
        return _epoch_seconds(self.headers.get("date", ""))

    def _message(self) -> str:
        """The body's message, decoded: JSON has many ways to write a key that is to be found."""
        try:
            value = read_value(self.body)
        except (NotJsonError, TooMuchError):
            return self._text()
        if isinstance(value, dict):
            value = next((v for k in ("message", "error", "detail") if isinstance(v := value.get(k), str)), value)
        if isinstance(value, str):
            return value
        return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else self._text()

    def _unreadable(self, error: ValueError) -> HttpError:
        text = self._text()
        if not text:
            return self.undocumented("an empty body")
        if self._is_html():
            return self.undocumented("an HTML page")
        if isinstance(error, TooMuchError):
            return self.undocumented(f"more than is read: {error}")
        if "json" not in self.headers.get("content-type", "") or text[0] not in "[{":
            return self.undocumented(f"a body that is not JSON: {self.peer.harmless(text)}")
        return NoAnswer(
            f"{self.asked}: {self.status} with half a body, or none that is JSON",
            remedy="run again",
            http_status=self.status,
            may_have_reached=self.method != "GET",
        )

    def _is_html(self) -> bool:
        start = self.body[:64].lstrip()[:15].lower()
        return "html" in self.headers.get("content-type", "") or start.startswith((b"<!doctype", b"<html"))

    def _text(self) -> str:
        """The body, no more of it than one value may have: of it, 300 characters are shown."""
        return self.body[:LARGEST_VALUE].decode("utf-8", errors="replace").strip()


def _epoch_seconds(text: str) -> float | None:
    """The moment of an HTTP date; None for what is none."""
    try:
        moment = parsedate(text)
        return float(timegm(moment)) if moment else None
    except (ValueError, OverflowError):
        return None
