"""What makes two changes, two plans, two live configurations the same.

A change's digest covers what would be done and what it was decided on; never commits, files, lines or moments, so that
a squash merge keeps it.
"""

import hashlib
import json
from collections.abc import Iterable

from reconciler.model.cluster import LiveCluster
from reconciler.model.fleet import Head
from reconciler.plan.change import Change
from reconciler.plan.view import configuration_view


def live_digest(live: LiveCluster) -> str:
    """The digest of a live cluster's configuration: status and errors don't count."""
    return _digest(configuration_view(live))


def change_digest(change: Change) -> str:
    """The digest of one change."""
    return _digest(
        {
            "action": change.action,
            "name": change.name,
            "cause": change.cause,
            "adopts": change.adopts,
            "fields": [[field.path, field.before, field.after] for field in change.fields],
            "requests": [request.model_dump(mode="json") for request in change.requests],
            "live_digest": change.live_digest,
        }
    )


def plan_digest(target: str, endpoint: str, changes: Iterable[Change]) -> str:
    """The digest of one target's plan."""
    return _digest({"target": target, "endpoint": endpoint, "changes": [change_digest(c) for c in changes]})


def manifests_digest(head: Head) -> str:
    """The digest of all that a target declares, wherever it stands."""
    digest = hashlib.sha256()
    for name in sorted(head.declarations):
        digest.update(head.declarations[name].manifest.model_dump_json().encode() + b"\n")
    return f"sha256:{digest.hexdigest()}"


def _digest(value: object) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return "sha256:" + hashlib.sha256(canonical.encode()).hexdigest()
