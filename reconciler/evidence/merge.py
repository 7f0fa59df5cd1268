"""Two records of one target that were written apart, made one: three-way, line by line, an absent line being a change.

Where both sides changed a line, the one from the descendant commit counts, else the later write, and what the other
sent beside it is superseded; a line that only one of them took out stays as the other wrote it. It is as new as the
later of both: who takes its own out again takes out no other's. Where the two never met, what only the older has is
taken for unsettled. Whichever side is ours, the result is the same.
"""

from collections.abc import Callable
from typing import TypeAlias

from reconciler.evidence.format import line_text
from reconciler.model.guards import LIMITED
from reconciler.model.record import Line, Record

IsAncestor: TypeAlias = Callable[[str, str], bool]
"""Whether the second commit is known to contain the first."""


def merge(base: Record | None, ours: Record, theirs: Record, is_ancestor: IsAncestor) -> Record:
    """One record of both; it isn't written yet. `base` is what both began with, None where they never met."""
    before = base.lines if base is not None else {}
    names = sorted({*ours.lines, *theirs.lines})
    merged = {
        name: _line(before.get(name), ours.lines.get(name), theirs.lines.get(name), is_ancestor) for name in names
    }
    if base is None:
        merged |= {name: _unproven(ours.lines[name], theirs) for name in ours.lines.keys() - theirs.lines.keys()}
        merged |= {name: _unproven(theirs.lines[name], ours) for name in theirs.lines.keys() - ours.lines.keys()}
    head = _newer_head(base, ours, theirs, is_ancestor)
    return ours._replace(
        api_key_env=head.api_key_env,
        limits=head.limits,
        revision=head.revision,
        lines={name: line for name, line in merged.items() if line is not None},
        commit=None,
    )


def _line(base: Line | None, ours: Line | None, theirs: Line | None, is_ancestor: IsAncestor) -> Line | None:
    if theirs in (ours, base):
        return ours
    if ours == base:
        return theirs
    if ours is None or theirs is None:
        return ours or theirs
    counts = _that_counts(ours, theirs, is_ancestor)
    merged = _with_superseded(counts, ours if counts is theirs else theirs, base)
    return merged._replace(at=max(ours.at, theirs.at))


def _unproven(line: Line, other: Record) -> Line:
    """A line of which a later record that it never met says nothing: that one may know that the cluster went.

    So it owns, as if nobody had seen it settle, only what is live exactly as it says.
    """
    if line.declared is None or line.unsettled == "deleted" or (other.lines and _latest(other) <= line.at):
        return line
    before = (line.declared,) if line.sent != line.declared else ()
    return line._replace(declared=None, unsettled=line.sent, superseded=(*before, *line.superseded))


def _that_counts(ours: Line, theirs: Line, is_ancestor: IsAncestor) -> Line:
    if ours.commit != theirs.commit and ours.commit and theirs.commit:
        if is_ancestor(ours.commit, theirs.commit):
            return theirs
        if is_ancestor(theirs.commit, ours.commit):
            return ours
    return max(ours, theirs, key=lambda line: (line.at, line_text(line)))


def _with_superseded(line: Line, other: Line, base: Line | None) -> Line:
    """The line that counts, with what the other says was sent or has settled: the cluster may be, or become, that.

    What both began with has settled anew only where the other wrote later, and has nothing under way. Of what was under
    way then the later of both knows what became of it.
    """
    as_before = base is not None and other.declared == base.declared and (other.at <= line.at or other.under_way)
    settled = () if other.declared is None or as_before else (other.declared,)
    over = base.under_way if base is not None and other.at <= line.at else ()
    known = (line.declared, *line.under_way, *over)
    return line._replace(
        superseded=(*(values for values in (*settled, *other.under_way) if values not in known), *line.superseded)
    )


def _newer_head(base: Record | None, ours: Record, theirs: Record, is_ancestor: IsAncestor) -> Record:
    """Whose revision, limits and name of the key count."""
    mine, other, before = _head(ours), _head(theirs), _head(base) if base is not None else None
    if other in (mine, before):
        return ours
    if mine == before:
        return theirs
    if ours.revision != theirs.revision and ours.revision and theirs.revision:
        if is_ancestor(ours.revision, theirs.revision):
            return theirs
        if is_ancestor(theirs.revision, ours.revision):
            return ours
    return max(ours, theirs, key=lambda record: (_latest(record), repr(_head(record))))


def _head(record: Record) -> tuple[str | None, str, tuple[object, ...], list[tuple[str, float]]]:
    limits = record.limits
    return record.revision, record.api_key_env, tuple(limits.of(key) for key in LIMITED), sorted(limits.prices.items())


def _latest(record: Record) -> float:
    return max((line.at for line in record.lines.values()), default=0.0)
