"""Which commits' pull requests count as reviewed: read from records and history alone, before any forge is asked."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.evidence.git import Git
from reconciler.evidence.record import Records
from tests.evidence.records import line, record
from tests.workflows.files import ROOT
from tests.workflows.hub import ALONE, WHO, git

ASK = "import reviewed; print(*reviewed.commits_to_ask())"


def asked(clone: Path, **environment: str) -> list[str]:
    """The commits that a job in this clone asks for, the newest first."""
    tip = git(clone, "rev-parse", "HEAD")
    given = {**ALONE, **environment, "GITHUB_SHA": tip, "PYTHONPATH": str(ROOT / ".github")}
    ended = subprocess.run(
        [sys.executable, "-c", ASK], cwd=clone, env=given, capture_output=True, text=True, check=True
    )
    assert ended.stderr == ""
    return ended.stdout.split()


@pytest.mark.slow
def test_the_target_that_is_the_furthest_behind_says_since_when(tmp_path: Path) -> None:
    """A job for one target by that one's record alone; one without clusters by none; a record that is damaged says nothing.

    Where history is cut before it, all that is there is asked for.
    """
    origin, clone, cut = (tmp_path / name for name in ("origin", "clone", "cut"))
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(origin))
    git(tmp_path, "clone", "--quiet", str(origin), str(clone))
    (clone / "manifests").mkdir()
    commits: list[str] = []
    for number in range(40):
        (clone / "manifests/a.yaml").write_text(f"# {number}\n")
        git(clone, "add", "--all")
        git(clone, "commit", "--quiet", f"--message={number}")
        commits.insert(0, git(clone, "rev-parse", "HEAD"))
    found = Git.open(str(clone), {**ALONE, **WHO})
    assert found is not None
    with closing(found) as repository:
        records = Records(repository, "a run")
        for target, behind in (("us", 20), ("eu", 2), ("gone", 35)):
            lines = [] if target == "gone" else [line("a")]
            records.write(record(*lines, target=target, revision=commits[behind]), f"{target}: 1 applied")
    git(clone, "push", "--quiet", "origin", "HEAD:main", "refs/reconciler/*:refs/reconciler/*")
    assert asked(clone) == asked(clone, RECONCILER_TARGET="us eu") == commits[:21]
    assert asked(clone, RECONCILER_TARGET="us") == commits[:21]
    assert asked(clone, RECONCILER_TARGET="eu") == commits[:10]
    git(tmp_path, "clone", "--quiet", "--depth=15", origin.as_uri(), str(cut))
    assert asked(cut) == commits[:15]
    git(origin, "update-ref", "refs/reconciler/record/odd", commits[0])
    assert asked(clone) == commits[:10]
