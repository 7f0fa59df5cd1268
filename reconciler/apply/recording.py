"""What the record holds before a run and after it. Pure.

Ahead of the first request each line says what is about to be sent, so that a run that is killed is known. Afterwards
what was seen settled is declared, what was definitely refused is as it was, and what is not known stays unsettled.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet

from reconciler.apply.job import Ending, Finished, Held
from reconciler.apply.options import LONGEST_PATIENCE_SECONDS
from reconciler.model.cluster import LiveCluster, Values
from reconciler.model.declaration import Declaration
from reconciler.model.fleet import Head
from reconciler.model.record import Line, Record
from reconciler.plan.change import Change, Create, Delete, Update
from reconciler.plan.plan import Plan
from reconciler.plan.request import expected_values


def ahead(record: Record, plan: Plan, head: Head, live: Iterable[LiveCluster], *, now: float) -> Record:
    """The record before the first request: each change as it is sent; `live` is as it was listed."""
    listed = {cluster.name: cluster for cluster in live}
    lines: dict[str, Line | None] = {}
    for change in plan.sends:
        declaration = head.declarations.get(change.name)
        line = _caught_up(record.lines.get(change.name), listed.get(change.name), declaration)
        if isinstance(change, Delete):
            if line is not None:
                going = line._replace(unsettled="deleted", superseded=line.under_way)
                lines[change.name] = going._replace(commit=_commit(plan), at=now)
        else:
            lines[change.name] = _about_to_be(change, line, head.declarations[change.name], plan, now)
    return record.with_lines(lines)


def after(
    before: Record,
    written: Record,
    finished: Finished,
    plan: Plan,
    head: Head,
    *,
    now: float,
    astray: Collection[str] = (),
) -> Record:
    """The record at the end: `before` is as it was, `written` as `ahead` left it.

    `astray` are clusters whose recorded commit isn't in HEAD's history: their lines get this one.
    """
    changes = {change.name: change for change in plan.sends}
    lines: dict[str, Line | None] = {}
    for ending in finished.endings:
        change = changes.get(ending.name)
        if change is not None:
            lines[ending.name] = _ended(change, ending, before, written, head, now)
    for name, held in finished.settled.items():
        lines[name] = _standing(name, held, before.lines.get(name), plan, head, now, astray)
    lines |= dict(_undeclared({**written.lines, **lines}, finished, plan, head, now))
    revised = written._replace(api_key_env=head.target.api_key_env, limits=head.target.limits, revision=_commit(plan))
    return revised.with_lines(lines)


def _about_to_be(change: Create | Update, line: Line | None, declaration: Declaration, plan: Plan, now: float) -> Line:
    """A line that says what is about to be sent.

    A create makes a new cluster: what was seen settled under its name is another, that is gone. So it is for one that
    somebody else made, and that is adopted.
    """
    sent = expected_values(declaration, _left(change))
    adopting = line is None or change.cause == "adoption"
    known = None if line is None or adopting or isinstance(change, Create) else line
    kept = _still_kept(change, known, sent) if known is not None else {}
    return Line(
        name=change.name,
        commit=_commit(plan),
        at=now,
        file=declaration.file,
        line=declaration.line,
        origin="created" if isinstance(change, Create) else "adopted" if known is None else known.origin,
        lifecycle=declaration.lifecycle,
        declared=_known_to_stand(known, sent.keys() - kept.keys()) if known is not None else None,
        unsettled=sent,
        superseded=_superseded(line, sent, stands=known is not None) if line is not None else (),
        kept=_recordable(kept),
    )


def _caught_up(line: Line | None, live: LiveCluster | None, declaration: Declaration | None) -> Line | None:
    """A line as the list shows it by now.

    What the service is seen to hold as sent it keeps no more; and what an earlier run sent, and nobody saw settle, is
    declared where all of it has settled. Of what was settled before, that goes which neither is live so nor declared:
    the placement of a shard that went, or replica zones that were cut with the replicas.
    """
    if line is None or live is None:
        return line
    sent = line.sent
    kept = {
        path: held
        for path, held in (line.kept or {}).items()
        if path not in sent or live.values.get(path) != sent[path]
    }
    line = line._replace(kept=_recordable(kept))
    if not isinstance(line.unsettled, Mapping) or not line.owns(live):
        return line
    if live.in_transition or live.unhealthy or not line.is_held(line.unsettled, live):
        return line
    managed = declaration.managed if declaration is not None else {}
    before = line.declared or {}
    standing = {path: value for path, value in before.items() if path in managed or live.values.get(path) == value}
    return line._replace(declared={**standing, **line.unsettled}, unsettled=None, superseded=())


def _superseded(line: Line, sent: Values, *, stands: bool) -> tuple[Values, ...]:
    """What the cluster may be, or yet become, beside what is about to be sent.

    Else a run that is killed would leave no trace of it, and it would read as drift, or as somebody else's. That what
    `stands` remains declared; what doesn't may only be missing from the list. What was let go is nobody's.
    """
    if line.released:
        return ()
    kept = line.kept or {}
    declared = () if stands or line.declared is None else (line.declared,)
    held = (_as_kept(values, kept) for values in line.under_way)
    return tuple(values for values in (*declared, *held) if values != sent)


def _still_kept(change: Create | Update, line: Line, sent: Values) -> Held:
    """What the service keeps of fields that this change doesn't mean to change."""
    meant = {field.path for field in change.fields}
    return {
        path: value
        for path, value in (line.kept or {}).items()
        if path not in meant and path in sent and line.sent.get(path) == sent[path]
    }


def _known_to_stand(line: Line, anew: AbstractSet[str]) -> Values | None:
    """What was declared, with what the service kept in the place of the fields that are sent anew.

    Else a run that is killed before it sends them would leave a value that nobody set behind git's back, and that reads
    so. One that the service dropped was never settled.
    """
    if line.declared is None or not line.kept:
        return line.declared
    return _as_kept(line.declared, {path: line.kept[path] for path in line.kept.keys() & anew})


def _as_kept(values: Values, kept: Held) -> Values:
    """Values as the service holds them."""
    held = {**values, **{path: value for path, value in kept.items() if path in values}}
    return {path: value for path, value in held.items() if value is not None}


def _ended(change: Change, ending: Ending, before: Record, written: Record, head: Head, now: float) -> Line | None:
    """The line of a change that was carried out as far as it went; None for no line.

    What was seen is written now: of two runs that wrote the line, the later one counts.
    """
    was, line = before.lines.get(change.name), written.lines.get(change.name)
    if isinstance(change, Delete):
        if ending.settled:
            return None
    elif ending.settled and line is not None:
        values = dict(expected_values(head.declarations[change.name], _left(change)))
        declared = {**_left_as_recorded(change, was), **values}
        return line._replace(at=now, declared=declared, unsettled=None, superseded=(), kept=_recordable(ending.kept))
    if not ending.sent or ending.refused:
        return was
    if line is None:
        return None
    # What was made, and seen Active, is ours though another value has come into it: the service's, or a hand's.
    settled = ending.stands if isinstance(change, Create) else line.declared
    return line._replace(at=now, declared=settled, kept=_recordable(ending.kept) or line.kept)


def _left(change: Change) -> set[str]:
    return {field.path for field in change.fields if field.left is not None}


def _left_as_recorded(change: Change, was: Line | None) -> Values:
    return {path: was.sent[path] for path in _left(change) if was is not None and path in was.sent}


def _standing(
    name: str, held: Held, was: Line | None, plan: Plan, head: Head, now: float, astray: Collection[str]
) -> Line:
    """The line of a declared cluster that nothing was sent for, and that was seen settled."""
    declaration = head.declarations[name]
    taken_over = was is None or name in plan.taken_over
    under_way = () if was is None or taken_over else _on_its_way(was, declaration, now)
    line = Line(
        name=name,
        commit=_commit(plan),
        at=now,
        file=declaration.file,
        line=declaration.line,
        origin="adopted" if was is None or taken_over else was.origin,
        lifecycle=declaration.lifecycle,
        declared=declaration.managed,
        unsettled=under_way[-1] if under_way else None,
        superseded=under_way[:-1],
        kept=_recordable(held),
    )
    same = was is not None and line._replace(commit=was.commit, at=was.at) == was
    return was if was is not None and same and name not in astray else line


def _on_its_way(was: Line, declaration: Declaration, now: float) -> tuple[Values, ...]:
    """What other runs have sent so lately that the list may not show it yet, and that is otherwise than declared."""
    if now - was.at >= LONGEST_PATIENCE_SECONDS:
        return ()
    return tuple(values for values in was.under_way if values != declaration.managed)


def _undeclared(
    lines: Mapping[str, Line | None], finished: Finished, plan: Plan, head: Head, now: float
) -> Iterator[tuple[str, Line | None]]:
    """What head doesn't declare: out of the record where it is gone, let go where its manifest said so."""
    ours = {change.name for change in plan.sends}
    for name, line in lines.items():
        if line is None or name in head.declarations:
            continue
        if name not in finished.listed:
            yield name, None
        elif line.lifecycle.on_remove == "keep" and not line.released and name not in ours:
            yield name, line._replace(commit=_commit(plan), at=now, released=True)


def _recordable(held: Held) -> Held | None:
    """None where the service keeps nothing otherwise than sent."""
    return held or None


def _commit(plan: Plan) -> str | None:
    """The commit that is applied; None for a dirty tree, which is none."""
    return None if plan.dirty else plan.revision
