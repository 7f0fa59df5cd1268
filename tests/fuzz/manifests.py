"""Manifests and fleet files, held against a YAML parser of another descent for what they accept."""

from collections.abc import Mapping
from typing import Any

import yaml12
from hypothesis import strategies as st

from reconciler.desired.fleet_file import read_targets
from reconciler.desired.formatting import formatted
from reconciler.desired.manifests import parse_manifests
from reconciler.desired.yaml import lines
from reconciler.errors import InvalidManifests
from reconciler.model.declaration import Declaration, Manifest, declare
from reconciler.model.text import is_printable
from reconciler.problem import Problem
from tests.fuzz.subject import YAML_WORDS, Subject, damaged

FILE = "manifests/a.yaml"
_BODY = "node_instance_type: m6g.large\nshard_count: 2\nreplication_factor: 1\nenforce_shard_multi_az: true\n"
_PLACED = """\
# a comment
"name": 'orders'  # of the shop
description: >-
  folded
  text
node_instance_type: &type "r6g.large"
shard_count: 1
replication_factor: 2
enforce_shard_multi_az: True
shard_placements:
- {shard_index: 0, availability_zone: us-east-1a, replica_availability_zones: [us-east-1b, "us-east-1c"]}
lifecycle: {prevent_destroy: true, on_remove: keep, ignore_changes: [description]}
"""
_WHOLE = [
    f"name: a\n{_BODY}".encode(),
    f"%YAML 1.2\n---\nname: a\n{_BODY}description: |\n  two\n  lines\n...\n---\nname: b\n{_BODY}".encode(),
    _PLACED.encode(),
    f"\ufeffname: a\r\ndescription: *d\r\n{_BODY}".replace("*d", "&d x").encode(),
]
_FLEETS = [
    (
        b"targets:\n  us: {region: us-east-1, manifests: us}\n  eu:\n    endpoint: https://api.example.com\n"
        b"    api_key_env: MOMENTO_EU\n    defaults: {shard_count: 2}\n    guards: {max_deletes: null, protect: [a*]}\n"
        b"guards:\n  max_delete_fraction: 0.5\ndefaults:\n  lifecycle:\n    prevent_destroy: true\n"
    ),
    b"targets: {a: {}}\n",
]


def _placed(problems: tuple[Problem, ...], data: bytes, file: str) -> None:
    """Each problem stands at a line of the file."""
    last = sum(1 for _ in lines(data))
    for problem in problems:
        assert is_printable(problem.message)
        assert problem.file == file
        assert 1 <= (problem.line or 0) <= last
        assert (problem.column or 1) >= 1


def _otherwise(data: bytes) -> list[Any] | None:
    """The documents as the other parser reads them, without the empty ones; None for what it refuses.

    It is the stricter one: libyaml forgives lines within brackets that aren't indented. A text of nothing but blanks that
    are none to YAML, such as U+0085, it takes for null: where there is one it isn't asked.
    """
    try:
        text = data.decode("utf-8-sig")
        read = yaml12.parse_yaml(text, multi=True)
    except ValueError:
        return None
    if any(character.isspace() and character not in " \t\r\n" for character in text):
        return None
    return [document for document in read if document is not None]


def _same(one: Declaration, other: Mapping[str, Any]) -> bool:
    read = declare(Manifest.model_validate(other), FILE, 1, {})
    return (one.name, one.values, one.lifecycle) == (read.name, read.values, read.lifecycle)


def check_manifests(data: bytes) -> None:
    """What is accepted says what it says to anybody; what isn't is told at its place."""
    parsed = parse_manifests(data, FILE)
    _placed(parsed.problems, data, FILE)
    others = _otherwise(data)
    if not parsed.problems and others is not None:
        assert len(parsed.declarations) == len(others)
        assert all(_same(one, other) for one, other in zip(parsed.declarations, others, strict=True))


def check_fleet_file(data: bytes) -> None:
    """As for manifests, by its targets and what each overrides."""
    layout = read_targets(data, FILE, "manifests", lambda _folder: True)
    _placed(layout.problems, data, FILE)
    others = _otherwise(data)
    if not layout.problems and others is not None:
        (other,) = others
        assert [target.name for target in layout.targets] == [*other["targets"]]
        for target, said in zip(layout.targets, other["targets"].values(), strict=True):
            assert target.api_key_env == said.get("api_key_env", "MOMENTO_API_KEY")
            for key, value in ((other.get("guards") or {}) | (said.get("guards") or {})).items():
                limit = target.limits.of(key)
                assert (list(limit) if isinstance(limit, tuple) else limit) == value


def check_formatting(data: bytes) -> None:
    """A manifest that is put in order says the same, and is in order."""
    try:
        ordered = formatted(data, FILE)
    except InvalidManifests as error:
        _placed(error.reasons, data, FILE)
        return
    assert formatted(ordered, FILE) == ordered
    assert _otherwise(ordered) == _otherwise(data)


_TEXTS = damaged(_WHOLE, YAML_WORDS) | st.lists(st.sampled_from(YAML_WORDS)).map(lambda words: "".join(words).encode())

SUBJECTS: tuple[Subject[Any], ...] = (
    Subject("manifests", _TEXTS | st.binary(), check_manifests),
    Subject("formatting", _TEXTS, check_formatting),
    Subject("fleet-file", damaged(_FLEETS, YAML_WORDS), check_fleet_file),
)
