"""The port on GitHub, Gitea and Forgejo: a pull request's comments, and a repository's drift issues.

A post is ours if it has our first line and our author: anybody may write the line.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reconciler.errors import Forbidden, HttpError, NotFound, Undocumented
from reconciler.forge.answers import Dialect, number_of, text_of
from reconciler.forge.api import ForgeApi
from reconciler.forge.port import LABEL, UNTOLD, Draft, Post, begins_with, keep_oldest, marker
from reconciler.forge.workflow import Workflow
from reconciler.wire.answer import Answer

DIALECT = Dialect(
    check="GITHUB_API_URL and GITHUB_REPOSITORY",
    headers={"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"},
    no_token="the token is invalid, or expired: set GITHUB_TOKEN to the job's own, `${{ github.token }}`",  # noqa: S106
    forbidden="the token of a fork's pull request can never write",
)

_COMMENTS = "give the job `permissions: pull-requests: write`"
_PULLS = "give the job `permissions: pull-requests: read`"
_ISSUES = "give the job `permissions: issues: write`"
_LABEL_COLOR = "d93f0b"
_PAGE = {"per_page": "100"}
_GITEA_ACTIONS = -2
"""The user that Gitea and Forgejo run workflows as; their users have no type."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A comment, an issue, a pull request or a label: what is read of it, whatever else it says.

    `key` is a comment's id, an issue's number. `author` is a user's id; `by_robot`: it is no person.
    """

    key: int
    name: str
    body: str
    url: str
    author: int | None
    by_robot: bool
    open: bool
    merged: bool
    merge_commit: str
    is_pull_request: bool

    @classmethod
    def read(cls, item: object) -> "Entry | None":
        """None for what is no object with a number."""
        if not isinstance(item, dict):
            return None
        key = number_of(item.get("number", item.get("id")))
        if key is None:
            return None
        user = item["user"] if isinstance(item.get("user"), dict) else {}
        author = number_of(user.get("id"))
        return cls(
            key=key,
            name=text_of(item, "name"),
            body=text_of(item, "body"),
            url=text_of(item, "html_url"),
            author=author,
            by_robot=user.get("type") == "Bot" or ("type" not in user and author == _GITEA_ACTIONS),
            open=item.get("state", "open") == "open",
            merged=bool(item.get("merged_at")),
            merge_commit=text_of(item, "merge_commit_sha"),
            is_pull_request=bool(item.get("pull_request")),
        )

    def post(self) -> Post:
        """As the port knows it."""
        return Post(self.key, self.body, self.url, open=self.open)


class Repository:
    """One repository on a forge, and who we are there."""

    def __init__(self, api: ForgeApi, workflow: Workflow) -> None:
        self.api = api
        self.workflow = workflow
        self._us: int | None = None
        self._asked = False

    async def wrote(self, entry: Entry) -> bool:
        """Whether we did: by the token's user; of an installation's token, which may not ask, by any robot."""
        if not self._asked:
            self._us = await self._user()
            self._asked = True
        return entry.by_robot if self._us is None else entry.author == self._us

    async def _user(self) -> int | None:
        try:
            answer = await self.api.get("/user", _PULLS)
        except (Forbidden, NotFound):
            return None
        me = Entry.read(answer.value())
        return me.key if me else None

    def comments(self, number: int) -> "Comments":
        """The comments of one pull request."""
        return Comments(self, number)

    def drift_issues(self) -> "DriftIssues":
        """The issues that have our label."""
        return DriftIssues(self)

    async def merged_pull_request(self, commit: str) -> int | None:
        """The pull request that was merged as this commit, None where there is none. Raises HttpError."""
        path = f"{self.workflow.path}/commits/{commit}/pull"
        if self.is_gitea:  # knows only the merged one
            return await self._of_gitea(path)
        merged = [
            entry
            async for page in self.api.pages(f"{path}s", _PULLS, _PAGE)
            for entry in _entries(page)
            if entry.merged
        ]
        merged.sort(key=lambda entry: entry.merge_commit != commit)
        return merged[0].key if merged else None

    @property
    def is_gitea(self) -> bool:
        """Whether this is Gitea or Forgejo."""
        return self.workflow.forge == "gitea"

    async def _of_gitea(self, path: str) -> int | None:
        try:
            found = Entry.read((await self.api.get(path, _PULLS)).value())
        except NotFound:
            return None
        return found.key if found and found.merged else None


class Comments:
    """The comments of one pull request, or issue."""

    def __init__(self, repository: Repository, number: int, grant: str = _COMMENTS) -> None:
        self._repository = repository
        self._api = repository.api
        self._grant = grant
        self._issues = f"{repository.workflow.path}/issues"
        self._path = f"{self._issues}/{number}/comments"

    async def find(self, first_line: str) -> Post | None:
        """The oldest of ours."""
        async for page in self._api.pages(self._path, self._grant, _PAGE):
            for entry in _entries(page):
                if begins_with(entry.body, first_line) and await self._repository.wrote(entry):
                    return entry.post()
        return None

    async def create(self, draft: Draft) -> Post:
        """Comment, once."""
        body = {"body": draft.body}
        posted = await self._api.post(self._path, self._grant, body, find=lambda: self.find(draft.marker), read=_posted)
        return await keep_oldest(self, posted, draft, self._remove)

    async def update(self, post: Post, draft: Draft) -> None:
        """Edit the comment: nobody is notified."""
        await self._api.edit("PATCH", f"{self._issues}/comments/{post.number}", self._grant, {"body": draft.body})

    async def _remove(self, post: Post) -> None:
        await self._api.delete(f"{self._issues}/comments/{post.number}", self._grant)


class DriftIssues:
    """The issues of a repository that have our label."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._api = repository.api
        self._path = f"{repository.workflow.path}/issues"

    async def find(self, first_line: str) -> Post | None:
        """An open one of ours, else the newest that was closed."""
        query = {"labels": LABEL, "state": "all", "sort": "created", "direction": "desc", **_PAGE}
        closed = None
        async for page in self._api.pages(self._path, _ISSUES, query):
            for entry in _entries(page):
                ours = not entry.is_pull_request and begins_with(entry.body, first_line)
                if ours and await self._repository.wrote(entry):
                    if entry.open:
                        return entry.post()
                    closed = closed or entry.post()
        return closed

    async def create(self, draft: Draft) -> Post:
        """File it, with its label."""
        label = await self._label_of_gitea() if self._repository.is_gitea else LABEL
        body = {"title": draft.title, "body": draft.body, "labels": [label]}
        return await self._api.post(self._path, _ISSUES, body, find=lambda: self.find(draft.marker), read=_posted)

    async def update(self, post: Post, draft: Draft) -> None:
        """Edit it and, where it is closed, reopen it; or close it, and then say why, once."""
        path = f"{self._path}/{post.number}"
        if draft.open:
            state = {} if post.open else {"state": "open"}
            await self._api.edit("PATCH", path, _ISSUES, {"body": draft.body, **state})
            return
        await self._api.edit("PATCH", path, _ISSUES, {"state": "closed", "state_reason": "completed"})
        moment = f"{post.number}@{self._api.clock.now():.0f}"
        remark = Draft(marker("in-sync", moment), draft.text)
        await Comments(self._repository, post.number, _ISSUES).create(remark)

    async def _label_of_gitea(self) -> int:
        """The label's number, by which alone Gitea takes it; made, if need be. GitHub makes one by its name."""
        path = f"{self._repository.workflow.path}/labels"
        async for page in self._api.pages(path, _ISSUES, _PAGE):
            for entry in _entries(page):
                if entry.name == LABEL:
                    return entry.key
        label = {"name": LABEL, "color": f"#{_LABEL_COLOR}", "description": "Clusters are not as git says"}
        made = Entry.read((await self._api.create(path, _ISSUES, label)).value())
        if made is None:
            raise Undocumented(f"POST {path}: a label without a number", remedy=f"make the label {LABEL} by hand")
        return made.key


def _entries(page: Iterator[Any]) -> Iterator[Entry]:
    """What is listed; what can't be read in it is passed over."""
    return (entry for item in page if (entry := Entry.read(item)) is not None)


def _posted(answer: Answer) -> Post:
    """What was posted: whatever the answer says of it, it stands there."""
    try:
        entry = Entry.read(answer.value())
    except HttpError:
        entry = None
    return entry.post() if entry else Post(UNTOLD, "", "")
