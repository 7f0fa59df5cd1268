"""Whether a folder was moved on, as git-sync and a pull do it."""

from pathlib import Path

from reconciler.evidence.position import Position, position_of
from tests.evidence.repositories import Repo, text


def test_a_swapped_link_is_another_position(tmp_path: Path) -> None:
    """As git-sync leaves a new revision: a folder beside the old one, and the link renamed over."""
    for name in ("one", "two"):
        (tmp_path / name / "manifests").mkdir(parents=True)
    link, new = tmp_path / "current", tmp_path / "new"
    link.symlink_to("one")
    before = position_of(str(link / "manifests"))
    new.symlink_to("two")
    new.rename(link)
    after = position_of(str(link / "manifests"))
    assert before == Position(str(tmp_path / "one/manifests"), None)
    assert after == Position(str(tmp_path / "two/manifests"), None)


def test_a_pull_is_another_position_and_an_edit_is_not(tmp_path: Path) -> None:
    """What is being written may be half there; HEAD moves when all is."""
    origin = Repo.new(tmp_path / "origin")
    first = origin.commit({"manifests/a.yaml": text("a")})
    clone = origin.clone(tmp_path / "clone")
    folder = str(clone.folder / "manifests")
    assert position_of(folder) == Position(folder, first)
    clone.write({"manifests/b.yaml": text("b")})
    assert position_of(folder) == Position(folder, first)
    second = origin.commit({"manifests/c.yaml": text("c")})
    clone.git("pull", "--quiet")
    assert position_of(folder) == Position(folder, second)


def test_what_cannot_be_read_has_a_position_too(tmp_path: Path) -> None:
    """A folder that isn't there, a repository without a commit, one that is broken: the round tells what is wrong."""
    assert position_of(str(tmp_path / "nowhere")) == Position(str(tmp_path / "nowhere"), None)
    repo = Repo.new(tmp_path / "empty")
    assert position_of(str(repo.folder)) == Position(str(repo.folder), None)
    (repo.folder / ".git/config").write_text("[broken")
    assert position_of(str(repo.folder)) == Position(str(repo.folder), None)
