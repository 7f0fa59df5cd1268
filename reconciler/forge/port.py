"""What the program wants of a forge: three methods, so that another forge is one more implementation.

What stands there is found again by its hidden first line, the marker; nothing is kept anywhere else.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias
from urllib.parse import quote

LABEL = "reconciler-drift"
"""What our issues are found by."""
UNTOLD = 0
"""The number of what was posted, where the answer doesn't say it."""

Done: TypeAlias = Literal["created", "updated", "closed", "reopened", "unchanged"]


@dataclass(frozen=True, slots=True)
class Post:
    """A comment or an issue as it stands. `number` is what the forge calls it by; a comment is always open."""

    number: int
    body: str
    url: str
    open: bool = True


@dataclass(frozen=True, slots=True)
class Draft:
    """A comment or an issue as it should stand.

    `text` is Markdown. `fingerprint`, where there is one, decides whether what stands there says the same; else the
    whole body does. Only an issue has a `title`, and may be not `open`: then `text` is said below it, as a comment.
    What is not `needed` only takes the place of what stands there already.
    """

    marker: str
    text: str
    title: str = ""
    fingerprint: str = ""
    open: bool = True
    needed: bool = True

    @property
    def body(self) -> str:
        """Marker, fingerprint, text: the first two are hidden."""
        return "\n".join([self.marker, *([self._fingerprint_line] if self.fingerprint else []), self.text])

    @property
    def _fingerprint_line(self) -> str:
        return f"<!-- {self.fingerprint} -->"

    def stands(self, post: Post) -> bool:
        """Whether nothing has to be done."""
        if not self.open or not post.open:
            return self.open == post.open
        if self.fingerprint:
            return self._fingerprint_line in post.body.splitlines()[1:2]
        return _as_sent(post.body) == _as_sent(self.body)


class Port(Protocol):
    """One place on a forge where things are posted. Each method raises HttpError."""

    async def find(self, marker: str) -> Post | None:
        """What was posted there by us, with this first line."""
        ...

    async def create(self, draft: Draft) -> Post:
        """Post it: exactly once, even where the answer got lost."""
        ...

    async def update(self, post: Post, draft: Draft) -> None:
        """Make what stands there what it should be."""
        ...


class Forge(Protocol):
    """A repository on a forge, and who we are there."""

    def comments(self, number: int) -> Port:
        """The comments of a pull request, or a merge request's notes."""
        ...

    def drift_issues(self) -> Port:
        """The repository's issues that have our label."""
        ...

    async def merged_pull_request(self, commit: str) -> int | None:
        """The pull or merge request that was merged as this commit, None where there is none. Raises HttpError."""
        ...


async def publish(port: Port, draft: Draft) -> tuple[Done, Post | None]:
    """See to it that the draft stands there, once; nothing is sent but the search where it does already.

    What should be closed, or isn't needed, and was never there is left so. Raises HttpError.
    """
    post = await port.find(draft.marker)
    if post is None:
        return ("created", await port.create(draft)) if draft.open and draft.needed else ("unchanged", None)
    if draft.stands(post):
        return "unchanged", post
    await port.update(post, draft)
    if draft.open == post.open:
        return "updated", post
    return ("reopened" if draft.open else "closed"), post


async def keep_oldest(port: Port, posted: Post, draft: Draft, remove: Callable[[Post], Awaitable[None]]) -> Post:
    """Of two runs at once, whose search found nothing, the later one's post goes again, and its text into the other.

    Raises HttpError.
    """
    oldest = await port.find(draft.marker)
    if oldest is None or posted.number in {oldest.number, UNTOLD}:
        return posted
    await port.update(oldest, draft)
    await remove(posted)
    return oldest


def marker(kind: Literal["plan", "apply", "apply-failed", "drift", "unread", "in-sync"], target: str) -> str:
    """`<!-- reconciler:plan target=us-east-1 -->`: a comment of HTML that the name can't end."""
    name = quote(target, safe="", errors="backslashreplace").replace("--", "%2D%2D")
    return f"<!-- reconciler:{kind} target={name} -->"


def begins_with(body: str, first_line: str) -> bool:
    """Whether it is the body's first line, whichever line breaks the forge keeps."""
    return body.partition("\n")[0].rstrip("\r") == first_line


def _as_sent(body: str) -> str:
    return body.replace("\r\n", "\n").strip()
