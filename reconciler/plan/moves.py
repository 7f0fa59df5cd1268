"""Moves between targets, and renames within one: a delete and a create that belong together.

To the service both are two clusters, and no data comes along. Shown as one, and the old one goes only when the new one
stands.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from reconciler.model.cluster import LiveCluster
from reconciler.model.declaration import Declaration
from reconciler.plan.change import Origin


class Movable(NamedTuple):
    """One target's halves: what it would delete, and what it declares that was never seen to stand."""

    target: str
    leaving: Sequence[LiveCluster]
    arriving: Sequence[Declaration]


class Moves(NamedTuple):
    """Both ways: where a new cluster comes from, and what must stand before an old one goes."""

    origins: Mapping[Origin, Origin] = MappingProxyType({})
    successors: Mapping[Origin, Origin] = MappingProxyType({})


NO_MOVES = Moves()


def find_moves(targets: Iterable[Movable]) -> Moves:
    """A name that leaves one target and arrives in another; of the rest, a configuration that changes its name in one.

    Each half belongs to one other at most.
    """
    every = sorted(targets, key=lambda movable: movable.target)
    leaving = {_half(t, live): live for t in every for live in sorted(t.leaving, key=lambda live: live.name)}
    if not leaving:
        return NO_MOVES
    arriving = {_half(t, new): new for t in every for new in sorted(t.arriving, key=lambda new: new.name)}
    origins: dict[Origin, Origin] = {}
    for belongs in (_is_move, _is_rename):
        for half, declaration in arriving.items():
            origin = next((old for old, live in leaving.items() if belongs(old, live, half, declaration)), None)
            if half not in origins and origin is not None:
                origins[half] = origin
                del leaving[origin]
    return Moves(origins, {origin: successor for successor, origin in origins.items()})


def _half(movable: Movable, cluster: LiveCluster | Declaration) -> Origin:
    return Origin(target=movable.target, name=cluster.name)


def _is_move(old: Origin, _live: LiveCluster, new: Origin, _declaration: Declaration) -> bool:
    return old.name == new.name and old.target != new.target


def _is_rename(old: Origin, live: LiveCluster, new: Origin, declaration: Declaration) -> bool:
    return old.target == new.target and declaration.managed.items() <= live.values.items()
