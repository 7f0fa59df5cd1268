"""What is surely a slip is told wherever manifests are read, and ends nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

MANIFEST = """\
name: orders
node_instance_type: ${TYPE}
shard_count: 1
replication_factor: 1
enforce_shard_multi_az: true
"""


def reconciler(folder: Path, *arguments: str) -> tuple[str, str]:
    """What a command that ends in 0 says on stdout and stderr, beside manifests with a placeholder and a hidden file."""
    (folder / "manifests").mkdir(exist_ok=True)
    (folder / "manifests/orders.yaml").write_text(MANIFEST)
    (folder / "manifests/.old.yaml").write_text(MANIFEST)
    command = [sys.executable, "-m", "reconciler", *arguments]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return ended.stdout, ended.stderr


@pytest.mark.slow
def test_validate_tells_slips_beside_its_result(tmp_path: Path) -> None:
    """On stderr, as text or as events; the result is what it would be without."""
    out, err = reconciler(tmp_path, "validate")
    assert out == "1 manifest: valid\n"
    assert [line.partition(" ")[0] for line in err.splitlines()] == ["warning:"] * 3
    assert "manifests/.old.yaml is hidden" in err
    assert "a placeholder that nobody filled in?" in err
    out, err = reconciler(tmp_path, "validate", "--log-format", "json", "--format", "json")
    assert json.loads(out)["errors"] == []
    assert {json.loads(line)["event"] for line in err.splitlines()} == {"manifest.doubted"}


@pytest.mark.slow
def test_a_plan_tells_slips(tmp_path: Path) -> None:
    """Among its warnings: whoever reviews it sees them."""
    out, _ = reconciler(tmp_path, "plan", "--sandbox", "--format", "json", "-q")
    (plan,) = json.loads(out)["targets"]
    assert len(plan["warnings"]) == 3
    assert any("a placeholder that nobody filled in?" in warning for warning in plan["warnings"])
