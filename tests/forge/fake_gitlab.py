"""A GitLab of one project that keeps what it is told, and carries out what stands at the beginning of a line.

What it answers, and what it is asked, is held against GitLab's own description.
"""

import json
import re
from typing import Any
from urllib.parse import parse_qs

from tests.forge.fake_forge import NOT_FOUND, Done, FakeForge, Query, Reply, as_json, changed, sent_token
from tests.forge.openapi import Description

API = Description("gitlab-openapi.json")
PROJECT, PROJECT_PATH = 17, "acme/platform/fleet"
TOKEN, JOB_TOKEN, OTHERS_TOKEN = "glpat-a-very-secret-token", "glcbt-a-very-secret-job-token", "glpat-of-somebody-else"
BOT, STRANGER = 31, 13
SENT_AT = "2027-01-15T08:00:00.000Z"
COMMAND = re.compile(r"^/\w+", re.MULTILINE)
"""What GitLab takes for a command, in code or not."""


class FakeGitLab(FakeForge):
    """Notes by merge request or issue, issues, merge requests by commit."""

    def __init__(self, *, page_size: int = 100) -> None:
        super().__init__("/sub/api/v4", page_size)
        self.notes: dict[str, list[dict[str, Any]]] = {}
        self.issues: list[dict[str, Any]] = []
        self.merge_requests: dict[str, list[dict[str, Any]]] = {}

    def note(self, below: str, body: str, author: int = BOT) -> dict[str, Any]:
        """A note that stands on `merge_requests/12`, say."""
        made = self._made(
            f"{below}/notes",
            body=self._said(body),
            author=_user(author),
            noteable_type="MergeRequest" if below.startswith("merge") else "Issue",
            noteable_iid=int(below.rpartition("/")[2]),
        )
        self.notes.setdefault(below, []).append(made)
        return made

    def issue(self, description: str, author: int = BOT, **fields: Any) -> dict[str, Any]:
        """An issue that stands there, with our label unless told otherwise."""
        number = len(self.issues) + 1
        values = {
            "iid": number,
            "title": "x",
            "description": self._said(description),
            "state": "opened",
            "labels": ["reconciler-drift"],
            "author": _user(author),
            "web_url": f"https://forge.example/sub/{PROJECT_PATH}/-/issues/{number}",
        }
        made = self._made("issues", **{**values, **fields})
        self.issues.insert(0, made)
        return made

    def merge_request(self, commit: str, number: int, *, state: str = "merged", **fields: Any) -> None:
        """A merge request that holds this commit."""
        values = {"iid": number, "state": state, "merge_commit_sha": commit, "sha": "e" * 40}
        made = self._made(f"repository/commits/{commit}/merge_requests", "GET", **{**values, **fields})
        self.merge_requests.setdefault(commit, []).append(made)

    def answer(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Reply:
        """What GitLab says to whom it knows; to a job's own token only what that may ask."""
        token = sent_token(headers)
        if token not in {TOKEN, OTHERS_TOKEN}:
            return as_json(401, {"message": "401 Unauthorized"})
        if ("read" if method == "GET" else "write") in self.denied:
            return as_json(403, {"message": "403 Forbidden"})
        author = BOT if token == TOKEN else STRANGER
        try:
            API.check_request(method, path, query, body)
            status, value, more = self._do(method, path, parse_qs(query), json.loads(body or b"null"), author)
            if status < 300:
                API.check_answer(method, path, status, value)
            return as_json(status, value, more)
        except Exception as error:  # noqa: BLE001  # the test that asserts on it is in another thread, or process
            self.complaints.append(f"{method} {path}: {error!r}")
            return as_json(500, {"message": str(error)})

    def _do(self, method: str, path: str, query: Query, body: Any, author: int) -> Done:
        prefix = f"/projects/{PROJECT}/"
        if (method, path) == ("GET", "/user"):
            return 200, _user(author), {}
        if not path.startswith(prefix):
            return NOT_FOUND
        parts = path.removeprefix(prefix).split("/")
        if "notes" in parts:
            return self._on_notes(method, parts, path, query, body, author)
        match [method, *parts]:
            case ["GET", "repository", "commits", commit, "merge_requests"]:
                return self.page(self.merge_requests.get(commit, []), path, query)
            case ["GET", "issues"]:
                assert (query["state"], query["order_by"], query["sort"]) == (["all"], ["created_at"], ["desc"])
                found = [issue for issue in self.issues if query["labels"][0] in issue["labels"]]
                return self.page(found, path, query)
            case ["POST", "issues"]:
                return 201, self.issue(body.pop("description"), author, **body), {}
            case ["PUT", "issues", number]:
                event = body.pop("state_event", None)
                state = {"close": "closed", "reopen": "opened"}[event] if event else None
                if "description" in body:
                    body["description"] = self._said(body["description"])
                return 200, changed(self.issues, "iid", int(number), body | ({"state": state} if state else {})), {}
        return NOT_FOUND

    def _on_notes(self, method: str, parts: list[str], path: str, query: Query, body: Any, author: int) -> Done:
        below, number = "/".join(parts[:2]), int(parts[3]) if len(parts) > 3 else None
        notes = self.notes.get(below, [])
        match method:
            case "GET":
                assert query["order_by"] == ["created_at"]
                return self.page(notes if query["sort"] == ["asc"] else notes[::-1], path, query)
            case "POST":
                return 201, self.note(below, body["body"], author), {}
            case "PUT" if number is not None:
                return 200, changed(notes, "id", number, {"body": self._said(body["body"])}), {}
            case "DELETE":
                notes[:] = [note for note in notes if note["id"] != number]
                return 204, None, {}
        return NOT_FOUND

    def _made(self, path: str, method: str = "POST", **fields: Any) -> dict[str, Any]:
        base = API.least(method, f"/projects/{PROJECT}/{path}")
        return {**base, "id": self.next_number(), "project_id": PROJECT, **fields}

    def _said(self, text: str) -> str:
        """The text as it is kept: commands are carried out, and gone."""
        self.complaints += [f"it carried out {command}" for command in COMMAND.findall(text)]
        return text.rstrip()


def _user(number: int) -> dict[str, Any]:
    return {**API.least("GET", "/user"), "id": number, "username": f"project_17_bot_{number}", "state": "active"}
