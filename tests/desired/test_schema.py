"""Editors and the loader agree: what the loader takes the schema takes, and what a schema can refuse it refuses."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.desired.defaults import Defaults
from reconciler.desired.fleet_file import read_targets
from reconciler.desired.manifests import parse_manifests
from reconciler.desired.yaml import read_documents
from tests.cli.test_docs import DOCS, ROOT, fenced
from tests.schemas import wrong

GOOD: dict[str, Any] = {
    "name": "orders",
    "node_instance_type": "m6g.large",
    "shard_count": 2,
    "replication_factor": 1,
    "enforce_shard_multi_az": True,
}
PLACED = {"shard_index": 0, "availability_zone": "a", "replica_availability_zones": ["b"]}
FLEET: dict[str, Any] = {"targets": {"default": {"region": "us-east-1"}}}

ODD = st.sampled_from([None, True, "", "x", 0, -1, 1.5, [], ["x"], {}, {"x": 1}])
PLACEMENTS = st.lists(
    st.fixed_dictionaries(
        {
            "shard_index": st.integers(0, 2),
            "availability_zone": st.sampled_from(["a", "b"]),
            "replica_availability_zones": st.lists(st.sampled_from(["a", "b"]), max_size=2),
        },
        optional={"zone": ODD},
    ),
    max_size=3,
)
LIFECYCLES = st.fixed_dictionaries(
    {},
    optional={
        "prevent_destroy": st.booleans() | ODD,
        "on_remove": st.sampled_from(["keep", "delete", "drop"]),
        "on_drift": st.sampled_from(["revert", "report", None]),
        "adopt": st.booleans(),
        "ignore_changes": st.lists(st.sampled_from([*GOOD, "description", "shards"]), max_size=2),
    },
)
FIELDS = {
    "name": st.text("aZ0._~-/", min_size=1, max_size=4) | st.sampled_from([".", "..", "..."]) | ODD,
    "description": st.text(st.characters(codec="utf-8"), max_size=3) | ODD,
    "node_instance_type": st.text(st.characters(codec="utf-8"), max_size=3) | ODD,
    "shard_count": st.integers(-1, 3) | ODD,
    "replication_factor": st.integers(-1, 3) | ODD,
    "enforce_shard_multi_az": st.booleans() | ODD,
    "shard_placements": PLACEMENTS | ODD,
    "lifecycle": LIFECYCLES | ODD,
    "shards": ODD,
}


@st.composite
def manifests(draw: st.DrawFn) -> dict[str, Any]:
    """A good one that lacks some of its fields, and has others of any value: half of them load."""
    there = draw(st.sets(st.sampled_from([*GOOD]), min_size=3)) | {"name"}
    others = draw(st.sets(st.sampled_from([*FIELDS]), max_size=2))
    return {key: GOOD[key] for key in GOOD if key in there} | {key: draw(FIELDS[key]) for key in sorted(others)}


def loads(value: object, defaults: Mapping[str, object] = MappingProxyType({})) -> bool:
    """Whether the loader takes a document."""
    return not parse_manifests(json.dumps(value).encode(), "m.yaml", Defaults(defaults)).problems


def fleet_loads(value: object) -> bool:
    """Whether the loader takes a fleet file."""
    return not read_targets(json.dumps(value).encode(), "fleet.yaml", ".", lambda _folder: True).problems


@given(manifests())
def test_what_the_loader_takes_the_schema_takes(document: dict[str, Any]) -> None:
    """With defaults under it, which give what it leaves out."""
    if loads(document, {key: GOOD[key] for key in GOOD if key != "name"}):
        assert wrong("manifest", document) == []


@pytest.mark.parametrize(
    "breach",
    [
        {"shards": 3},
        {"name": "a/b"},
        {"name": ".."},
        {"name": "a" * 256},
        {"name": 1},
        {"description": None},
        {"node_instance_type": ""},
        {"shard_count": 0},
        {"shard_count": "3"},
        {"shard_count": True},
        {"replication_factor": -1},
        {"replication_factor": 1.5},
        {"enforce_shard_multi_az": "yes"},
        {"shard_placements": None},
        {"shard_placements": [{**PLACED, "shard_index": -1}]},
        {"shard_placements": [{**PLACED, "zone": "a"}]},
        {"shard_placements": [{"shard_index": 0}]},
        {"lifecycle": None},
        {"lifecycle": {"protect": True}},
        {"lifecycle": {"on_drift": None}},
        {"lifecycle": {"on_remove": "drop"}},
        {"lifecycle": {"ignore_changes": ["shards"]}},
    ],
)
def test_what_a_schema_can_refuse_both_refuse(breach: dict[str, Any]) -> None:
    """Unknown keys, other types, null, and values out of range."""
    assert loads(GOOD)
    assert wrong("manifest", GOOD) == []
    assert not loads({**GOOD, **breach})
    assert wrong("manifest", {**GOOD, **breach})


@pytest.mark.parametrize(
    "breach",
    [
        {},
        {"targets": {}},
        {"targets": {"a b": {}}},
        {"target": {}},
        {**FLEET, "guards": {"max_delete_fraction": 1.5}},
        {**FLEET, "guards": {"max_delete": 3}},
        {**FLEET, "guards": {"protect": None}},
        {**FLEET, "guards": {"max_added_cost": -1}},
        {**FLEET, "prices": {"m6g.large": -1}},
        {**FLEET, "prices": {"m6g.large": "0.12"}},
        {**FLEET, "prices": {"m6g.large": None}},
        {**FLEET, "prices": {"": 1}},
        {**FLEET, "prices": [0.12]},
        {**FLEET, "defaults": {"name": "orders"}},
        {**FLEET, "defaults": {"shard_count": None}},
        {"targets": {"default": {"region": "us-north-9"}}},
        {"targets": {"default": {"rate": 0}}},
        {"targets": {"default": {"region": None}}},
        {"targets": {"default": {"api_key_env": "HOME"}}},
    ],
)
def test_both_refuse_a_fleet_file(breach: dict[str, Any]) -> None:
    """For the same reasons; a null is a limit that isn't there, and nothing else."""
    good = {**FLEET, "guards": {"max_deletes": None}, "prices": {"m6g.large": 0.12, "t4g.small": 0}}
    assert fleet_loads(good)
    assert wrong("fleet", good) == []
    assert not fleet_loads(breach)
    assert wrong("fleet", breach)


def test_the_files_of_this_repository_are_as_published() -> None:
    """Its fleet, and what its pages show."""
    files = {path: path.read_bytes() for path in sorted((ROOT / "manifests").rglob("*.yaml"))}
    shown = [*fenced(DOCS["manifests.md"], "yaml"), *fenced((ROOT / "README.md").read_text(), "yaml")]
    files |= {Path(f"{number}.yaml"): text.encode() for number, text in enumerate(shown)}
    kinds = []
    for path, data in files.items():
        for document in read_documents(data):
            value: Any = document.value
            kinds.append("fleet" if "targets" in value else "manifest")
            assert wrong(kinds[-1], value) == [], path
    assert {*kinds} == {"fleet", "manifest"}
