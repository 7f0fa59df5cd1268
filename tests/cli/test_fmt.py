"""`fmt` writes what it must and nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ORDERS = """\
shard_count: 1  # one will do
name: orders
node_instance_type: m6g.large
replication_factor: 0
enforce_shard_multi_az: false
"""
IN_ORDER = """\
name: orders
node_instance_type: m6g.large
shard_count: 1  # one will do
replication_factor: 0
enforce_shard_multi_az: false
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Manifests: one in order, one that isn't, and a fleet file, in which order means something."""
    (tmp_path / "manifests/a").mkdir(parents=True)
    (tmp_path / "manifests/fleet.yaml").write_text("guards: {}\ntargets: {a: {region: us-east-1}}\n")
    (tmp_path / "manifests/a/orders.yaml").write_text(ORDERS)
    (tmp_path / "manifests/a/sessions.yaml").write_text(IN_ORDER.replace("orders", "sessions"))
    return tmp_path


def fmt(folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    command = [sys.executable, "-m", "reconciler", "fmt", *arguments]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.slow
def test_it_lists_what_it_changes(folder: Path) -> None:
    """--check changes nothing and ends in 1; then the file is written, with its permissions; then nothing is left."""
    orders = folder / "manifests/a/orders.yaml"
    orders.chmod(0o640)
    assert fmt(folder, "--check") == (1, "manifests/a/orders.yaml\n", "")
    assert orders.read_text() == ORDERS
    assert fmt(folder) == (0, "manifests/a/orders.yaml\n", "")
    assert (orders.read_text(), orders.stat().st_mode & 0o777) == (IN_ORDER, 0o640)
    assert sorted(path.name for path in orders.parent.iterdir()) == ["orders.yaml", "sessions.yaml"]
    assert fmt(folder) == fmt(folder, "--check") == (0, "", "")


def test_files_are_named_one_by_one(folder: Path) -> None:
    """As pre-commit does; a fleet file among them stays as it is."""
    assert fmt(folder, "manifests/fleet.yaml", "manifests/a/sessions.yaml", "manifests/a/orders.yaml") == (
        0,
        "manifests/a/orders.yaml\n",
        "",
    )


def test_what_does_not_load_stays_and_the_others_are_done(folder: Path) -> None:
    """With the error, at its place, and exit 1."""
    (folder / "manifests/a/broken.yaml").write_text("shard_count: 3\nname: a b\n")
    code, out, err = fmt(folder)
    assert (code, out) == (1, "manifests/a/orders.yaml\n")
    assert err.splitlines()[0] == 'error: manifests/a/broken.yaml:2:7: cluster a b: name "a b" is not URL-safe'
    assert (folder / "manifests/a/broken.yaml").read_text() == "shard_count: 3\nname: a b\n"


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [(), ("manifests/a/link.yaml",)])
def test_no_link_is_followed(folder: Path, arguments: tuple[str, ...]) -> None:
    """Neither one in the folder nor one that is named: where it leads stays as it is."""
    elsewhere = folder / "elsewhere.yaml"
    elsewhere.write_text(ORDERS)
    (folder / "manifests/a/link.yaml").symlink_to(elsewhere)
    code, _, err = fmt(folder, *arguments)
    assert (code, "manifests/a/link.yaml" in err) == (1, True)
    assert elsewhere.read_text() == ORDERS
    assert (folder / "manifests/a/link.yaml").is_symlink()


def test_what_is_no_file_is_refused(folder: Path) -> None:
    """A pipe, at once; standard input is bad usage."""
    os.mkfifo(folder / "pipe.yaml")
    code, out, err = fmt(folder, "pipe.yaml", "nowhere.yaml")
    assert (code, out) == (1, "")
    assert "pipe.yaml:1: it is not a regular file" in err
    assert "nowhere.yaml:1: it can't be opened: No such file or directory" in err
    assert fmt(folder, "-")[0] == 64


def test_the_hooks_run_commands_that_are_there() -> None:
    """Each hook of .pre-commit-hooks.yaml takes files by name."""
    hooks = (Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text()
    entries = [line.partition("entry: ")[2] for line in hooks.splitlines() if "entry: " in line]
    assert entries == ["reconciler fmt", "reconciler validate"]
    for entry in entries:
        usage = subprocess.run(
            [sys.executable, "-m", *entry.split(), "--help"], capture_output=True, text=True, check=True
        )
        assert usage.stdout.startswith(f"Usage: {entry} [OPTIONS] [PATH]...")
