"""The first day, from the built wheel alone: forty clusters that somebody made by hand come under git, and stay well."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Checkout, Service
from tests.fakes import FakeClock

ROOT = Path(__file__).resolve().parent.parent.parent
SETTLE_SECONDS = 600.0
ODD = [
    *("no", "on", "true", "null", "0x1F", "1e3", "2026-01-01", "...", "~", "-dash", "_", ".hidden", "x.yaml", "A", "a"),
    *("fleet", "o" * 255),
]
TEXTS = ["", "a: b # c", "- list", "one\ntwo", "'quoted' \"twice\"", "ünïcödé 🚀", "  spaces  ", "yes"]
FAILS = "no.such"


class Hurrying(FakeClock):
    """The service's: it stands, or each look at it finds it so much later."""

    each_look_seconds = 0.0

    def now(self) -> float:
        self.seconds += self.each_look_seconds
        return super().now()


def installed(folder: Path) -> str:
    """The wheel's command, in an environment that has what the wheel depends on, and nothing of this checkout."""
    python, packages = str(folder / "venv/bin/python"), sysconfig.get_path("purelib")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    install = ["install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", "--python", python, *install, *folder.glob("*.whl")], check=True)
    Path(_told(python, "import sysconfig; print(sysconfig.get_path('purelib'))"), "others.pth").write_text(packages)
    assert _told(python, "import reconciler; print(reconciler.__file__)").startswith(str(folder))
    return str(folder / "venv/bin/reconciler")


def _told(python: str, program: str) -> str:
    """What a program prints; it imports nothing from where it runs."""
    return subprocess.run([python, "-P", "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def placed(shards: int, replicas: int) -> list[dict[str, Any]]:
    """Where the nodes of so many shards live: in three zones."""
    zones = [f"us-east-1{zone}" for zone in "abc"]
    return [
        {
            "shard_index": shard,
            "availability_zone": zones[shard % 3],
            "replica_availability_zones": [zones[(shard + 1 + replica) % 3] for replica in range(replicas)],
        }
        for shard in range(shards)
    ]


def by_hand(service: Service, clock: Hurrying) -> list[str]:
    """Forty clusters that are well or under way, and two that failed; the names of what can be declared."""
    names = [*ODD, *(f"orders-{number:02}" for number in range(20)), "placed", "grows"]
    for number, name in enumerate([*names, "breaks", "goes"]):
        shards, replicas = 1 + number % 4, number % 3
        fields: dict[str, Any] = {"shard_count": shards, "replication_factor": replicas}
        fields |= {"shard_placements": placed(shards, replicas)} if number % 5 == 0 else {}
        text = TEXTS[number % len(TEXTS)]
        service.put(name, description=text, enforce_shard_multi_az=replicas > 0, **fields)
    clock.seconds += 2 * SETTLE_SECONDS
    service.put("breaks", "never", node_instance_type=FAILS)
    clock.seconds += 2 * SETTLE_SECONDS
    service.put("grows", shard_count=5)
    service.put("made")
    service.delete("goes")
    return sorted([*names, "made"])


@pytest.mark.slow
def test_from_forty_clusters_to_the_first_change_and_a_green_drift(checkout: Checkout, tmp_path: Path) -> None:
    """Whatever has come of each: told, and not touched, until a manifest says so."""
    checkout.command, clock = installed(tmp_path), Hurrying()
    service = checkout.service(settle_seconds=SETTLE_SECONDS, switches=("reveal-placements",), clock=clock)
    names = by_hand(service, clock)
    exported = json.loads(checkout.run("export --placements --format json").out)["targets"][0]
    assert sorted(name for file in exported["files"] for name in file["clusters"]) == names
    assert [one["name"] for one in exported["left_out"]] == ["breaks", "goes", "never"]
    assert [one["name"] for one in exported["unsettled"]] == ["grows", "made"]
    assert checkout.run("fmt --check").code == 0
    checkout.commit()
    plan = checkout.run("plan --detailed-exitcode --format json")
    assert (plan.code, plan.targets[0]["changes"], plan.targets[0]["taken_over"]) == (0, [], names)
    clock.each_look_seconds = SETTLE_SECONDS
    applied = checkout.run("apply --yes --format json")
    assert (applied.code, applied.targets[0]["taken_over"], service.sent()) == (0, names, [])
    manifest = checkout.folder / "manifests/orders-00.yaml"
    manifest.write_text(manifest.read_text().replace("t4g.small", "m7g.large"))
    checkout.commit()
    assert checkout.run("apply --yes --format json").outcomes == {"orders-00": "applied"}
    assert service.sent() == ["PUT orders-00 200"]
    assert checkout.run("drift").code == 0
