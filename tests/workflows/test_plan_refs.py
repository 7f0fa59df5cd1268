"""Plans in refs: kept by several jobs at once, and none too many."""

import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.plan.document import MAX_PLAN_BYTES
from tests.workflows.files import ROOT
from tests.workflows.hub import ALONE, git

ONE, OTHER = "1" * 40, "2" * 40


def start(folder: Path, command: str, **environment: str) -> "subprocess.Popen[str]":
    """A step's program, on a repository below the folder."""
    given = {**ALONE, "GITHUB_SERVER_URL": folder.as_uri(), "GITHUB_REPOSITORY": "acme/fleet", **environment}
    script = [sys.executable, str(ROOT / ".github/plan_refs.py"), command]
    return subprocess.Popen(script, env=given, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.slow
def test_jobs_at_once_keep_what_each_has_planned(tmp_path: Path) -> None:
    """Of two commits, under two keys each, one of them twice; each takes the same old ones away, or doesn't mind."""
    origin = tmp_path / "acme/fleet"
    git(tmp_path, "init", "--quiet", "--bare", str(origin))
    blank = git(origin, "commit-tree", git(origin, "write-tree"), "-m", "x")
    for second in (1_600_000_000, 1_650_000_000, 1_700_000_000):
        git(origin, "update-ref", f"refs/reconciler/plan/{ONE}/{'a' * 16}/{second}", blank)
    jobs = [(commit, key) for commit in (ONE, OTHER) for key in ("us/east: 1", "eu")] + [(ONE, "eu")]
    for number, (commit, key) in enumerate(jobs):
        (tmp_path / f"{number}.json").write_text(f"{commit} {key}")
    hook = origin / "hooks/update"
    hook.write_text('#!/bin/sh\ntest "${3#0000}" = "$3"\n')
    hook.chmod(0o755)
    for several in ([0], [1, 2, 3, 4]):
        started = [
            start(tmp_path, "keep", COMMIT=jobs[number][0], KEY=jobs[number][1], FILE=str(tmp_path / f"{number}.json"))
            for number in several
        ]
        assert [(job.communicate(timeout=60)[0], job.returncode) for job in started] == [("", 0)] * len(several)
        hook.unlink(missing_ok=True)
    named = git(origin, "for-each-ref", "--format=%(refname)", "refs/reconciler/plan").split()
    assert not [ref for ref in named if "a" * 16 in ref]
    got = start(tmp_path, "get", COMMIT=ONE, FOLDER=str(tmp_path / "got"))
    assert (got.communicate(timeout=60)[0], got.returncode) == ("", 0)
    saved = sorted(file.read_text() for file in (tmp_path / "got").glob("*/reconciler-plan.json"))
    assert saved == [f"{ONE} eu", f"{ONE} us/east: 1"]
    other = f"refs/reconciler/plan/{ONE}/{'b' * 16}/1700000000"
    git(origin, "update-ref", other, blank)
    refused = start(tmp_path, "get", COMMIT=ONE, FOLDER=str(tmp_path / "none"))
    said = f"the plans of this run's jobs can't be had: {other} holds no plan; take it away: git push origin :{other}"
    assert refused.communicate(timeout=60)[0] == f"::error title=reviewed plan::{said}\n"
    assert refused.returncode == 1


@pytest.mark.slow
def test_a_plan_that_no_job_has_kept_takes_no_place_and_no_memory(tmp_path: Path) -> None:
    """One of the future isn't the newest, and goes as the next is kept, save by a clock's skew; one too long is told."""
    origin = tmp_path / "acme/fleet"
    git(tmp_path, "init", "--quiet", "--bare", str(origin))
    (tmp_path / "plan.json").write_text("the plan")
    (tmp_path / "long.json").write_bytes(bytes(MAX_PLAN_BYTES + 1))
    made = {}
    for name in ("plan", "long"):
        blob = git(origin, "hash-object", "-w", str(tmp_path / f"{name}.json"))
        git(origin, "update-index", "--add", "--cacheinfo", f"100644,{blob},reconciler-plan.json")
        made[name] = git(origin, "commit-tree", git(origin, "write-tree"), "-m", "x")
    key, ahead = "a" * 16, int(SystemClock().now()) + 3600
    ours, future = f"refs/reconciler/plan/{ONE}/{key}/{ahead}", f"refs/reconciler/plan/{ONE}/{key}/4102444800"
    git(origin, "update-ref", ours, made["plan"])
    git(origin, "update-ref", future, made["long"])
    got = start(tmp_path, "get", COMMIT=ONE, FOLDER=str(tmp_path / "got"))
    assert (got.communicate(timeout=60)[0], got.returncode) == ("", 0)
    assert (tmp_path / f"got/{key}/reconciler-plan.json").read_text() == "the plan"
    kept = start(tmp_path, "keep", COMMIT=OTHER, KEY="eu", FILE=str(tmp_path / "plan.json"))
    assert (kept.communicate(timeout=60)[0], kept.returncode) == ("", 0)
    named = git(origin, "for-each-ref", "--format=%(refname)", f"refs/reconciler/plan/{ONE}").split()
    assert named == [ours]
    git(origin, "update-ref", ours, made["long"])
    got = start(tmp_path, "get", COMMIT=ONE, FOLDER=str(tmp_path / "none"))
    said = f"{ours} holds more than the 64 MiB of a plan; take it away: git push origin :{ours}"
    said = f"::error title=reviewed plan::the plans of this run's jobs can't be had: {said}\n"
    assert (got.communicate(timeout=60)[0], got.returncode) == (said, 1)
