"""One fact in one place: a field more in `Configuration`, a guard more in `GUARDS`, works everywhere by that one line.

The package is copied, the line put in, and a script run in the copy shows each place working.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import reconciler

FIELD = (
    "model/cluster.py",
    'None is a field that is left out, and is never sent."""\n\n',
    "    engine_version: str | None = None\n",
    """
import json
from typing import get_args

from reconciler.desired.formatting import formatted
from reconciler.desired.schema import fleet_schema, manifest_schema
from reconciler.model.cluster import FIELDS, Configuration
from reconciler.model.declaration import IgnoredField, Lifecycle, Manifest, declare
from reconciler.model.evidence import Base, Evidence, Provenance
from reconciler.model.fleet import Head, Target
from reconciler.model.record import Line, Record
from reconciler.model.view import body_of, live_cluster, values_of
from reconciler.plan.compare import as_if_live, compare
from reconciler.plan.decide import Reading, make_plan
from reconciler.plan.digest import live_digest, manifests_digest
from reconciler.plan.document import dump_plans, load_plans
from reconciler.plan.intent import Intent

BODY = {"node_instance_type": "m", "shard_count": 1, "replication_factor": 1, "enforce_shard_multi_az": True}


def declared(version=None, **lifecycle):
    said = {"engine_version": version} if version else {}
    manifest = Manifest.model_validate({"name": "a", **BODY, **said, "lifecycle": lifecycle})
    return declare(manifest, "a.yaml", 1, {})


def live(version=None):
    return live_cluster({"name": "a", "status": "Active", "errors": [], **BODY, "engine_version": version})


def planned(declaration, found, base=None, recorded=None):
    head = Head(Target("t", "m"), {"a": declaration})
    at_base = base or declaration
    line = Line("a", "c", 0.0, "a.yaml", 1, "created", declared=(recorded or at_base).managed)
    record = Record("t", "https://h", "K", lines={"a": line}, commit="r")
    evidence = Evidence(Provenance("h", False, Base(commit="b", reason="r")), {"a": at_base}, record)
    return make_plan(Reading(head, (found,), compare(head, [found]), evidence, "https://h"), Intent())


# compared, in the list's order, with its cause
assert FIELDS[0] == "engine_version"
(change,) = planned(declared("8"), live("7"), base=declared("7")).changes
(field,) = change.fields
assert (field.path, field.before, field.after, field.cause) == ("engine_version", "7", "8", "revision")
(drift,) = planned(declared("8"), live("7")).changes
assert drift.cause == "drift" and drift.fields[0].recorded == "8"
# sent, by creates and updates; carried where it isn't managed or is ignored
assert change.requests[0].body["engine_version"] == "8"
(carried,) = planned(declared(), live("7").__class__("a", "Active", (), {**live("7").values, "shard_count": 9})).changes
assert carried.requests[0].body["engine_version"] == "7"
assert planned(declared("8", ignore_changes=["engine_version"]), live("7")).changes == ()
assert body_of(values_of(Configuration(**BODY, engine_version="8"))) == {**BODY, "engine_version": "8"}
# in every digest
assert live_digest(live("7")) != live_digest(live("8"))
assert planned(declared("8"), live("7")).digest != planned(declared("9"), live("7")).digest
heads = [Head(Target("t", "m"), {"a": declared(version)}) for version in ("7", "8")]
assert manifests_digest(heads[0]) != manifests_digest(heads[1])
# in the documents
text = json.dumps(dump_plans([planned(declared("8"), live("7"))]))
assert load_plans(text).targets == (planned(declared("8"), live("7")),)
# offline: what a declaration leaves out makes no phantom change
assert planned(declared(), *as_if_live([declared()])).changes == ()
(offline,) = planned(declared("8"), *as_if_live([declared("7")]), base=declared("7")).changes
assert [f.path for f in offline.fields] == ["engine_version"]
# in the schema, and among what may be ignored; of another type than documented, it is refused
for schema in (manifest_schema(), fleet_schema()["definitions"]["ManifestDefaults"]):
    assert schema["properties"]["engine_version"] == {"type": "string"}
assert "engine_version" in json.dumps(manifest_schema()["definitions"]["Lifecycle"])
assert formatted(b'''shard_count: 1
engine_version: a
name: a
''', "a") == b'''name: a
engine_version: a
shard_count: 1
'''
try:
    live_cluster({"name": "a", "status": "Active", **BODY, "engine_version": 8})
except ValueError as error:
    assert str(error) == "engine_version: of another type than documented"
else:
    raise AssertionError("a number was taken for a text")
""",
)

GUARD = (
    "model/guards.py",
    "GUARDS: Final = (\n",
    '    Guard("max-updates", "more updates", "max_updates", "count", 7),\n',
    """
from dataclasses import replace

from reconciler.desired.schema import fleet_schema
from reconciler.problem import Place
from reconciler.model.guards import ALLOWABLE, GUARDS, LIMITED, Limits, effective
from reconciler.plan import guards
from reconciler.plan.guards import Breach, check_guards
from reconciler.plan.intent import Intent

assert "max-updates" in ALLOWABLE
assert fleet_schema()["definitions"]["GuardLimits"]["properties"]["max_updates"]["default"] == 7
assert LIMITED["max_updates"].default == 7
assert Limits().of("max_updates") == 7
assert Limits({}).of("max_updates") == 7
loose, tight = (Limits().overlaid({"max_updates": most}, {"max_updates": Place("f", most)}) for most in (9, 2))
assert loose.stricter(tight).of("max_updates") == tight.stricter(loose).of("max_updates") == 2
assert loose.looser(tight).of("max_updates") == 9
assert loose.stricter(tight).places["max_updates"] == Place("f", 2)
assert effective(loose, [tight, Limits()]).of("max_updates") == 7
checks = {**guards.CHECKS, "max-updates": lambda guarded, limit, intent: iter([Breach("too many", 8)][: limit < 8])}
guards.CHECKS = checks
from tests.fakes import head, live, manifest
from tests.plan.histories import git, plan_of

one = head(manifest()).target._replace(limits=tight)
(violation,) = plan_of(head(manifest())._replace(target=one), [live()], git(recorded=[manifest()])).violations
assert (violation.guard, violation.limit, violation.actual, violation.file, violation.line) == (
    "max-updates", 2, 8, "f", 2
)
assert violation.message == (
    "too many (max_updates at f:2): allow it for one run with --allow max-updates, or `allow: max-updates` in the "
    "workflow; permanently: raise guards.max_updates in a change of its own, and apply that"
)
lifted = Intent(allow=("max-updates",))
assert plan_of(head(manifest())._replace(target=one), [live()], git(recorded=[manifest()]), lifted).violations == ()
assert GUARDS[0].name == "max-updates"
""",
)


@pytest.mark.slow
@pytest.mark.parametrize(("file", "behind", "line", "script"), [FIELD, GUARD], ids=["field", "guard"])
def test_one_line_more_in_a_list_works_everywhere(
    tmp_path: Path, file: str, behind: str, line: str, script: str
) -> None:
    """Comparing, causes, requests, digests, documents, schemas; limits, their places, `--allow`, refusals."""
    package = Path(reconciler.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, tmp_path / "reconciler", ignore=ignored)
    shutil.copytree(package.parent / "tests", tmp_path / "tests", ignore=ignored)
    source = tmp_path / "reconciler" / file
    before = source.read_text()
    assert before.count(behind) == 1
    source.write_text(before.replace(behind, behind + line))
    (tmp_path / "script.py").write_text(script)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
