"""What is looked up for a plan, and what can't be proven."""

import os
import shutil
from pathlib import Path

import pytest

from reconciler.desired.base import Event
from reconciler.desired.lookup import NO_BASE_NAMED, NO_DEFAULT_BRANCH, OFF_DEFAULT_BRANCH, OFF_FIRST_PARENTS
from reconciler.model.evidence import Applied, Evidence
from reconciler.model.fleet import Target
from tests.desired.repositories import ENDPOINT, EVENT, Repo, evidence, opened, text

COMMANDS = (
    "rev-parse",
    "cat-file",
    "status",
    "ls-files",
    "merge-base",
    "rev-list",
    "diff-tree",
    "config",
    "update-ref",
)


class Recorder:
    """A git on the PATH that notes which of its commands are run."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._notes = folder / "notes"
        program = folder / "git"
        program.write_text(f'#!/bin/sh\necho "$*" >> {self._notes}\nexec {shutil.which("git")} "$@"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def commands(self) -> list[str]:
        """Those since the last time."""
        lines = self._notes.read_text().splitlines() if self._notes.exists() else []
        self._notes.unlink(missing_ok=True)
        return [next(name for name in COMMANDS if f" {name}" in line) for line in lines]


def test_only_what_differs_is_looked_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing changed: no history, no manifests. Applied as base has it: no history."""
    repo = Repo.new(tmp_path / "r")
    repo.commit({"manifests/a.yaml": text("a"), "manifests/gone.yaml": text("gone")})
    repo.commit({"manifests/a.yaml": text("a", 3), "manifests/gone.yaml": None})
    (tmp_path / "bin").mkdir()
    recorder = Recorder(tmp_path / "bin", monkeypatch)
    with opened(repo) as repository:
        assert recorder.commands() == ["rev-parse", "cat-file", "status", "ls-files", "merge-base"]
        assert evidence(repository).clusters is None
        assert recorder.commands() == []
        assert evidence(repository, ["a"]).of("a").history != ()
        assert {"rev-list", "diff-tree"} < set(recorder.commands())
        assert evidence(repository, [], ["gone"]).of("gone").removal is not None
        assert not {"rev-list", "diff-tree"} & set(recorder.commands())  # one log for all targets
        assert repository.say_applied(ENDPOINT, "default")
    with opened(repo) as repository:
        recorder.commands()
        of = evidence(repository, ["a"]).of("a")
        assert of.base is not None
        assert of.base == of.applied
        assert not {"rev-list", "diff-tree"} & set(recorder.commands())


def test_base_and_applied_are_read_with_the_guards_that_then_held(tmp_path: Path) -> None:
    """Applied's declarations and guards where it is known; base's, and an inferred applied, where it isn't."""
    repo = Repo.new(tmp_path / "r")
    fleet = "targets:\n  default:\n    manifests: .\nguards:\n  max_deletes: {}\n"
    repo.commit({"manifests/a.yaml": text("a"), "manifests/fleet.yaml": fleet.format(1)})
    with opened(repo) as repository:
        assert repository.say_applied(ENDPOINT, "default")
        applied = repository.head.sha
    base = repo.commit({"manifests/a.yaml": text("a", 3), "manifests/fleet.yaml": fleet.format(2)})
    repo.on("topic")
    repo.commit({"manifests/a.yaml": text("a", 4), "manifests/fleet.yaml": fleet.format(3)})

    def told(said: Evidence) -> tuple[list[int | None], int | None]:
        of = said.of("a")
        shards = [d.manifest.shard_count if d else None for d in (of.applied, of.base)]
        return shards, said.guards.max_deletes if said.guards else None

    with opened(repo) as repository:
        said = evidence(repository, ["a"])
        assert told(said) == ([2, 3], 1)
        assert said.provenance.applied == Applied(commit=applied, inferred=False)
        elsewhere = evidence(repository, ["a"], endpoint="https://other.example.com")
        assert told(elsewhere) == ([None, 3], 2)
        assert elsewhere.provenance.applied == Applied(commit=None, inferred=True)
        assert elsewhere.provenance.base is not None
        assert elsewhere.provenance.base.commit == base
        contradicted = Target("default", "manifests", "https://b.example.com")
        assert evidence(repository, ["a"], target=contradicted).unproven == (
            "the fleet file sends target default to https://b.example.com"
        )


def test_why_nothing_can_be_proven_is_told(tmp_path: Path) -> None:
    """No base, one off the default branch, no default branch, a push that put aside its `before`: each its remedy."""
    repo = Repo.new(tmp_path / "r")
    first = repo.commit({"manifests/a.yaml": text("a")})
    repo.on("side")
    aside = repo.commit({"manifests/a.yaml": text("a", 3)})
    repo.git("checkout", "--quiet", "main")
    repo.commit({"x": "1"})
    merge = repo.record("merge", "--quiet", "--no-ff", "--no-edit", "side")

    def push(before: str) -> Event:
        return Event("push", "refs/heads/main", {"before": before})

    def why(base: str | None = None, event: Event = EVENT) -> str | None:
        with opened(repo, base, event) as repository:
            said = evidence(repository, ["a"], ["gone"])
            assert said.unproven == repository.unproven
            assert said.explains == (base != "none")
            return repository.unproven

    assert [why(), why("HEAD~1"), why("side"), why(event=push(first)), why(event=push(merge))] == [None] * 5
    assert why("none") == NO_BASE_NAMED
    assert why(event=push(aside)) == OFF_FIRST_PARENTS
    assert why("HEAD", push(aside)) is None
    repo.on("ahead")
    repo.commit({"x": "2"})
    assert (why(), why("HEAD"), why(event=push(first))) == (None, OFF_DEFAULT_BRANCH, None)
    repo.git("branch", "--quiet", "-D", "main")
    assert why() == NO_DEFAULT_BRANCH
    repo.git("update-ref", "refs/remotes/origin/main", "HEAD")
    assert why() is None
