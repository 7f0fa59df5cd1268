"""What is said of a change, a cluster or a record besides its fields: the same sentences in every medium.

`show` makes a text from outside harmless for the medium: a name, a value, the service's words.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from reconciler.model.command import record_command
from reconciler.model.evidence import LeftBehind
from reconciler.model.text import printable
from reconciler.plan.change import Change, Delete, Origin, Source
from reconciler.plan.plan import Kept, Plan, Unhealthy, Unmanaged
from reconciler.report.sections import is_replacement, topic_of
from reconciler.report.values import (
    LONGEST_VALUE,
    commit_text,
    counted,
    name_text,
    names_text,
    replace_options,
    value_text,
)
from reconciler.report.words import (
    KEPT,
    LEFT,
    LEFT_BEHIND,
    MOVES,
    OWNERSHIP,
    RECORD,
    SETTLES,
    TAKEN_OVER,
    UNMANAGED,
    UNPRICED,
    WAITS,
)

Show = Callable[[str], str]


class Telling(NamedTuple):
    """How a medium writes names, other texts and commits."""

    name: Show = name_text
    text: Show = printable
    commit: Show = commit_text


def notes(change: Change, plan: Plan, tell: Telling) -> Iterator[str]:
    """What else a reviewer should know of a create or an update, a sentence each."""
    if change.moved_from is not None:
        yield MOVES.text
    if is_replacement(change):
        yield "deleted first: it was never Active"
    topic = topic_of(change)
    if topic == "retry":
        yield f"the service says: {_errors(change, plan, tell)}"
    if change.action == "create" and change.cause == "drift":
        yield "declared, and deleted by hand"
    if change.left is not None and change.action == "create":
        yield f"left as it is: {LEFT[change.left].text}"
    if change.waits_for:
        yield WAITS[change.waits_for].text


def title(change: Change, plan: Plan, tell: Telling) -> str:
    """`update orders`; a move or a rename is one: `rename old → new`, `move orders from us-east-1`."""
    origin = change.moved_from
    if origin is None:
        return f"{verb(change)} {tell.name(change.name)}"
    if origin.target == plan.target:
        return f"rename {tell.name(origin.name)} → {tell.name(change.name)}"
    return f"move {tell.name(change.name)} from {tell.name(origin.target)}"


def verb(change: Change) -> str:
    """What is done, in a word; `leave` for what is shown and not carried out."""
    if change.left is not None:
        return "leave"
    return "replace" if is_replacement(change) else change.action


def destroys(change: Change, plan: Plan, following: Mapping[Origin, Origin], tell: Telling) -> Iterator[str]:
    """Why a cluster goes, and what takes its place."""
    if not isinstance(change, Delete):
        yield "replaced: never Active, so deleted and created again"
        return
    successor = following.get(Origin(target=plan.target, name=change.name))
    if successor is not None and successor.target == plan.target:
        yield f"renamed to {tell.name(successor.name)}: {MOVES.text}"
    elif successor is not None:
        yield f"moved to {tell.name(successor.target)}: {MOVES.text}"
    removed = removed_text(change, tell)
    if removed:
        yield removed


def removed_text(change: Delete, tell: Telling) -> str:
    """By what a deleted cluster's manifest went; empty where that isn't known."""
    if change.source is not None and change.source.commit:
        return f"removed in {tell.commit(change.source.commit)}"
    match change.cause:
        case "revision":
            return "removed by this change"
        case "pending":
            return "removed by an earlier change"
        case _:
            return ""


def place_text(source: Source | None) -> str:
    """`manifests/orders.yaml:1`; empty where no manifest is known."""
    return f"{source.file}:{source.line}" if source is not None else ""


def unhealthy_text(cluster: Unhealthy, tell: Telling, plan: Plan | None = None) -> str:
    """`orders is CreationFailed: InstanceTypeNotAvailable`, and what to do where no update can mend it.

    `plan` is the one that it is of: of a name that several targets have, only that one's record forgets it.
    """
    errors = ", ".join(tell.text(printable(error, LONGEST_VALUE)) for error in cluster.errors)
    said = f"{tell.name(cluster.name)} is {tell.text(printable(cluster.status, 60))}{f': {errors}' if errors else ''}"
    if not cluster.blocked:
        return said
    if cluster.replace_needs == "forget":
        folder, target = (plan.folder, plan.target) if plan else ("", None)
        forget = tell.text(record_command("forget", cluster.name, folder=folder, target=target))
        return f"{said}; never Active, but another of that name is recorded as settled: if that is gone, {forget}"
    return f"{said}; never Active, so no update can fix it: apply with {tell.text(' '.join(replace_options(cluster)))}"


def _errors(change: Change, plan: Plan, tell: Telling) -> str:
    found = [error for cluster in plan.unhealthy if cluster.name == change.name for error in cluster.errors]
    return ", ".join(tell.text(printable(error, LONGEST_VALUE)) for error in found) or "the service gives no reason"


def taken_over_text(plan: Plan, tell: Telling) -> str:
    """`takes over 2 clusters that are live and exactly as declared: a, b`."""
    count, names = len(plan.taken_over), names_text(plan.taken_over, tell.name)
    are = "is" if count == 1 else "are"
    return f"{TAKEN_OVER.text} {counted(count, 'cluster')} that {are} live and exactly as declared: {names}"


def settling_text(plan: Plan, tell: Telling) -> str:
    """`settling, and as declared: a (Creating)`."""
    by_name = {cluster.name: cluster for cluster in plan.settling}
    return f"{SETTLES.text}, and as declared: " + names_text(
        by_name, lambda name: f"{tell.name(name)} ({tell.text(printable(by_name[name].status, 60))})"
    )


def unpriced_text(unpriced: Sequence[str], tell: Telling) -> str:
    """`no price: m7g.large`: what keeps the cost from being known."""
    missing = f"{UNPRICED.text}: {names_text(unpriced, tell.name)}"
    return f"{missing}; to know the cost, add it to {tell.text('prices')} in the fleet file"


def kept_text(kept: Kept, tell: Telling) -> str:
    """`the service keeps description of orders as none (sent "Orders")`."""
    held, sent = tell.text(value_text(kept.kept)), tell.text(value_text(kept.sent))
    return f"{KEPT.text} {kept.path} of {tell.name(kept.name)} as {held} (sent {sent})"


def unmanaged_text(plan: Plan, tell: Telling) -> str:
    """`a (ours: --prune deletes it), b, c and 3 more`: what is ours first."""
    order = list(OWNERSHIP)
    by_name = {cluster.name: cluster for cluster in sorted(plan.unmanaged, key=lambda c: order.index(c.ownership))}
    every_unknown = all(cluster.ownership == "unknown" for cluster in plan.unmanaged)
    shown = tell.name if every_unknown else lambda name: _owned(by_name[name], tell)
    return f"{UNMANAGED.text}: {names_text(by_name, shown)}"


def _owned(cluster: Unmanaged, tell: Telling) -> str:
    removed = f", removed in {tell.commit(cluster.removed_by)}" if cluster.removed_by else ""
    return f"{tell.name(cluster.name)} ({OWNERSHIP[cluster.ownership].text}{removed})"


def left_behind_text(record: LeftBehind, tell: Telling, folder: str = "") -> str:
    """A record that no target claims: where its clusters are, and how to let go of them."""
    names = names_text(record.clusters, tell.name)
    command = tell.text(record_command("forget", folder=folder, target=record.target))
    count = counted(len(record.clusters), "cluster")
    return (
        f"{LEFT_BEHIND.text}: no target claims {count} of {tell.name(record.target)} "
        f"at {tell.text(record.endpoint)}: {names}; declare them again, or let the record forget them: {command}"
    )


def no_record_text(plans: Sequence[Plan], tell: Telling) -> str:
    """Where nothing tells what was applied: said before all else."""
    fetch = tell.text(record_command("fetch", folder=plans[0].folder))
    where = names_text((plan.target for plan in plans), tell.name)
    return (
        f"{RECORD.text} of what was applied is here for {where}: what is live counts as made by somebody else. "
        f"If this isn't the first apply, get it: {fetch}"
    )


def not_read_text(plans: Sequence[Plan], tell: Telling) -> str:
    """Where live wasn't looked at: said before all else."""
    where = names_text((plan.target for plan in plans), tell.name)
    return f"The live clusters of {where} were not read: this compares base with head, and can't be applied"
