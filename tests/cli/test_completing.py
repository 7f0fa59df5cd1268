"""Shells are offered what there is: commands, options, and the names that the manifests have."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

RECONCILER = Path(sys.executable).with_name("reconciler")
CLUSTER = "node_instance_type: m6g.large\nshard_count: 1\nreplication_factor: 0\nenforce_shard_multi_az: false\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two targets; `orders` is in both."""
    (tmp_path / "manifests/fleet.yaml").parent.mkdir()
    (tmp_path / "manifests/fleet.yaml").write_text("targets: {east: {region: us-east-1}, west: {region: us-west-2}}\n")
    for target, name in (("east", "orders"), ("east", "other"), ("west", "orders"), ("west", "sessions")):
        path = tmp_path / f"manifests/{target}/{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"name: {name}\n{CLUSTER}")
    return tmp_path


def offered(folder: Path, line: str, shell: str = "bash") -> list[str]:
    """What a shell is told when the tab key is pressed at a line's end."""
    words, _, last = line.rpartition(" ")
    asked = {"fish": (words, last)}.get(shell, (line, str(line.count(" "))))
    ended = subprocess.run(
        [RECONCILER],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "COMP_WORDS": asked[0],
            "COMP_CWORD": asked[1],
            "_RECONCILER_COMPLETE": f"{shell}_complete",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stderr == ""
    return ended.stdout.split()


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("reconciler va", ["validate"]),
        ("reconciler plan --det", ["--detailed-exitcode"]),
        ("reconciler plan --target ", ["east", "west"]),
        ("reconciler plan --region us-w", ["us-west-2"]),
        ("reconciler plan --only o", ["orders", "other"]),
        ("reconciler plan --target west --only ", ["orders", "sessions"]),
        ("reconciler plan --target nowhere --only ", []),
        ("reconciler plan --manifests nowhere --target ", []),
        ("reconciler plan --manifests manifests/east --only ", ["orders", "other"]),
    ],
)
def test_bash_is_offered(folder: Path, line: str, names: list[str]) -> None:
    """By the manifests and targets that the line itself names; nothing where something is wrong."""
    assert offered(folder, line) == [f"plain,{name}" for name in names]


def test_folders_are_the_shells_own(folder: Path) -> None:
    """Of --manifests."""
    assert offered(folder, "reconciler plan --manifests man") == ["dir,man"]


@pytest.mark.slow
def test_broken_manifests_offer_nothing(folder: Path) -> None:
    """Silently; targets are known from the fleet file all the same."""
    (folder / "manifests/east/orders.yaml").write_text("name: [")
    assert offered(folder, "reconciler plan --only ") == []
    assert offered(folder, "reconciler plan --target ") == ["plain,east", "plain,west"]


@pytest.mark.slow
def test_zsh_and_fish_are_offered_the_same(folder: Path) -> None:
    """Each in its own form."""
    assert offered(folder, "reconciler plan --target ", "zsh") == ["plain", "east", "_", "plain", "west", "_"]
    assert offered(folder, "reconciler plan --target ", "fish") == ["plain,east", "plain,west"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shells_script_is_printed(folder: Path, shell: str) -> None:
    """It names the command, and how to ask it."""
    environment = {"PATH": os.environ["PATH"], "_RECONCILER_COMPLETE": f"{shell}_source"}
    ended = subprocess.run([RECONCILER], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    assert f"_RECONCILER_COMPLETE={shell}_complete" in ended.stdout


def test_bash_itself_completes(folder: Path) -> None:
    """With the line of the page in its start-up file."""
    script = (
        'eval "$(_RECONCILER_COMPLETE=bash_source reconciler)"\n'
        "COMP_WORDS=(reconciler plan --target e); COMP_CWORD=3\n"
        '_reconciler_completion reconciler; printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    environment = {"PATH": f"{RECONCILER.parent}:{os.environ['PATH']}"}
    ended = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    assert (ended.stdout, ended.stderr) == ("east\n", "")
