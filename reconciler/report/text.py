"""Plans and problems as text for a terminal: this change, then what destroys, what is refused, and the rest."""

from collections.abc import Iterable, Iterator, Sequence

from reconciler.model.text import printable
from reconciler.plan.change import Change, FieldChange
from reconciler.plan.document import PlanDocument
from reconciler.plan.plan import Plan
from reconciler.problem import Problem, SourceProblem
from reconciler.report.counts import besides, headline, standing
from reconciler.report.fields import field_text
from reconciler.report.invocation import Invocation, invocation_of
from reconciler.report.look import PLAIN, Look
from reconciler.report.nextsteps import NextStep, plan_steps
from reconciler.report.notes import (
    Telling,
    destroys,
    kept_text,
    left_behind_text,
    no_record_text,
    not_read_text,
    notes,
    place_text,
    settling_text,
    taken_over_text,
    title,
    unhealthy_text,
    unmanaged_text,
    unpriced_text,
    verb,
)
from reconciler.report.sections import (
    Alike,
    PlannedChange,
    destroyed,
    has_no_record,
    is_replacement,
    judges_a_change,
    sections,
    successors,
)
from reconciler.report.style import Style
from reconciler.report.values import LONGEST_MESSAGE, all_sandboxes, commit_text, counted, name_text
from reconciler.report.words import RISKS, TOPICS, Topic

_TELL = Telling(text=lambda text: printable(text, LONGEST_MESSAGE))
_SIGNS = {"delete": "-", "create": "+", "update": "~"}
_ROW = 73
"""Characters of names in a line: indented, with a comma behind it, they are as wide as a narrow terminal."""
_NAMES_SHOWN = 40
SCREEN = 16
"""Lines after which counts, deletes and refusals are told once more: a terminal shows the last 24."""


def plans_text(document: PlanDocument, look: Look = PLAIN) -> str:
    """What would be done: counts, every delete, each refusal, then target by target, and what to do next.

    It holds no errors: for people these go to stderr.
    """
    style, plans = Style(look.color), document.targets
    if not plans and not document.left_behind:
        return ""
    folder = plans[0].folder if plans else ""
    blocks = [
        *_lead(plans, style),
        list(_destroyed(plans, style)),
        list(_refused(plans, style)),
        *(block for plan in plans for block in _target(plan, style, several=len(plans) > 1)),
        [f"  {style.yellow(left_behind_text(record, _TELL, folder))}" for record in document.left_behind],
    ]
    lines = joined(blocks)
    return "\n".join(joined([lines, list(_closing(document, len(lines), style, look))])) + "\n"


def problems_text(problems: Iterable[Problem], *, style: Style) -> str:
    """Each problem: where, what, and what to do next; empty for none."""
    return "".join(f"{line}\n" for problem in problems for line in _problem_lines(problem, style))


def joined(blocks: Iterable[Sequence[str]]) -> list[str]:
    """The blocks' lines, a blank one between two blocks."""
    lines: list[str] = []
    for block in filter(None, blocks):
        lines += ["", *block] if lines else block
    return lines


def steps_lines(steps: Iterable[NextStep], invocation: Invocation, style: Style) -> Iterator[str]:
    """What to do next, a line each."""
    for step in steps:
        command = step.command(invocation)
        yield f"  {style.bold('next:')} {step.text}{f': {command}' if command else ''}"


def _problem_lines(problem: Problem, style: Style) -> Iterator[str]:
    where = [f"{printable(str(problem.place))}:"] if problem.place else []
    if problem.place is None and problem.target is not None:
        where.append(f"{printable(problem.target)}:")
    if problem.cluster is not None:
        where.append(f"cluster {printable(problem.cluster, 255)}:")
    yield " ".join([style.red("error:"), *where, printable(problem.message, LONGEST_MESSAGE)])
    if isinstance(problem, SourceProblem):
        yield f"  {style.dim('|')} {printable(problem.source)}"
        yield f"  {style.dim('|')} {' ' * len(printable(problem.source[: problem.caret]))}{style.red('^')}"
    if problem.remedy:
        yield f"  {style.dim('→')} {printable(problem.remedy, LONGEST_MESSAGE)}"


def _lead(plans: Sequence[Plan], style: Style) -> Iterator[list[str]]:
    """Whether live and a record were read at all; and the counts."""
    blind = [plan for plan in plans if not plan.live_read]
    lost = [plan for plan in plans if has_no_record(plan)]
    yield [
        *([style.yellow(not_read_text(blind, _TELL))] if blind else []),
        *([style.yellow(no_record_text(lost, _TELL))] if lost else []),
    ]
    if plans:
        yield [*_counts_lines(plans, style), *(_provenance(plans[0], style) if len(plans) == 1 else ())]


def _counts_lines(plans: Sequence[Plan], style: Style) -> Iterator[str]:
    where = printable(plans[0].target) if len(plans) == 1 else f"{len(plans)} targets"
    where += " (sandbox)" if all_sandboxes(plan.endpoint for plan in plans) else ""
    refused = style.red("refused") + " · " if any(plan.violations for plan in plans) else ""
    yield f"{style.bold(where)}: {refused}{headline(plans)}"
    if besides(plans):
        yield f"  {besides(plans)}"
    yield f"  {standing(plans)}"


def _provenance(plan: Plan, style: Style) -> Iterator[str]:
    told = [f"at {printable(plan.endpoint)}"]
    if plan.revision:
        told.append(f"head {commit_text(plan.revision)}{' and what is not committed' if plan.dirty else ''}")
    if plan.base is not None and plan.base.commit != plan.revision:
        told.append(f"base {commit_text(plan.base.commit)} ({printable(plan.base.reason, LONGEST_MESSAGE)})")
    yield f"  {style.dim(', '.join(told))}"


def _destroyed(plans: Sequence[Plan], style: Style) -> Iterator[str]:
    found = destroyed(plans)
    if not found:
        return
    following = successors(plans)
    yield f"  {style.red(counted(len(found), 'cluster') + ' to delete')}"
    for plan, change in found:
        told = [*destroys(change, plan, following, _TELL), *change.risks]
        where = f" in {name_text(plan.target)}" if len(plans) > 1 else ""
        place = f"  {style.dim(printable(place_text(change.source)))}" if change.source else ""
        yield f"  {style.red('- delete')} {style.bold(name_text(change.name))}{where}{place}  {', '.join(told)}"


def _refused(plans: Sequence[Plan], style: Style) -> Iterator[str]:
    for plan in plans:
        where = f" in {name_text(plan.target)}" if len(plans) > 1 else ""
        for violation in plan.violations:
            message = printable(violation.message, LONGEST_MESSAGE)
            yield f"  {style.red(f'refused by {violation.guard}')}{where}: {message}"


def _target(plan: Plan, style: Style, *, several: bool) -> Iterator[list[str]]:
    blocks: list[list[str]] = [[f"  {style.yellow('warning:')} {line}" for line in _warnings(plan)]]
    for section in sections(plan):
        named = section.topic != "plain" or judges_a_change([plan])
        blocks.append([f"  {style.bold(TOPICS[section.topic].title)}"] if named else [])
        blocks += [list(_alike_lines(alike, section.topic, plan, style)) for alike in section.groups]
    blocks.append([f"  {line}" for line in _notes(plan, style)])
    found = [block for block in blocks if block]
    if several:
        yield [*_counts_lines([plan], style), *_provenance(plan, style)]
    yield from found


def _warnings(plan: Plan) -> Iterator[str]:
    return (printable(warning, LONGEST_MESSAGE) for warning in plan.warnings)


def _alike_lines(alike: Alike, topic: Topic, plan: Plan, style: Style) -> Iterator[str]:
    """A change and all that is said of it; or what many have in common, and their names."""
    change, alone = alike.first, len(alike.changes) == 1
    fields = [f"{field_text(field, change, topic)}{_line(field, change) if alone else ''}" for field in change.fields]
    paint = {"delete": style.red, "create": style.green, "update": style.yellow}[change.action]
    sign = paint(_sign(change))
    if alone:
        place = f"  {style.dim(printable(place_text(change.source)))}" if change.source else ""
        yield f"  {sign} {style.bold(title(change, plan, _TELL))}{place}"
    elif len(fields) == 1:
        yield f"  {sign} {fields.pop()} {style.bold(f'on {len(alike.changes)} clusters')}"
    else:
        yield f"  {sign} {style.bold(f'{verb(change)} {len(alike.changes)} clusters, all alike')}"
    yield from (f"      {line}" for line in (*fields, *notes(change, plan, _TELL)))
    if change.risks:
        risks = "; ".join(f"{risk} ({RISKS[risk].text})" for risk in change.risks)
        yield f"      {style.red('risk:')} {risks}"
    if not alone:
        yield from names_lines(sorted(name_text(change.name) for change in alike.changes))


def _sign(change: Change) -> str:
    if change.left is not None:
        return "="
    return "-/+" if is_replacement(change) else _SIGNS[change.action]


def _line(field: FieldChange, change: Change) -> str:
    if field.line is None or (change.action == "create" and field.file is None):
        return ""
    return f"  {printable(field.file or '')}:{field.line}"


def names_lines(names: Sequence[str]) -> Iterator[str]:
    """The names, as many as a few lines hold."""
    shown = names if len(names) <= _NAMES_SHOWN else names[: _NAMES_SHOWN - 1]
    yield from (f"      {line}" for line in rows(shown))
    if len(shown) < len(names):
        yield f"      and {len(names) - len(shown)} more: --format json has all"


def rows(names: Sequence[str]) -> Iterator[str]:
    """As many names a line as it holds; one that is longer wraps."""
    line = ""
    for name in names:
        if line and len(line) + len(name) + 2 > _ROW:
            yield f"{line},"
            line = name
        else:
            line = f"{line}, {name}" if line else name
    if line:
        yield line


def _notes(plan: Plan, style: Style) -> Iterator[str]:
    for cluster in plan.unhealthy:
        place = f"{printable(place_text(cluster.source))}: " if cluster.source else ""
        yield f"{style.red('unhealthy:')} {place}{unhealthy_text(cluster, _TELL, plan)}"
    if plan.settling:
        yield settling_text(plan, _TELL)
    if plan.taken_over:
        yield taken_over_text(plan, _TELL)
    for kept in plan.kept:
        yield kept_text(kept, _TELL)
    if plan.unmanaged:
        yield unmanaged_text(plan, _TELL)
    if plan.cost is not None and plan.cost.unpriced:
        yield unpriced_text(plan.cost.unpriced, _TELL)


def _closing(document: PlanDocument, above: int, style: Style, look: Look) -> Iterator[str]:
    """What to do next, unless that is to answer a question; and once more what has scrolled away."""
    if document.targets and above > SCREEN:
        yield from _again(document.targets, style)
    for plan in document.targets:
        if plan.changes:
            yield f"  {style.dim(f'digest of {name_text(plan.target)}: {plan.digest}')}"
    if look.run:
        yield f"  {style.dim(f'run {printable(look.run)}')}"
    if look.ends_in_steps:
        yield from steps_lines(plan_steps(document), look.invocation or invocation_of(document), style)


def _again(plans: Sequence[Plan], style: Style) -> Iterator[str]:
    """What nobody may miss: the name of each cluster that goes; below all names the counts, and which guards refuse."""
    found: list[PlannedChange] = destroyed(plans)
    if found:
        yield f"  {style.red(counted(len(found), 'cluster') + ' to delete:')}"
        yield from (f"    {line}" for line in rows([name_text(change.name) for _, change in found]))
    yield from (f"  {line}" for line in _counts_lines(plans, style))
    if guards := ", ".join(dict.fromkeys(violation.guard for plan in plans for violation in plan.violations)):
        yield f"  {style.red(f'refused, as said above: {guards}')}"
