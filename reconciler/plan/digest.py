"""What makes two changes, two plans, two live configurations the same.

A change's digest covers what would be done and what it was decided on; never causes, commits, files, lines or moments:
what was reviewed as this change's is merged, and still pending, the next day.
"""

import hashlib
import json
from collections.abc import Iterable

from reconciler.model.cluster import LiveCluster
from reconciler.model.fleet import Head
from reconciler.plan.change import Change


def live_digest(live: LiveCluster) -> str:
    """The digest of a live cluster's configuration: status and errors don't count."""
    return _digest(live.values)


def change_digest(change: Change) -> str:
    """The digest of one change."""
    return _digest(
        {
            "action": change.action,
            "name": change.name,
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
        declaration = head.declarations[name]
        said = {"name": name, "values": declaration.values, "lifecycle": declaration.lifecycle.model_dump(mode="json")}
        digest.update(_canonical(said) + b"\n")
    return f"sha256:{digest.hexdigest()}"


def _digest(value: object) -> str:
    return "sha256:" + hashlib.sha256(_canonical(value)).hexdigest()


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
