"""What a plan asks of git, on the repositories of the tests."""

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.desired.fleet import read_source
from reconciler.event import WorkflowEvent
from reconciler.evidence.checkout import Checkout, GitOptions
from reconciler.evidence.history import Revision, read_histories
from reconciler.evidence.revision import Reader
from reconciler.model.evidence import Evidence
from reconciler.model.fleet import Target
from reconciler.model.record import Record
from tests.evidence.repositories import EVENT, Repo, git_of

TARGET = Target("default", "manifests")


@contextmanager
def opened(
    repo: Repo,
    base: str | None = None,
    event: WorkflowEvent = EVENT,
    *,
    remote: str | None = None,
    at_head: bool = False,
) -> Iterator[Checkout]:
    """The checkout that holds the repository's `manifests`."""
    checkout = Checkout.open(
        str(repo.folder / "manifests"), "manifests", GitOptions(base, event, remote, "run-1"), at_head=at_head
    )
    assert checkout is not None
    try:
        yield checkout
    finally:
        checkout.close()


def evidence(checkout: Checkout, *names: str, record: Record | None = None, target: str = "default") -> Evidence:
    """What a plan asks for, of what HEAD declares."""
    head = read_source(checkout.head_tree()).head(target)
    return checkout.evidence(head, record, names, ())


def revisions(repo: Repo, name: str, target: Target = TARGET, at: str = "HEAD") -> tuple[Revision, ...]:
    """All that became of a cluster, newest first: asked on from where it came to be, or ceased to be, declared."""
    with git_of(repo.folder / "manifests") as git:
        commit, found = git.commit(at), list[Revision]()
        while commit is not None:
            reader = Reader(git, "manifests", target, [name])
            told = read_histories(git, reader, [git.log(commit.sha, git.prefix)], "manifests", {name: ["none such"]})
            found += told[name]
            commit = git.commit(f"{told[name][-1].commit}~1") if told[name] else None
    return tuple(found)
