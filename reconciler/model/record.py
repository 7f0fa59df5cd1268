"""What was last applied to each cluster of a target, and from which commit: git's memory of what this tool did.

`declared` and `unsettled` are managed values alone: what an update only carries is nobody's.
"""

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from reconciler.model.cluster import FieldValue, LiveCluster, Values
from reconciler.model.declaration import NO_LIFECYCLE, Lifecycle
from reconciler.model.guards import Limits

SANDBOX = "sandbox:"
"""What the endpoint of an embedded sandbox begins with; the target's name follows."""

LineOrigin: TypeAlias = Literal["created", "adopted"]


class Line(NamedTuple):
    """One cluster.

    `commit` is what it was applied from, None for a dirty tree; `at` is in epoch seconds. `declared` is what was last
    seen settled, None where nothing was yet. `unsettled` is what was last sent and not seen settled, `deleted` for a
    delete; `superseded` is what was sent before that and wasn't seen settled either, oldest first: the cluster may yet
    become it. `kept` is what the service holds in the place of what was sent, None where it dropped it. `released`:
    `on_remove: keep` has let it go.
    """

    name: str
    commit: str | None
    at: float
    file: str
    line: int
    origin: LineOrigin
    lifecycle: Lifecycle = NO_LIFECYCLE
    declared: Values | None = None
    unsettled: Values | Literal["deleted"] | None = None
    superseded: tuple[Values, ...] = ()
    kept: Mapping[str, FieldValue | None] | None = None
    released: bool = False

    @property
    def sent(self) -> Values:
        """What it was last told to be: what is unsettled, over what was settled before."""
        return {**(self.declared or {}), **(self.unsettled if isinstance(self.unsettled, Mapping) else {})}

    @property
    def under_way(self) -> tuple[Values, ...]:
        """All that was sent and not seen settled, oldest first."""
        return (*self.superseded, self.unsettled) if isinstance(self.unsettled, Mapping) else self.superseded

    @property
    def settled(self) -> bool:
        """Whether it was seen settled, and not deleted since: then it is ours, however it looks by now."""
        return self.declared is not None and self.unsettled != "deleted"

    def owns(self, live: LiveCluster) -> bool:
        """Whether a live cluster is ours.

        One that was never seen settled, or was deleted, is ours only as long as it is exactly as the line says it may
        be: somebody else may have taken the name.
        """
        if self.released or self.settled:
            return not self.released
        may_be = (self.declared or {}, *self.under_way)
        return any(bool(values) and self.is_held(values, live) for values in may_be)

    def is_held(self, values: Values, live: LiveCluster) -> bool:
        """Whether a live cluster has these values, or what the service keeps in their place."""
        kept, held = self.kept or {}, live.values
        return all(
            held.get(path) == value or (path in kept and kept[path] == held.get(path)) for path, value in values.items()
        )

    def wrote(self, path: str, value: FieldValue | None) -> bool:
        """Whether a live value is one that this tool knows of: settled, sent, or kept by the service."""
        known: tuple[Mapping[str, FieldValue | None], ...] = (self.declared or {}, *self.under_way, self.kept or {})
        return any(path in values and values[path] == value for values in known)

    def keeps(self, path: str, sent: FieldValue | None, live: FieldValue | None) -> bool:
        """Whether the service is known to hold this value in the place of the one that was sent."""
        kept = self.kept or {}
        return path in kept and kept[path] == live and self.sent.get(path) == sent


class Record(NamedTuple):
    """One target's lines, by name.

    `revision` is the commit that was last applied, `revision_at` its own moment in epoch seconds; None where that was
    no commit, or isn't known. `commit` is where in its own chain it was read, None for one that isn't written yet.
    `renamed_from` is the target whose record it was.
    """

    target: str
    endpoint: str
    api_key_env: str
    limits: Limits = Limits()
    lines: Mapping[str, Line] = MappingProxyType({})
    revision: str | None = None
    revision_at: float | None = None
    commit: str | None = None
    renamed_from: str | None = None

    def with_lines(self, lines: Mapping[str, Line | None]) -> "Record":
        """The record with these lines in the place of its own; None takes one out."""
        found = {**self.lines, **lines}
        return self._replace(lines={name: line for name in sorted(found) if (line := found[name]) is not None})


class Apply(NamedTuple):
    """One apply, as the record's own history tells it: when it was recorded, and how its changes ended, counted.

    `revision` is the commit that was applied, None for a dirty tree; `run` is the run that did it.
    """

    at: float
    outcome: str
    revision: str | None
    run: str


def is_sandbox(endpoint: str) -> bool:
    """Whether it is an embedded sandbox's: its record is of no use to anybody else."""
    return endpoint.startswith(SANDBOX)


def unclaimed(records: Iterable[Record], targets: Collection[tuple[str, str]]) -> tuple[Record, ...]:
    """The records that no target claims, each of which is a name and an endpoint.

    The records of embedded sandboxes are none of the others' business, and the reverse.
    """
    embedded = any(is_sandbox(endpoint) for _, endpoint in targets)
    return tuple(
        record
        for record in records
        if is_sandbox(record.endpoint) == embedded and (record.target, record.endpoint) not in targets
    )


def claim(
    records: Collection[Record], target: str, endpoint: str, api_key_env: str, targets: Collection[tuple[str, str]]
) -> Record | None:
    """A target's record; None where it has none.

    One that has none takes along the only record of its endpoint and key that no target claims: it was renamed.
    """
    for record in records:
        if (record.target, record.endpoint) == (target, endpoint):
            return record
    mine = [one for one in unclaimed(records, targets) if (one.endpoint, one.api_key_env) == (endpoint, api_key_env)]
    return mine[0]._replace(target=target, renamed_from=mine[0].target) if len(mine) == 1 else None
