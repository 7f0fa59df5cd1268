"""Folders, streams and what makes a fleet of them."""

from pathlib import Path

import pytest

from reconciler.desired.files import Folder
from reconciler.desired.fleet import read_fleet, read_fleet_to_write, read_source, read_stream
from reconciler.errors import InvalidManifests, UsageError
from reconciler.model.fleet import Target
from reconciler.problem import SourceProblem
from tests.desired.folders import GOOD, manifest, told, write

TWO = "targets:\n  a: {endpoint: https://h}\n  b: {endpoint: https://i}\n"


def test_without_a_fleet_file_the_folder_is_one_target(tmp_path: Path) -> None:
    """All manifests below the folder are the target `default`, sorted by name; others' formats are passed over."""
    write(tmp_path, {"b.yaml": manifest("a"), "deep/er/a.yml": manifest("b"), "notes.txt": "not ours"})
    fleet = read_fleet(str(tmp_path))
    assert fleet.targets == (Target("default", str(tmp_path)),)
    assert list(fleet.head("default").declarations) == ["a", "b"]
    assert fleet.head("default").declarations["b"].file == f"{tmp_path}/deep/er/a.yml"
    assert fleet.warnings == {}


def test_an_empty_folder_declares_nothing_and_a_missing_one_is_an_error(tmp_path: Path) -> None:
    """Nothing is not the same as nothing there."""
    assert read_fleet(str(tmp_path)).head("default").declarations == {}
    for missing in ("manifest", "x" * 5000):
        with pytest.raises(UsageError) as caught:
            read_fleet(str(tmp_path / missing))
        assert caught.value.remedy is not None
        assert "--manifests DIR" in caught.value.remedy


@pytest.mark.parametrize("files", [{"README.md": "all gone"}, {"a.yaml": "# name: a\n"}, {"deep/b.json": "{}"}])
def test_a_folder_that_holds_files_and_no_manifest_is_no_empty_fleet(tmp_path: Path, files: dict[str, str]) -> None:
    """What was moved, renamed or commented out by mistake is told, rather than taken for a wish to delete all."""
    write(tmp_path, files)
    assert told(tmp_path) == ["-: . holds files, and none of them declares a cluster"]


def test_each_targets_folder_is_looked_at_by_itself(tmp_path: Path) -> None:
    """One that is kept by a hidden file alone is empty; one with a README alone is an error."""
    write(tmp_path, {"fleet.yaml": TWO, "a/.gitkeep": "", "b/x.yaml": manifest("x")})
    assert read_fleet(str(tmp_path)).head("a").declarations == {}
    write(tmp_path, {"a/README.md": "soon"})
    assert told(tmp_path) == ["-: a holds files, and none of them declares a cluster"]


def test_a_targets_folder_that_is_gone_is_empty_only_if_it_once_was_there(tmp_path: Path) -> None:
    """Git keeps no empty folder: a target's last manifest may go, but a mistyped folder is an error."""
    write(tmp_path, {"fleet.yaml": TWO, "b/x.yaml": manifest("x")})
    assert told(tmp_path) == ["fleet.yaml:2:3: target a: there is no folder a"]
    asked = []

    def had_folder(name: str) -> bool:
        asked.append(name)
        return True

    assert read_source(Folder(str(tmp_path)), had_folder).head("a").declarations == {}
    assert asked == [f"{tmp_path}/a"]


def test_a_folder_that_is_to_be_written_into_may_be_empty(tmp_path: Path) -> None:
    """Nor need a target's be there; what is wrong with what stands there is told all the same."""
    write(tmp_path, {"fleet.yaml": TWO, "b/README.md": "soon"})
    fleet = read_fleet_to_write(Folder(str(tmp_path)))
    assert [(target.name, fleet.declarations[target.name]) for target in fleet.targets] == [("a", {}), ("b", {})]
    write(tmp_path, {"b/x.YAML": manifest("x")})
    with pytest.raises(InvalidManifests):
        read_fleet_to_write(Folder(str(tmp_path)))


def test_no_files_name_ends_a_message(tmp_path: Path) -> None:
    """A message is one line, and steers nothing: whoever named the file."""
    write(tmp_path, {"a\n\x1b.yaml": manifest("x"), "b.yaml": manifest("x")})
    with pytest.raises(InvalidManifests) as raised:
        read_fleet(str(tmp_path))
    assert [p.message.removeprefix(f"declared twice: first at {tmp_path}/") for p in raised.value.problems()] == [
        r"a\n\x1b.yaml:1"
    ]


def test_two_of_one_name_are_told_with_all_else_that_is_wrong(tmp_path: Path) -> None:
    """One run shows a duplicate name even where both documents have other errors, and where they stand in one file."""
    files = {"a.yaml": manifest("x", "oops: 1\n"), "b.yaml": manifest("x").replace("2", "two"), "c.yaml": manifest("x")}
    write(tmp_path, {**files, "d.yaml": f"{manifest('y')}---\n{GOOD}name: y\n"})
    assert told(tmp_path) == [
        'a.yaml:6:1: unknown key "oops"',
        "b.yaml:1:7: declared twice: first at a.yaml:1",
        'b.yaml:3:14: shard_count is "two", a string, not a whole number',
        "c.yaml:1:7: declared twice: first at a.yaml:1",
        "d.yaml:11:7: declared twice: first at d.yaml:1",
    ]
    with pytest.raises(InvalidManifests) as raised:
        read_fleet(str(tmp_path))
    twice = [problem for problem in raised.value.reasons if problem.message.startswith("declared twice")]
    assert [(p.source, p.caret) for p in twice if isinstance(p, SourceProblem)] == [
        ("name: x", 6),
        ("name: x", 6),
        ("name: y", 6),
    ]


def test_two_targets_may_have_one_name(tmp_path: Path) -> None:
    """Staging and production are two accounts."""
    fleet = read_fleet(str(write(tmp_path, {"fleet.yaml": TWO, "a/x.yaml": manifest("x"), "b/x.yaml": manifest("x")})))
    assert [list(fleet.head(name).declarations) for name in ("a", "b")] == [["x"], ["x"]]


def test_standard_input_is_one_target() -> None:
    """`-` reads several documents from a stream."""
    fleet = read_stream(f"name: a\n{GOOD}---\nname: b\n{GOOD}".encode())
    assert [d.file for d in fleet.head("default").declarations.values()] == ["<stdin>", "<stdin>"]


def test_a_broken_fleet_file_blames_no_manifest_for_what_it_may_give(tmp_path: Path) -> None:
    """Nobody knows the defaults then, nor the targets; what is wrong in a manifest by itself is told all the same."""
    write(tmp_path, {"fleet.yaml": "targets: [", "a/x.yaml": "name: x\nshard_count: two\n"})
    assert told(tmp_path) == [
        'a/x.yaml:2:14: shard_count is "two", a string, not a whole number',
        "fleet.yaml:1:11: invalid YAML: did not find expected node content",
    ]
