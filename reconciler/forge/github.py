"""The port on GitHub, Gitea and Forgejo: a pull request's comments, and a repository's drift issues.

A post is ours if it has our first line and our author: anybody may write the line.
"""

from collections.abc import Mapping

from reconciler.errors import Forbidden, HttpError, NotFound, Undocumented
from reconciler.forge.answers import Entry
from reconciler.forge.api import ForgeApi
from reconciler.forge.port import Draft, Port, Post, begins_with, marker
from reconciler.forge.workflow import Workflow
from reconciler.wire.answer import Answer

LABEL = "reconciler-drift"

_COMMENT_PERMISSION = "pull-requests: write"
_ISSUE_PERMISSION = "issues: write"
_LABEL_COLOR = "d93f0b"
_PAGE = {"per_page": "100"}
_UNTOLD = 0
"""The number of what was posted, where the answer doesn't say it."""


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
            answer = await self.api.get("/user", "none")
        except (Forbidden, NotFound):
            return None
        me = Entry.read(answer.value())
        return me.key if me else None

    async def merged_pull_request(self, commit: str) -> int | None:
        """The pull request that was merged as this commit, None where there is none. Raises HttpError."""
        path = f"{self.workflow.path}/commits/{commit}/pull"
        if self.workflow.is_gitea:  # knows only the merged one
            return await self._of_gitea(path)
        merged = [
            entry
            async for page in self.api.pages(f"{path}s", "pull-requests: read", _PAGE)
            for entry in page
            if entry.merged
        ]
        merged.sort(key=lambda entry: entry.merge_commit != commit)
        return merged[0].key if merged else None

    async def _of_gitea(self, path: str) -> int | None:
        try:
            found = Entry.read((await self.api.get(path, "pull-requests: read")).value())
        except NotFound:
            return None
        return found.key if found and found.merged else None

    async def post_once(
        self, port: Port, path: str, permission: str, body: Mapping[str, object], first_line: str
    ) -> Post:
        """Post something, and look first whether it stands there already, where an answer got lost."""
        lost = False

        async def attempt() -> Post:
            nonlocal lost
            if lost:
                found = await port.find(first_line)
                if found is not None:
                    return found
                lost = False
            try:
                return _posted(await self.api.change("POST", path, permission, body))
            except HttpError as error:
                lost = error.may_have_reached
                raise

        return await self.api.retry(attempt, method="POST")

    async def edit(self, path: str, permission: str, body: Mapping[str, object]) -> None:
        """Change what stands there: that may be repeated."""
        await self.api.retry(lambda: self.api.change("PATCH", path, permission, body), method="PATCH")

    async def delete(self, path: str, permission: str) -> None:
        """Take away what stands there; that may be repeated, as gone is gone."""
        try:
            await self.api.retry(lambda: self.api.change("DELETE", path, permission), method="DELETE")
        except NotFound:
            return


class Comments:
    """The comments of one pull request, or issue."""

    def __init__(self, repository: Repository, number: int, permission: str = _COMMENT_PERMISSION) -> None:
        self._repository = repository
        self._permission = permission
        self._issues = f"{repository.workflow.path}/issues"
        self._path = f"{self._issues}/{number}/comments"

    async def find(self, first_line: str) -> Post | None:
        """The oldest of ours."""
        async for page in self._repository.api.pages(self._path, self._permission, _PAGE):
            for entry in page:
                if begins_with(entry.body, first_line) and await self._repository.wrote(entry):
                    return entry.post()
        return None

    async def create(self, draft: Draft) -> Post:
        """Comment, once. Of two runs at once, whose search found nothing, the later one's comment goes again."""
        body = {"body": draft.body}
        posted = await self._repository.post_once(self, self._path, self._permission, body, draft.marker)
        oldest = await self.find(draft.marker)
        if oldest is None or posted.number in {oldest.number, _UNTOLD}:
            return posted
        await self.update(oldest, draft)
        await self._repository.delete(f"{self._issues}/comments/{posted.number}", self._permission)
        return oldest

    async def update(self, post: Post, draft: Draft) -> None:
        """Edit the comment: nobody is notified."""
        await self._repository.edit(f"{self._issues}/comments/{post.number}", self._permission, {"body": draft.body})


class DriftIssues:
    """The issues of a repository that have our label."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._path = f"{repository.workflow.path}/issues"

    async def find(self, first_line: str) -> Post | None:
        """An open one of ours, else the newest that was closed."""
        query = {"labels": LABEL, "state": "all", "sort": "created", "direction": "desc", **_PAGE}
        closed = None
        async for page in self._repository.api.pages(self._path, _ISSUE_PERMISSION, query):
            for entry in page:
                ours = not entry.is_pull_request and begins_with(entry.body, first_line)
                if ours and await self._repository.wrote(entry):
                    if entry.open:
                        return entry.post()
                    closed = closed or entry.post()
        return closed

    async def create(self, draft: Draft) -> Post:
        """File it, with its label."""
        label = await self._label_of_gitea() if self._repository.workflow.is_gitea else LABEL
        body = {"title": draft.title, "body": draft.body, "labels": [label]}
        return await self._repository.post_once(self, self._path, _ISSUE_PERMISSION, body, draft.marker)

    async def update(self, post: Post, draft: Draft) -> None:
        """Edit it and, where it is closed, reopen it; or close it, and then say why, once."""
        path = f"{self._path}/{post.number}"
        if draft.open:
            state = {} if post.open else {"state": "open"}
            await self._repository.edit(path, _ISSUE_PERMISSION, {"body": draft.body, **state})
            return
        await self._repository.edit(path, _ISSUE_PERMISSION, {"state": "closed", "state_reason": "completed"})
        moment = f"{post.number}@{self._repository.api.clock.now():.0f}"
        remark = Draft(marker("in-sync", moment), draft.text)
        await Comments(self._repository, post.number, _ISSUE_PERMISSION).create(remark)

    async def _label_of_gitea(self) -> int:
        """The label's number, by which alone Gitea takes it; made, if need be. GitHub makes one by its name."""
        path = f"{self._repository.workflow.path}/labels"
        async for page in self._repository.api.pages(path, _ISSUE_PERMISSION, _PAGE):
            for entry in page:
                if entry.name == LABEL:
                    return entry.key
        label = {"name": LABEL, "color": f"#{_LABEL_COLOR}", "description": "Clusters are not as git says"}
        made = Entry.read((await self._repository.api.change("POST", path, _ISSUE_PERMISSION, label)).value())
        if made is None:
            raise Undocumented(f"POST {path}: a label without a number", remedy=f"make the label {LABEL} by hand")
        return made.key


def _posted(answer: Answer) -> Post:
    """What was posted: whatever the answer says of it, it stands there."""
    try:
        entry = Entry.read(answer.value())
    except HttpError:
        entry = None
    return entry.post() if entry else Post(_UNTOLD, "", "")
