"""What the drift issue of a target says, and whether it says it already."""

import hashlib
import json
from collections.abc import Iterable

from reconciler.errors import UsageError
from reconciler.forge.port import Draft, marker
from reconciler.model.text import printable
from reconciler.plan.plan import Plan

_REMEDY = "give it what `reconciler drift --out FILE` found, of whole targets"


def drift_draft(plan: Plan, text: str) -> Draft:
    """The issue of one target: open where `drift` ends in 2 or 5 for it. `text` is the plan as Markdown."""
    return Draft(
        marker=marker("drift", plan.target),
        text=text,
        title=f"{printable(plan.target, 100)} is not as git says",
        fingerprint=_fingerprint(plan),
        open=plan.touched or plan.unapplied,
    )


def refuse_other_plans(plans: Iterable[Plan]) -> None:
    """Raise UsageError for a plan that isn't what `drift` found: it would open or close an issue for no reason."""
    for plan in plans:
        name = printable(plan.target, 100)
        if plan.intent.only:
            raise UsageError(f"target {name}: only some of its clusters were looked at", remedy=_REMEDY)
        if not plan.live_read:
            raise UsageError(f"target {name}: the plan was made offline", remedy=_REMEDY)
        if (
            plan.intent.base != "HEAD"
            or plan.intent.prune
            or any(change.cause == "revision" for change in plan.changes)
        ):
            raise UsageError(f"target {name}: this plan is of a change, not of drift", remedy=_REMEDY)


def _fingerprint(plan: Plan) -> str:
    """What makes two findings the same: the changes, who is unhealthy or settling, and what is ours and not pruned."""
    unhealthy = sorted([cluster.name, cluster.status, *sorted(cluster.errors)] for cluster in plan.unhealthy)
    settling = sorted([cluster.name, cluster.status] for cluster in plan.settling)
    facts = json.dumps([plan.digest, unhealthy, settling, sorted(cluster.name for cluster in plan.owned)])
    return "sha256:" + hashlib.sha256(facts.encode()).hexdigest()
