"""What differs between head and live, before anyone asks why."""

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from reconciler.model.cluster import ACTIVE, DELETING, FieldValue, LiveCluster
from reconciler.model.declaration import Declaration
from reconciler.model.evidence import Evidence
from reconciler.model.fleet import Head, Target
from reconciler.model.record import Line, Record
from reconciler.model.view import ordered


class Difference(NamedTuple):
    """One managed path; None is a value that isn't there."""

    path: str
    live: FieldValue | None
    head: FieldValue | None


class Pair(NamedTuple):
    """A declared cluster and what is live of it; `live` is None, or `Deleting`, where it has to be created."""

    declaration: Declaration
    live: LiveCluster | None
    differences: tuple[Difference, ...] = ()


class Comparison(NamedTuple):
    """One target's head against its live clusters; everything by name.

    `undeclared` are live clusters that head doesn't declare and that aren't on their way out already. `unreadable` are
    declared clusters that the service listed, but not as documented: nothing is planned for them.
    """

    absent: tuple[Pair, ...]
    differing: tuple[Pair, ...]
    equal: tuple[Pair, ...]
    undeclared: tuple[LiveCluster, ...]
    unreadable: tuple[str, ...] = ()

    @property
    def declared(self) -> tuple[Pair, ...]:
        """All that head declares and that could be compared."""
        return tuple(sorted((*self.absent, *self.differing, *self.equal), key=lambda pair: pair.declaration.name))


def compare(
    head: Head,
    live: Iterable[LiveCluster],
    selects: Callable[[str], bool] = lambda _name: True,
    unreadable: Collection[str] = (),
) -> Comparison:
    """Compare; `selects` says of a name whether it is looked at (`--only`)."""
    listed = {cluster.name: cluster for cluster in live}
    absent, differing, equal = list[Pair](), list[Pair](), list[Pair]()
    for name in sorted(head.declarations):
        if not selects(name) or name in unreadable:
            continue
        declaration, found = head.declarations[name], listed.get(name)
        if found is None or found.status == DELETING:
            absent.append(Pair(declaration, found, absent_differences(declaration)))
        elif declaration.managed.items() <= found.values.items():
            equal.append(Pair(declaration, found))
        else:
            differing.append(Pair(declaration, found, _differences(declaration, found)))
    undeclared = sorted(name for name in listed if name not in head.declarations and selects(name))
    return Comparison(
        tuple(absent),
        tuple(differing),
        tuple(equal),
        tuple(listed[name] for name in undeclared if listed[name].status != DELETING),
        tuple(sorted(name for name in unreadable if name in head.declarations and selects(name))),
    )


def as_if_live(declarations: Iterable[Declaration]) -> tuple[LiveCluster, ...]:
    """What git alone can say: clusters exactly as they are declared; what a declaration leaves out is not there."""
    return tuple(LiveCluster(d.name, ACTIVE, (), d.values) for d in declarations)


def as_if_applied(evidence: Evidence, target: Target, endpoint: str, live: Iterable[LiveCluster]) -> Evidence:
    """What goes with `as_if_live`: all of it counts as applied and settled, whatever the record says, if there is one.

    So what head changes is this change's, and nothing an adoption. What the record protects, it still does.
    """
    record = evidence.record or Record(target.name, endpoint, target.api_key_env)
    settled: dict[str, Line | None] = {}
    for cluster in live:
        known = record.lines.get(cluster.name) or Line(cluster.name, None, 0.0, target.folder, 1, "created")
        settled[cluster.name] = known._replace(
            declared=cluster.values, unsettled=None, superseded=(), kept=None, released=False
        )
    return evidence._replace(record=record.with_lines(settled), astray=frozenset())


def absent_differences(declaration: Declaration) -> tuple[Difference, ...]:
    """All that a create sends."""
    return tuple(Difference(path, None, value) for path, value in declaration.values.items())


def _differences(declaration: Declaration, live: LiveCluster) -> tuple[Difference, ...]:
    managed, values = declaration.managed, live.values
    paths = ordered(path for path, value in managed.items() if values.get(path) != value)
    return tuple(Difference(path, values.get(path), managed[path]) for path in paths)
