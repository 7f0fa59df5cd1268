"""A plan's page: this change in counts, every delete, what is refused, then group by group what changes and why."""

from collections.abc import Iterator, Sequence

from reconciler.plan.change import Change, Source
from reconciler.plan.document import PlanDocument
from reconciler.plan.plan import Plan, Unhealthy, Violation
from reconciler.report.blocks import Block
from reconciler.report.counts import besides, headline, standing
from reconciler.report.inline import code, commit_code, term
from reconciler.report.look import Look
from reconciler.report.markdown_change import PlanPage, section_blocks
from reconciler.report.notes import (
    Telling,
    destroys,
    kept_text,
    left_behind_text,
    no_record_text,
    not_read_text,
    place_text,
    settling_text,
    taken_over_text,
    unhealthy_text,
    unmanaged_text,
    unpriced_text,
)
from reconciler.report.sections import (
    destroyed,
    has_no_record,
    sections,
    successors,
)
from reconciler.report.values import all_sandboxes, counted
from reconciler.report.words import (
    DELETES,
    GUARDS,
    KEPT,
    LEFT_BEHIND,
    RECORD,
    RISKS,
    SETTLES,
    TAKEN_OVER,
    UNHEALTHY,
    UNMANAGED,
    UNPRICED,
    Word,
)

_FEW = 3
"""So many groups are shown open: nobody should have to click for one."""
_CODE = Telling(name=code, text=code)


def plan_lead(document: PlanDocument, look: Look) -> list[Block]:
    """What stands first: whether live and a record were read at all, and the counts."""
    plans = document.targets
    blind = [plan for plan in plans if not plan.live_read]
    lost = [plan for plan in plans if has_no_record(plan)]
    said = [
        *([not_read_text(blind, _CODE)] if blind else []),
        *([_linked(no_record_text(lost, _CODE), RECORD, look)] if lost else []),
    ]
    return [*(Block(f"\n> [!IMPORTANT]\n> {line}\n") for line in said), *_headline(document)]


def _headline(document: PlanDocument) -> Iterator[Block]:
    plans, errors = document.targets, len(document.errors)
    where = code(plans[0].target) if len(plans) == 1 else f"{len(plans)} targets"
    told = [counted(errors, "error")] if errors else []
    told += ["sandbox"] if all_sandboxes(plan.endpoint for plan in plans) else []
    told += ["refused"] if any(plan.violations for plan in plans) else []
    if plans:
        told.append(f"{where}: {headline(plans)}")
    elif errors:
        told.append("nothing could be planned")
    if not told:
        return
    yield Block(f"\n### {' · '.join(told)}\n")
    if plans:
        also = besides(plans)
        yield Block(f"\n{f'**{also}**<br>' if also else ''}{standing(plans)}\n")


def plan_blocks(plans: Sequence[Plan], look: Look) -> tuple[list[Block], list[Block]]:
    """What destroys, and what is refused, in all targets; and the rest, target by target."""
    groups = sum(len(section.groups) for plan in plans for section in sections(plan))
    page = PlanPage(look, several=len(plans) > 1, opened=groups <= _FEW)
    busy = [plan for plan in plans if not _is_idle(plan)]
    idle = [plan for plan in plans if _is_idle(plan)] if page.several and busy else []
    first = [*_deletes(plans, page), *_refusals(plans, page)]
    rest = [block for plan in (busy if page.several else plans) for block in _target(plan, page)]
    return first, [*rest, *_idle(idle)]


def _idle(plans: Sequence[Plan]) -> Iterator[Block]:
    """Who has nothing on this page; of what wasn't read nobody knows whether there is something to do."""
    for said, live_read in (("Nothing to do", True), ("No change, and not read", False)):
        if names := [code(plan.target) for plan in plans if plan.live_read == live_read]:
            yield Block(f"\n{said}: {', '.join(names)}\n", 10)


def left_behind_blocks(document: PlanDocument, look: Look) -> Iterator[Block]:
    """The records that no target claims."""
    folder = document.targets[0].folder if document.targets else ""
    lines = [
        Block(f"- {_linked(left_behind_text(record, _CODE, folder), LEFT_BEHIND, look)}\n", 3, "left behind")
        for record in document.left_behind
    ]
    if lines:
        yield Block("\n", inside=lines)


def _is_idle(plan: Plan) -> bool:
    return not (
        plan.changes or plan.unmanaged or plan.unhealthy or plan.violations or plan.warnings
        or plan.settling or plan.taken_over or plan.kept
    )  # fmt: skip


def _deletes(plans: Sequence[Plan], page: PlanPage) -> Iterator[Block]:
    """Each with its name; what is the same of many is said once, above them."""
    following = successors(plans)
    found = destroyed(plans)
    asides = [
        " · ".join(
            (
                *(f"**{page.term(risk, RISKS[risk])}**" for risk in change.risks),
                *destroys(change, plan, following, page.tell),
            )
        )
        for plan, change in found
    ]
    shared = asides[0] if len(found) > _FEW and len(set(asides)) == 1 else ""
    lines: list[Block] = []
    for (plan, change), aside in zip(found, asides, strict=True):
        name = code(change.name)
        own = [] if aside == shared or not aside else [aside]
        told = [f"{name}{page.where(plan)}", *own, *_last_stood(change, plan, page)]
        lines.append(Block(f"> - {' · '.join(told)}\n", 3, "to delete", short=f"> - {name}\n"))
    if lines:
        said = page.term(f"{counted(len(lines), 'cluster')} to delete", DELETES)
        yield Block(f"\n> [!CAUTION]\n> **{said}**{f' · {shared}' if shared else ''}\n", inside=lines)


def _last_stood(change: Change, plan: Plan, page: PlanPage) -> list[str]:
    """Where its manifest stood, linked where a commit that still has it is known."""
    if change.source is None:
        return []
    links, source = page.look.links, change.source
    held_by = plan.base.commit if plan.base and not source.commit and change.cause == "revision" else None
    url = links.manifest_url(source.file, source.line, held_by) if links and held_by else None
    return [f"last at {code(place_text(source), url)}"]


def _refusals(plans: Sequence[Plan], page: PlanPage) -> Iterator[Block]:
    lines: list[Block] = []
    for plan in plans:
        for violation in plan.violations:
            said = f"**{page.term(f'refused by {violation.guard}', GUARDS)}**{page.where(plan)}"
            limit = _limit(violation, plan, page)
            lines.append(Block(f"> - {said}{limit}: {code(violation.message)}\n", 2, "refusals"))
    if lines:
        yield Block("\n> [!WARNING]\n", inside=lines)


def _limit(violation: Violation, plan: Plan, page: PlanPage) -> str:
    """Where the limit stands, or what protects."""
    if not violation.file or not violation.line:
        return ""
    source = Source(file=violation.file, line=violation.line)
    return f" at {code(place_text(source), page.manifest_url(source, plan))}"


def _target(plan: Plan, page: PlanPage) -> Iterator[Block]:
    blocks = [*_warnings(plan), *section_blocks(plan, page), *_notes(plan, page)]
    if not page.several:
        yield from blocks
        return
    if told := provenance(plan, page.look):
        blocks.append(Block(f"\n<sub>{' · '.join(told)}</sub>\n", 1))
    if blocks:
        also = besides([plan])
        counts = f"{f'**{also}**<br>' if also else ''}{standing([plan])}"
        yield Block(f"\n#### {code(plan.target)}: {headline([plan])}\n\n{counts}\n", inside=blocks)


def _warnings(plan: Plan) -> Iterator[Block]:
    lines = [Block(f"- **warning** {code(warning)}\n", 3, "warnings") for warning in plan.warnings]
    if lines:
        yield Block("\n", inside=lines)


def _linked(text: str, word: Word, look: Look) -> str:
    """A sentence that begins with a word of ours, which leads into the documents."""
    return f"**{term(word.text, word, look.docs)}**{text.removeprefix(word.text)}"


def _notes(plan: Plan, page: PlanPage) -> Iterator[Block]:
    tell = page.tell
    lines = [Block(f"- {_unhealthy(cluster, plan, page)}\n", 6, "unhealthy") for cluster in plan.unhealthy]
    if plan.settling:
        lines.append(Block(f"- {_linked(settling_text(plan, tell), SETTLES, page.look)}\n", 9))
    if plan.taken_over:
        lines.append(Block(f"- {_linked(taken_over_text(plan, tell), TAKEN_OVER, page.look)}\n", 6))
    lines += [Block(f"- {_linked(kept_text(kept, tell), KEPT, page.look)}\n", 9) for kept in plan.kept]
    if plan.unmanaged:
        lines.append(Block(f"- {_linked(unmanaged_text(plan, tell), UNMANAGED, page.look)}\n", 9))
    if plan.cost is not None and plan.cost.unpriced:
        lines.append(Block(f"- {_linked(unpriced_text(plan.cost.unpriced, tell), UNPRICED, page.look)}\n", 9))
    if lines:
        yield Block("\n", inside=lines)


def _unhealthy(cluster: Unhealthy, plan: Plan, page: PlanPage) -> str:
    source = cluster.source
    place = f" {code(place_text(source), page.manifest_url(source, plan))}" if source else ""
    return f"**{page.term('unhealthy', UNHEALTHY)}**{place} {unhealthy_text(cluster, page.tell, plan)}"


def provenance(plan: Plan, look: Look) -> list[str]:
    """What it was compared with, and the digest that `--expect` compares."""
    if not plan.changes:
        return []
    links, told = look.links, list[str]()
    if plan.base is not None:
        told.append(f"base {commit_code(plan.base.commit, links)} ({code(plan.base.reason)})")
    if plan.record is not None and plan.record.revision is not None:
        told.append(f"last applied {commit_code(plan.record.revision, links)}")
    return [*told, f"endpoint {code(plan.endpoint)}", f"digest {code(plan.digest)}"]
