"""What became of each item, as the log, the report and the record are told."""

from collections.abc import Iterable, Mapping
from typing import Literal

from reconciler.apply.item import Item
from reconciler.apply.job import Ending, Finished, Held, Job
from reconciler.apply.protocol import Ended, Listed, Log, Refusal
from reconciler.model.cluster import CREATING
from reconciler.plan.change import Change, Create
from reconciler.results import ErrorDetail, Result, SettlingOutcome, SettlingResult, TargetReport, summarize


def finished_of(job: Job, items: Iterable[Item], settled: Mapping[str, Held], latest: Listed, at: float) -> Finished:
    """A target's share, all of whose items have ended; `settled` are declared clusters without a change that are."""
    ends = [(item, item.state) for item in items if isinstance(item.state, Ended)]
    results = tuple(_result_of(item, item.change, end, job, at) for item, end in ends if item.change is not None)
    report = TargetReport(
        target=job.target,
        endpoint=job.plan.endpoint,
        revision=job.plan.revision,
        digest=job.plan.digest,
        summary=summarize(results),
        results=results,
        settling=tuple(_settling_of(item, end, at) for item, end in ends if item.change is None),
        taken_over=tuple(name for name in job.taken_over if name in settled),
        warnings=job.plan.warnings,
    )
    endings = tuple(_ending_of(item, end) for item, end in ends if item.change is not None)
    return Finished(report, endings, settled, frozenset(latest.clusters) | latest.unreadable)


def log_of(target: str, event: str, item: Item, at: float, error: ErrorDetail | None = None) -> Log:
    """One event about an item; what was only skipped is no error."""
    ended = item.state if isinstance(item.state, Ended) else None
    level: Literal["info", "warning", "error"] = "info"
    if error is not None:
        level = "warning" if ended is not None and ended.outcome == "skipped" else "error"
    fields = {
        "target": target,
        "cluster": item.name,
        "action": item.change.action if item.change is not None else None,
        "seconds": item.seconds(at),
        "attempts": item.attempts or None,
        "http_status": error.http_status if error is not None else None,
        "kind": error.kind if error is not None else None,
        "error": error.message if error is not None else None,
    }
    return Log(level, event, {key: value for key, value in fields.items() if value is not None})


def log_of_poll(target: str, refusal: Refusal) -> Log:
    """A list that was not to be had."""
    fields = {"kind": refusal.kind, "error": refusal.message, "http_status": refusal.http_status}
    return Log("warning", "poll.failed", {"target": target, **fields})


def _result_of(item: Item, change: Change, ended: Ended, job: Job, at: float) -> Result:
    """A change's result."""
    return Result(
        action=change.action,
        name=change.name,
        cause=change.cause,
        source=change.source,
        fields=change.fields,
        risks=change.risks,
        reviewed=job.reviewed.get(change.name) if job.reviewed is not None else None,
        outcome=ended.outcome,
        status=item.status,
        attempts=item.attempts,
        seconds=item.seconds(at),
        error=ended.error,
    )


def _settling_of(item: Item, ended: Ended, at: float) -> SettlingResult:
    """The result of what was only waited for."""
    outcome: SettlingOutcome = "unknown"
    if ended.outcome in {"applied", "failed"}:
        outcome = "settled" if ended.outcome == "applied" else "failed"
    return SettlingResult(name=item.name, outcome=outcome, status=item.status, seconds=item.seconds(at))


def _ending_of(item: Item, ended: Ended) -> Ending:
    """What the record has to know."""
    kept = ended.kept if ended.settled else _made_otherwise(item)
    return Ending(item.name, item.attempts > 0, not item.reached, ended.settled, kept, ended.stands)


def _made_otherwise(item: Item) -> Held:
    """Where the service answered a create with something else than was sent: that can be nothing older."""
    is_new = isinstance(item.change, Create) and item.answer is not None and item.answer.status == CREATING
    return item.goal.different(item.answer) if is_new and item.answer is not None else {}
