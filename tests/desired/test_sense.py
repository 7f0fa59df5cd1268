"""What is told of a manifest whose types are right: slips, synonyms, and what is no manifest at all."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.fleet import read_fleet
from reconciler.desired.manifests import parse_manifests
from reconciler.desired.words import SYNONYMS, meant
from reconciler.model.cluster import Placement
from reconciler.model.declaration import Lifecycle, Manifest
from tests.desired.folders import GOOD, manifest, write

PLACED = """\
shard_placements:
  - {shard_index: 0, availability_zone: us-east-1a, replica_availability_zones: [eu-west-1b]}
  - {shard_index: 1, availability_zone: use1-az1, replica_availability_zones: [us-east-1b]}
"""


def test_slips_are_warnings_with_their_place(tmp_path: Path) -> None:
    """A placeholder, a type without a dot, a zone of another region: the plan goes on, and says so."""
    text = manifest("a", f"description: Orders of ${{TEAM}}\n{PLACED}").replace("m6g.large", '"{{ size }}"')
    write(tmp_path, {"fleet.yaml": "targets: {us: {region: us-east-1}}\n", "us/a.yaml": text})
    assert [warning.removeprefix(f"{tmp_path}/us/a.yaml:") for warning in read_fleet(str(tmp_path)).warnings["us"]] == [
        '6:14: cluster a: description is "Orders of ${TEAM}": a placeholder that nobody filled in?',
        '2:21: cluster a: node_instance_type is "{{ size }}": a placeholder that nobody filled in?',
        '2:21: cluster a: node_instance_type is "{{ size }}": instance types have a dot, as m6g.large has',
        '8:81: cluster a: shard_placements[0].replica_availability_zones is "eu-west-1b": the target\'s region is us-east-1',
    ]
    assert parse_manifests(manifest("a", PLACED).encode(), "m.yaml").warnings == ()


def test_a_flood_of_warnings_is_cut(tmp_path: Path) -> None:
    """Twenty of a target, and how many more."""
    write(tmp_path, {f"{n}.yaml": manifest(f"c{n}").replace("m6g.large", "large") for n in range(30)})
    warnings = read_fleet(str(tmp_path)).warnings["default"]
    assert (len(warnings), warnings[-1]) == (21, "and 10 more warnings")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {}\n", "a Kubernetes object"),
        ("name: x\nkind: Kustomization\nresources: []\n", "a Kubernetes object"),
        ("targets: {a: {region: us-east-1}}\nguards: {}\n", "a fleet file"),
    ],
)
def test_what_is_plainly_something_else_is_one_error(text: str, what: str) -> None:
    """Not ten about its keys; the next document is looked at as ever."""
    first, second = parse_manifests(f"{text}---\nx: 1\n{manifest('a')}".encode(), "m.yaml").problems
    assert first.message == f"this is not a manifest: it looks like {what}"
    assert second.message == 'unknown key "x"'


def test_every_synonym_means_a_key_that_there_is_and_is_none_itself() -> None:
    """A field that is renamed takes its synonyms along, or this fails."""
    keys = {*Manifest.model_fields, *Lifecycle.model_fields, *Placement.model_fields}
    assert {*SYNONYMS.values()} <= keys
    assert not keys & SYNONYMS.keys()


@pytest.mark.parametrize(
    ("key", "field"),
    [
        ("replicas", "replication_factor"),
        ("shards", "shard_count"),
        ("instance_type", "node_instance_type"),
        ("nodeType", "node_instance_type"),
        ("type", "node_instance_type"),
        ("multi-az", "enforce_shard_multi_az"),
        ("azs", "shard_placements"),
        ("shardCount", "shard_count"),
        ("ShardPlacements", "shard_placements"),
        ("descripton", "description"),
    ],
)
def test_what_others_call_a_field_is_understood(key: str, field: str) -> None:
    """In other tools' words and styles."""
    assert meant(key, list(Manifest.model_fields)) == f"did you mean {field}?"
    (problem,) = parse_manifests(f"{GOOD}name: x\n{key}: 1\n".encode(), "m.yaml").problems
    assert problem.remedy == f"did you mean {field}?"


@given(st.text(max_size=200))
def test_any_key_is_answered(key: str) -> None:
    """By a field that there is."""
    known = list(Manifest.model_fields)
    assert any(field in meant(key, known) for field in known)
