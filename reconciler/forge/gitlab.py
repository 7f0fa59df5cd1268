"""The port on GitLab, its own or yours: a merge request's notes, and a project's drift issues.

A note is ours if it has our first line and is the token's own: anybody may write the line. GitLab carries out commands
that stand at the beginning of a line; what `report` writes has none there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.errors import HttpError, Undocumented
from reconciler.forge.answers import Dialect, number_of, text_of
from reconciler.forge.api import ForgeApi
from reconciler.forge.port import LABEL, UNTOLD, Draft, Post, begins_with, keep_oldest, marker
from reconciler.forge.workflow import Workflow
from reconciler.wire.answer import Answer

DIALECT = Dialect(
    check="CI_API_V4_URL and CI_PROJECT_ID",
    headers={"Accept": "application/json"},
    no_token="the token is invalid, or expired: set GITLAB_TOKEN to a project access token",  # noqa: S106
    forbidden="CI_JOB_TOKEN can't write notes",
)

_GRANT = "give GITLAB_TOKEN the scope `api` and the role Reporter"
_PAGE = {"per_page": "100"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A note, an issue or a merge request: what is read of it, whatever else it says.

    `key` is a note's id, the number within the project of all else. `commits` are those that a merge request was
    merged as: its merge's, its squash's or, fast forward, its own.
    """

    key: int
    body: str
    url: str
    author: int | None
    state: str
    commits: frozenset[str]

    @classmethod
    def read(cls, item: object) -> "Entry | None":
        """None for what is no object with a number."""
        if not isinstance(item, dict):
            return None
        key = number_of(item.get("iid", item.get("id")))
        if key is None:
            return None
        author = item["author"] if isinstance(item.get("author"), dict) else {}
        return cls(
            key=key,
            body=text_of(item, "body") or text_of(item, "description"),
            url=text_of(item, "web_url"),
            author=number_of(author.get("id")),
            state=text_of(item, "state"),
            commits=frozenset(text_of(item, name) for name in ("merge_commit_sha", "squash_commit_sha", "sha")),
        )

    def post(self) -> Post:
        """As the port knows it."""
        return Post(self.key, self.body, self.url, open=self.state != "closed")


class Project:
    """One project on a GitLab, and who we are there."""

    def __init__(self, api: ForgeApi, workflow: Workflow) -> None:
        self.api = api
        self.workflow = workflow
        self._us: int | None = None

    def comments(self, number: int) -> "Notes":
        """The notes of one merge request."""
        web = f"{self.workflow.server_url}/{self.workflow.repository}" if self.workflow.server_url else ""
        return Notes(self, f"merge_requests/{number}", f"{web}/-/merge_requests/{number}" if web else "")

    def drift_issues(self) -> "DriftIssues":
        """The issues that have our label."""
        return DriftIssues(self)

    async def merged_pull_request(self, commit: str) -> int | None:
        """The merge request that was merged as this commit, None where there is none. Raises HttpError."""
        path = f"{self.workflow.path}/repository/commits/{commit}/merge_requests"
        pages = self.api.pages(path, _GRANT, _PAGE)
        merged = [entry async for page in pages for entry in _entries(page) if entry.state == "merged"]
        merged.sort(key=lambda entry: commit not in entry.commits)
        return merged[0].key if merged else None

    async def wrote(self, entry: Entry) -> bool:
        """Whether we did."""
        if self._us is None:
            me = Entry.read((await self.api.get("/user", _GRANT)).value())
            if me is None:
                raise Undocumented("GET /user: a user without a number", remedy=f"check {DIALECT.check}")
            self._us = me.key
        return entry.author == self._us


class Notes:
    """The notes of one merge request, or issue; `web_url` is its page, empty where it isn't known."""

    def __init__(self, project: Project, below: str, web_url: str) -> None:
        self._project = project
        self._api = project.api
        self._path = f"{project.workflow.path}/{below}/notes"
        self._web_url = web_url

    async def find(self, first_line: str) -> Post | None:
        """The oldest of ours."""
        query = {"sort": "asc", "order_by": "created_at", **_PAGE}
        async for page in self._api.pages(self._path, _GRANT, query):
            for entry in _entries(page):
                if begins_with(entry.body, first_line) and await self._project.wrote(entry):
                    return self._post(entry)
        return None

    async def create(self, draft: Draft) -> Post:
        """Write it, once."""
        body = {"body": draft.body}
        posted = await self._api.post(
            self._path,
            _GRANT,
            body,
            find=lambda: self.find(draft.marker),
            read=lambda answer: self._post(_read(answer)),
        )
        return await keep_oldest(self, posted, draft, self._remove)

    async def update(self, post: Post, draft: Draft) -> None:
        """Edit the note: nobody is notified."""
        await self._api.edit("PUT", f"{self._path}/{post.number}", _GRANT, {"body": draft.body})

    async def _remove(self, post: Post) -> None:
        await self._api.delete(f"{self._path}/{post.number}", _GRANT)

    def _post(self, entry: Entry | None) -> Post:
        """A note has no address of its own in the API's words."""
        if entry is None:
            return Post(UNTOLD, "", "")
        return Post(entry.key, entry.body, f"{self._web_url}#note_{entry.key}" if self._web_url else "")


class DriftIssues:
    """The issues of a project that have our label."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._api = project.api
        self._path = f"{project.workflow.path}/issues"

    async def find(self, first_line: str) -> Post | None:
        """An open one of ours, else the newest that was closed."""
        query = {"labels": LABEL, "state": "all", "order_by": "created_at", "sort": "desc", **_PAGE}
        closed = None
        async for page in self._api.pages(self._path, _GRANT, query):
            for entry in _entries(page):
                if begins_with(entry.body, first_line) and await self._project.wrote(entry):
                    post = entry.post()
                    if post.open:
                        return post
                    closed = closed or post
        return closed

    async def create(self, draft: Draft) -> Post:
        """File it, with its label, which GitLab makes."""
        body = {"title": draft.title, "description": draft.body, "labels": [LABEL]}
        return await self._api.post(self._path, _GRANT, body, find=lambda: self.find(draft.marker), read=_posted)

    async def update(self, post: Post, draft: Draft) -> None:
        """Edit it and, where it is closed, reopen it; or close it, and then say why, once."""
        path = f"{self._path}/{post.number}"
        if draft.open:
            state = {} if post.open else {"state_event": "reopen"}
            await self._api.edit("PUT", path, _GRANT, {"description": draft.body, **state})
            return
        await self._api.edit("PUT", path, _GRANT, {"state_event": "close"})
        moment = f"{post.number}@{self._api.clock.now():.0f}"
        remark = Draft(marker("in-sync", moment), draft.text)
        await Notes(self._project, f"issues/{post.number}", "").create(remark)


def _entries(page: Iterator[Any]) -> Iterator[Entry]:
    """What is listed; what can't be read in it is passed over."""
    return (entry for item in page if (entry := Entry.read(item)) is not None)


def _read(answer: Answer) -> Entry | None:
    """What was posted; None where the answer doesn't say: it stands there all the same."""
    try:
        return Entry.read(answer.value())
    except HttpError:
        return None


def _posted(answer: Answer) -> Post:
    entry = _read(answer)
    return entry.post() if entry else Post(UNTOLD, "", "")
