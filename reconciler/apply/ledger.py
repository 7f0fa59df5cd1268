"""What has become of each change so far: whatever ends the run, every change ends as exactly one thing."""

from dataclasses import dataclass

import structlog

from reconciler.clock import Clock
from reconciler.plan.change import Change
from reconciler.plan.plan import Plan
from reconciler.results import OUTCOMES, ErrorDetail, Outcome, Result, ResultSummary, TargetReport

log = structlog.get_logger()

_EVENTS = {outcome: f"change.{outcome}" for outcome in OUTCOMES}


@dataclass(slots=True)
class _Entry:
    change: Change
    attempts: int = 0
    started: float | None = None
    sending: bool = False
    accepted: bool = False
    status: str | None = None
    result: Result | None = None


class Ledger:
    """One plan's changes, by name."""

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self._plan = plan
        self._clock = clock
        self._entries = {change.name: _Entry(change) for change in plan.sends}

    def start(self, change: Change) -> None:
        """Its request is about to be sent."""
        entry = self._entries[change.name]
        entry.sending = True
        if entry.started is None:
            entry.started = self._clock.monotonic()

    def answered(self, change: Change, attempts: int) -> None:
        """Its request came back, one way or the other, after so many attempts."""
        entry = self._entries[change.name]
        entry.sending = False
        entry.attempts += attempts

    def accept(self, change: Change) -> None:
        """The service took its request; from here on it settles."""
        self._entries[change.name].accepted = True
        log.info("change.accepted", **self._fields(change))

    def see(self, change: Change, status: str | None) -> None:
        """The cluster's status, as listed just now."""
        self._entries[change.name].status = status

    def end(self, change: Change, outcome: Outcome, error: ErrorDetail | None = None) -> None:
        """How it ended; the first word is the last."""
        entry = self._entries[change.name]
        if entry.result is not None:
            return
        entry.result = Result(
            action=change.action,
            name=change.name,
            outcome=outcome,
            status=entry.status,
            attempts=entry.attempts,
            seconds=self._seconds(entry),
            error=error,
        )
        event, fields = _EVENTS[outcome], self._fields(change)
        if error is None:
            log.info(event, **fields)
        else:
            level = log.warning if outcome == "skipped" else log.error
            level(event, **fields, http_status=error.http_status, kind=error.kind, error=error.message)

    def ended(self, change: Change) -> Result | None:
        """Its result, once there is one."""
        return self._entries[change.name].result

    def report(self) -> TargetReport:
        """Every change's result; what hasn't ended by now never will."""
        for entry in self._entries.values():
            if entry.sending or entry.accepted:
                self.end(entry.change, "unknown", NOT_SETTLED)
            else:
                self.end(entry.change, "skipped", NOT_STARTED)
        results = tuple(entry.result for entry in self._entries.values() if entry.result)
        count = [result.outcome for result in results].count
        return TargetReport(
            target=self._plan.target,
            endpoint=self._plan.endpoint,
            digest=self._plan.digest,
            summary=ResultSummary(
                applied=count("applied"),
                failed=count("failed"),
                skipped=count("skipped"),
                stale=count("stale"),
                unknown=count("unknown"),
            ),
            results=results,
        )

    def _seconds(self, entry: _Entry) -> float:
        return 0.0 if entry.started is None else round(self._clock.monotonic() - entry.started, 3)

    def _fields(self, change: Change) -> dict[str, object]:
        entry = self._entries[change.name]
        return {
            "cluster": change.name,
            "action": change.action,
            "seconds": self._seconds(entry),
            "attempts": entry.attempts,
        }


NOT_SETTLED = ErrorDetail(
    kind="interrupted", message="the run ended before this change had settled; run `reconciler plan` to see where it is"
)
NOT_STARTED = ErrorDetail(kind="interrupted", message="the run ended before this change was sent; run it again")
