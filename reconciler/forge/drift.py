"""What a target's two issues say, of its drift and of not being readable, and whether they say it already."""

import hashlib
import json
from collections.abc import Iterable, Sequence

from reconciler.errors import UsageError
from reconciler.forge.port import Draft, marker
from reconciler.model.text import printable
from reconciler.plan.plan import Plan
from reconciler.problem import Problem

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


def unread_draft(target: str | None, problems: Sequence[Problem], text: str) -> Draft:
    """The issue of a target that could not be looked at; of None, of all that is wrong with no target in particular.

    It is apart from that of the target's drift, which says what was seen last. `text` is the problems as Markdown.
    """
    return Draft(
        marker=marker("unread", target or ""),
        text=text,
        title=f"{printable(target, 100)} can't be looked at" if target else "The clusters can't be looked at",
        fingerprint=_digest(sorted({(problem.kind, problem.file or "") for problem in problems})),
        open=bool(problems),
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
    return _digest([plan.digest, unhealthy, settling, sorted(cluster.name for cluster in plan.owned)])


def _digest(facts: object) -> str:
    return "sha256:" + hashlib.sha256(json.dumps(facts).encode()).hexdigest()
