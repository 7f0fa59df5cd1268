"""Values and counts in words, the same in every medium."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from reconciler.model.text import printable
from reconciler.plan.change import Cause, Change, FieldChange, FieldValue
from reconciler.plan.ownership import Unmanaged
from reconciler.plan.plan import Plan, Unhealthy
from reconciler.results import OUTCOMES, Result, TargetReport

LONGEST_VALUE = 240
"""Characters of a value that are shown: a description may be a page."""
_LONGEST_NAME = 255
_NAMES_LISTED = 20

ACTION_ORDER = {"delete": 0, "create": 1, "update": 2}
SIGNS = {"delete": "-", "create": "+", "update": "~"}
_WAITS = {
    "active": "the service is still at work on it: the update waits until it is Active",
    "gone": "one of this name is being deleted: the create waits until it is gone",
}
_WORST_FIRST = ("unknown", "failed", "stale", "skipped", "applied")

_WORD = re.compile(r"[A-Za-z0-9._~/-]+")
_BARE = re.compile(r"[A-Za-z0-9_./-]([A-Za-z0-9 _./,()-]*[A-Za-z0-9_./)-])?")
_READS_AS_OTHER = re.compile(r"\d+|true|false|null|none", re.IGNORECASE)


def value_text(value: FieldValue) -> str:
    """A field's value: texts bare where that can't mislead, else quoted; `none` where there is none."""
    return _value_text(value, _BARE)


def name_text(name: str) -> str:
    """A name: bare where it is a word, as all are that a manifest declares, else quoted."""
    return name if len(name) <= _LONGEST_NAME and _WORD.fullmatch(name) else _quoted(name, _LONGEST_NAME)


def _value_text(value: FieldValue, bare: re.Pattern[str]) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case tuple():
            return f"[{', '.join(_value_text(item, _WORD) for item in value)}]"
        case str():
            if bare.fullmatch(value) and not _READS_AS_OTHER.fullmatch(value):
                return printable(value, LONGEST_VALUE)
            return _quoted(value, LONGEST_VALUE)


def _quoted(text: str, limit: int) -> str:
    return '"' + printable(text, limit).replace('"', '\\"') + '"'


@dataclass(frozen=True, slots=True)
class Group:
    """Changes that are read together. `cause` is what their fields have in common, None where no cause is known."""

    title: str
    cause: Cause | None
    changes: tuple[Change, ...]


_TITLES: tuple[tuple[str, Cause | None], ...] = (
    ("deletes", None),
    ("conflicts: would overwrite what nobody reviewed", "conflict"),
    ("this change", "revision"),
    ("merged before, not applied yet", "pending"),
    ("drift: changed behind git's back", "drift"),
    ("", None),
)


def groups(changes: Iterable[Change]) -> list[Group]:
    """Deletes first, then by cause, then what has none; creates before updates, by name.

    A change that also does what head means stands there, although it reverts drift along with it.
    """
    found: dict[str, list[Change]] = {title: [] for title, _ in _TITLES}
    for change in sorted(changes, key=lambda change: (ACTION_ORDER[change.action], change.name)):
        found[_title(change)].append(change)
    return [Group(title, cause, tuple(found[title])) for title, cause in _TITLES if found[title]]


def _title(change: Change) -> str:
    if change.action == "delete":
        return _TITLES[0][0]
    causes = {field.cause for field in change.fields} or {change.cause}
    return next(title for title, cause in _TITLES[1:] if cause in causes)


def commit_text(commit: str) -> str:
    """A commit, as short as people write it."""
    return printable(commit[:10])


def why_text(field: FieldChange, group: Group) -> str:
    """What sets a field apart in its group: dragged along, or merged in that commit; empty for nothing."""
    match field.cause:
        case "drift" if group.cause != "drift":
            return "drift, reverted along with it"
        case "conflict" if group.cause != "conflict":
            return "conflict"
        case "revision" if group.cause != "revision":
            return "this change"
        case "pending":
            since = f" since {commit_text(field.commit)}" if field.commit else ""
            return f"pending{since}" if since or group.cause != "pending" else ""
    return ""


def notes(change: Change) -> Iterator[str]:
    """What else a reviewer should know of a change, a sentence each."""
    if change.adopts:
        yield "adopts it: live already, declared for the first time"
    if change.waits_for:
        yield _WAITS[change.waits_for]
    if not change.requests:
        yield "left as it is: on_drift is report"


def removed_text(change: Change) -> str:
    """By what a deleted cluster's manifest went; empty for anything else, or where that isn't known."""
    if change.action != "delete" or change.source is None:
        return ""
    if change.source.commit:
        return f"removed in {commit_text(change.source.commit)}"
    return "removed by this change" if change.cause == "revision" else ""


def provenance(plan: Plan) -> str:
    """`base 4ca6a63f0e (HEAD, which main contains); applied unknown, so inferred`; empty without git."""
    if plan.base is None:
        return ""
    applied = plan.applied.commit if plan.applied else None
    said = f"applied {commit_text(applied)}" if applied else "applied unknown, so inferred"
    return f"base {commit_text(plan.base.commit)} ({printable(plan.base.reason, LONGEST_VALUE)}); {said}"


def worst_first(results: Iterable[Result]) -> list[Result]:
    """What wants a look first; by name. What was skipped because another failed stands below that."""
    return sorted(results, key=lambda result: (_WORST_FIRST.index(result.outcome), result.name))


def left_alone(plan: Plan, show: Callable[[str], str], show_commit: Callable[[str], str] = commit_text) -> str:
    """`not declared, left alone: a (never-declared), b (owned: --prune deletes it) and 3 more`."""
    told = any(cluster.ownership != "unknown" for cluster in plan.unmanaged)
    first = sorted(plan.unmanaged, key=lambda cluster: cluster.ownership != "owned")[:_NAMES_LISTED]
    names = [show(c.name) + (f" ({_ownership_text(c, show_commit)})" if told else "") for c in first]
    more = len(plan.unmanaged) - len(names)
    return f"not declared, left alone: {', '.join(names)}" + (f" and {more} more" if more else "")


def _ownership_text(cluster: Unmanaged, show_commit: Callable[[str], str]) -> str:
    removed = f", removed in {show_commit(cluster.removed_by)}" if cluster.removed_by else ""
    return f"owned{removed}: --prune deletes it" if cluster.ownership == "owned" else cluster.ownership + removed


def counts(*plans: Plan) -> str:
    """`1 to delete, 2 to create, 8 in sync`; or `in sync` where there is nothing to do. Of several plans, the sums."""
    blocked = sum(len(plan.blocked) for plan in plans)
    told = [
        (sum(plan.summary.delete for plan in plans), "to delete"),
        (sum(plan.summary.create for plan in plans), "to create"),
        (sum(plan.summary.update for plan in plans), "to update"),
        (blocked, "to be deleted by hand first"),
    ]
    parts = [f"{count} {what}" for count, what in told if count]
    in_sync = sum(plan.summary.unchanged for plan in plans) - blocked
    if not parts:
        return f"in sync, {clusters(in_sync)} as declared"
    return ", ".join([*parts, f"{in_sync} in sync"])


def clusters(count: int) -> str:
    """`1 cluster`, `2 clusters`."""
    return f"{count} cluster{'' if count == 1 else 's'}"


def nodes(*plans: Plan) -> str:
    """`nodes: 12 → 18 (+6)`; of several plans, the sums."""
    before, after = sum(plan.nodes.before for plan in plans), sum(plan.nodes.after for plan in plans)
    return f"nodes: {before}" if before == after else f"nodes: {before} → {after} ({after - before:+d})"


def outcome_counts(report: TargetReport) -> str:
    """`3 applied, 1 failed`; or `nothing to do`."""
    summary = report.summary.model_dump()
    return ", ".join(f"{summary[outcome]} {outcome}" for outcome in OUTCOMES if summary[outcome]) or "nothing to do"


def unhealthy_text(cluster: Unhealthy) -> str:
    """`orders is CreationFailed: InstanceTypeNotAvailable`."""
    errors = ", ".join(printable(error, LONGEST_VALUE) for error in cluster.errors)
    return f"{name_text(cluster.name)} is {printable(cluster.status, 60)}" + (f": {errors}" if errors else "")
