"""A plan with nothing to do loads what reads, compares and tells, and nothing of what carries out."""

import re

from tests.acceptance.conftest import Workplace

ROOMS = {
    *(
        "cli",
        "clock",
        "desired",
        "errors",
        "event",
        "evidence",
        "live",
        "logs",
        "model",
        "plan",
        "problem",
        "reconcile",
    ),
    *("report", "results", "wire"),
}
NOTHING_OF = {
    *("deepdiff", "sqlite3", "starlette", "uvicorn"),
    *("reconciler.apply.driver", "reconciler.desired.fleet_file", "reconciler.reconcile.applying"),
}


def test_a_plan_with_nothing_to_do_loads_what_it_uses(one_cluster: Workplace) -> None:
    """Of ours, and of what others make: deepdiff only where there is a difference."""
    service = one_cluster.service()
    command = f"--endpoint {service.url}"
    one_cluster.environment["MOMENTO_API_KEY"] = "sandbox-admin"
    assert one_cluster.run(f"apply --yes {command}").code == 0
    one_cluster.environment["PYTHONPROFILEIMPORTTIME"] = "1"
    planned = one_cluster.run(f"plan -q {command}")
    loaded = set(re.findall(r"^import time:[ \d|]+\| +(\S+)$", planned.err, re.MULTILINE))
    assert planned.code == 0
    assert {name.split(".")[1] for name in loaded if name.startswith("reconciler.")} - {"__main__", "apply"} <= ROOMS
    assert {name for name in loaded if name.startswith("reconciler.apply.")} <= {"reconciler.apply.options"}
    assert loaded & NOTHING_OF == set()


def test_what_else_is_installed_has_no_say(one_cluster: Workplace) -> None:
    """A plugin of pydantic would be looked for among all packages, loaded, and asked about every value."""
    packages = one_cluster.folder.parent / "packages"
    (packages / "other-1.0.dist-info").mkdir(parents=True)
    (packages / "other-1.0.dist-info" / "entry_points.txt").write_text("[pydantic]\nother = other:plugin\n")
    (packages / "other-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (packages / "other.py").write_text("print('loaded', flush=True)")
    one_cluster.environment["PYTHONPATH"] = str(packages)
    validated = one_cluster.run("validate")
    assert (validated.code, "loaded" in validated.out) == (0, False)
