"""What becomes of a cluster: its state follows from what was last done to it, and the moment at which it is looked at.

Nothing runs in the background, and nothing here is kept: the store remembers, this works it out.
"""

import math
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal, TypeAlias, assert_never

from reconciler.sandbox.model import INSTANCE_TYPES, chosen_placements
from reconciler.sandbox.switches import Switches

Phase: TypeAlias = Literal["Creating", "Updating", "Deleting"]

NOT_AVAILABLE = "InstanceTypeNotAvailable"


class Refused(Exception):
    """The configuration can't be had from where the cluster stands."""


class Busy(Exception):
    """The cluster can't be written now: it is in transition, in use, or has to be deleted first."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One PUT or DELETE that was accepted.

    `sent` is the configuration that was asked for; of a delete, the one that goes. `failure` is how it will end,
    decided when it was accepted. `before` is what an update was built on: what goes on where it fails.
    """

    phase: Phase
    settles_at: float
    sent: dict[str, Any]
    failure: str | None = None
    before: dict[str, Any] | None = None
    before_errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """A cluster at a moment. `since_settled` is in seconds, below 0 while it is in transition."""

    configuration: dict[str, Any]
    status: str
    errors: tuple[str, ...]
    since_settled: float

    @property
    def in_transition(self) -> bool:
        """Whether what was last done to it is still under way."""
        return self.since_settled < 0

    @property
    def stands(self) -> bool:
        """Whether it is Active, or was and goes on so, though an update failed."""
        return self.status in {"Active", "UpdateFailed"}


def state(operation: Operation, moment: float, switches: Switches) -> State | None:
    """The cluster at a moment; None where it is gone."""
    since = moment - operation.settles_at
    settled = since >= 0
    match operation.phase:
        case "Deleting":
            return None if settled else State(operation.sent, "Deleting", (), since)
        case "Creating":
            if not settled:
                return State(operation.sent, "Creating", (), since)
            if operation.failure:
                status = "CreationFailed" if switches.failed_statuses else "Creating"
                return State(operation.sent, status, (operation.failure,), since)
        case "Updating":
            before = operation.before or operation.sent
            if not settled:
                listed = before if switches.updates_listed == "settled" else operation.sent
                return State(listed, "Updating", operation.before_errors, since)
            if operation.failure:
                status = "UpdateFailed" if switches.failed_statuses else "Active"
                return State(before, status, (operation.failure,), since)
        case unreachable:
            assert_never(unreachable)
    return State(operation.sent, "Active", (), since)


def accepted(operation: Operation) -> State:
    """The cluster as PUT answers with it: under way, as it was sent, also where it settles at once."""
    return State(operation.sent, operation.phase, operation.before_errors, -math.inf)


def put(name: str, present: State | None, sent: dict[str, Any], settles_at: float, switches: Switches) -> Operation:
    """Create or update. Raises Busy or Refused."""
    wanted = sent["node_instance_type"]
    unavailable = wanted not in INSTANCE_TYPES or any(fnmatchcase(wanted, glob) for glob in switches.unavailable)
    failure = NOT_AVAILABLE if unavailable else None
    if present is None:
        return Operation("Creating", settles_at, sent, failure)
    _refuse_busy(name, present, switches)
    if not present.stands:
        raise Busy(f"Cluster {name} is {present.status} ({', '.join(present.errors)}): it must be deleted first")
    _refuse_moved_primaries(placements(present.configuration, switches), sent)
    return Operation("Updating", settles_at, sent, failure, present.configuration, present.errors)


def delete(name: str, present: State, settles_at: float, switches: Switches) -> Operation:
    """Delete a cluster that isn't being deleted already. Raises Busy."""
    _refuse_busy(name, present, switches)
    return Operation("Deleting", settles_at, present.configuration)


def shown(name: str, state: State, switches: Switches) -> dict[str, Any]:
    """The cluster as PUT and GET answer with it."""
    held = {**state.configuration, "shard_placements": placements(state.configuration, switches)}
    for rewrite in switches.rewrite:
        held[rewrite.field] = rewrite(held[rewrite.field])
    kept = {field: value for field, value in held.items() if field not in switches.drop}
    return {"name": name, **kept, "status": state.status, "errors": list(state.errors)}


def placements(configuration: dict[str, Any], switches: Switches) -> list[dict[str, Any]]:
    """The placements that are listed, and that an update can't move."""
    asked: list[dict[str, Any]] = configuration["shard_placements"]
    return chosen_placements(configuration) if switches.reveal_placements else asked


def _refuse_busy(name: str, present: State, switches: Switches) -> None:
    if present.in_transition:
        raise Busy(f"Cluster {name} is {present.status}")
    if present.stands and any(window.covers(name, present.since_settled) for window in switches.busy):
        raise Busy(f"Cluster {name} is in use elsewhere")


def _refuse_moved_primaries(present: list[dict[str, Any]], sent: dict[str, Any]) -> None:
    zones = {placement["shard_index"]: placement["availability_zone"] for placement in present}
    for placement in sent["shard_placements"]:
        shard = placement["shard_index"]
        if zones.get(shard, placement["availability_zone"]) != placement["availability_zone"]:
            raise Refused(f"the primary of shard {shard} can't be moved out of {zones[shard]}")
