"""Which commit head is compared with, for each event, and what is warned of."""

import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.errors import GitError
from reconciler.event import WorkflowEvent
from reconciler.evidence.base import ChosenBase, choose_base
from tests.evidence.repositories import EVENT, Repo, git_of


@dataclass
class World:
    """main: a, b, c; side leaves it at b with f, which then takes c in with g; merge is GitHub's of c and g."""

    repo: Repo
    named: dict[str, str]

    def base(
        self, head: str, event: WorkflowEvent = EVENT, wanted: str | None = None
    ) -> tuple[str, str, tuple[str, ...]]:
        """The chosen commit by its name here, why, and what is warned of."""
        with git_of(self.repo.folder) as git:
            commit = git.commit(self.named[head])
            assert commit is not None
            chosen = choose_base(git, commit, wanted, event)
        assert chosen is not None
        names = {sha: name for name, sha in self.named.items()}
        return names[chosen.base.commit], chosen.base.reason, chosen.warnings


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    repo = Repo.new(tmp_path_factory.mktemp("base") / "r")
    named = {"a": repo.commit({"x": "a"}), "b": repo.commit({"x": "b"})}
    repo.on("side")
    named["f"] = repo.commit({"y": "f"})
    repo.git("checkout", "--quiet", "main")
    named["c"] = repo.commit({"x": "c"})
    repo.git("checkout", "--quiet", "side")
    named["g"] = repo.record("merge", "--quiet", "--no-edit", "main")
    repo.git("checkout", "--quiet", "--detach", "main")
    named["merge"] = repo.record("merge", "--quiet", "--no-ff", "--no-edit", "side")
    repo.git("checkout", "--quiet", "--orphan", "other")
    named["orphan"] = repo.commit({"z": "o"})
    repo.git("update-ref", "refs/remotes/origin/main", named["c"])
    repo.git("update-ref", "refs/remotes/origin/release", named["b"])
    return World(repo, named)


def push(before: str, branch: str = "main") -> WorkflowEvent:
    return WorkflowEvent("push", branch, "main", before=before)


def pull_request(base_branch: str, head: str, base: str = "") -> WorkflowEvent:
    return WorkflowEvent("pull request", base_branch=base_branch, base=base, head=head)


def test_every_event_has_its_base(world: World) -> None:
    """Pull requests, pushes, merge groups, tags, schedules and work trees: which commit, and why this one."""
    n = world.named
    merged = pull_request("main", n["g"])
    assert world.base("merge", merged) == ("c", "the first parent of this pull request's merge into main", ())
    # The same event with the branch checked out: its own merge of main isn't GitHub's.
    assert world.base("g", merged) == ("c", "where this pull request's branch left main", ())
    ahead = "main is ahead of this branch: what merges may differ from what is planned here"
    behind = pull_request("main", n["f"])
    assert world.base("f", behind) == ("b", "where this pull request's branch left main", (ahead,))
    assert world.base("f", pull_request("release", n["f"]))[0] == "b"
    assert world.base("f", pull_request("gone", "", n["a"])) == ("a", "where this pull request's branch left gone", ())
    request = WorkflowEvent("merge request", "", "main", 7, "main", n["c"], n["g"])
    assert world.base("merge", request) == ("c", "the first parent of this merge request's merge into main", ())
    assert world.base("f", request._replace(base_branch="gone", base=n["b"], head="")) == (
        "b",
        "where this merge request's branch left gone",
        (),
    )
    assert world.base("c", push(n["a"])) == ("a", "before this push to main", ())
    assert world.base("c", push("0" * 40)) == ("c", "HEAD, which origin/main contains", ())
    assert world.base("b", push(n["a"], "")) == ("b", "HEAD, which origin/main contains", ())
    group = WorkflowEvent("merge group", "gh-readonly-queue/main/pr-7", base=n["c"])
    assert world.base("merge", group) == ("c", "the base of this merge group", ())
    for other in (EVENT, WorkflowEvent(branch="main"), WorkflowEvent(branch="side")):
        assert world.base("c", other) == ("c", "HEAD, which origin/main contains", ())
        assert world.base("f", other)[:2] == ("b", "where HEAD left origin/main")
    release = WorkflowEvent(default_branch="release")
    assert world.base("c", release)[:2] == ("b", "where HEAD left origin/release")


def test_head_off_the_default_branch_is_warned_of(world: World) -> None:
    """What is applied from there isn't merged; of pull requests and merge groups, and a named base, that's no news."""
    n = world.named
    astray = f"HEAD {n['f'][:10]} is not on origin/main: what is applied from here isn't merged"
    group = WorkflowEvent("merge group", base=n["b"])
    for event in (EVENT, WorkflowEvent(branch="main"), push(n["b"], "side")):
        assert world.base("f", event)[2] == (astray,)
    assert world.base("f", EVENT, "main") == ("c", "--base main", ())
    assert world.base("f", group) == ("b", "the base of this merge group", ())
    assert world.base("c", push(n["a"])) == ("a", "before this push to main", ())
    assert world.base("f", pull_request("release", n["f"]))[2] == ()


def test_a_base_that_is_named_is_taken(world: World) -> None:
    """By hash, branch, tag, remote branch or relation; `none` is no base at all."""
    for wanted, expected in ({world.named["a"][:12]: "a", "main~1": "b", "origin/main": "c", "release": "b"}).items():
        assert world.base("g", push(world.named["a"]), wanted)[:2] == (expected, f"--base {wanted}")
    assert world.base("g", EVENT, "HEAD") == ("orphan", "HEAD", ())  # as `drift` takes it
    with git_of(world.repo.folder) as git:
        head = git.commit("main")
        assert head is not None
        assert choose_base(git, head, "none", EVENT) is None
        assert isinstance(choose_base(git, head, "", EVENT), ChosenBase)


def test_the_default_branch_is_the_remotes_own_whatever_its_name(tmp_path: Path) -> None:
    """Where no event names it: what a clone noted of the remote goes before the names that are usual."""
    repo = Repo.new(tmp_path / "r")
    trunk = repo.commit({"x": "1"})
    head = repo.commit({"x": "2"})
    repo.git("update-ref", "refs/remotes/origin/trunk", trunk)
    repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    found = World(repo, {"trunk": trunk, "head": head}).base("head")
    assert found[:2] == ("trunk", "where HEAD left origin/HEAD")


@pytest.mark.parametrize(
    ("wanted", "event", "message", "remedy"),
    [
        ("gone", EVENT, "--base gone is not in this clone", "git fetch origin gone"),
        ("origin/gone", EVENT, "--base origin/gone is not in this clone", "git fetch origin gone"),
        ("main~99", EVENT, "--base main~99 is not in this clone", "git fetch origin"),
        ("--all", EVENT, "--base --all is not in this clone", "git fetch origin"),
        ("x;\x1b[2J\n", EVENT, r"--base x;\x1b[2J\n is not in this clone", "git fetch origin"),
        (None, push("d" * 40), "the commit before this push is not in this clone", f"git fetch origin {'d' * 40}"),
        (None, push("\ud800"), "the commit before this push is not in this clone", "git fetch origin"),
        (None, WorkflowEvent("merge group"), "the base of this merge group is not in this clone", "git fetch origin"),
        (None, pull_request("gone", ""), "the tip of gone is not in this clone", "git fetch origin"),
        (None, EVENT, "HEAD and origin/main have no common commit here", "name the base with --base REF"),
    ],
)
def test_a_base_that_is_not_there_is_an_error_with_the_fetch_that_mends_it(
    world: World, wanted: str | None, event: WorkflowEvent, message: str, remedy: str
) -> None:
    """Whatever is asked for, also by a hostile name."""
    with pytest.raises(GitError) as caught:
        world.base("orphan", event, wanted)
    way = "name the base with --base REF"
    assert (caught.value.message, caught.value.remedy) == (message, f"{remedy}; or {way}" if remedy != way else way)


def test_the_remedy_of_a_shallow_clone_mends_it(tmp_path: Path) -> None:
    """The command that is named brings the base, of a clone of one branch and one commit too."""
    source = Repo.new(tmp_path / "source")
    first = source.commit({"x": "1"})
    source.on("release")
    source.git("checkout", "--quiet", "main")
    second = source.commit({"x": "2"})
    clone = source.clone(tmp_path / "clone", "--depth=1")
    for wanted, event, expected in (
        ("release", EVENT, first),
        (None, push(first), first),
        (None, pull_request("release", second), first),
    ):
        clone = source.clone(tmp_path / f"clone of {wanted} {event.kind}", "--depth=1")
        clone.git("config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*")
        with git_of(clone.folder) as git, pytest.raises(GitError) as caught:
            choose_base(git, git.commit("HEAD"), wanted, event)  # type: ignore[arg-type]
        remedy, _, otherwise = (caught.value.remedy or "").partition("; ")
        assert otherwise == "or name the base with --base REF"
        clone.git(*shlex.split(remedy)[1:])
        with git_of(clone.folder) as git:
            chosen = choose_base(git, git.commit("HEAD"), wanted, event)  # type: ignore[arg-type]
        assert chosen is not None
        assert chosen.base.commit == expected


def test_where_no_default_branch_is_known_base_is_head(tmp_path: Path) -> None:
    """A repository of its own, on a branch of another name; `main` and `master` are known without a remote."""
    repo = Repo.new(tmp_path / "r")
    first = repo.commit({"x": "1"})
    repo.on("topic")
    second = repo.commit({"x": "2"})
    world = World(repo, {"first": first, "second": second})
    assert world.base("second")[:2] == ("first", "where HEAD left main")
    repo.git("branch", "--quiet", "-D", "main")
    assert world.base("second") == ("second", "HEAD: no default branch is known here", ())
