"""Programs of the same kind, as far as a machine has them: nothing to do, in as many things as we have clusters."""

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.bench.fleet import name
from tests.bench.processes import ROOT

OCTODNS = ROOT / ".venv-peers/bin/octodns-sync"
TERRAFORM = shutil.which("terraform")

_OCTODNS_CONFIG = """\
providers:
  one: {class: octodns.provider.yaml.YamlProvider, directory: %(one)s}
  other: {class: octodns.provider.yaml.YamlProvider, directory: %(other)s}
zones:
  example.com.: {sources: [one], targets: [other]}
"""

_TERRAFORM_RESOURCE = """\
resource "terraform_data" "%s" {
  input = {
    description            = "Service number %d"
    node_instance_type     = "m6g.large"
    shard_count            = 3
    replication_factor     = 2
    enforce_shard_multi_az = true
  }
}
"""


def octodns(folder: Path, count: int) -> Sequence[str] | None:
    """So many names, from YAML to YAML; None where it isn't installed."""
    if not OCTODNS.exists():
        return None
    zone = "".join(f"service-{n:05d}: {{ttl: 300, type: A, value: 10.0.{n >> 8}.{n & 255}}}\n" for n in range(count))
    sides = {side: folder / side for side in ("one", "other")}
    for side in sides.values():
        side.mkdir(parents=True)
        (side / "example.com.yaml").write_text(zone)
    config = folder / "config.yaml"
    config.write_text(_OCTODNS_CONFIG % sides)
    return [str(OCTODNS), "--config-file", str(config), "--quiet"]


def terraform(folder: Path, count: int) -> Sequence[str] | None:
    """So many resources of its own kind, one a file and each with what a manifest says, applied; None without it."""
    if TERRAFORM is None:
        return None
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"{name(number)}.tf").write_text(_TERRAFORM_RESOURCE % (name(number), number))
    for arguments in (["init"], ["apply", "-auto-approve"]):
        subprocess.run([TERRAFORM, *arguments, "-no-color"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return [TERRAFORM, f"-chdir={folder}", "plan", "-no-color"]
