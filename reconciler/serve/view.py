"""What the page says, as data: the words and the order of every other report, for one moment. No markup stands here.

A text from outside is still as it came: the template's one filter makes each harmless, and takes secrets out.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from reconciler.apply.machine import Progress
from reconciler.model.fleet import suspended_text
from reconciler.plan.plan import Plan, Unhealthy
from reconciler.problem import Problem
from reconciler.report.counts import standing
from reconciler.report.notes import Telling, kept_text, left_behind_text, place_text, unhealthy_text
from reconciler.report.values import commit_text, counted, counts_text, duration_text, names_text
from reconciler.report.words import UNHEALTHY
from reconciler.serve.events import LAST_APPLIED
from reconciler.serve.groups import folds, sections_of
from reconciler.serve.parts import Fold, Moment, Section, Tone, moment
from reconciler.serve.picture import Condition, FailedRound, Picture, TargetPicture, UnderWay

CONDITIONS: Final[dict[Condition, tuple[str, Tone]]] = {
    "failed": ("Failed", "bad"),
    "refused": ("Refused", "bad"),
    "stale": ("Stale", "warn"),
    "unhealthy": ("Unhealthy", "bad"),
    "drifted": ("Drifted", "warn"),
    "pending": ("Pending", "work"),
    "settling": ("Settling", "work"),
    "unknown": ("Not looked at yet", "idle"),
    "in-sync": ("In sync", "good"),
}
"""The worst first."""

_TELL: Final = Telling()


class AppliedView(NamedTuple):
    """An apply, or a cluster's line, of the record: what, when, and from which commit and place, or by which run."""

    what: str
    at: Moment
    commit: str
    origin: str


class TargetView(NamedTuple):
    """One target, from the top of its card to the bottom."""

    key: str
    name: str
    word: str
    tone: Tone
    endpoint: str
    revision: str
    standing: str
    as_of: Moment | None
    last: Moment | None
    took: str
    next: Moment | None
    failures: int
    suspended: str
    suspended_until: Moment | None
    problems: tuple[Problem, ...]
    violations: tuple[str, ...]
    sections: tuple[Section, ...]
    lines: tuple[str, ...]
    warnings: tuple[str, ...]
    unhealthy: tuple[str, ...]
    folds: tuple[Fold, ...]
    applies: tuple[AppliedView, ...]
    applied: tuple[AppliedView, ...]


class ProgressView(NamedTuple):
    """A round that is under way: `of` is 0 where nothing is counted yet."""

    said: str
    since: Moment
    ended: int = 0
    of: int = 0


class FailedView(NamedTuple):
    """A round that failed as a whole: which, of whom, when, and why."""

    said: str
    at: Moment
    problems: tuple[Problem, ...]


class PageView(NamedTuple):
    """The whole page. `headline` is what the wall says from afar, `holder` whose lease is waited for, if one is."""

    headline: str
    tone: Tone
    counts: tuple[tuple[str, Tone], ...]
    applies: bool
    now: Moment
    next: Moment | None
    holder: str
    seen: Moment | None
    under_way: tuple[ProgressView, ...]
    failed: tuple[FailedView, ...]
    left_behind: tuple[str, ...]
    targets: tuple[TargetView, ...]


def view_of(picture: Picture, now: float) -> PageView:
    """What the page says of a picture at a moment."""
    conditions = [target.condition for target in picture.targets.values()]
    counts = tuple(
        (f"{conditions.count(condition)} {word.lower()}", tone)
        for condition, (word, tone) in CONDITIONS.items()
        if condition in conditions
    )
    headline, tone = _headline(picture, conditions)
    plans = {plan.target: plan for target in picture.targets.values() if (plan := target.plan) is not None}
    return PageView(
        headline=headline,
        tone=tone,
        counts=counts if len(counts) > 1 else (),
        applies=picture.applies,
        now=moment(now, now),
        next=moment(next_at, now) if (next_at := picture.next_at) is not None else None,
        holder=picture.lease.holder if picture.lease is not None else "",
        seen=moment(picture.lease.at, now) if picture.lease is not None else None,
        under_way=tuple(_under_way(picture, one, now) for one in picture.under_way.values()),
        failed=tuple(_failed(picture, one, now) for one in picture.failed_rounds),
        left_behind=tuple(left_behind_text(record, _TELL) for record in picture.left_behind),
        targets=tuple(
            _target(picture, target, f"t{number}", list(plans.values()), now)
            for number, target in enumerate(picture.targets.values())
        ),
    )


def _headline(picture: Picture, conditions: Sequence[Condition]) -> tuple[str, Tone]:
    if picture.failed_rounds:
        failed = frozenset[str]().union(*(one.targets for one in picture.failed_rounds))
        some = f" of {len(failed)} of {len(conditions)} targets" if 0 < len(failed) < len(conditions) else ""
        return f"The last round{some} failed", "bad"
    if picture.lease is not None:
        return "Waiting for the lease", "idle"
    if not conditions:
        return "No round has planned yet", "idle"
    worst = next(condition for condition in CONDITIONS if condition in conditions)
    word, tone = CONDITIONS[worst]
    if worst == "in-sync":
        clusters = sum(len(target.in_sync) for target in picture.targets.values())
        return f"{counted(clusters, 'cluster')} in sync", tone
    if len(conditions) == 1:
        return word, tone
    return f"{conditions.count(worst)} of {len(conditions)} targets {word.lower()}", tone


def _failed(picture: Picture, one: FailedRound, now: float) -> FailedView:
    whose = f" of {names_text(picture.targets_of(one), most=3)}" if one.targets else ""
    return FailedView(f"Round {one.round}{whose} failed as a whole", moment(one.at, now), one.problems)


def _under_way(picture: Picture, one: UnderWay, now: float) -> ProgressView:
    some = one.targets and picture.targets and one.targets != picture.targets.keys()
    whose = f"{names_text(picture.targets_of(one), most=3)}: " if some else ""
    since, progress = moment(one.began_at, now), one.progress
    if progress is None:
        return ProgressView(f"{whose}Looking and planning", since)
    return ProgressView(f"{whose}{_progress_text(progress)}", since, progress.ended, progress.total)


def _progress_text(progress: Progress) -> str:
    parts = [f"Applying: {progress.ended} of {counted(progress.total, 'cluster')} done"]
    if progress.awaited:
        longest = f", the longest for {duration_text(progress.oldest_seconds)}" if progress.oldest_seconds else ""
        parts.append(f"{progress.awaited} awaited{longest}")
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    return ", ".join(parts)


def _target(picture: Picture, target: TargetPicture, key: str, plans: Sequence[Plan], now: float) -> TargetView:
    word, tone = CONDITIONS[target.condition]
    plan, last, due = target.plan, target.last_round, target.due
    suspended = suspended_text(target.suspension) if target.suspension else ""
    late = last is not None and target.planned_at is not None and target.planned_at < last.began_at
    return TargetView(
        key=key,
        name=target.name,
        word=word,
        tone=tone,
        endpoint=plan.endpoint if plan else "",
        revision=commit_text(plan.revision) + (", dirty" if plan.dirty else "") if plan and plan.revision else "",
        standing=_standing(target),
        as_of=moment(target.planned_at, now) if late and target.planned_at is not None else None,
        last=moment(last.began_at + last.seconds, now) if last else None,
        took=duration_text(last.seconds) if last else "",
        next=moment(due.at, now) if due and picture.round_of(target.name) is None else None,
        failures=due.failures if due else 0,
        suspended=target.suspension.reason if target.suspension else "",
        suspended_until=moment(target.suspension.until, now) if target.suspension else None,
        problems=target.problems,
        violations=tuple(f"refused by {one.guard}: {one.message}" for one in plan.violations) if plan else (),
        sections=tuple(
            sections_of(
                target,
                plans,
                [(one, now - since) for one, since in picture.ongoing(target.name)],
                picture.changes_ended(target.name),
            )
        ),
        unhealthy=tuple(_unhealthy(one, plan) for one in target.unhealthy),
        lines=tuple(kept_text(one, _TELL) for one in plan.kept) if plan else (),
        warnings=tuple(one for one in plan.warnings if one != suspended) if plan else (),
        folds=tuple(folds(target)),
        applies=tuple(_applies(target, now)),
        applied=tuple(_applied(target, now)),
    )


def _unhealthy(cluster: Unhealthy, plan: Plan | None) -> str:
    place = f"{place_text(cluster.source)}: " if cluster.source else ""
    return f"{UNHEALTHY.text}: {place}{unhealthy_text(cluster, _TELL, plan)}"


def _applies(target: TargetPicture, now: float) -> Iterator[AppliedView]:
    for one in target.last_applies:
        run = f"run {one.run}" if one.run else ""
        yield AppliedView(one.outcome, moment(one.at, now), _commit(one.revision), run)


def _applied(target: TargetPicture, now: float) -> Iterator[AppliedView]:
    for line in target.last_applied(LAST_APPLIED):
        yield AppliedView(line.name, moment(line.at, now), _commit(line.commit), f"{line.file}:{line.line}")


def _commit(sha: str | None) -> str:
    return commit_text(sha) if sha is not None else "a dirty tree"


def _standing(target: TargetPicture) -> str:
    plan = target.plan
    if plan is None:
        return ""
    if target.report is None:
        return standing([plan])
    return counts_text(
        [
            (len(target.in_sync), "as declared"),
            (len(target.settling), "still settling"),
            (len(target.outstanding), "not done"),
        ]
    )
