"""Single files, as a pre-commit hook hands them over."""

from pathlib import Path

import pytest

from reconciler.desired.fleet import read_files
from tests.desired.folders import GOOD, manifest, told_of_files, write

FLEET = """\
targets:
  us: {region: us-east-1}
  eu: {region: eu-west-1, defaults: {shard_count: 2}}
defaults: {node_instance_type: m6g.large, replication_factor: 1, enforce_shard_multi_az: true}
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of manifests in a repository, and a fleet file above it that is none of its business."""
    monkeypatch.chdir(
        write(tmp_path, {"fleet.yaml": "targets: {outside: {region: us-east-1}}\n", "repo/.git/HEAD": ""}) / "repo"
    )
    files = {"us/a.yaml": "name: a\nshard_count: 1\n", "eu/deep/a.yaml": "name: a\n", "eu/b.yaml": "name: b\n"}
    return write(tmp_path / "repo" / "manifests", {"fleet.yaml": FLEET, **files})


def test_a_file_belongs_to_the_fleet_file_above_it(repository: Path) -> None:
    """With its target, and the defaults of both; whatever way it is named, and however often."""
    names = ["manifests/eu/deep/a.yaml", "manifests/us/a.yaml", "manifests/fleet.yaml", "./manifests/us/../eu/b.yaml"]
    (fleet,) = read_files([*names, *names])
    assert {target: [*declared] for target, declared in fleet.declarations.items()} == {"us": ["a"], "eu": ["a", "b"]}
    a = fleet.declarations["eu"]["a"]
    assert (a.file, str(a.place_of("shard_count"))) == ("manifests/eu/deep/a.yaml", "manifests/fleet.yaml:3:51")
    (fleet,) = read_files([str(repository / "us" / "a.yaml")])
    assert str(fleet.declarations["us"]["a"].place_of("replication_factor")) == f"{repository}/fleet.yaml:4:63"


def test_all_that_is_wrong_in_the_files_given_is_told(repository: Path) -> None:
    """Two of one name in one target, a stray, a mistake in the fleet file that was only found."""
    write(repository, {"us/b.yaml": "name: a\nshard_count: x\n", "c.yaml": manifest("c")})
    assert told_of_files("manifests/us/b.yaml", "manifests/c.yaml", "manifests/us/a.yaml", "manifests/eu/b.yaml") == [
        "manifests/c.yaml:1: it is in no target's folder",
        "manifests/us/b.yaml:1:7: declared twice: first at manifests/us/a.yaml:1",
        'manifests/us/b.yaml:2:14: shard_count is "x", a string, not a whole number',
    ]
    write(repository, {"fleet.yaml": f"{FLEET}default: {{}}\n"})
    assert told_of_files("manifests/eu/b.yaml") == ['manifests/fleet.yaml:5:1: unknown key "default"']


def test_a_file_without_a_fleet_file_is_of_the_default_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a cluster that is called fleet makes no fleet file."""
    monkeypatch.chdir(write(tmp_path, {".git/HEAD": "", "fleet.yaml": manifest("fleet"), "b.yaml": manifest("b")}))
    (fleet,) = read_files(["fleet.yaml", "b.yaml"])
    assert {target: [*declared] for target, declared in fleet.declarations.items()} == {"default": ["b", "fleet"]}


def test_two_fleets_may_be_given_at_once(repository: Path) -> None:
    """Each file has its own's defaults."""
    write(
        repository.parent / "more",
        {"fleet.yaml": FLEET.replace("m6g", "r6g"), "us/a.yaml": "name: a\nshard_count: 1\n", "eu/.keep": ""},
    )
    one, other = read_files(["manifests/us/a.yaml", "more/us/a.yaml"])
    types = [fleet.declarations["us"]["a"].values["node_instance_type"] for fleet in (one, other)]
    assert types == ["m6g.large", "r6g.large"]


def test_what_cant_be_read_is_told(repository: Path) -> None:
    """Beside all else."""
    write(repository, {"us/b.yaml": f"{GOOD}"})
    assert told_of_files("manifests/us/none.yaml", "manifests/us", "manifests/us/b.yaml") == [
        "manifests/us:1: it can't be read: Is a directory",
        "manifests/us/b.yaml:1:1: name is missing",
        "manifests/us/none.yaml:1: there is no such file",
    ]


def test_no_fleet_file_outside_the_repository_counts(repository: Path) -> None:
    """What stands above a checkout is somebody else's."""
    write(repository.parent, {"other/x.yaml": manifest("x")})
    (fleet,) = read_files(["other/x.yaml"])
    assert [*fleet.declarations] == ["default"]
