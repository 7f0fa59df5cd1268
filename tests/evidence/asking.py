"""What a plan asks of git, on the repositories of the tests."""

from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.desired.files import Folder
from reconciler.desired.fleet import read_source
from reconciler.event import WorkflowEvent
from reconciler.evidence.checkout import Checkout, GitOptions
from reconciler.evidence.git import Git
from reconciler.evidence.history import Revision, read_histories
from reconciler.evidence.revision import Reader, Tree
from reconciler.evidence.worktree import WorkTree
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
    root: str = "manifests",
) -> Iterator[Checkout]:
    """The checkout that holds the repository's `manifests`, or another folder of it."""
    folder = str(repo.folder / root)
    checkout = Checkout.open(folder, root, GitOptions(base, event, remote, "run-1"))
    assert checkout is not None
    try:
        if not at_head:
            read(checkout.work_tree(Folder(folder, root)))
        yield checkout
    finally:
        checkout.close()


def read(work_tree: WorkTree) -> None:
    """All of it."""
    for _ in work_tree.read(work_tree.names()):
        pass


def is_dirty(git: Git) -> bool:
    """Whether the work tree of the folder that git is seen from differs from HEAD."""
    head = git.commit("HEAD")
    assert head is not None
    work_tree = WorkTree(Folder(f"{git.root}/{git.prefix}"), head.sha)
    read(work_tree)
    return work_tree.differs_from(Tree(git, head.sha, work_tree.root))


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
