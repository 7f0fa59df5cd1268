"""What a manifest's fields must be to each other, and what is surely a slip: one rule, one generator.

Rules are what the service is known to hold clusters to: a breach is an error. A slip is a warning.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple, TypeAlias

from reconciler.desired.marks import KeyPath
from reconciler.desired.words import dotted, meant, quoted
from reconciler.model.cluster import FIELDS, FieldValue, Placement
from reconciler.model.declaration import Declaration, Manifest


class Contradiction(NamedTuple):
    """A value that contradicts others, at a path; `against` are the fields that it is held against."""

    path: KeyPath
    message: str
    remedy: str
    against: tuple[str, ...] = ()


def contradictions(manifest: Manifest) -> Iterator[Contradiction]:
    """All of them; none for a manifest that makes sense."""
    for rule in _RULES:
        yield from rule(manifest)
    for rule in _PLACEMENT_RULES if manifest.shard_placements else ():
        yield from rule(manifest)


def slips(declaration: Declaration, region: str | None) -> Iterator[tuple[str, str]]:
    """Path and message of all that is surely a slip, and no error; `region` is the target's."""
    for slip in _SLIPS:
        yield from slip(declaration, region)


def _replicas_for_multi_az(manifest: Manifest) -> Iterator[Contradiction]:
    if manifest.enforce_shard_multi_az and manifest.replication_factor < 1:
        yield Contradiction(
            ("replication_factor",),
            "replication_factor is 0, and enforce_shard_multi_az needs a replica in another zone",
            "give it at least 1, or set enforce_shard_multi_az to false",
            ("enforce_shard_multi_az",),
        )


def _shards_exist(manifest: Manifest) -> Iterator[Contradiction]:
    for path, placement in _placements(manifest):
        if placement.shard_index >= manifest.shard_count:
            yield Contradiction(
                (*path, "shard_index"),
                f"shard_index is {placement.shard_index}, but shard_count is {manifest.shard_count}",
                f"use 0 to {manifest.shard_count - 1}, or raise shard_count",
                ("shard_count",),
            )


def _shards_are_placed_once(manifest: Manifest) -> Iterator[Contradiction]:
    first_at: dict[int, int] = {}
    for position, (path, placement) in enumerate(_placements(manifest)):
        first = first_at.setdefault(placement.shard_index, position)
        if first != position:
            message = f"shard {placement.shard_index} is placed twice: first as entry {first + 1}"
            yield Contradiction((*path, "shard_index"), message, "place each shard once")


def _each_replica_has_a_zone(manifest: Manifest) -> Iterator[Contradiction]:
    for path, placement in _placements(manifest):
        zones, replicas = len(placement.replica_availability_zones), manifest.replication_factor
        if zones != replicas:
            yield Contradiction(
                (*path, "replica_availability_zones"),
                f"shard {placement.shard_index} has {zones} replica zones, but replication_factor is {replicas}",
                "name one zone for each replica",
                ("replication_factor",),
            )


def _placements_span_zones(manifest: Manifest) -> Iterator[Contradiction]:
    for path, placement in _placements(manifest):
        zones = placement.replica_availability_zones
        if manifest.enforce_shard_multi_az and zones and {*zones} == {placement.availability_zone}:
            zone = quoted(placement.availability_zone)
            yield Contradiction(
                (*path, "replica_availability_zones"),
                f"shard {placement.shard_index} lives in {zone} alone, but enforce_shard_multi_az is true",
                "put at least one replica into another zone",
                ("enforce_shard_multi_az",),
            )


def _ignored_fields_exist(manifest: Manifest) -> Iterator[Contradiction]:
    for position, field in enumerate(manifest.lifecycle.ignore_changes):
        if field not in FIELDS:
            path: KeyPath = ("lifecycle", "ignore_changes", position)
            yield Contradiction(path, f"{dotted(path)} is {quoted(field)}", meant(field, list(FIELDS)))


def _placements(manifest: Manifest) -> Iterator[tuple[KeyPath, Placement]]:
    for position, placement in enumerate(manifest.shard_placements or ()):
        yield ("shard_placements", position), placement


def _placeholders(declaration: Declaration, _region: str | None) -> Iterator[tuple[str, str]]:
    for path, value in declaration.values.items():
        for text in _texts(value):
            if "${" in text or "{{" in text or "<%" in text:
                yield path, f"{path} is {quoted(text)}: a placeholder that nobody filled in?"


def _types_without_a_dot(declaration: Declaration, _region: str | None) -> Iterator[tuple[str, str]]:
    instance_type = declaration.values["node_instance_type"]
    if isinstance(instance_type, str) and "." not in instance_type:
        message = f"node_instance_type is {quoted(instance_type)}: instance types have a dot, as m6g.large has"
        yield "node_instance_type", message


def _zones_of_another_region(declaration: Declaration, region: str | None) -> Iterator[tuple[str, str]]:
    for path, value in declaration.values.items() if region else ():
        if not path.endswith("availability_zone") and not path.endswith("availability_zones"):
            continue
        for zone in _texts(value):
            found = _ZONE.fullmatch(zone)
            if found and found[1] != region:
                yield path, f"{path} is {quoted(zone)}: the target's region is {region}"


def _texts(value: FieldValue) -> tuple[str, ...]:
    return (value,) if type(value) is str else value if type(value) is tuple else ()


_ZONE: Final = re.compile(r"([a-z]{2,3}(?:-[a-z]+)+-[0-9]+)[a-z]")

Rule: TypeAlias = Callable[[Manifest], Iterator[Contradiction]]
Slip: TypeAlias = Callable[[Declaration, str | None], Iterator[tuple[str, str]]]

_RULES: Final[tuple[Rule, ...]] = (_replicas_for_multi_az, _ignored_fields_exist)
_PLACEMENT_RULES: Final[tuple[Rule, ...]] = (
    _shards_exist,
    _shards_are_placed_once,
    _each_replica_has_a_zone,
    _placements_span_zones,
)
_SLIPS: Final[tuple[Slip, ...]] = (_placeholders, _types_without_a_dot, _zones_of_another_region)
