"""What each cluster was declared as, commit by commit."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.evidence.history import Revision, read_histories
from reconciler.evidence.revision import Reader
from reconciler.model.cluster import Values
from reconciler.model.fleet import Target
from tests.evidence.asking import TARGET, revisions
from tests.evidence.repositories import ENDPOINT, Files, Repo, git_of, text

US = Target("us", "manifests/us", ENDPOINT)
FLEET = f"targets:\n  us:\n    endpoint: {ENDPOINT}\n  eu:\n    endpoint: https://eu.example.com\n"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.new(tmp_path / "r")


def history(repo: Repo, name: str, target: Target = TARGET) -> list[str]:
    """Each revision as `MESSAGE: SHARDS -> SHARDS`, the newest first."""
    found = revisions(repo, name, target)
    shards = [[declared.values["shard_count"] if declared else None for declared in (r.before, r.after)] for r in found]
    messages = [repo.git("log", "-1", "--format=%s", revision.commit) for revision in found]
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
    repo.commit({"manifests/deep/er/all.yaml": text("b", 7)}, "remove")
    assert history(repo, "a") == ["remove: 3 -> None", "grow: 2 -> 3", "add: None -> 2"]
    last = revisions(repo, "a")[0].before
    assert last is not None
    assert (last.file, last.line) == ("manifests/deep/er/all.yaml", 1)
    assert revisions(repo, "never") == ()


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
    repo.commit({"manifests/a.yaml": text("a", 4) + ">>>>>>>\n", "manifests/fleet.yaml": "targets: ["}, "worse")
    repo.commit({"manifests/a.yaml": text("a", 4), "manifests/fleet.yaml": None}, "mend")
    repo.commit({"manifests/b.yaml": text("b") + "oops"}, "break b")
    repo.commit({"manifests/b.yaml": None}, "remove b")
    assert history(repo, "a") == ["mend: 2 -> 4", "add: None -> 2"]
    assert history(repo, "b") == ["remove b: 2 -> None", "add: None -> 2"]


def test_a_target_is_known_by_its_name_else_by_endpoint_and_key(repo: Repo) -> None:
    """Sent elsewhere it is the same; renamed, too; a cluster that moves to another target is another."""
    repo.commit(
        {"manifests/fleet.yaml": FLEET, "manifests/us/a.yaml": text("a"), "manifests/eu/a.yaml": text("a", 9)}, "start"
    )
    both = f"{FLEET}  west:\n    endpoint: {ENDPOINT}\n    api_key_env: MOMENTO_WEST\n"
    repo.commit({"manifests/fleet.yaml": both, "manifests/us/a.yaml": None, "manifests/west/a.yaml": text("a")}, "move")
    repo.commit({"manifests/west/a.yaml": text("a", 3)}, "grow")
    assert history(repo, "a", US) == ["move: 2 -> None", "start: None -> 2"]
    renamed = both.replace("  west:", "  wild:\n    manifests: west")
    repo.commit({"manifests/fleet.yaml": renamed}, "rename")
    wild = Target("wild", "manifests/west", ENDPOINT, "MOMENTO_WEST")
    assert history(repo, "a", wild) == ["grow: 2 -> 3", "move: None -> 2"]
    repo.commit(
        {
            "manifests/fleet.yaml": renamed.replace(
                "wild:\n    manifests: west\n    endpoint: " + ENDPOINT,
                "wild:\n    manifests: west\n    endpoint: https://new.example.com",
            )
        },
        "resend",
    )
    assert history(repo, "a", wild._replace(endpoint="https://new.example.com")) == ["rename: None -> 3"]
    assert history(repo, "a", Target("eu", "manifests/eu", "https://eu.example.com")) == ["start: None -> 9"]


def test_a_default_of_the_fleet_file_sets_its_value(repo: Repo) -> None:
    """Of each manifest that leaves the field out, in its target alone; a line that moves, a guard, another's is none."""
    few = text("a").replace("shard_count: 2\n", "")
    fleet = "targets:\n  us: {{defaults: {{shard_count: {}}}}}\n  eu: {{defaults: {{shard_count: {}}}}}\n{}"
    manifests: Files = {"manifests/us/a.yaml": few, "manifests/us/b.yaml": text("b"), "manifests/eu/a.yaml": few}
    repo.commit({**manifests, "manifests/fleet.yaml": fleet.format(2, 3, "")}, "start")
    repo.commit({"manifests/fleet.yaml": fleet.format(2, 4, "")}, "eu grows")
    repo.commit({"manifests/fleet.yaml": fleet.format(5, 4, "")}, "us grows")
    repo.commit({"manifests/fleet.yaml": "# why\n" + fleet.format(5, 4, "guards: {max_deletes: 1}\n")}, "guards")
    repo.commit({"manifests/us/a.yaml": f"{few}description: x\n"}, "describe")
    us, eu = Target("us", "manifests/us"), Target("eu", "manifests/eu")
    assert history(repo, "a", us) == ["describe: 5 -> 5", "us grows: 2 -> 5", "start: None -> 2"]
    assert history(repo, "b", us) == ["start: None -> 2"]
    assert history(repo, "a", eu) == ["eu grows: 3 -> 4", "start: None -> 3"]


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


@pytest.mark.slow
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
    told = {name: {r.commit: r for r in revisions(repo, name, US)} for name in "ab"}
    with git_of(repo.folder / "manifests") as git:
        for name, found in told.items():
            now: Values | None = None
            for commit in commits:
                if commit in found:
                    before, after = found[commit].before, found[commit].after
                    assert (before.values if before else None) == now
                    now = after.values if after else None
                reader = Reader(git, "manifests", US, "ab")
                declared = reader.declared(commit).get(name)
                if not reader.unreadable:
                    assert (declared.values if declared else None) == now


@pytest.mark.slow
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.dictionaries(st.integers(0, 2), EDITS, min_size=1), min_size=12, max_size=12),
    st.sampled_from([None, ["shard_count"], ["shard_count", "description"]]),
)
def test_a_log_that_is_cut_tells_what_the_whole_one_tells(
    tmp_path_factory: pytest.TempPathFactory, edits: list[dict[int, tuple[str, str | None]]], asked: list[str] | None
) -> None:
    """Wherever it is cut, or it leaves the answer to the whole one."""
    repo = Repo.new(tmp_path_factory.mktemp("r") / "r")
    repo.commit({"manifests/z.yaml": text("z")})
    for edit in edits:
        wanted = {f"manifests/{file}": content for file, content in edit.values()}
        there = {file for file in wanted if (repo.folder / file).exists()}
        repo.commit({file: c for file, c in wanted.items() if c is not None or file in there})
    with git_of(repo.folder / "manifests") as git:

        def told(*most: int | None) -> Mapping[str, tuple[tuple[str, Values | None, Values | None], ...]]:
            reader = Reader(git, "manifests", US, "ab")
            logs = [git.log("HEAD", git.prefix, cut) for cut in most]
            found = read_histories(git, reader, logs, "manifests", dict.fromkeys("ab", asked))
            return {name: tuple(map(_plain, revisions)) for name, revisions in found.items()}

        whole = told(None)
        for cut in range(len(edits) + 1):
            assert told(cut, None) == whole
            assert told(cut).items() <= whole.items()


def _plain(revision: Revision) -> tuple[str, Values | None, Values | None]:
    before, after = revision.before, revision.after
    return revision.commit, before.values if before else None, after.values if after else None


def test_of_a_long_history_what_is_newest_is_enough(repo: Repo) -> None:
    """The rest of it is never asked for, where all that is asked lies in what is newest."""
    repo.commit({"manifests/a.yaml": text("a"), "manifests/b.yaml": text("b")}, "add")
    for shards in (3, 4):
        repo.commit({"manifests/a.yaml": text("a", shards)})
    with git_of(repo.folder / "manifests") as git:
        reader = Reader(git, "manifests", TARGET, "ab")
        recent = git.log("HEAD", git.prefix, 1)
        assert recent.ground == repo.git("rev-parse", "HEAD~1")
        told = read_histories(git, reader, [recent], "manifests", {key: ["shard_count"] for key in "ab"})
    assert {name: [r.commit for r in found] for name, found in told.items()} == {"a": [repo.git("rev-parse", "HEAD")]}
