"""What a checkout tells a plan, and how little it asks of git for it."""

import os
import shutil
from pathlib import Path

import pytest

from reconciler.desired.fleet import read_source
from reconciler.errors import GitError, UsageError
from reconciler.evidence.checkout import Checkout, GitOptions
from reconciler.model.evidence import Gone
from reconciler.model.fleet import Fleet, Target
from reconciler.model.record import Record
from tests.evidence.asking import TARGET, evidence, opened
from tests.evidence.records import line, record
from tests.evidence.repositories import ENDPOINT, Repo, text

OTHER = "https://other.example.com"
HISTORY = {"rev-list", "diff-tree"}


class Recorder:
    """A git on the PATH that notes which of its commands are run."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder.mkdir()
        self._notes = folder / "notes"
        program = folder / "git"
        program.write_text(f'#!/bin/sh\necho "$*" >> {self._notes}\nexec {shutil.which("git")} "$@"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def walked(self) -> bool:
        """Whether history was walked since the last time."""
        lines = self._notes.read_text().splitlines() if self._notes.exists() else []
        self._notes.unlink(missing_ok=True)
        return any(f" {name} " in line for line in lines for name in HISTORY)


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """main: a of 2 shards, and gone; then a of 3, and gone is gone."""
    repo = Repo.new(tmp_path / "r")
    repo.commit({"manifests/a.yaml": text("a"), "manifests/gone.yaml": text("gone")})
    repo.commit({"manifests/a.yaml": text("a", 3), "manifests/gone.yaml": None})
    return repo


def test_history_is_walked_only_for_what_it_alone_knows(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Base is HEAD: its declarations are head's, no file is read again. One log serves all that is asked."""
    recorder = Recorder(tmp_path / "bin", monkeypatch)
    with opened(repo) as checkout:
        assert evidence(checkout, "a", "stranger").base is not None
        assert checkout.who_set(TARGET, {}) == {}
        assert not recorder.walked()
        assert list(evidence(checkout, "gone", record=record(line("gone"))).removals) == ["gone"]
        assert recorder.walked()
        assert checkout.who_set(TARGET, {"a": ["shard_count"]})
        assert not recorder.walked()


def test_who_set_a_value_is_the_commit_that_changed_it_last(repo: Repo) -> None:
    """Each path its own; one that nobody changed since, the commit that declared the cluster; a stranger nobody's."""
    second = repo.head
    repo.commit({"manifests/a.yaml": f"# why\n{text('a', 3)}", "readme": "x"})
    first = repo.git("rev-parse", "HEAD~2")
    asked = {"a": ["shard_count", "node_instance_type"], "stranger": ["shard_count"]}
    with opened(repo) as checkout:
        assert checkout.who_set(TARGET, asked) == {("a", "shard_count"): second, ("a", "node_instance_type"): first}
    with opened(repo, "none") as checkout:
        assert checkout.who_set(TARGET, asked) == {}


def test_base_is_read_with_the_limits_that_then_held(repo: Repo) -> None:
    """Base's declarations of what is asked about, and its limits; where it is HEAD, head's own, and no limits more."""
    fleet = "targets:\n  default: {{manifests: .}}\nguards: {{max_deletes: {}}}\n"
    base = repo.commit({"manifests/fleet.yaml": fleet.format(2)})
    with opened(repo) as checkout:
        found = evidence(checkout, "a")
        assert (found.limits, found.provenance.revision, found.provenance.dirty) == (None, base, False)
        assert found.base == {"a": read_source(checkout.head_tree()).declarations["default"]["a"]}
    repo.on("topic")
    repo.commit(
        {"manifests/a.yaml": text("a", 4), "manifests/b.yaml": text("b"), "manifests/fleet.yaml": fleet.format(9)}
    )
    with opened(repo) as checkout:
        found = evidence(checkout, "a", "b")
        assert found.provenance.base is not None
        assert found.provenance.base.commit == base
        assert found.base is not None
        assert {name: declared.values["shard_count"] for name, declared in found.base.items()} == {"a": 3}
        assert found.limits is not None
        assert found.limits.of("max_deletes") == 2
        assert checkout.at_base(TARGET) == found.base
    with opened(repo, "none") as checkout:
        found = evidence(checkout, "a")
        assert (found.base, found.tells_causes, found.provenance.base) == (None, False, None)
        with pytest.raises(UsageError):
            checkout.at_base(TARGET)


def test_what_base_says_wrongly_is_passed_over_and_said(repo: Repo) -> None:
    """A file that doesn't parse there; a fleet file there that doesn't leaves nothing to compare offline."""
    base = repo.commit({"manifests/z.yaml": text("z") + "oops # a", "manifests/fleet.yaml": "targets: ["})
    repo.on("topic")
    repo.commit({"manifests/z.yaml": None, "manifests/fleet.yaml": None})
    with opened(repo) as checkout:
        warnings = evidence(checkout, "a", record=record()).warnings
        assert f"not read, as it doesn't parse: manifests/fleet.yaml of {base[:10]}" in warnings
        with pytest.raises(GitError, match="base can't be read"):
            checkout.at_base(TARGET)


def test_how_a_recorded_cluster_came_to_be_undeclared(repo: Repo) -> None:
    """The commit, and the last declaration; of what isn't in the record nobody asks, and a shallow clone can't tell."""
    removed = repo.head
    known = record(line("gone"))
    with opened(repo) as checkout:
        found = evidence(checkout, "gone", "stranger", record=known)
        removal = found.removals["gone"]
        assert (removal.commit, removal.last.file, removal.last.line) == (removed, "manifests/gone.yaml", 1)
        assert found.last("gone") == removal.last
        assert evidence(checkout, "gone", record=record()).removals == {}
    with opened(repo, "HEAD~1") as checkout:
        assert evidence(checkout, "gone", record=known).removals == {}  # base has it: this change removes it
    repo.commit({"readme": "x"})
    with opened(repo, "HEAD~1") as checkout:
        assert evidence(checkout, "gone", "stranger", record=known).removals == {"gone": removal}
    shallow = repo.clone(repo.folder.parent / "shallow", "--depth=1")
    with opened(shallow) as checkout:
        assert evidence(checkout, "gone", record=known).removals == {}
        assert checkout.who_set(TARGET, {"a": ["shard_count"]}) == {}


def test_a_record_from_a_branch_is_astray(repo: Repo) -> None:
    """Its commit is here, and not in HEAD's history; one that isn't here is just not known."""
    repo.on("side")
    side = repo.commit({"manifests/a.yaml": text("a", 9)})
    repo.git("checkout", "--quiet", "main")
    lines = [line("a", commit=side), line("b", commit=repo.head), line("c", commit="d" * 40), line("e")]
    with opened(repo) as checkout:
        assert evidence(checkout, *"abce", record=record(*lines)).astray == {"a"}


def test_a_missing_record_is_said_with_the_command_that_brings_it(repo: Repo) -> None:
    """Where there is a remote to bring it from; the page itself says that there is none."""
    with opened(repo) as checkout:
        assert evidence(checkout).warnings == ()
    clone = repo.clone(repo.folder.parent / "clone")
    with opened(clone) as checkout:
        said = "this clone has no record, and a remote that may: reconciler record fetch --remote=origin"
        assert evidence(checkout).warnings == (said,)
    with opened(clone, "none") as checkout:
        assert evidence(checkout).warnings == (said,)
    with opened(clone) as checkout:
        assert evidence(checkout, record=record()).warnings == ()
    clone.git("mv", "manifests", "infra")
    clone.commit({})
    with opened(clone, root="infra") as checkout:
        assert "reconciler record fetch --manifests=infra --remote=origin" in "".join(evidence(checkout).warnings)


def test_where_the_key_would_go_for_the_first_time_is_said_first(repo: Repo) -> None:
    """A target's endpoint that base doesn't know, before all other warnings."""
    fleet = "targets:\n  default: {{manifests: ., endpoint: '{}'}}\n"
    repo.commit({"manifests/fleet.yaml": fleet.format(ENDPOINT)})
    repo.on("topic")
    repo.commit({"manifests/fleet.yaml": fleet.format(OTHER)})
    with opened(repo) as checkout:
        first, *_ = evidence(checkout).warnings
        assert first == f"this change sends target default and its API key to {OTHER}, not to {ENDPOINT}"


def written(checkout: Checkout, *records: Record) -> None:
    for one in records:
        checkout.records.write(one, "test")


def fleet_of(*targets: tuple[str, str | None]) -> Fleet:
    return Fleet(tuple(Target(name, f"manifests/{name}", endpoint) for name, endpoint in targets), {})


def test_a_target_has_its_record_or_takes_the_one_it_was_renamed_from(repo: Repo) -> None:
    """By name and endpoint; else the only one of its endpoint and key that nobody claims. What is left is unclaimed."""
    with opened(repo) as checkout:
        us, eu = record(line("a"), target="us"), record(line("b"), target="eu", endpoint=OTHER)
        written(checkout, us, eu, record(target="empty", endpoint="https://empty.example.com"))

        def claimed(fleet: Fleet) -> tuple[list[tuple[str, str | None] | None], list[str]]:
            endpoints = {target.name: target.endpoint for target in fleet.targets if target.endpoint is not None}
            located = [target for target in fleet.targets if target.name in endpoints]
            found = [*checkout.records_of(located, endpoints).values()]
            left = [one.target for one in checkout.unclaimed(fleet, endpoints)]
            return [(one.target, one.renamed_from) if one else None for one in found], left

        assert claimed(fleet_of(("us", ENDPOINT), ("eu", OTHER))) == ([("us", None), ("eu", None)], [])
        assert claimed(fleet_of(("us", ENDPOINT), ("west", OTHER))) == ([("us", None), ("west", "eu")], [])
        assert claimed(fleet_of(("us", ENDPOINT))) == ([("us", None)], ["eu"])
        assert claimed(fleet_of(("us", OTHER))) == ([("us", "eu")], ["us"])
        # A target that isn't selected, its endpoint unknown here, claims all of its name.
        assert claimed(fleet_of(("us", ENDPOINT), ("eu", None))) == ([("us", None)], [])


def test_what_this_change_leaves_behind_is_gone(repo: Repo) -> None:
    """Base's target claims it, and head's doesn't: it was taken away, or sent elsewhere. At HEAD itself nothing is."""
    fleet = "targets:\n  us: {{endpoint: '{}', manifests: .}}\n"
    repo.commit({"manifests/fleet.yaml": fleet.format(ENDPOINT)})
    left = record(line("a"), line("b"), target="us")
    stranger = record(line("c"), target="never", endpoint=OTHER)
    with opened(repo) as checkout:
        assert checkout.gone([left], {"us": OTHER}) == ()
    repo.on("topic")
    repo.commit({"manifests/fleet.yaml": fleet.format(OTHER)})
    with opened(repo) as checkout:
        assert checkout.gone([left, stranger], {"us": OTHER}) == (Gone("us", ENDPOINT, ("a", "b"), OTHER),)
        assert checkout.gone([left], {}) == (Gone("us", ENDPOINT, ("a", "b"), None),)
        assert checkout.gone([], {}) == ()


def test_a_folder_that_git_once_had_is_known(repo: Repo) -> None:
    """Git keeps no empty folders: one that was emptied is told from one that never was."""
    repo.commit({"manifests/us/b.yaml": text("b")})
    repo.commit({"manifests/us/b.yaml": None})
    with opened(repo) as checkout:
        assert [checkout.had_folder(name) for name in ("manifests/us", "manifests", "manifests/never")] == [
            True,
            True,
            False,
        ]
    repo.commit({"manifests/us/c.yaml": text("c"), "manifests/fleet.yaml": "targets: {us: {}, eu: {}}"})
    repo.commit({"manifests/us/c.yaml": None})
    shallow = repo.clone(repo.folder.parent / "shallow", "--depth=1")
    for clone, known in ((repo, [True, False, False]), (shallow, [True, True, False])):
        with opened(clone) as checkout:  # where history is cut, one that base names counts, too
            assert [checkout.had_folder(f"manifests/{name}") for name in ("us", "eu", "never")] == known
    with opened(shallow, "none") as checkout:
        assert not checkout.had_folder("manifests/us")


def test_a_checkout_is_what_holds_the_folder_with_a_commit(repo: Repo, tmp_path: Path) -> None:
    """None without git, and before the first commit; dirty where the manifests differ, but not where HEAD is read."""
    for name in ("plain", "empty"):
        (tmp_path / name / "manifests").mkdir(parents=True)
    Repo(tmp_path / "empty").git("init", "--quiet")
    for name in ("plain", "empty"):
        assert Checkout.open(str(tmp_path / name / "manifests"), "manifests", GitOptions()) is None
    with pytest.raises(GitError, match="--base gone"), opened(repo, "gone"):
        pass
    repo.write({"manifests/a.yaml": text("a", 7)})
    for at_head, dirty in ((False, True), (True, False)):
        with opened(repo, at_head=at_head) as checkout:
            assert (checkout.dirty, checkout.head.sha) == (dirty, repo.head)
            assert read_source(checkout.head_tree()).declarations["default"]["a"].values["shard_count"] == 3


def test_records_go_to_the_remote_only_if_one_is_named(repo: Repo) -> None:
    """Fetched and pushed there; without one, nothing leaves this clone."""
    clone = repo.clone(repo.folder.parent / "clone")
    for remote, there in ((None, 0), ("origin", 1)):
        with opened(clone, remote=remote) as checkout:
            checkout.fetch_records()
            written(checkout, record(line("a")))
            checkout.push_records(checkout.records.all())
        with opened(repo) as checkout:
            assert len(checkout.records.all()) == there
