"""The fleet file: settings, limits, defaults, and how it contradicts itself."""

from pathlib import Path

import pytest

from reconciler.desired.fleet import read_fleet
from reconciler.desired.fleet_file import GuardLimits, ManifestDefaults, is_fleet_file
from reconciler.model.declaration import Manifest
from reconciler.model.fleet import Suspension
from reconciler.model.guards import LIMITED, Limits
from tests.desired.folders import GOOD, manifest, problems_of, told, write

UNTIL = "targets.us.suspend.until"
NO_MOMENT = "is not a date and time: write a date, a time and Z or an offset, such as 2026-01-31T23:59Z"
US = "targets: {us: {region: us-east-1}}\n"


def test_a_fleet_file_gives_each_target_its_settings(tmp_path: Path) -> None:
    """Regions and endpoints are normalised, defaults filled in, the file's order kept."""
    text = """\
        targets:
          west:
            endpoint: Cell-9.prod.a.momentohq.com
            manifests: w/deep
            api_key_env: MOMENTO_KEY_W
            concurrency: 2
            rate: 0.5
            on_drift: report
            max_failures: 3
            canary: 2
          us-east-1:
            region: us-east-1
            rate: 20
          local:
            endpoint: http://127.0.0.1:8080/accounts/x/
        """
    write(tmp_path, {"fleet.yaml": text, "w/deep/a.yaml": manifest("a"), "us-east-1/.keep": "", "local/.keep": ""})
    fleet = read_fleet(str(tmp_path))
    assert [
        (t.name, t.folder.removeprefix(str(tmp_path)), t.region, t.endpoint, str(t.place).removeprefix(str(tmp_path)))
        for t in fleet.targets
    ] == [
        ("west", "/w/deep", None, "https://api.cache.cell-9.prod.a.momentohq.com", "/fleet.yaml:2:3"),
        (
            "us-east-1",
            "/us-east-1",
            "us-east-1",
            "https://api.cache.cell-us-east-1-1.prod.a.momentohq.com",
            "/fleet.yaml:11:3",
        ),
        ("local", "/local", None, "http://127.0.0.1:8080/accounts/x", "/fleet.yaml:14:3"),
    ]
    assert [(t.api_key_env, t.concurrency, t.rate, t.on_drift, t.max_failures, t.canary) for t in fleet.targets] == [
        ("MOMENTO_KEY_W", 2, 0.5, "report", 3, 2),
        ("MOMENTO_API_KEY", 8, 20, "revert", 1, 0),
        ("MOMENTO_API_KEY", 8, None, "revert", 1, 0),
    ]
    assert list(fleet.head("west").declarations) == ["a"]


def test_a_fleet_file_that_contradicts_itself_is_refused_with_all_reasons(tmp_path: Path) -> None:
    """Unknown keys and regions, folders that overlap, are missing or lead out, twins, strays: all at once."""
    text = """\
        targets:
          a: {region: us-esat-1, manifests: x}
          b: {region: us-east-1, endpoint: https://h, manifests: x/y}
          c: {endpoint: http://example.com, manifests: ../out}
          d: {endpoint: https://h, concurrency: 0}
          e: {endpoint: https://h/, manifest: e, api_key_env: GITHUB_TOKEN}
        """
    write(tmp_path, {"fleet.yaml": text, "stray.yaml": manifest("a"), "x/y/b.yaml": manifest("b")})
    assert told(tmp_path) == [
        "fleet.yaml:5:41: targets.d.concurrency is 0",
        'fleet.yaml:6:29: unknown key "manifest"',
        'fleet.yaml:6:55: targets.e.api_key_env is "GITHUB_TOKEN"',
    ]
    text = text.replace("concurrency: 0", "concurrency: 1")
    write(tmp_path, {"fleet.yaml": text.replace("manifest: e, api_key_env: GITHUB_TOKEN", "manifests: e")})
    assert told(tmp_path) == [
        'fleet.yaml:2:15: unknown region "us-esat-1"',
        "fleet.yaml:3:3: the folders of targets a and b overlap",
        "fleet.yaml:3:36: region and endpoint are both given",
        "fleet.yaml:4:17: http:// would send the API key to example.com unencrypted: use https://",
        "fleet.yaml:4:48: it leads out of the folder of manifests",
        "fleet.yaml:4:48: target c: there is no folder ../out",
        "fleet.yaml:5:3: target d: there is no folder d",
        "fleet.yaml:6:3: targets d and e have the same endpoint and the same key",
        "fleet.yaml:6:40: target e: there is no folder e",
        "stray.yaml:1: it is in no target's folder",
    ]


@pytest.mark.parametrize(
    "name", ["GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "PATH", "MOMENTO_", "momento_key", "XMOMENTO_A"]
)
def test_no_variable_but_momentos_is_read(tmp_path: Path, name: str) -> None:
    """A pull request can't have another secret sent as a key."""
    write(tmp_path, {"fleet.yaml": f"targets: {{us: {{region: us-east-1, api_key_env: {name}}}}}\n", "us/.keep": ""})
    (problem,) = problems_of(tmp_path)
    assert problem.remedy == "only a variable whose name starts with MOMENTO_ is read: rename it"


def test_every_guard_with_a_limit_and_every_field_with_a_default_has_its_key() -> None:
    """Both are read off their lists."""
    assert [*GuardLimits.model_fields] == [*LIMITED]
    assert {*Manifest.model_fields} - {*ManifestDefaults.model_fields} == {"name", "shard_placements"}


def test_a_targets_limits_take_the_place_of_those_for_all(tmp_path: Path) -> None:
    """Null is no limit; each has its place; what is left out is as it is without a fleet file."""
    text = """\
        targets:
          a: {endpoint: https://h, guards: {max_deletes: null, max_added_nodes: 9}}
          b: {endpoint: https://i}
        guards:
          max_deletes: 1
          max_delete_fraction: 1
          protect: [prod-*]
        """
    write(tmp_path, {"fleet.yaml": text, "a/x.yaml": manifest("x"), "b/y.yaml": manifest("y")})
    a, b = (target.limits for target in read_fleet(str(tmp_path)).targets)
    assert {**a.values} == {
        **Limits().values,
        "max_deletes": None,
        "max_delete_fraction": 1,
        "max_added_nodes": 9,
        "protect": ("prod-*",),
    }
    assert {key: str(place).removeprefix(f"{tmp_path}/") for key, place in a.places.items()} == {
        "max_deletes": "fleet.yaml:2:50",
        "max_delete_fraction": "fleet.yaml:6:24",
        "protect": "fleet.yaml:7:12",
        "max_added_nodes": "fleet.yaml:2:73",
    }
    assert (b.of("max_deletes"), b.of("max_added_nodes")) == (1, None)


def test_a_targets_prices_are_laid_over_those_for_all(tmp_path: Path) -> None:
    """Regions differ in some of them; a number is as it was written."""
    text = """\
        targets:
          a: {endpoint: https://h, prices: {m6g.large: 0.149, t4g.small: 0}}
          b: {endpoint: https://i}
        guards: {max_added_cost: 1.5}
        prices:
          m6g.large: 0.1
          r6g.large: 3
        """
    write(tmp_path, {"fleet.yaml": text, "a/x.yaml": manifest("x"), "b/y.yaml": manifest("y")})
    a, b = (target.limits for target in read_fleet(str(tmp_path)).targets)
    assert a.prices == {"m6g.large": 0.149, "r6g.large": 3, "t4g.small": 0}
    assert b.prices == {"m6g.large": 0.1, "r6g.large": 3}
    assert a.of("max_added_cost") == b.of("max_added_cost") == 1.5


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("m6g.large: -1", "3:14: prices.m6g.large is -1"),
        ('m6g.large: "0.12"', '3:14: prices.m6g.large is "0.12", a string, not a number'),
        ("m6g.large: null", "3:14: prices.m6g.large is null"),
        ("m6g.large: .12", '3:14: prices.m6g.large is ".12", a number that isn\'t written in plain decimals'),
        ("m6g.large: true", "3:14: prices.m6g.large is true, a boolean, not a number"),
        ("m6g.large: 1\n  m6g.large: 2", '4:3: duplicate key "m6g.large": first in line 3'),
        ('"": 1', "3:3: prices. is empty"),
    ],
)
def test_a_price_that_makes_no_sense_is_refused(tmp_path: Path, written: str, said: str) -> None:
    """Never taken for a lower one."""
    write(tmp_path, {"fleet.yaml": f"{US}prices:\n  {written}\n", "us/.keep": ""})
    assert told(tmp_path) == [f"fleet.yaml:{said}"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("max_deletes: -1", "guards.max_deletes is -1"),
        ("max_deletes: true", "guards.max_deletes is true, a boolean, not a whole number"),
        ("max_deletes: 1.5", "guards.max_deletes is 1.5, a number, not a whole number"),
        ("max_delete_fraction: 1.01", "guards.max_delete_fraction is 1.01"),
        ("max_drift_fraction: 25", "guards.max_drift_fraction is 25"),
        ('max_drift_fraction: "0.5"', 'guards.max_drift_fraction is "0.5", a string, not a number'),
        ("max_drift_fraction: .nan", 'guards.max_drift_fraction is ".nan", not a finite number'),
        ("protect: null", "guards.protect is null, not a list"),
        ("protect: prod", 'guards.protect is "prod", a string, not a list'),
        ('protect: [""]', "guards.protect[0] is empty"),
        ("max_delete: 1", 'unknown key "max_delete"'),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(tmp_path: Path, written: str, said: str) -> None:
    """Never taken for a looser one."""
    write(tmp_path, {"fleet.yaml": f"{US}guards:\n  {written}\n", "us/.keep": ""})
    (line,) = told(tmp_path)
    assert line.partition(": ")[2] == said


def test_a_manifests_own_value_wins_then_the_targets_default_then_that_for_all(tmp_path: Path) -> None:
    """Lifecycle key by key; each value is where it stands."""
    text = """\
        targets:
          us:
            region: us-east-1
            defaults: {replication_factor: 2, lifecycle: {on_remove: keep}}
        defaults:
          node_instance_type: m7g.large
          replication_factor: 1
          enforce_shard_multi_az: true
          lifecycle: {prevent_destroy: true, on_remove: delete, ignore_changes: [description]}
        """
    own = "name: x\nshard_count: 3\nenforce_shard_multi_az: false\nlifecycle: {on_drift: report}\n"
    fleet = read_fleet(str(write(tmp_path, {"fleet.yaml": text, "us/x.yaml": own})))
    x = fleet.head("us").declarations["x"]
    assert {**x.values} == {
        "node_instance_type": "m7g.large",
        "shard_count": 3,
        "replication_factor": 2,
        "enforce_shard_multi_az": False,
    }
    assert x.lifecycle.model_dump(mode="json") == {
        "prevent_destroy": True,
        "on_remove": "keep",
        "on_drift": "report",
        "adopt": False,
        "ignore_changes": ["description"],
    }
    paths = [*x.values, "name", "lifecycle.on_remove", "lifecycle.prevent_destroy", "lifecycle.on_drift"]
    assert [str(x.place_of(path)).removeprefix(f"{tmp_path}/") for path in paths] == [
        "fleet.yaml:6:23",
        "us/x.yaml:2:14",
        "fleet.yaml:4:36",
        "us/x.yaml:3:25",
        "us/x.yaml:1:7",
        "fleet.yaml:4:62",
        "fleet.yaml:9:32",
        "us/x.yaml:4:23",
    ]
    assert {*x.places} >= {*x.values, "lifecycle", "lifecycle.on_drift", "lifecycle.ignore_changes"}


def test_a_wrong_default_is_told_once_and_where_it_stands(tmp_path: Path) -> None:
    """Whatever it is: the manifests under it are not blamed, but for their own."""
    text = f"""\
        {US}defaults:
          shard_count: "3"
          replicas: 1
          name: all
          description: null
          shard_placements: []
          enforce_shard_multi_az: yes
          lifecycle: {{ignore_changes: description, on_drift: keep}}
        """
    files = {f"us/{name}.yaml": f"name: {name}\nnode_instance_type: t.large\n" for name in "abc"}
    write(tmp_path, {"fleet.yaml": text.replace("        ", ""), **files, "us/d.yaml": manifest("d", "size: 1\n")})
    assert told(tmp_path) == [
        'fleet.yaml:3:16: defaults.shard_count is "3", a string, not a whole number',
        'fleet.yaml:4:3: unknown key "replicas"',
        "fleet.yaml:5:3: name has no default: each cluster has its own",
        "fleet.yaml:6:16: defaults.description is null",
        "fleet.yaml:7:3: shard_placements has no default: each cluster has its own",
        'fleet.yaml:9:31: defaults.lifecycle.ignore_changes is "description", a string, not a list',
        'fleet.yaml:9:54: defaults.lifecycle.on_drift is "keep"',
        'us/d.yaml:6:1: unknown key "size"',
    ]


def test_a_manifest_made_wrong_by_a_default_names_both(tmp_path: Path) -> None:
    """And two defaults that contradict each other are told once."""
    text = f"{US}defaults: {{node_instance_type: m7g.large, replication_factor: 0, shard_count: 1}}\n"
    files = {f"us/{name}.yaml": f"name: {name}\nenforce_shard_multi_az: true\n" for name in "ab"}
    write(tmp_path, {"fleet.yaml": text, **files})
    why = "replication_factor is 0, and enforce_shard_multi_az needs a replica in another zone"
    assert told(tmp_path) == [
        f"us/a.yaml:2:25: {why}; replication_factor is a default, at fleet.yaml:2",
        f"us/b.yaml:2:25: {why}; replication_factor is a default, at fleet.yaml:2",
    ]
    write(tmp_path, {"fleet.yaml": text.replace("shard_count: 1", "shard_count: 1, enforce_shard_multi_az: true")})
    write(tmp_path, {f"us/{name}.yaml": f"name: {name}\n" for name in "ab"})
    assert told(tmp_path) == [f"fleet.yaml:2:63: {why}"]


def test_an_ignored_field_that_isnt_there_is_told_once(tmp_path: Path) -> None:
    """Also where a manifest has a lifecycle of its own."""
    text = f"{US}defaults: {{lifecycle: {{ignore_changes: [descripton]}}}}\n"
    files = {f"us/{name}.yaml": manifest(name, "lifecycle: {adopt: true}\n") for name in "ab"}
    write(tmp_path, {"fleet.yaml": text, **files, "us/c.yaml": manifest("c", "lifecycle: {ignore_changes: []}\n")})
    assert told(tmp_path) == ['fleet.yaml:2:40: lifecycle.ignore_changes[0] is "descripton"']


def test_null_is_no_limit_and_nothing_else(tmp_path: Path) -> None:
    """Whatever a target is called."""
    write(
        tmp_path, {"fleet.yaml": "targets: {guards: {region: null, guards: {max_deletes: null}}}\n", "guards/.keep": ""}
    )
    assert told(tmp_path) == ["fleet.yaml:1:28: targets.guards.region is null"]


def test_a_null_of_ones_own_is_no_default(tmp_path: Path) -> None:
    """Whoever writes one means something else than to leave the field out."""
    files = {"us/a.yaml": manifest("a", "description:\n")}
    write(tmp_path, {"fleet.yaml": f"{US}defaults: {{description: all}}\n", **files})
    assert told(tmp_path) == ["us/a.yaml:6:13: description is null"]


def test_a_null_behind_a_hostile_key_is_told_in_one_line_that_steers_nothing(tmp_path: Path) -> None:
    """However long that key is."""
    key = f'"\\e[2J{"x" * 999}"'
    write(tmp_path, {"fleet.yaml": f"targets: {{a: {{{key}: {{b: null}}}}}}\n", "a/x.yaml": manifest("x")})
    path = f"targets.a.\\x1b[2J{'x' * 102}…"
    assert told(tmp_path)[1] == f"fleet.yaml:1:{len('targets: {a: {') + len(key) + 7}: {path} is null"


def test_what_is_missing_may_be_added_in_two_places(tmp_path: Path) -> None:
    """A name may not: it is each manifest's own."""
    write(tmp_path, {"a.yaml": GOOD.replace("shard_count: 2\n", "")})
    assert [(problem.message, problem.remedy) for problem in problems_of(tmp_path)] == [
        ("name is missing", "add it: the API requires it"),
        ("shard_count is missing", "add it, here or to defaults in the fleet file: the API requires it"),
    ]


@pytest.mark.parametrize(
    ("data", "is_one"),
    [
        (US, True),
        ("defaults: {}", True),
        ("targets: [", True),
        (f"name: fleet\n{GOOD}", False),
        ("", False),
        ("[]", False),
    ],
)
def test_a_fleet_file_is_known_by_its_content(data: str, is_one: bool) -> None:
    """A cluster may be called fleet, and its file fleet.yaml; one that can't be read is taken for what its name says."""
    assert is_fleet_file(data.encode()) == is_one


def test_a_suspension_is_a_targets_own_or_that_for_all(tmp_path: Path) -> None:
    """With a reason and a moment, at which it ends by itself."""
    text = """\
        suspend: {reason: freeze, until: "2027-01-15T08:00Z"}
        targets:
          us: {region: us-east-1}
          eu: {region: eu-west-1, suspend: {reason: "failover test", until: "2027-01-15T10:30:00+02:00"}}
        """
    write(tmp_path, {"fleet.yaml": text, "us/.keep": "", "eu/.keep": ""})
    fleet = read_fleet(str(tmp_path))
    freeze, test = Suspension("freeze", 1_800_000_000), Suspension("failover test", 1_800_001_800)
    assert [target.suspension for target in fleet.targets] == [freeze, test]
    assert [target.suspension for target in fleet.at(1_799_999_999).targets] == [freeze, test]
    later = fleet.at(1_800_000_000)
    assert [target.suspension for target in later.targets] == [None, test]
    assert later.warnings == {"eu": ("suspended until 2027-01-15T08:30:00Z, nothing is applied to it: failover test",)}
    assert fleet.at(1_800_001_800).warnings == {}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('{until: "2027-01-15T08:00Z"}', "36: targets.us.suspend.reason is missing"),
        (
            "{reason: x, until: 2027-01-15T08:00Z}",
            f'55: {UNTIL} is "2027-01-15T08:00Z", a date to YAML 1.1, a string to 1.2',
        ),
        ('{reason: x, until: "2027-01-15T08:00"}', f"55: '2027-01-15T08:00' {NO_MOMENT}"),
        ("{reason: x, until: tomorrow}", f"55: 'tomorrow' {NO_MOMENT}"),
        ('{reason: "", until: "2027-01-15T08:00Z"}', "45: targets.us.suspend.reason is empty"),
    ],
)
def test_a_suspension_without_reason_or_end_is_refused(tmp_path: Path, written: str, said: str) -> None:
    """Nobody would know why, or it would be forgotten."""
    text = f"targets:\n  us: {{region: us-east-1, suspend: {written}}}\n"
    assert told(write(tmp_path, {"fleet.yaml": text, "us/.keep": ""})) == [f"fleet.yaml:2:{said}"]
