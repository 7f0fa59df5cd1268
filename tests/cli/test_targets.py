"""The targets of a fleet, as a job each is made of them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

FLEET = """\
targets:
  east: {region: us-east-1, api_key_env: MOMENTO_API_KEY_EAST}
  west: {}
"""


def targets(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """What the command says of a folder."""
    command = [sys.executable, "-m", "reconciler", "targets", "--manifests", ".", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_matrix_is_what_github_takes(tmp_path: Path) -> None:
    """One line of JSON: `include` and nothing else, for each key beside it would be a dimension. No folder is needed."""
    (tmp_path / "fleet.yaml").write_text(FLEET)
    told = targets(tmp_path, "--format", "json")
    assert (told.returncode, told.stdout.count("\n")) == (0, 1)
    endpoint = "https://api.cache.cell-us-east-1-1.prod.a.momentohq.com"
    assert json.loads(told.stdout) == {
        "include": [
            {"target": "east", "endpoint": endpoint, "api_key_env": "MOMENTO_API_KEY_EAST"},
            {"target": "west", "endpoint": None, "api_key_env": "MOMENTO_API_KEY"},
        ]
    }


@pytest.mark.slow
def test_a_name_a_line_is_what_a_shell_takes(tmp_path: Path) -> None:
    """In the fleet file's order, those that are asked for; one that isn't there is bad usage."""
    (tmp_path / "fleet.yaml").write_text(FLEET)
    assert targets(tmp_path).stdout == "east\nwest\n"
    assert targets(tmp_path, "--target", "west").stdout == "west\n"
    assert targets(tmp_path, "--target", "wset").returncode == 64


@pytest.mark.slow
def test_no_fleet_file_is_one_target(tmp_path: Path) -> None:
    """Whatever its manifests hold: that is for the jobs to tell. A fleet file that is wrong is told here."""
    (tmp_path / "orders.yaml").write_text("name: [")
    assert targets(tmp_path).stdout == "default\n"
    (tmp_path / "fleet.yaml").write_text("targets: 3\n")
    wrong = targets(tmp_path)
    assert (wrong.returncode, "fleet.yaml:1:10" in wrong.stderr) == (1, True)
