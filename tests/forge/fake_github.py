"""A GitHub of one repository that keeps what it is told: over a transport, or served to real processes.

What it answers, and what it is asked, is held against GitHub's own description. As `gitea`, it is what Gitea and
Forgejo do otherwise: no pages of comments, no types of users, labels by number.
"""

import json
from typing import Any
from urllib.parse import parse_qs

from tests.forge.fake_forge import (
    NOT_FOUND,
    Done,
    FakeForge,
    Query,
    Reply,
    as_json,
    changed,
    sent_token,
)
from tests.forge.openapi import Description

API = Description("github-openapi.json")
REPOSITORY = "acme/fleet"
TOKEN, INSTALLATION = "a-very-secret-token", "a-very-secret-installation-token"
ROBOT, PERSON, STRANGER = 41898282, 7, 13
GITEA_ACTIONS = -2
SENT_AT = "2027-01-15T08:00:00Z"


class FakeGitHub(FakeForge):
    """Comments and issues by number."""

    def __init__(self, *, gitea: bool = False, page_size: int = 100) -> None:
        super().__init__("/api/v1" if gitea else "/api/v3", page_size)
        self.gitea = gitea
        self.comments: dict[int, list[dict[str, Any]]] = {}
        self.issues: list[dict[str, Any]] = []
        self.labels: dict[str, int] = {}
        self.pulls: dict[str, list[dict[str, Any]]] = {}

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

    def answer(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Reply:
        """What GitHub says to whom it knows."""
        token = sent_token(headers)
        if token not in {TOKEN, INSTALLATION}:
            return as_json(401, {"message": "Bad credentials"})
        author = PERSON if token == TOKEN else GITEA_ACTIONS if self.gitea else ROBOT
        permission = "read" if method == "GET" else "write"
        if permission in self.denied or (path == "/user" and author != PERSON):
            return as_json(403, {"message": "Resource not accessible by integration"})
        try:
            if not self.gitea:
                API.check_request(method, path, query, body)
            status, value, more = self._do(method, path, parse_qs(query), json.loads(body or b"null"), author)
            if not self.gitea and status < 300:
                API.check_answer(method, path, status, value)
        except Exception as error:  # noqa: BLE001  # the test that asserts on it is in another thread, or process
            self.complaints.append(f"{method} {path}: {error}")
            return as_json(500, {"message": str(error)})
        return as_json(status, value, more)

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
                return self.page(self.pulls.get(commit, []), path, query)
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
                entries = self.comments.get(int(number), [])
                return (200, entries, {}) if self.gitea else self.page(entries, path, query)
            case ["POST", "issues", number, "comments"]:
                return 201, self.comment(int(number), body["body"], author), {}
            case ["DELETE", "issues", "comments", number]:
                for comments in self.comments.values():
                    comments[:] = [comment for comment in comments if comment["id"] != int(number)]
                return 204, None, {}
            case ["PATCH", "issues", "comments", number]:
                every = [comment for comments in self.comments.values() for comment in comments]
                return 200, changed(every, "id", int(number), body), {}
        return NOT_FOUND

    def _on_issues(self, method: str, parts: list[str], path: str, query: Query, body: Any, author: int) -> Done:
        match [method, *parts]:
            case ["GET", "issues"]:
                return self.page(self._labelled(query["labels"][0]), path, query)
            case ["POST", "issues"]:
                names = {number: name for name, number in self.labels.items()}
                body["labels"] = [names[label] if self.gitea else label for label in body.get("labels", [])]
                return 201, self.issue(body.pop("body"), author, **body), {}
            case ["PATCH", "issues", number]:
                return 200, changed(self.issues, "number", int(number), body), {}
        return NOT_FOUND

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
        return {**API.least("GET", "/user"), "id": number, "login": f"user{number}", "type": kind}

    def _made(self, method: str, path: str, **fields: Any) -> dict[str, Any]:
        base, number = {} if self.gitea else API.least(method, path), self.next_number()
        return {**base, "id": number, "html_url": f"https://forge.example/x/{number}", **fields}
