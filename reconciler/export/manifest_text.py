"""One live cluster as the manifest that a person would have written for it."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from reconciler.desired.defaults import Defaults
from reconciler.export.quoting import block, one_line
from reconciler.model.cluster import FIELDS, LiveCluster
from reconciler.model.view import body_of

SCHEMA: Final = "manifest.schema.json"
"""What `reconciler schema` prints of a manifest; its place is beside the folder of manifests."""

INDENT: Final = 2


def modeline(folder: str, root: str) -> str:
    """The first line of a new manifest in a folder below the root: it tells editors where the schema is."""
    below = folder.removeprefix(root.rstrip("/")).strip("/")
    levels = (below.count("/") + 1 if below else 0) + (root != ".")
    return f"# yaml-language-server: $schema={'../' * levels}{SCHEMA}\n"


def manifest_text(cluster: LiveCluster, defaults: Defaults, *, adopt: bool, placements: bool) -> str:
    """The manifest, without its modeline: what the fleet file gives by default is left out.

    `adopt`: it may be taken over though somebody else made it. `placements`: where its shards live is declared, too.
    """
    body = body_of(cluster.values)
    written = [f"name: {one_line(cluster.name)}\n"]
    written += [
        entry(key, body[key])
        for key in FIELDS
        if key in body and _is_written(key, body[key], defaults, placements=placements)
    ]
    if adopt and not _adopts(defaults):
        written.append(f"lifecycle:\n{' ' * INDENT}adopt: true\n")
    return "".join(written)


def entry(key: str, value: Any) -> str:
    """One field of a manifest; ends in a line break."""
    if not isinstance(value, list):
        return f"{key}: {block(value, INDENT)}\n"
    return f"{key}:\n" + "".join(f"{' ' * INDENT}{line}\n" for placement in value for line in _placement(placement))


def zones_text(zones: list[str]) -> str:
    """Replica zones in brackets."""
    return f"[{', '.join(one_line(zone, inside_brackets=True) for zone in zones)}]"


def _placement(placement: Mapping[str, Any]) -> Iterator[str]:
    for number, (key, value) in enumerate(placement.items()):
        text = zones_text(value) if isinstance(value, list) else one_line(value)
        yield f"{'  ' if number else '- '}{key}: {text}"


def _is_written(key: str, value: Any, defaults: Defaults, *, placements: bool) -> bool:
    """An empty description says nothing, unless it stands against a default."""
    if isinstance(value, list):
        return placements
    if key in defaults.values:
        default = defaults.values[key]
        return type(default) is not type(value) or bool(default != value)
    return bool(value != "")


def _adopts(defaults: Defaults) -> bool:
    lifecycle = defaults.values.get("lifecycle")
    return isinstance(lifecycle, dict) and lifecycle.get("adopt") is True
