"""The built wheel alone, in an empty environment: what a new user has, with the extra and without."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ORDERS = """\
name: orders
node_instance_type: m6g.large
shard_count: 2
replication_factor: 1
enforce_shard_multi_az: true
"""


class Machine:
    """An empty environment, and a folder of a user's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "fleet"
        self._bin = folder / "venv/bin"
        self._locked = folder / "locked.txt"
        lines = (ROOT / "requirements.txt").read_text().splitlines()
        self._locked.write_text(
            "\n".join(line.rstrip(" \\") for line in lines if "==" in line)
        )  # a wheel has no hash there
        (self.folder / "manifests").mkdir(parents=True)
        (self.folder / "manifests/orders.yaml").write_text(ORDERS)
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)

    def install(self, what: str) -> set[str]:
        """Install it, in the versions that are locked; everything that is there then."""
        pip = [str(self._bin / "python"), "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--quiet", "--constraint", str(self._locked), what], check=True)
        listed = subprocess.run([*pip, "list", "--format=json"], capture_output=True, text=True, check=True)
        return {one["name"] for one in json.loads(listed.stdout)}

    def run(self, command: str) -> "subprocess.CompletedProcess[str]":
        """The installed command, with nothing of this checkout in its environment."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder)}
        words = [str(self._bin / "reconciler"), *command.split()]
        return subprocess.run(words, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_the_wheel_alone_is_enough(tmp_path: Path) -> None:
    """Without the extra all but the sandbox, whose absence names what to install; with it, a fleet applied and in sync."""
    build = [
        str(Path(sys.executable).with_name("hatchling")),
        "build",
        "--target",
        "wheel",
        "--directory",
        str(tmp_path),
    ]
    subprocess.run(build, cwd=ROOT, check=True)
    [wheel] = tmp_path.glob("momento_reconciler-*.whl")
    machine = Machine(tmp_path)

    installed = machine.install(str(wheel))
    assert "momento-reconciler" in installed
    assert not {"starlette", "uvicorn", "rich"} & installed
    assert machine.run("--version").stdout.startswith("reconciler, version ")
    assert machine.run("validate").stdout == "1 manifest: valid\n"
    without = machine.run("plan --sandbox")
    assert (without.returncode, "pip install 'momento-reconciler[sandbox]'" in without.stderr) == (1, True)

    assert {"starlette", "uvicorn"} <= machine.install(f"{wheel}[sandbox]")
    applied = machine.run("apply --sandbox --yes")
    assert (applied.returncode, "1 applied" in applied.stdout) == (0, True), applied.stderr
    again = machine.run("plan --sandbox --detailed-exitcode")
    assert again.returncode == 0, again.stdout
