"""A plan's sections: each group of equal changes a block that opens to what changes and on which clusters."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from reconciler.model.cluster import nodes_of
from reconciler.plan.change import Source
from reconciler.plan.plan import Plan
from reconciler.report.blocks import Block
from reconciler.report.fields import FieldText, field_text
from reconciler.report.inline import code, commit_code, html_code, html_term, longest_backticks, shown, term
from reconciler.report.look import Look
from reconciler.report.notes import Telling, notes, place_text, title, verb
from reconciler.report.sections import Alike, judges_a_change, sections
from reconciler.report.values import counted
from reconciler.report.words import RISKS, TOPICS, Topic, Word

_FIELDS_TOLD = 2
_LINKED = 20
"""Of more clusters that change alike no manifest is linked: the page would be nothing but addresses."""
_LONGEST_TOLD = 100
"""Characters of a field that a closed block still shows."""
_RANKS: dict[Topic, int] = {
    "conflict": 4, "adoption": 4, "revision": 5, "plain": 5, "pending": 7, "retry": 7, "drift": 8, "left": 8,
}  # fmt: skip
_HTML = Telling(name=html_code, text=html_code)


@dataclass(frozen=True, slots=True)
class PlanPage:
    """What every line of one page is told by."""

    look: Look
    several: bool
    opened: bool

    @property
    def tell(self) -> Telling:
        """Everything from outside as code."""
        return Telling(name=code, text=code, commit=lambda commit: commit_code(commit, self.look.links))

    def where(self, plan: Plan) -> str:
        """Of several targets, which."""
        return f" in {code(plan.target)}" if self.several else ""

    def term(self, said: str, word: Word) -> str:
        """A word of ours, with its link."""
        return term(said, word, self.look.docs)

    def manifest_url(self, source: Source, plan: Plan) -> str | None:
        """Where a manifest stands; None for what isn't committed."""
        links = self.look.links
        return links.manifest_url(source.file, source.line) if links and not plan.dirty else None


def section_blocks(plan: Plan, page: PlanPage) -> Iterator[Block]:
    """What is created and updated, by why."""
    for section in sections(plan):
        blocks = [_group(alike, section.topic, plan, page) for alike in section.groups]
        word = TOPICS[section.topic]
        if section.topic != "plain" or judges_a_change([plan]):
            yield Block(f"\n**{page.term(word.title, word)}**\n", inside=blocks)
        else:
            yield from blocks


def _group(alike: Alike, topic: Topic, plan: Plan, page: PlanPage) -> Block:
    change, rank, counted_as = alike.first, _RANKS[topic], f"to {alike.first.action}"
    fields = [field_text(field, change, topic) for field in change.fields]
    head = " · ".join(_head(alike, fields, plan, page))
    if not fields:
        return Block(f"\n<p>{head}</p>\n", rank, counted_as)
    tag = "<details open>" if page.opened else "<details>"
    start = f"\n{tag}<summary>{head}</summary>\n\n{_diff(fields)}\n"
    if len(alike.changes) == 1:
        return Block(f"{start}\n</details>\n", rank, counted_as)
    linked = len(alike.changes) <= _LINKED
    places = [page.manifest_url(c.source, plan) if c.source and linked else None for c in alike.changes]
    names = [Block(f"- {code(c.name, url)}\n", rank, counted_as) for c, url in zip(alike.changes, places, strict=True)]
    return Block(f"{start}\n", inside=names, end="\n</details>\n")


def _head(alike: Alike, fields: Sequence[FieldText], plan: Plan, page: PlanPage) -> Iterator[str]:
    """What changes, as far as one line holds it; the diff has it all."""
    change, count = alike.first, len(alike.changes)
    what = f"{verb(change)} {count} clusters" if count > 1 else title(change, plan, _HTML)
    yield f"<b>{what}</b>"
    if change.action == "create" and change.left is None:
        for request in change.requests:
            if request.body is not None:
                nodes = counted(nodes_of(request.body), "node")
                yield f"{nodes}{' each' if count > 1 else ''} of {html_code(str(request.body['node_instance_type']))}"
    elif count > 1 or not page.opened:
        yield from map(_brief, fields[:_FIELDS_TOLD])
        if len(fields) > _FIELDS_TOLD:
            yield f"and {len(fields) - _FIELDS_TOLD} more"
    if change.risks:
        yield f"<b>{', '.join(html_term(risk, RISKS[risk], page.look.docs) for risk in change.risks)}</b>"
    if change.source and count == 1:
        yield html_code(place_text(change.source), page.manifest_url(change.source, plan))
    yield from notes(change, plan, _HTML)


def _brief(field: FieldText) -> str:
    told = str(field)
    return html_code(told if len(told) <= _LONGEST_TOLD else field.path)


def _diff(fields: Iterable[FieldText]) -> str:
    lines = [shown(line) for field in fields for line in _diff_lines(field)]
    fence = "`" * max(3, max(map(longest_backticks, lines)) + 1)
    return "\n".join((f"{fence}diff", *lines, fence))


def _diff_lines(field: FieldText) -> Iterator[str]:
    """What is said of a field in lines of its own: a phone shows no more than the beginning of a long one."""
    if field.after is None:
        yield f"  {field.path}: {field.aside}"
        yield f"    {field.left}"
        return
    if field.before is not None:
        yield f"- {field.path}: {field.before}"
    yield f"+ {field.path}: {field.after}"
    if field.aside:
        yield f"    {field.aside}"
