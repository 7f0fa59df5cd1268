"""When HEAD is too old to be applied."""

from pathlib import Path

import pytest

from reconciler.errors import StalePlan
from reconciler.event import WorkflowEvent
from reconciler.evidence.stale import refuse_stale_head
from reconciler.model.record import Record
from tests.evidence.records import line, record
from tests.evidence.repositories import DAY, EVENT, FIRST, Repo, git_of


def stale(
    repo: Repo, head: str, *records: Record, event: WorkflowEvent = EVENT, remote: str | None = None
) -> tuple[str, str | None]:
    """What is said of HEAD, and of which target; empty where nothing is."""
    with git_of(repo.folder) as git:
        commit = git.commit(head)
        assert commit is not None
        try:
            refuse_stale_head(git, commit, records, event, remote)
        except StalePlan as error:
            assert "--allow stale-head" in (error.remedy or "")  # noqa: PT017
            return error.message, error.target
        return "", None


FRESH = ("", None)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """main: a, b, c; side leaves it at a with f."""
    repo = Repo.new(tmp_path / "r")
    for name in "abc":
        repo.commit({"x": name})
        repo.git("tag", name)
    repo.on("side", "a")
    repo.commit({"y": "f"})
    repo.git("tag", "f")
    repo.git("checkout", "--quiet", "--detach", "main")
    return repo


def test_head_behind_the_record_is_too_old(repo: Repo) -> None:
    """By the record's revision or any line's commit; equal, ahead, and gone separate ways is not."""
    a, b, c, f = (repo.git("rev-parse", name) for name in "abcf")
    older = f"HEAD {a[:10]} is older than {b[:10]}, which was applied to target us-east-1"
    assert stale(repo, a, record(revision=b)) == (older, "us-east-1")
    assert stale(repo, a, record(), record(line("x", commit=b), revision=a)) == (older, "us-east-1")
    for head, applied in ((a, a), (b, a), (c, b), (f, b), (b, f)):
        assert stale(repo, head, record(line("x", commit=applied), revision=applied)) == FRESH
    assert stale(repo, a, record(line("x"))) == FRESH


def test_what_the_default_branch_lacks_is_no_newer_work(repo: Repo) -> None:
    """A branch that was applied, or a main that was forced back, is nothing to be behind; unknown, all of it counts."""
    a, b, f = (repo.git("rev-parse", name) for name in "abf")
    assert stale(repo, a, record(revision=f)) == FRESH
    repo.git("branch", "--quiet", "--force", "main", a)
    assert stale(repo, a, record(revision=b)) == FRESH
    repo.git("branch", "--quiet", "-D", "main")
    assert stale(repo, a, record(revision=f))[0].startswith(f"HEAD {a[:10]} is older than {f[:10]}")
    told = WorkflowEvent(default_branch="side")
    assert stale(repo, a, record(revision=b), event=told) == FRESH


def test_head_behind_its_branch_is_too_old_as_far_as_the_clone_knows(repo: Repo) -> None:
    """The branch that is checked out, or was pushed to; a tag of its name is another thing, and so is a forced push."""
    a, b, f = (repo.git("rev-parse", name) for name in "abf")
    repo.git("update-ref", "refs/remotes/origin/main", b)
    behind = (f"HEAD {a[:10]} is behind main, which is at {b[:10]}", None)
    assert stale(repo, a) == FRESH
    assert stale(repo, a, event=WorkflowEvent("push", "main")) == behind
    repo.git("checkout", "--quiet", "main")
    repo.git("tag", "main", a)
    assert [stale(repo, head) for head in (a, b, f)] == [behind, FRESH, FRESH]


def test_the_branch_is_asked_of_the_remote(repo: Repo, tmp_path: Path) -> None:
    """Whatever the clone believes: a checkout may have moved its remote-tracking branch back to the old commit."""
    repo.git("checkout", "--quiet", "main")
    clone = repo.clone(tmp_path / "clone")
    old, newer = clone.head, repo.commit({"x": "d"})
    assert stale(clone, old, remote="origin") == (f"HEAD {old[:10]} is behind main, which is at {newer[:10]}", None)
    assert stale(clone, old) == FRESH
    repo.git("checkout", "--quiet", "side")
    repo.git("branch", "--quiet", "--force", "main", "a")
    assert stale(clone, old, remote="origin") == FRESH
    repo.git("branch", "--quiet", "-D", "main")
    assert stale(clone, old, remote="origin") == FRESH


@pytest.mark.parametrize(("days", "is_stale"), [(3, True), (0, False), (None, False)])
def test_where_history_is_cut_dates_decide(repo: Repo, tmp_path: Path, days: int | None, *, is_stale: bool) -> None:
    """The record says when its commit was made; one that isn't here is newer if it is younger."""
    repo.git("checkout", "--quiet", "main")
    clone = repo.clone(tmp_path / "clone", "--depth=1")
    at = None if days is None else float(FIRST + days * DAY) + 1
    applied = Record("us-east-1", "e", "K", lines={}, revision="d" * 40, revision_at=at)
    assert (stale(clone, clone.head, applied) != FRESH) == is_stale
    assert stale(repo, "c", applied) == FRESH


def test_where_history_is_cut_between_head_and_its_branch_their_dates_decide(repo: Repo, tmp_path: Path) -> None:
    """A clone of depth 1 that fetched the branch once more: neither commit knows of the other."""
    repo.git("checkout", "--quiet", "main")
    clone = repo.clone(tmp_path / "clone", "--depth=1")
    old = clone.head
    repo.commit({"x": "d"})
    newer = repo.commit({"x": "e"})
    clone.git("fetch", "--quiet", "--depth=1", "origin", "+main:refs/remotes/origin/main")
    assert stale(clone, old) == (f"HEAD {old[:10]} is behind main, which is at {newer[:10]}", None)
    clone.git("update-ref", "refs/remotes/origin/main", old)
    assert stale(clone, newer) == FRESH
