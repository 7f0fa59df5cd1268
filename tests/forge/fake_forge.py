"""What any fake forge does: it keeps what it is told, over a transport or served to real processes, and has troubles."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx


@dataclass(frozen=True)
class Refusal:
    """Answers instead of doing as asked."""

    status: int
    message: str = ""
    headers: dict[str, str] = field(default_factory=dict)


Trouble = Refusal | Literal["lost", "reset"]
"""`lost`: it does as asked, and no answer comes; `reset`: it does nothing, and none comes."""

Reply = tuple[int, dict[str, str], bytes]
Query = dict[str, list[str]]
Done = tuple[int, Any, dict[str, str]]
NOT_FOUND: Done = (404, {"message": "Not Found"}, {})


class FakeForge:
    """`asked` is every request that arrived, `troubles` are for the next of a method, `denied` is read or write.

    `complaints` are what no real forge would have been asked: whoever uses it asserts that there are none.
    """

    def __init__(self, prefix: str, page_size: int) -> None:
        self.page_size = page_size
        self.prefix = prefix
        self.url = f"https://forge.example{prefix}"
        self.denied: set[str] = set()
        self.asked: list[str] = []
        self.troubles: list[tuple[str, Trouble]] = []
        self.complaints: list[str] = []
        self._last = 1000

    def transport(self) -> httpx.MockTransport:
        """Over a transport, without a network."""

        def reply(request: httpx.Request) -> httpx.Response:
            target = request.url.raw_path.decode()
            answer = self.handle(request.method, target, dict(request.headers), request.content)
            if answer is None:
                raise httpx.ReadTimeout("no answer came", request=request)
            return httpx.Response(answer[0], headers=answer[1], content=answer[2])

        return httpx.MockTransport(reply)

    @contextmanager
    def serve(self) -> Iterator[str]:
        """On loopback; its API's address."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}{self.prefix}"
        try:
            yield self.url
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    @property
    def writes(self) -> list[str]:
        """Every request that changes something, as it arrived."""
        return [line for line in self.asked if not line.startswith("GET")]

    def handle(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Reply | None:
        """One exchange; None where no answer comes."""
        url = urlsplit(target)
        path = url.path.removeprefix(self.prefix)
        self.asked.append(f"{method} {path}")
        trouble = next(((m, t) for m, t in self.troubles if m == method), None)
        if trouble:
            self.troubles.remove(trouble)
            if isinstance(trouble[1], Refusal):
                return as_json(trouble[1].status, {"message": trouble[1].message}, trouble[1].headers)
        if trouble and trouble[1] == "reset":
            return None
        reply = self.answer(method, path, url.query, headers, body)
        return None if trouble else reply

    def answer(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Reply:
        """What this forge says, and does."""
        raise NotImplementedError

    def page(self, entries: list[dict[str, Any]], path: str, query: Query) -> Done:
        """One page of a list, and where the next is."""
        size = min(self.page_size, int(query.get("per_page", ["30"])[0]))
        page = int(query.get("page", ["1"])[0])
        kept = "&".join(f"{key}={value[0]}" for key, value in query.items() if key != "page")
        more = f'<{self.url}{path}?{kept}&page={page + 1}>; rel="next", <{self.url}{path}?page=1>; rel="first"'
        shown = entries[(page - 1) * size : page * size]
        return 200, shown, {"Link": more} if page * size < len(entries) else {}

    def next_number(self) -> int:
        """One that nothing has."""
        self._last += 1
        return self._last


def sent_token(headers: dict[str, str]) -> str:
    """What came as a bearer token; empty for none."""
    sent = {key.lower(): value for key, value in headers.items()}.get("authorization", "")
    return sent.removeprefix("Bearer ") if sent.startswith("Bearer ") else ""


def changed(entries: list[dict[str, Any]], key: str, number: int, body: dict[str, Any]) -> dict[str, Any]:
    """The one entry with this number, with other values."""
    [found] = [entry for entry in entries if entry[key] == number]
    found.update(body)
    return found


def as_json(status: int, value: object, headers: dict[str, str] | None = None) -> Reply:
    """An answer of JSON; of nothing, without a body."""
    content = b"" if value is None else json.dumps(value).encode()
    return status, {"Content-Type": "application/json", **(headers or {})}, content


def _handler(forge: FakeForge) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = forge.handle(self.command, self.path, dict(self.headers), body)
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer[0])
            for name, value in {**answer[1], "Content-Length": str(len(answer[2]))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer[2])

        do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815  # the names are http.server's

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
