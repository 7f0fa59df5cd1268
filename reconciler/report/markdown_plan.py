"""A plan's page: counts, every delete, what is refused, then cluster by cluster why it changes."""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.plan.change import Change, Create, FieldChange
from reconciler.plan.plan import Plan
from reconciler.report.blocks import Block
from reconciler.report.inline import Links, code, commit_code, html_code, longest_backticks
from reconciler.report.values import (
    Group,
    counts,
    groups,
    left_alone,
    nodes,
    notes,
    removed_text,
    unhealthy_text,
    value_text,
    why_text,
)

_FEW = 3
"""So many clusters are shown open: nobody should have to click for one."""
_FIELDS_TOLD = 2
_LONGEST_TOLD = 30
"""Characters of a field's values that a closed block still shows."""
_NAMES_TOLD = 20
_GROUP_RANKS = {"conflict": 4, "revision": 5, "pending": 7, "drift": 8, None: 5}


def plan_lead(plans: Sequence[Plan], errors: int) -> list[Block]:
    """What stands first: whether live was read at all, and the counts."""
    blind = [plan.target for plan in plans if not plan.live_read]
    return [*_unread(blind, among=len(plans)), *_headline(plans, errors)]


def plan_blocks(plans: Sequence[Plan], links: Links | None) -> list[Block]:
    """What would be done: first what destroys, in all targets; then target by target."""
    several = len(plans) > 1
    busy = [plan for plan in plans if not _is_idle(plan)]
    few = sum(len(plan.changes) - plan.summary.delete for plan in plans) <= _FEW
    return [
        *_deletes(plans, links, several=several),
        *_refusals(plans, several=several),
        *(block for plan in busy for block in _target(plan, links, several=several, opened=few)),
        *_idle([plan for plan in plans if _is_idle(plan)] if several and busy else []),
    ]


def _is_idle(plan: Plan) -> bool:
    return not (plan.changes or plan.unmanaged or plan.unhealthy or plan.violations or plan.warnings)


def _unread(blind: Sequence[str], among: int) -> Iterator[Block]:
    if blind:
        where = "" if len(blind) == among else f" of {_names(blind)}"
        said = f"**The live clusters{where} were not read.** This is base against head alone, and can't be applied."
        yield Block(f"\n> [!IMPORTANT]\n> {said}\n")


def _headline(plans: Sequence[Plan], errors: int) -> Iterator[Block]:
    told = [f"{errors} error{'' if errors == 1 else 's'}"] if errors else []
    if len(plans) == 1:
        told.append(f"{code(plans[0].target)}: {counts(*plans)}")
    elif plans:
        told.append(f"{counts(*plans)} in {len(plans)} targets")
    if told:
        yield Block(f"\n### {' · '.join(told)}\n")
    if any(plan.changes for plan in plans):
        yield Block(f"\n{nodes(*plans)}\n")


def _deletes(plans: Sequence[Plan], links: Links | None, *, several: bool) -> Iterator[Block]:
    lines = [
        _delete(change, plan, links, several=several)
        for plan in plans
        for change in plan.changes
        if change.action == "delete"
    ]
    if lines:
        said = f"**{len(lines)} cluster{'' if len(lines) == 1 else 's'} to delete**"
        yield Block(f"\n> [!CAUTION]\n> {said}\n", inside=lines)


def _delete(change: Change, plan: Plan, links: Links | None, *, several: bool) -> Block:
    name = code(change.name)
    told = [f"{name} in {code(plan.target)}" if several else name]
    told += [f"**{', '.join(change.risks)}**"] if change.risks else []
    told += _last_stood(change, plan, links)
    told += notes(change)
    return Block(f"> - {' · '.join(told)}\n", 3, "to delete", short=f"> - {name}\n")


def _last_stood(change: Change, plan: Plan, links: Links | None) -> list[str]:
    """Where its manifest stood, linked where a commit that still has it is known; and what removed it."""
    if change.source is None:
        return []
    file, line, commit = change.source.file, change.source.line, change.source.commit
    held_by = plan.base.commit if plan.base and not commit and change.cause == "revision" else None
    place = code(f"{file}:{line}", links.manifest_url(file, line, held_by) if links and held_by else None)
    removed = f"removed in {commit_code(commit, links)}" if commit else removed_text(change)
    return [f"last at {place}", *([removed] if removed else [])]


def _refusals(plans: Sequence[Plan], *, several: bool) -> Iterator[Block]:
    lines: list[Block] = []
    for plan in plans:
        where = f" in {code(plan.target)}" if several else ""
        for violation in plan.violations:
            said = f"> - **refused by {violation.guard}**{where}: {code(violation.message)}\n"
            lines.append(Block(said, 2, "refusals"))
        names = [change.name for group in groups(plan.changes) if group.cause == "conflict" for change in group.changes]
        if names:
            noun = f"conflict{'' if len(names) == 1 else 's'}"
            said = f"> - **{len(names)} {noun}**{where}, would overwrite what nobody reviewed: {_names(names)}\n"
            lines.append(Block(said, 2))
    if lines:
        yield Block("\n> [!WARNING]\n", inside=lines)


def _target(plan: Plan, links: Links | None, *, several: bool, opened: bool) -> Iterator[Block]:
    blocks = [*_groups(plan, links, opened=opened), *_notes(plan, links), *_provenance(plan, links)]
    if several and blocks:
        said = f" · {nodes(plan)}" if plan.changes else ""
        yield Block(f"\n#### {code(plan.target)}: {counts(plan)}{said}\n", inside=blocks)
    else:
        yield from blocks


def _groups(plan: Plan, links: Links | None, *, opened: bool) -> Iterator[Block]:
    for group in groups(change for change in plan.changes if change.action != "delete"):
        rank = _GROUP_RANKS[group.cause]
        blocks = [_cluster(change, group, plan, links, rank=rank, opened=opened) for change in group.changes]
        if group.title and plan.base is not None:
            yield Block(f"\n**{group.title[0].upper()}{group.title[1:]}**\n", inside=blocks)
        else:
            yield from blocks


def _cluster(change: Change, group: Group, plan: Plan, links: Links | None, *, rank: int, opened: bool) -> Block:
    told = [f"{change.action} <b>{html_code(change.name)}</b>", *_brief(change, opened=opened)]
    told += [f"<b>{', '.join(change.risks)}</b>"] if change.risks else []
    if change.source:
        file, line = change.source.file, change.source.line
        url = links.manifest_url(file, line) if links and not plan.dirty else None
        told.append(html_code(f"{file}:{line}", url))
    told += notes(change)
    head = " · ".join(told)
    if not change.fields:
        return Block(f"\n<p>{head}</p>\n", rank, f"to {change.action}")
    lines = list(_diff_lines(change, group))
    fence = "`" * max(3, max(map(longest_backticks, lines)) + 1)
    diff = "\n".join((f"{fence}diff", *lines, fence))
    tag = "<details open>" if opened else "<details>"
    text = f"\n{tag}<summary>{head}</summary>\n\n{diff}\n\n</details>\n"
    return Block(text, rank, f"to {change.action}")


def _brief(change: Change, *, opened: bool) -> Iterator[str]:
    """What changes, as far as one line holds it; the diff has it all."""
    if isinstance(change, Create):
        for request in change.requests:
            yield f"{request.body.nodes} nodes of {html_code(request.body.node_instance_type)}"
    elif not opened:
        yield from map(_field_brief, change.fields[:_FIELDS_TOLD])
        if len(change.fields) > _FIELDS_TOLD:
            yield f"and {len(change.fields) - _FIELDS_TOLD} more"


def _field_brief(field: FieldChange) -> str:
    values = f"{value_text(field.before)} → {value_text(field.after)}"
    return html_code(f"{field.path}: {values}" if len(values) <= _LONGEST_TOLD else field.path)


def _diff_lines(change: Change, group: Group) -> Iterator[str]:
    for field in change.fields:
        if change.action != "create":
            yield f"- {field.path}: {value_text(field.before)}"
        why = why_text(field, group) if change.action == "update" else ""
        yield f"+ {field.path}: {value_text(field.after)}" + (f"  ({why})" if why else "")


def _notes(plan: Plan, links: Links | None) -> Iterator[Block]:
    blocked = {cluster.name for cluster in plan.blocked}
    lines = [Block(f"- **warning** {code(warning)}\n", 3, "warnings") for warning in plan.warnings]
    for cluster in plan.unhealthy:
        mend = " · no update can mend it: delete it, then apply creates it" if cluster.name in blocked else ""
        lines.append(Block(f"- **unhealthy** {code(unhealthy_text(cluster))}{mend}\n", 6, "unhealthy"))
    if plan.unmanaged:
        lines.append(Block(f"- {left_alone(plan, code, lambda commit: commit_code(commit, links))}\n", 9))
    if lines:
        yield Block("\n", inside=lines)


def _provenance(plan: Plan, links: Links | None) -> Iterator[Block]:
    """In one small line: what it was compared with, and the digest that `--expect` compares."""
    if not plan.changes:
        return
    told = []
    if plan.base is not None:
        applied = plan.applied.commit if plan.applied else None
        told.append(f"base {commit_code(plan.base.commit, links)} ({code(plan.base.reason)})")
        told.append(f"applied {commit_code(applied, links)}" if applied else "applied unknown, so inferred")
    told += [f"endpoint {code(plan.endpoint)}", f"digest {code(plan.digest)}"]
    yield Block(f"\n<sub>{' · '.join(told)}</sub>\n", 1)


def _idle(plans: Sequence[Plan]) -> Iterator[Block]:
    if plans:
        yield Block(f"\nIn sync: {_names(plan.target for plan in plans)}\n", 10)


def _names(names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - _NAMES_TOLD
    return ", ".join(map(code, every[:_NAMES_TOLD])) + (f" and {more} more" if more > 0 else "")
