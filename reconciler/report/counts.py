"""Plans in one line of counts: what this change does; what else would be done; how the rest stands."""

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

from reconciler.model.amount import amount_text, exact
from reconciler.plan.change import Change
from reconciler.plan.plan import Plan
from reconciler.report.sections import ACTIONS, destroyed, judges_a_change, topic_of
from reconciler.report.values import counted, counts_text, names_text
from reconciler.report.words import Topic

_NAMES_ASKED = 10


def headline(plans: Sequence[Plan]) -> str:
    """`this change: 1 to create, 2 to update`, `this change: nothing`; without a change to judge, all that is done.

    Whether a conflict or an adoption is this change's or an earlier one's can't always be told: so it isn't claimed.
    """
    if not judges_a_change(plans):
        idle = "nothing would be done" if any(plan.changes for plan in plans) else "nothing to do"
        return actions_text(change for plan in plans for change in plan.sends) or idle
    own = actions_text(_of(plans, "revision"))
    unclear = _unclear(plans)
    if own or not unclear:
        return f"this change: {own or 'nothing'}"
    return f"this change, or one merged before it: {unclear}"


def besides(plans: Sequence[Plan]) -> str:
    """What would be done besides, and what is left; empty for nothing. Without a change to judge: why it is done."""
    judged = judges_a_change(plans)
    unclear = "" if judged and not _of(plans, "revision") else _unclear(plans)
    done = [
        unclear,
        _told(plans, "pending", "merged before", "merged before"),
        _told(plans, "drift", "revert of drift", "reverts of drift"),
        _told(plans, "retry", "retry", "retries"),
        _told(plans, "plain", "change of unknown cause", "changes of unknown cause") if judged else "",
    ]
    found = ", ".join(part for part in done if part)
    said = f"{'would also be done' if judged else 'of these'}: {found}" if found else ""
    left = len(_of(plans, "left"))
    stays = f"left as it is: {counted(left, 'drifted cluster')}" if left else ""
    return "; ".join(part for part in (said, stays) if part)


def standing(plans: Sequence[Plan]) -> str:
    """`8 as declared, 1 settling, nodes 53 → 49 (-4)`."""
    blocked = sum(len(plan.blocked) for plan in plans)
    total: Counter[str] = Counter()
    for plan in plans:
        total.update(plan.summary.model_dump())
    counts = [
        (total["unchanged"], "as declared"),
        (total["settling"], "still settling"),
        (total["taken_over"], "taken over"),
        (total["unhealthy"], "unhealthy"),
        (blocked, "never Active, to be replaced"),
        (total["unmanaged"], "not declared"),
    ]
    return ", ".join(part for part in (counts_text(counts), size(plans)) if part)


def size(plans: Sequence[Plan]) -> str:
    """`nodes 53 → 49 (-4), cost an hour 6.36 → 5.88 (-0.48)`."""
    return ", ".join(part for part in (nodes(plans), cost(plans)) if part)


def question(plans: Sequence[Plan]) -> str:
    """`2 to delete; deletes a, b; nodes 12 → 8 (-4). Apply?`: all that would be done, whatever its cause."""
    gone = [change.name for _, change in destroyed(plans)]
    parts = [actions_text(change for plan in plans for change in plan.sends)]
    parts += [f"deletes {names_text(gone, most=_NAMES_ASKED)}"] if gone else []
    return f"{'; '.join((*parts, nodes(plans)))}. Apply?"


def nodes(plans: Sequence[Plan]) -> str:
    """`nodes 12 → 18 (+6)`; of several plans, the sums."""
    before, after = sum(plan.nodes.before for plan in plans), sum(plan.nodes.after for plan in plans)
    return f"nodes {before}" if before == after else f"nodes {before} → {after} ({after - before:+d})"


def cost(plans: Sequence[Plan]) -> str:
    """`cost an hour 6.36 → 5.88 (-0.48)`; unknown where a price is missing; empty where there are none at all."""
    costs = [plan.cost for plan in plans if plan.cost is not None]
    if not costs:
        return ""
    of_some = f" of {len(costs)} of {len(plans)} targets" if len(costs) < len(plans) else ""
    before, after = _sum(cost.before for cost in costs), _sum(cost.after for cost in costs)
    told = [_amount(before)] if before == after else [_amount(before), "→", _amount(after)]
    if before is not None and after is not None and before != after:
        told.append(f"({'+' if after > before else ''}{amount_text(after - before)})")
    return " ".join((f"cost an hour{of_some}", *told))


def _amount(amount: Decimal | None) -> str:
    return "unknown" if amount is None else amount_text(amount)


def _sum(amounts: Iterable[float | None]) -> Decimal | None:
    total = Decimal()
    for amount in amounts:
        if amount is None:
            return None
        total += exact(amount)
    return total


def actions_text(changes: Iterable[Change]) -> str:
    """`1 to create, 2 to update, 1 to delete`; empty for none."""
    found: Counter[str] = Counter(change.action for change in changes)
    return counts_text([(found[action], f"to {action}") for action in ACTIONS])


def _of(plans: Sequence[Plan], topic: Topic) -> list[Change]:
    return [change for plan in plans for change in plan.changes if topic_of(change) == topic]


def _unclear(plans: Sequence[Plan]) -> str:
    told = (
        _told(plans, "conflict", "conflict", "conflicts"),
        _told(plans, "adoption", "adoption", "adoptions"),
    )
    return ", ".join(part for part in told if part)


def _told(plans: Sequence[Plan], topic: Topic, one: str, several: str) -> str:
    count = len(_of(plans, topic))
    return f"{count} {one if count == 1 else several}" if count else ""
