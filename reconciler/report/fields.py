"""One field of a change: what would be done to it, and, where that isn't plain, how it came to differ."""

from typing import NamedTuple

from reconciler.plan.change import Change, FieldChange
from reconciler.report.values import commit_text, value_text
from reconciler.report.words import LEFT, TOPICS, Topic


class FieldText(NamedTuple):
    """`before` is None where there was nothing; `after` is None where nothing is done: `aside` tells what is there.

    `left` says why nothing is done; empty elsewhere.
    """

    path: str
    before: str | None
    after: str | None
    aside: str
    left: str = ""

    def __str__(self) -> str:
        if self.after is None:
            return f"{self.path}: {self.aside}, {self.left}"
        before = "" if self.before is None else f"{self.before} → "
        return f"{self.path}: {before}{self.after}" + (f"  ({self.aside})" if self.aside else "")


def field_text(field: FieldChange, change: Change, topic: Topic) -> FieldText:
    """Drift as it happened, a revert as what would be done: `9 → 4  (declared 4, changed by hand to 9)`."""
    before, after = value_text(field.before), value_text(field.after)
    if change.action == "create":
        return FieldText(field.path, None, after, "")
    if field.left is not None:
        aside, left = f"declared {after}, now {before}", f"left as it is: {LEFT[field.left].text}"
        return FieldText(field.path, before, None, aside, left)
    return FieldText(field.path, before, after, _aside(field, topic))


def _aside(field: FieldChange, topic: Topic) -> str:
    """What sets it apart: from its section, or from what was to be expected."""
    match field.cause:
        case "drift":
            return f"declared {value_text(field.after)}, changed by hand to {value_text(field.before)}"
        case "conflict":
            if field.recorded == field.before:
                return "conflict: applied from a commit that this branch doesn't hold"
            last = "" if field.recorded is None else f"last applied {value_text(field.recorded)}, "
            return f"conflict: {last}changed by hand to {value_text(field.before)}"
        case "pending":
            since = f" in {commit_text(field.commit)}" if field.commit else ""
            return f"merged before{since}" if since or topic != "pending" else ""
        case "revision" | "adoption":
            return "" if field.cause == topic else TOPICS[field.cause].text
        case None:
            return ""
