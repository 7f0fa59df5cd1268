"""The state as a JSON document, `/api/state`: its shape is published at `/api/schema`, and `format_version` with it.

As in a plan, what is unknown is null, no key is ever left out, moments are epoch seconds and durations seconds.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from reconciler import __version__
from reconciler.apply.ongoing import Doing, Ongoing
from reconciler.model.cluster import Frozen
from reconciler.model.evidence import LeftBehind
from reconciler.model.schema import schema_of
from reconciler.plan.change import Cause, Change, FieldChange, LeftReason, Risk
from reconciler.plan.plan import Nodes, Settling, Summary, Unhealthy, Unmanaged, Violation
from reconciler.problem import Problem
from reconciler.results import ErrorDetail, Outcome
from reconciler.serve.events import LAST_APPLIED
from reconciler.serve.picture import Condition, Outstanding, Picture, TargetPicture, UnderWay
from reconciler.serve.totals import RoundResult

FORMAT_VERSION: Final = 1


class SuspensionState(Frozen):
    """Why nothing is applied to a target, and until when."""

    reason: str
    until: float


class LastRoundState(Frozen):
    """A target's last round that ended."""

    began_at: float
    seconds: float
    result: RoundResult
    exit_code: int


class ProgressState(Frozen):
    """How far a round is that applies its plans: of so many clusters, over all its targets."""

    total: int
    ended: int
    failed: int
    awaited: int
    oldest_seconds: float | None


class RoundState(Frozen):
    """A round that is under way, and its targets that haven't ended."""

    round: int
    began_at: float
    targets: Annotated[tuple[str, ...], Field(strict=False)]
    progress: ProgressState | None


class FailedRoundState(Frozen):
    """A round that failed as a whole, and the targets that have ended none since; none where no fleet was read yet."""

    round: int
    at: float
    targets: Annotated[tuple[str, ...], Field(strict=False)]
    errors: Annotated[tuple[Problem, ...], Field(strict=False)]


class LeaseState(Frozen):
    """The lease that is waited for: who holds it, and when that was last seen."""

    holder: str
    seen_at: float


class OngoingState(Frozen):
    """A cluster that is being changed or awaited; `action` is null where nothing is asked of it, and it only settles.

    `since` is from when on it has been doing that; `status` is as last listed. `said` is why a request has to wait, or
    may not have been taken.
    """

    action: Literal["create", "update", "delete"] | None
    name: str
    doing: Doing
    since: float
    fields: Annotated[tuple[FieldChange, ...], Field(strict=False)]
    status: str | None
    said: str | None


class EndedState(Frozen):
    """A change of the apply under way that has ended; `error` is why it didn't as it should."""

    action: Literal["create", "update", "delete"]
    name: str
    outcome: Outcome
    error: str | None


class OutstandingState(Frozen):
    """A change that isn't done: what it is, why, and how it ended, where the last round tried."""

    action: Literal["create", "update", "delete"]
    name: str
    cause: Cause | None
    left: LeftReason | None
    waits_for: Literal["active", "gone"] | None
    risks: Annotated[tuple[Risk, ...], Field(strict=False)]
    fields: Annotated[tuple[FieldChange, ...], Field(strict=False)]
    outcome: Outcome | None
    error: ErrorDetail | None


class ApplyState(Frozen):
    """An apply, as the record's history tells it; `revision` is null for a dirty tree."""

    at: float
    outcome: str
    revision: str | None
    run: str


class LastAppliedState(Frozen):
    """A line of the record: what was applied to a cluster, and when; `commit` is null for a dirty tree."""

    name: str
    at: float
    commit: str | None
    file: str
    line: int


class TargetState(Frozen):
    """One target. What was planned is as of `planned_at`: older than the last round where that couldn't read it.

    `next_round_at` is null while it is in a round.
    """

    target: str
    endpoint: str | None
    condition: Condition
    suspended: SuspensionState | None
    last_round: LastRoundState | None
    last_success_at: float | None
    next_round_at: float | None
    failures: int
    planned_at: float | None
    revision: str | None
    summary: Summary | None
    nodes: Nodes | None
    in_sync: int
    ongoing: Annotated[tuple[OngoingState, ...], Field(strict=False)]
    ended: Annotated[tuple[EndedState, ...], Field(strict=False)]
    changes: Annotated[tuple[OutstandingState, ...], Field(strict=False)]
    settling: Annotated[tuple[Settling, ...], Field(strict=False)]
    unhealthy: Annotated[tuple[Unhealthy, ...], Field(strict=False)]
    unmanaged: Annotated[tuple[Unmanaged, ...], Field(strict=False)]
    violations: Annotated[tuple[Violation, ...], Field(strict=False)]
    warnings: Annotated[tuple[str, ...], Field(strict=False)]
    errors: Annotated[tuple[Problem, ...], Field(strict=False)]
    last_applies: Annotated[tuple[ApplyState, ...], Field(strict=False)]
    last_applied: Annotated[tuple[LastAppliedState, ...], Field(strict=False)]


class StateDocument(Frozen):
    """The loop at the moment `at`.

    `lease` is there while another replica holds it. `next_round_at` is null while all targets are in `rounds`.
    """

    kind: Literal["state"] = "state"
    format_version: Literal[1] = FORMAT_VERSION
    tool_version: str = __version__
    at: float
    applies: bool
    next_round_at: float | None
    lease: LeaseState | None
    rounds: Annotated[tuple[RoundState, ...], Field(strict=False)]
    failed_rounds: Annotated[tuple[FailedRoundState, ...], Field(strict=False)]
    left_behind: Annotated[tuple[LeftBehind, ...], Field(strict=False)]
    targets: Annotated[tuple[TargetState, ...], Field(strict=False)]


def dump_state(picture: Picture, at: float) -> dict[str, Any]:
    """The document as plain JSON values."""
    return state_of(picture, at).model_dump(mode="json")


def state_schema() -> dict[str, Any]:
    """Its JSON Schema."""
    return schema_of(StateDocument, "The state of a running reconciler", mode="serialization")


def state_of(picture: Picture, at: float) -> StateDocument:
    """The picture as a document."""
    return StateDocument(
        at=at,
        applies=picture.applies,
        next_round_at=picture.next_at,
        lease=LeaseState(holder=picture.lease.holder, seen_at=picture.lease.at) if picture.lease is not None else None,
        rounds=tuple(_round(picture, number, one) for number, one in picture.under_way.items()),
        failed_rounds=tuple(
            FailedRoundState(round=one.round, at=one.at, targets=picture.targets_of(one), errors=one.problems)
            for one in picture.failed_rounds
        ),
        left_behind=picture.left_behind,
        targets=tuple(_target(picture, target) for target in picture.targets.values()),
    )


def _round(picture: Picture, number: int, one: UnderWay) -> RoundState:
    progress = one.progress
    return RoundState(
        round=number,
        began_at=one.began_at,
        targets=picture.targets_of(one),
        progress=ProgressState(**{key: getattr(progress, key) for key in ProgressState.model_fields})
        if progress is not None
        else None,
    )


def _target(picture: Picture, target: TargetPicture) -> TargetState:
    plan, due, last = target.plan, target.due, target.last_round
    changes = {change.name: change for change in (plan.changes if plan else ())}
    return TargetState(
        target=target.name,
        endpoint=plan.endpoint if plan else None,
        condition=target.condition,
        suspended=SuspensionState(**target.suspension._asdict()) if target.suspension else None,
        last_round=LastRoundState(**last._asdict(), result=last.result) if last else None,
        last_success_at=target.last_success_at,
        next_round_at=due.at if due and picture.round_of(target.name) is None else None,
        failures=due.failures if due else 0,
        planned_at=target.planned_at,
        revision=plan.revision if plan else None,
        summary=plan.summary if plan else None,
        nodes=plan.nodes if plan else None,
        in_sync=len(target.in_sync),
        ongoing=tuple(_ongoing(one, since, changes.get(one.name)) for one, since in picture.ongoing(target.name)),
        ended=tuple(
            EndedState(action=one.action, name=one.name, outcome=one.outcome, error=one.error)
            for one in picture.changes_ended(target.name)
        ),
        changes=tuple(map(_outstanding, target.outstanding)),
        settling=target.settling,
        unhealthy=target.unhealthy,
        unmanaged=plan.unmanaged if plan else (),
        violations=plan.violations if plan else (),
        warnings=plan.warnings if plan else (),
        errors=target.problems,
        last_applies=tuple(ApplyState(**one._asdict()) for one in target.last_applies),
        last_applied=tuple(
            LastAppliedState(name=line.name, at=line.at, commit=line.commit, file=line.file, line=line.line)
            for line in target.last_applied(LAST_APPLIED)
        ),
    )


def _outstanding(one: Outstanding) -> OutstandingState:
    change, result = one
    return OutstandingState(
        action=change.action,
        name=change.name,
        cause=change.cause,
        left=change.left,
        waits_for=change.waits_for,
        risks=change.risks,
        fields=change.fields,
        outcome=result.outcome if result else None,
        error=result.error if result else None,
    )


def _ongoing(one: Ongoing, since: float, change: Change | None) -> OngoingState:
    return OngoingState(
        action=one.action,
        name=one.name,
        doing=one.doing,
        since=since,
        fields=change.fields if change is not None else (),
        status=one.status,
        said=one.said,
    )
