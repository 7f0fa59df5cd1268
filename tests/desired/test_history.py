"""What each cluster was declared as, commit by commit."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.desired.revision import Reader
from reconciler.model.evidence import Evidence
from reconciler.model.fleet import Target
from tests.desired.repositories import DAY, ENDPOINT, FIRST, Repo, evidence, git_of, opened, text

US = Target("us", "manifests/us", ENDPOINT)
FLEET = f"targets:\n  us:\n    endpoint: {ENDPOINT}\n  eu:\n    endpoint: https://eu.example.com\n"

Told = Callable[..., list[str]]


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.new(tmp_path / "r")


def said(repo: Repo, *names: str, target: Target | None = None) -> Evidence:
    with opened(repo) as repository:
        if target is None:
            return evidence(repository, (), names)
        return evidence(repository, (), names, target=target, endpoint=target.endpoint or ENDPOINT)


def history(repo: Repo, name: str, target: Target | None = None) -> list[str]:
    """Each revision as `MESSAGE: SHARDS -> SHARDS`, the newest first."""
    revisions = said(repo, name, target=target).of(name).history
    shards = [[d.manifest.shard_count if d else None for d in (r.before, r.after)] for r in revisions]
    messages = [repo.git("log", "-1", "--format=%s", revision.commit) for revision in revisions]
    return [f"{message}: {before} -> {after}" for message, (before, after) in zip(messages, shards, strict=True)]


def test_what_a_cluster_was_is_told_and_what_changed_nothing_is_not(repo: Repo) -> None:
    """Added, changed, removed; comments, line ends, order, other files, other clusters and moves are no changes."""
    repo.commit({"readme": "x"}, "start")
    repo.commit({"manifests/a.yaml": text("a")}, "add")
    repo.commit({"manifests/a.yaml": f"# why\n{text('a')}"}, "comment")
    repo.commit({"manifests/a.yaml": "\r\n".join(reversed(text("a").splitlines()))}, "rewrite")
    repo.commit({"manifests/a.yaml": text("a", 3)}, "grow")
    repo.commit({"manifests/a.yaml": None, "manifests/deep/er/all.yaml": f"{text('b')}---\n{text('a', 3)}"}, "move")
    repo.commit({"manifests/deep/er/all.yaml": f"{text('a', 3)}---\n{text('b', 7)}"}, "other")
    repo.commit(
        {"manifests/.a.yaml": text("a", 8), "manifests/a.txt": text("a", 9), "a.yaml": text("a", 9)}, "not ours"
    )
    removing = repo.commit({"manifests/deep/er/all.yaml": text("b", 7)}, "remove")
    assert history(repo, "a") == ["remove: 3 -> None", "grow: 2 -> 3", "add: None -> 2"]
    of = said(repo, "a", "never").of("a")
    assert of.removal is not None
    assert of.last is not None
    assert (of.removal.commit, of.removal.at, of.base) == (removing, FIRST + 9 * DAY, None)
    assert (of.last.file, of.last.line) == ("manifests/deep/er/all.yaml", 1)
    assert said(repo, "a", "never").of("never").history == ()


def test_only_first_parents_count(repo: Repo) -> None:
    """A merge changes what it brings in, at once; a squash and a rebase likewise; a revert is a change."""
    repo.commit({"manifests/a.yaml": text("a")}, "add")
    for how, shards in (("merge", 3), ("squash", 5), ("rebase", 7)):
        repo.on(how)
        repo.commit({"manifests/a.yaml": text("a", 99)}, f"on {how}")
        repo.commit({"manifests/a.yaml": text("a", shards)}, f"{how} done")
        repo.git("checkout", "--quiet", "main")
        repo.commit({f"{how}.txt": "meanwhile"}, "meanwhile")
        if how == "merge":
            repo.record("merge", "--quiet", "--no-ff", "-m", "merged", how)
        elif how == "squash":
            repo.git("merge", "--quiet", "--squash", how)
            repo.record("commit", "-m", "squashed")
        else:
            repo.git("rebase", "--quiet", "main", how)
            repo.git("checkout", "--quiet", "main")
            repo.record("merge", "--quiet", "--ff-only", how)
    repo.record("revert", "--no-edit", "HEAD")
    assert history(repo, "a") == [
        'Revert "rebase done": 7 -> 99',
        "rebase done: 99 -> 7",
        "on rebase: 5 -> 99",
        "squashed: 3 -> 5",
        "merged: 2 -> 3",
        "add: None -> 2",
    ]


def test_a_name_is_found_however_it_is_written(repo: Repo) -> None:
    """Quoted, escaped, folded, after a mark of order or by an alias."""
    written = {
        "plain": 'name: "orders" # x',
        "escaped": 'name: "\\x6frd\\\n  ers"',
        "alias": "description: &n orders\nname: *n",
        "mark": "\ufeffname: 'orders'",
        "flow": "? name\n: >-\n  orders",
    }
    for number, (message, line) in enumerate(written.items(), start=3):
        repo.commit({"manifests/x.yaml": text("x", number).replace("name: x", line)}, message)
    assert history(repo, "orders") == [
        "flow: 6 -> 7",
        "mark: 5 -> 6",
        "alias: 4 -> 5",
        "escaped: 3 -> 4",
        "plain: None -> 3",
    ]


def test_what_does_not_parse_does_not_count(repo: Repo) -> None:
    """A broken file says what it last said, until it is mended or removed; a broken fleet file moves nothing."""
    repo.commit({"manifests/a.yaml": text("a"), "manifests/b.yaml": text("b")}, "add")
    repo.commit({"manifests/a.yaml": text("a", 3) + "<<<<<<<\n"}, "break")
    worse = repo.commit({"manifests/a.yaml": text("a", 4) + ">>>>>>>\n", "manifests/fleet.yaml": "targets: ["}, "worse")
    repo.commit({"manifests/a.yaml": text("a", 4), "manifests/fleet.yaml": None}, "mend")
    repo.commit({"manifests/b.yaml": text("b") + "oops"}, "break b")
    repo.commit({"manifests/b.yaml": None}, "remove b")
    assert history(repo, "a") == ["mend: 2 -> 4", "add: None -> 2"]
    assert history(repo, "b") == ["remove b: 2 -> None", "add: None -> 2"]
    assert said(repo, "a").warnings == (
        f"passed over, as it doesn't parse: manifests/fleet.yaml of {worse[:10]} and 2 more",
    )


def test_endpoint_and_name_are_the_key_never_the_path(repo: Repo) -> None:
    """Between targets of one endpoint a move is none; a target that is renamed is the same; one sent elsewhere another."""
    repo.commit(
        {"manifests/fleet.yaml": FLEET, "manifests/us/a.yaml": text("a"), "manifests/eu/a.yaml": text("a", 9)}, "start"
    )
    both = f"{FLEET}  west:\n    endpoint: {ENDPOINT}\n    api_key_env: WEST\n"
    repo.commit({"manifests/fleet.yaml": both, "manifests/us/a.yaml": None, "manifests/west/a.yaml": text("a")}, "move")
    repo.commit({"manifests/west/a.yaml": text("a", 3)}, "grow")
    renamed = both.replace("  west:", "  wild:\n    manifests: west")
    repo.commit({"manifests/fleet.yaml": renamed}, "rename")
    assert history(repo, "a", US) == ["grow: 2 -> 3", "start: None -> 2"]
    repo.commit({"manifests/fleet.yaml": renamed.replace(ENDPOINT, "https://new.example.com")}, "resend")
    assert history(repo, "a", US) == ["resend: 3 -> None", "grow: 2 -> 3", "start: None -> 2"]
    assert history(repo, "a", Target("us", "manifests/us", "https://new.example.com")) == ["resend: None -> 3"]
    assert history(repo, "a", Target("eu", "manifests/eu", "https://eu.example.com")) == ["start: None -> 9"]


def test_a_folder_that_becomes_targets_keeps_its_clusters(repo: Repo) -> None:
    """A fleet file that takes in what was one target, and one that goes again, change no cluster."""
    repo.commit({"manifests/a.yaml": text("a")}, "add")
    one = f"targets:\n  us:\n    endpoint: {ENDPOINT}\n"
    repo.commit({"manifests/fleet.yaml": one, "manifests/a.yaml": None, "manifests/us/a.yaml": text("a")}, "fleet")
    assert history(repo, "a", US) == ["add: None -> 2"]
    repo.commit({"manifests/fleet.yaml": None}, "no fleet")
    assert history(repo, "a") == ["add: None -> 2"]


@pytest.mark.parametrize("mention", ["# as a is", "description: as a is", 'description: "\\x61s"', "# \\"])
def test_a_mention_changes_nothing(repo: Repo, mention: str) -> None:
    """Not in a comment, a description or a file that may speak of anybody; neither before nor after a change."""
    others = [f"{text('b', shards)}{mention}\n" for shards in (3, 4, 5)]
    repo.commit({"manifests/0.yaml": others[0], "manifests/z.yaml": others[0].replace("b", "z", 1)}, "mention")
    repo.commit({"manifests/a.yaml": text("a")}, "add")
    repo.commit({"manifests/0.yaml": others[1]}, "mention")
    repo.commit({"manifests/a.yaml": text("a", 3), "manifests/0.yaml": others[2]}, "grow")
    repo.commit({"manifests/0.yaml": None, "manifests/z.yaml": "oops"}, "mention no more")
    repo.commit({"manifests/0.yaml": others[0]}, "mention anew")
    repo.commit({"manifests/a.yaml": None, "manifests/0.yaml": others[2]}, "remove")
    repo.commit({"manifests/0.yaml": others[1]}, "mention")
    assert history(repo, "a") == ["remove: 3 -> None", "grow: 2 -> 3", "add: None -> 2"]


def test_a_mention_stays_one_while_it_is_broken(repo: Repo) -> None:
    """A broken file takes nothing from the others, whichever targets there are; it may have been moved as it broke."""
    repo.commit({"manifests/a.yaml": text("a"), "manifests/b.yaml": text("b")}, "add")
    repo.commit({"manifests/b.yaml": f"{text('b')}oops # a"}, "break b")
    repo.commit({"manifests/fleet.yaml": f"targets:\n  us:\n    endpoint: {ENDPOINT}\n    manifests: .\n"}, "fleet")
    repo.commit({"manifests/a.yaml": None, "manifests/c.yaml": f"{text('a')}oops"}, "move and break a")
    repo.commit({"manifests/c.yaml": text("a", 3)}, "mend a")
    us = Target("us", "manifests", ENDPOINT)
    assert history(repo, "a", us) == ["mend a: 2 -> 3", "add: None -> 2"]
    assert history(repo, "b", us) == ["add: None -> 2"]


FILES = ["us/a.yaml", "us/b.yaml", "eu/a.yaml", "us/deep/c.yaml"]
CONTENTS = [
    None,
    *(text(name, shards) for name in "ab" for shards in (2, 3)),
    f"{text('a', 4)}---\n{text('b', 4)}",
    f"{text('c')}description: as a is\n",
    f'{text("c")}description: "\\x61"\n',
    f"{text('a', 5)}oops",
    "oops # a",
]
FLEETS = [
    None,
    FLEET,
    FLEET.replace("us:", "us:\n    manifests: eu", 1).replace("eu:", "eu:\n    manifests: us", 1),
    "[",
]
EDITS = st.one_of(
    st.tuples(st.sampled_from(FILES), st.sampled_from(CONTENTS)),
    st.tuples(st.sampled_from(FILES), st.sampled_from(CONTENTS)),
    st.tuples(st.just("fleet.yaml"), st.sampled_from(FLEETS)),
)


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.dictionaries(st.integers(0, 2), EDITS, min_size=1), min_size=40, max_size=40))
def test_the_history_says_what_each_commit_declares(
    tmp_path_factory: pytest.TempPathFactory, edits: list[dict[int, tuple[str, str | None]]]
) -> None:
    """Told from the first commit on, it comes to what a look at any single commit says, if all of it parses."""
    repo = Repo.new(tmp_path_factory.mktemp("r") / "r")
    commits = [repo.commit({"manifests/z.yaml": text("z")})]
    for edit in edits:
        wanted = {f"manifests/{file}": content for file, content in edit.values()}
        there = {file for file in wanted if (repo.folder / file).exists()}
        commits.append(repo.commit({file: c for file, c in wanted.items() if c is not None or file in there}))
    told = {name: {r.commit: r for r in said(repo, "a", "b", target=US).of(name).history} for name in "ab"}
    with git_of(repo.folder / "manifests") as git:
        for name, revisions in told.items():
            now = None
            for commit in commits:
                if commit in revisions:
                    before, after = revisions[commit].before, revisions[commit].after
                    assert (before and before.manifest) == now
                    now = after and after.manifest
                reader = Reader(git, "manifests", US.name, ENDPOINT, "ab")
                declared = reader.declared(commit).get(name)
                if not reader.unreadable:
                    assert (declared and declared.manifest) == now
