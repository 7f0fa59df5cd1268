"""The clusters of what `terraform show -json` prints of a state: Momento's provider names two fields otherwise."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

from reconciler.errors import UsageError
from reconciler.export.exports import Found
from reconciler.model.cluster import ACTIVE, LiveCluster
from reconciler.model.view import live_cluster

RESOURCE: Final = "momento_valkey_cluster"
_AS_WRITTEN: Final = "`terraform show -json > state.json` writes what is read here"
_DEEPEST: Final = 100
"""Modules inside modules."""


def read_state(text: bytes, file: str) -> Found:
    """The clusters that a state holds, as if they were live; those that make no sense by name, with the reason.

    Raises UsageError for what isn't the JSON of a state.
    """
    try:
        state = json.loads(text)
    except (ValueError, RecursionError) as error:
        _refuse(file, f"it is not JSON: {error}")
    if not isinstance(state, dict) or "format_version" not in state:
        what = (
            "it is the state file itself"
            if isinstance(state, dict) and "serial" in state
            else "it is not a Terraform state"
        )
        _refuse(file, what)
    if "planned_values" in state:
        _refuse(file, "it is a plan, which says what shall be, not what is")
    return _found(state.get("values"))


def _found(values: object) -> Found:
    clusters: dict[str, LiveCluster] = {}
    unreadable: dict[str, str] = {}
    addresses: dict[str, str] = {}
    for address, resource in _resources(values, 0):
        given = resource.get("values")
        name = given.get("cluster_name") if isinstance(given, dict) else None
        if not isinstance(given, dict) or not isinstance(name, str):
            unreadable[address] = "it has no cluster_name"
        elif name in addresses:
            unreadable[name] = f"both {addresses[name]} and {address} name it"
            clusters.pop(name, None)
        elif resource.get("tainted"):
            unreadable[name] = f"{address} is tainted: its create may have failed"
        else:
            try:
                clusters[name] = live_cluster(_entry(given, name))
            except ValueError as error:
                unreadable[name] = f"{address}: {error}"
        addresses.setdefault(str(name), address)
    return Found(tuple(clusters.values()), unreadable)


def _resources(module: object, depth: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Address and content of each cluster of a module, and of those inside it; a data source manages none."""
    inner = module.get("root_module", module) if isinstance(module, dict) else None
    if not isinstance(inner, dict) or depth > _DEEPEST:
        return
    for resource in inner.get("resources") or ():
        if isinstance(resource, dict) and resource.get("type") == RESOURCE and resource.get("mode") == "managed":
            yield str(resource.get("address", RESOURCE)), resource
    for child in inner.get("child_modules") or ():
        yield from _resources(child, depth + 1)


def _entry(values: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What the API would list."""
    placements = values.get("shard_placements")
    if isinstance(placements, list):
        placements = [
            {"shard_index": placed.get("index"), **placed} if isinstance(placed, dict) else placed
            for placed in placements
        ]
    return {**values, "name": name, "status": ACTIVE, "errors": [], "shard_placements": placements}


def _refuse(file: str, why: str) -> NoReturn:
    raise UsageError(f"{file} can't be taken for a Terraform state: {why}", remedy=_AS_WRITTEN)
