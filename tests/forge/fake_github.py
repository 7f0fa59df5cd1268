"""A GitHub of one repository that keeps what it is told: over a transport, or served to real processes.

What it answers, and what it is asked, is held against GitHub's own description. As `gitea`, it is what Gitea and
Forgejo do otherwise: no pages of comments, no types of users, labels by number.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import httpx

from tests.forge.github_openapi import check_answer, check_request, least

REPOSITORY = "acme/fleet"
TOKEN, INSTALLATION = "a-very-secret-token", "a-very-secret-installation-token"
ROBOT, PERSON, STRANGER = 41898282, 7, 13
GITEA_ACTIONS = -2
SENT_AT = "2027-01-15T08:00:00Z"


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


class FakeGitHub:
    """Comments and issues by number; `asked` is every request that arrived, `troubles` are for the next of a method."""

    def __init__(self, *, gitea: bool = False, page_size: int = 100) -> None:
        self.gitea = gitea
        self.page_size = page_size
        self.prefix = "/api/v1" if gitea else "/api/v3"
        self.url = f"https://forge.example{self.prefix}"
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.issues: list[dict[str, Any]] = []
        self.labels: dict[str, int] = {}
        self.pulls: dict[str, list[dict[str, Any]]] = {}
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

    def comment(self, number: int, body: str | None, author: int = ROBOT) -> dict[str, Any]:
        """A comment that stands there."""
        path = f"/repos/{REPOSITORY}/issues/{number}/comments"
        made = self._made("POST", path, body=body, user=self._user(author))
        self.comments.setdefault(number, []).append(made)
        return made

    def issue(self, body: str, author: int = ROBOT, **fields: Any) -> dict[str, Any]:
        """An issue that stands there, with our label unless told otherwise."""
        number = len(self.issues) + 1
        labels = [{"id": self._label(name), "name": name} for name in fields.pop("labels", ["reconciler-drift"])]
        values = {"number": number, "body": body, "user": self._user(author), "state": "open", "labels": labels}
        made = self._made("POST", f"/repos/{REPOSITORY}/issues", **{**values, **fields})
        self.issues.insert(0, made)
        return made

    def pull_request(self, commit: str, number: int, *, merged: bool = True, merge_commit: str = "") -> None:
        """A pull request that holds this commit."""
        merged_at = SENT_AT if merged else None
        values = {"number": number, "merged_at": merged_at, "merge_commit_sha": merge_commit or commit}
        made = self._made("GET", f"/repos/{REPOSITORY}/commits/{commit}/pulls", **values)
        self.pulls.setdefault(commit, []).append(made)

    def handle(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Reply | None:
        """One exchange; None where no answer comes."""
        url = urlsplit(target)
        path = url.path.removeprefix(self.prefix)
        self.asked.append(f"{method} {path}")
        trouble = next(((m, t) for m, t in self.troubles if m == method), None)
        if trouble:
            self.troubles.remove(trouble)
            if isinstance(trouble[1], Refusal):
                return _json(trouble[1].status, {"message": trouble[1].message}, trouble[1].headers)
        if trouble and trouble[1] == "reset":
            return None
        reply = self._answer(method, path, url.query, headers, body)
        return None if trouble else reply

    def _answer(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Reply:
        token = {key.lower(): value for key, value in headers.items()}.get("authorization", "")
        if token not in {f"Bearer {TOKEN}", f"Bearer {INSTALLATION}"}:
            return _json(401, {"message": "Bad credentials"})
        author = PERSON if token.endswith(TOKEN) else GITEA_ACTIONS if self.gitea else ROBOT
        permission = "read" if method == "GET" else "write"
        if permission in self.denied or (path == "/user" and author != PERSON):
            return _json(403, {"message": "Resource not accessible by integration"})
        try:
            if not self.gitea:
                check_request(method, path, query, body)
            status, value, more = self._do(method, path, parse_qs(query), json.loads(body or b"null"), author)
            if not self.gitea and status < 300:
                check_answer(method, path, status, value)
        except Exception as error:  # noqa: BLE001  # the test that asserts on it is in another thread, or process
            self.complaints.append(f"{method} {path}: {error}")
            return _json(500, {"message": str(error)})
        return _json(status, value, more)

    def _do(self, method: str, path: str, query: Query, body: Any, author: int) -> Done:
        parts = path.split("/")[4:]
        if "comments" in parts:
            return self._on_comments(method, parts, path, query, body, author)
        if parts[:1] == ["issues"]:
            return self._on_issues(method, parts, path, query, body, author)
        match [method, *parts]:
            case ["GET"]:
                return 200, self._user(author), {}
            case ["GET", "commits", commit, "pulls"] if not self.gitea:
                return self._page(self.pulls.get(commit, []), path, query)
            case ["GET", "commits", commit, "pull"] if self.gitea and self.pulls.get(commit):
                return 200, self.pulls[commit][0], {}
            case ["GET", "labels"] if self.gitea:
                return 200, [{"id": number, "name": name} for name, number in self.labels.items()], {}
            case ["POST", "labels"] if self.gitea:
                return 201, {"id": self._label(body["name"]), "name": body["name"]}, {}
        return NOT_FOUND

    def _on_comments(self, method: str, parts: list[str], path: str, query: Query, body: Any, author: int) -> Done:
        match [method, *parts]:
            case ["GET", "issues", number, "comments"]:
                return self._page(self.comments.get(int(number), []), path, query, pages=not self.gitea)
            case ["POST", "issues", number, "comments"]:
                return 201, self.comment(int(number), body["body"], author), {}
            case ["DELETE", "issues", "comments", number]:
                for comments in self.comments.values():
                    comments[:] = [comment for comment in comments if comment["id"] != int(number)]
                return 204, None, {}
            case ["PATCH", "issues", "comments", number]:
                every = [comment for comments in self.comments.values() for comment in comments]
                return 200, _changed(every, "id", int(number), body), {}
        return NOT_FOUND

    def _on_issues(self, method: str, parts: list[str], path: str, query: Query, body: Any, author: int) -> Done:
        match [method, *parts]:
            case ["GET", "issues"]:
                return self._page(self._labelled(query["labels"][0]), path, query)
            case ["POST", "issues"]:
                names = {number: name for name, number in self.labels.items()}
                body["labels"] = [names[label] if self.gitea else label for label in body.get("labels", [])]
                return 201, self.issue(body.pop("body"), author, **body), {}
            case ["PATCH", "issues", number]:
                return 200, _changed(self.issues, "number", int(number), body), {}
        return NOT_FOUND

    def _page(self, entries: list[dict[str, Any]], path: str, query: Query, *, pages: bool = True) -> Done:
        if not pages:
            return 200, entries, {}
        size = min(self.page_size, int(query.get("per_page", ["30"])[0]))
        page = int(query.get("page", ["1"])[0])
        kept = "&".join(f"{key}={value[0]}" for key, value in query.items() if key != "page")
        more = f'<{self.url}{path}?{kept}&page={page + 1}>; rel="next", <{self.url}{path}?page=1>; rel="first"'
        shown = entries[(page - 1) * size : page * size]
        return 200, shown, {"Link": more} if page * size < len(entries) else {}

    def _labelled(self, name: str) -> list[dict[str, Any]]:
        """Gitea passes over a label that it doesn't know."""
        if self.gitea and name not in self.labels:
            return self.issues
        return [issue for issue in self.issues if name in {label["name"] for label in issue["labels"]}]

    def _label(self, name: str) -> int:
        return self.labels.setdefault(name, len(self.labels) + 1)

    def _user(self, number: int) -> dict[str, Any]:
        if self.gitea:
            return {"id": number, "login": f"user{number}"}
        kind = "Bot" if number == ROBOT else "User"
        return {**least("GET", "/user"), "id": number, "login": f"user{number}", "type": kind}

    def _made(self, method: str, path: str, **fields: Any) -> dict[str, Any]:
        self._last += 1
        base = {} if self.gitea else least(method, path)
        return {**base, "id": self._last, "html_url": f"https://forge.example/x/{self._last}", **fields}


def _changed(entries: list[dict[str, Any]], key: str, number: int, body: dict[str, Any]) -> dict[str, Any]:
    [found] = [entry for entry in entries if entry[key] == number]
    found.update(body)
    return found


def _json(status: int, value: object, headers: dict[str, str] | None = None) -> Reply:
    content = b"" if value is None else json.dumps(value).encode()
    return status, {"Content-Type": "application/json", **(headers or {})}, content


def _handler(github: FakeGitHub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = github.handle(self.command, self.path, dict(self.headers), body)
            if answer is None:
                self.close_connection = True
                return
            self.send_response(answer[0])
            for name, value in {**answer[1], "Content-Length": str(len(answer[2]))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer[2])

        def do_POST(self) -> None:
            self.do_GET()

        def do_PATCH(self) -> None:
            self.do_GET()

        def do_DELETE(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
