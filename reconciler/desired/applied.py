"""What was applied: a ref for each endpoint and target. The one thing in a repository that is ever written."""

import re

from reconciler.desired.git import Commit, Git
from reconciler.errors import GitError

_PREFIX = "refs/reconciler/applied"
_PLAIN = re.compile(r"[A-Za-z0-9_-]|(?<=[A-Za-z0-9])\.(?=[A-Za-z0-9])")


def applied_ref(endpoint: str, target: str) -> str:
    """`refs/reconciler/applied/HOST/TARGET`; what a ref can't hold is percent-encoded."""
    return f"{_PREFIX}/{_encoded(endpoint.removeprefix('https://'))}/{_encoded(target)}"


def read_applied(git: Git, endpoint: str, target: str) -> Commit | None:
    """The commit of the last complete apply; None where there is none, here."""
    return git.commit(applied_ref(endpoint, target))


def move_applied(git: Git, endpoint: str, target: str, to: str) -> bool:
    """Say that a commit was applied, unless a newer one was meanwhile; whether it was said. Raises GitError."""
    ref = applied_ref(endpoint, target)
    while True:
        now = git.commit(ref)
        if now is not None and git.is_ancestor(to, now.sha):
            return now.sha == to
        try:
            git.move(ref, to, now.sha if now else None)
        except GitError:
            if git.commit(ref) == now:
                raise
        else:
            return True


def _encoded(text: str) -> str:
    lock = text.endswith(".lock")
    found = "".join(
        c if _PLAIN.match(text, i) and not (lock and i == len(text) - 5) else "".join(f"%{b:02X}" for b in c.encode())
        for i, c in enumerate(text)
    )
    return found or "%"
