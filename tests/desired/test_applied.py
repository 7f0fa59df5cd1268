"""The ref that says what was applied."""

import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.desired.applied import applied_ref, move_applied, read_applied
from reconciler.errors import GitError, StalePlan
from tests.desired.repositories import ENDPOINT, REF, Repo, git_of, opened, text

_PARTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.text(st.sampled_from("./@{}~^: \\lock-%"), max_size=20),
    st.sampled_from([".", "..", "", "@", "x.lock", "x.lock.lock", "-x", "a/b", "a.b", "a..b", "%", "%25", "\0", "é"]),
)


@settings(max_examples=40)
@given(names=st.lists(st.tuples(_PARTS, _PARTS), min_size=1, max_size=20, unique=True))
def test_any_endpoint_and_target_has_a_ref_of_its_own(names: list[tuple[str, str]]) -> None:
    """Every name is one that git takes, and no two are the same; what is safe stays readable."""
    refs = [applied_ref(f"https://{endpoint}", target) for endpoint, target in names]
    assert len(set(refs)) == len(names)
    for ref in refs:
        assert subprocess.run(["git", "check-ref-format", ref], check=False).returncode == 0, ref
    assert applied_ref(ENDPOINT, "default") == REF
    assert (
        applied_ref("http://127.0.0.1:8080/x", "a.b") == "refs/reconciler/applied/http%3A%2F%2F127.0.0.1%3A8080%2Fx/a.b"
    )


def test_it_moves_forward_never_back_and_aside_after_a_force_push(tmp_path: Path) -> None:
    """An older run that ends later doesn't undo what a newer one said."""
    repo = Repo.new(tmp_path / "r")
    first, second = repo.commit({"x": "1"}), repo.commit({"x": "2"})
    repo.on("forced", first)
    forced = repo.commit({"x": "3"})
    with git_of(repo.folder) as git:
        assert read_applied(git, ENDPOINT, "default") is None
        for to, moved, now in (
            (first, True, first),
            (first, True, first),
            (second, True, second),
            (first, False, second),
            (forced, True, forced),
        ):
            assert move_applied(git, ENDPOINT, "default", to) is moved
            assert read_applied(git, ENDPOINT, "default") == git.commit(now)
        assert read_applied(git, ENDPOINT, "other") is None
        with pytest.raises(GitError, match=r"e{40}"):
            move_applied(git, ENDPOINT, "default", "e" * 40)
    assert [line.split()[1] for line in (repo.folder / f".git/logs/{REF}").read_text().splitlines()] == [
        first,
        second,
        forced,
    ]


def test_of_runs_that_race_the_newest_commit_stays(tmp_path: Path) -> None:
    """Whoever comes last, each move either happens or is known to be behind; a lock in the way is waited for by none."""
    repo = Repo.new(tmp_path / "r")
    commits = [repo.commit({"x": str(number)}) for number in range(4)]
    ready = threading.Barrier(len(commits))
    failed: list[str] = []

    def run(commit: str) -> None:
        with git_of(repo.folder) as git:
            ready.wait()
            try:
                move_applied(git, ENDPOINT, "default", commit)
            except GitError:
                failed.append(commit)

    threads = [threading.Thread(target=run, args=(commit,)) for commit in commits]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert repo.git("rev-parse", REF) == commits[-1]


def test_head_behind_what_was_applied_is_stale_unless_a_base_is_named(tmp_path: Path) -> None:
    """`--base` says that going back is meant, `--base none` too; another target's ref says nothing."""
    repo = Repo.new(tmp_path / "r")
    first = repo.commit({"manifests/a.yaml": text("a")})
    repo.commit({"manifests/a.yaml": text("a", 3)})
    with opened(repo) as repository:
        assert repository.say_applied(ENDPOINT, "default")
    repo.git("checkout", "--quiet", "--detach", first)
    with opened(repo) as repository:
        repository.refuse_stale(ENDPOINT, "other")
        with pytest.raises(StalePlan, match="is older than what was applied") as caught:
            repository.refuse_stale(ENDPOINT, "default")
        assert caught.value.remedy == (
            "run again on the newest commit; or name the base with --base REF, if going back is what you mean"
        )
        assert not repository.say_applied(ENDPOINT, "default")
    for base in ("HEAD", "none"):
        with opened(repo, base) as repository:
            repository.refuse_stale(ENDPOINT, "default")
    with opened(repo, "") as repository, pytest.raises(StalePlan):
        repository.refuse_stale(ENDPOINT, "default")
