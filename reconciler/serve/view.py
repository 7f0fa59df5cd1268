"""What the page says, as data: the words and the order of every other report, for one moment. No markup stands here.

A text from outside is still as it came: the template's one filter makes each harmless, and takes secrets out.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

from reconciler.apply.machine import Progress
from reconciler.clock import format_duration, iso_timestamp
from reconciler.model.fleet import suspended_text
from reconciler.plan.plan import Plan
from reconciler.problem import Problem
from reconciler.report.counts import standing
from reconciler.report.fields import FieldText, field_text
from reconciler.report.notes import Telling, destroys, kept_text, left_behind_text, notes, title, unhealthy_text
from reconciler.report.outcomes import AlikeResults, alike_results, result_fields, result_notes
from reconciler.report.sections import Alike, destroyed, sections, successors
from reconciler.report.values import commit_text, counted, counts_text, duration_text
from reconciler.report.words import DELETES, OUTCOMES, OWNERSHIP, RISKS, SETTLES, TOPICS, UNHEALTHY, Topic
from reconciler.results import Outcome, TargetReport
from reconciler.serve.document import LAST_APPLIED
from reconciler.serve.picture import Condition, Picture, TargetPicture

Tone: TypeAlias = Literal["good", "work", "warn", "bad", "idle"]
"""What a colour means; the word beside it says it, too."""

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

_TOPIC_TONES: Final[dict[Topic, Tone]] = {"conflict": "bad", "drift": "warn", "left": "warn", "retry": "warn"}
_OUTCOME_TONES: Final[dict[Outcome, Tone]] = {"failed": "bad", "unknown": "bad", "applied": "good"}
_OPEN_GROUPS: Final = 12
"""What is shown of a section without being asked for: more is a wall of its own."""

_TELL: Final = Telling()


class Moment(NamedTuple):
    """A moment as people say it, `2m ago`, and as machines write it."""

    said: str
    iso: str


class Group(NamedTuple):
    """One change, or several that are alike: what is done, to which clusters and fields, and what there is to say."""

    title: str
    names: tuple[str, ...]
    fields: tuple[FieldText, ...] = ()
    notes: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    error: str = ""


class Section(NamedTuple):
    """What stands under one heading, `key` its own in the target. `more` are the groups that are folded away."""

    key: str
    title: str
    tone: Tone
    clusters: int
    groups: tuple[Group, ...]
    more: tuple[Group, ...] = ()


class Fold(NamedTuple):
    """A list of names or lines that is folded away until somebody wants it; `key` is its own in the target."""

    key: str
    title: str
    names: tuple[str, ...]


class Applied(NamedTuple):
    """A line of the record."""

    name: str
    at: Moment
    commit: str
    place: str


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
    applied: tuple[Applied, ...]


class ProgressView(NamedTuple):
    """What is under way: `of` is 0 where nothing is counted yet."""

    said: str
    since: Moment
    ended: int = 0
    of: int = 0


class PageView(NamedTuple):
    """The whole page. `headline` is what the wall says from afar."""

    headline: str
    tone: Tone
    counts: tuple[tuple[str, Tone], ...]
    applies: bool
    now: Moment
    next: Moment | None
    under_way: ProgressView | None
    problems: tuple[Problem, ...]
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
        now=_moment(now, now),
        next=_moment(picture.next_at, now) if picture.next_at is not None and picture.under_way is None else None,
        under_way=_under_way(picture, now),
        problems=picture.problems,
        left_behind=tuple(left_behind_text(record, _TELL) for record in picture.left_behind),
        targets=tuple(
            _target(target, f"t{number}", list(plans.values()), now)
            for number, target in enumerate(picture.targets.values())
        ),
    )


def _headline(picture: Picture, conditions: Sequence[Condition]) -> tuple[str, Tone]:
    if picture.problems:
        return "The last round failed", "bad"
    if not conditions:
        return "No round has ended yet", "idle"
    worst = next(condition for condition in CONDITIONS if condition in conditions)
    word, tone = CONDITIONS[worst]
    if worst == "in-sync":
        clusters = sum(len(target.in_sync) for target in picture.targets.values())
        return f"{counted(clusters, 'cluster')} in sync", tone
    if len(conditions) == 1:
        return word, tone
    return f"{conditions.count(worst)} of {len(conditions)} targets {word.lower()}", tone


def _under_way(picture: Picture, now: float) -> ProgressView | None:
    if picture.under_way is None:
        return None
    since, progress = _moment(picture.under_way.began_at, now), picture.under_way.progress
    if progress is None:
        return ProgressView("Looking and planning", since)
    return ProgressView(_progress_text(progress), since, progress.ended, progress.total)


def _progress_text(progress: Progress) -> str:
    parts = [f"Applying: {progress.ended} of {counted(progress.total, 'cluster')} done"]
    if progress.awaited:
        oldest = f", the oldest for {duration_text(progress.oldest_seconds)}" if progress.oldest_seconds else ""
        parts.append(f"{progress.awaited} settling{oldest}")
    if progress.failed:
        parts.append(f"{progress.failed} failed")
    return ", ".join(parts)


def _target(target: TargetPicture, key: str, plans: Sequence[Plan], now: float) -> TargetView:
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
        as_of=_moment(target.planned_at, now) if late and target.planned_at is not None else None,
        last=_moment(last.began_at + last.seconds, now) if last else None,
        took=duration_text(last.seconds) if last else "",
        next=_moment(due.at, now) if due else None,
        failures=due.failures if due else 0,
        suspended=target.suspension.reason if target.suspension else "",
        suspended_until=_moment(target.suspension.until, now) if target.suspension else None,
        problems=target.problems,
        violations=tuple(f"refused by {one.guard}: {one.message}" for one in plan.violations) if plan else (),
        sections=tuple(_sections(target, plans)),
        unhealthy=tuple(f"{UNHEALTHY.text}: {unhealthy_text(one, _TELL)}" for one in target.unhealthy),
        lines=tuple(kept_text(one, _TELL) for one in plan.kept) if plan else (),
        warnings=tuple(one for one in plan.warnings if one != suspended) if plan else (),
        folds=tuple(_folds(target)),
        applied=tuple(
            Applied(
                line.name,
                _moment(line.at, now),
                commit_text(line.commit) if line.commit else "a dirty tree",
                f"{line.file}:{line.line}",
            )
            for line in target.last_applied(LAST_APPLIED)
        ),
    )


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


def _sections(target: TargetPicture, plans: Sequence[Plan]) -> Iterator[Section]:
    if target.report is not None:
        yield from _ended(target.report)
    elif target.plan is not None:
        yield from _planned(target.plan, plans)


def _planned(plan: Plan, plans: Sequence[Plan]) -> Iterator[Section]:
    """What would be done: deletes above all else, then by topic, as every other page has it."""
    following = successors(plans)
    gone = [
        Group(title(change, plan, _TELL), (change.name,), notes=tuple(destroys(change, plan, following, _TELL)))
        for _, change in destroyed([plan])
    ]
    if gone:
        yield _section("deletes", DELETES.text.capitalize(), "bad", gone)
    for section in sections(plan):
        groups = [_group(alike, plan, section.topic) for alike in section.groups]
        yield _section(section.topic, TOPICS[section.topic].title, _TOPIC_TONES.get(section.topic, "work"), groups)


def _group(alike: Alike, plan: Plan, topic: Topic) -> Group:
    change, names = alike.first, tuple(one.name for one in alike.changes)
    several = f"{change.action} {len(names)} clusters, all alike"
    return Group(
        title(change, plan, _TELL) if len(names) == 1 else several,
        names,
        tuple(field_text(field, change, topic) for field in change.fields),
        tuple(notes(change, plan, _TELL)),
        tuple(f"{risk}: {RISKS[risk].text}" for risk in change.risks),
    )


def _ended(report: TargetReport) -> Iterator[Section]:
    """How it was done: the worst first, what was applied last."""
    every = alike_results(report)
    for outcome, word in OUTCOMES.items():
        groups = [_result(alike) for alike in every if alike.first.outcome == outcome]
        if groups:
            yield _section(outcome, word.title, _OUTCOME_TONES.get(outcome, "warn"), groups)


def _result(alike: AlikeResults) -> Group:
    result, names = alike.first, tuple(one.name for one in alike.results)
    attempts = f"after {result.attempts} attempts: " if result.attempts > 1 else ""
    return Group(
        f"{result.action} {names[0]}" if len(names) == 1 else f"{result.action} {len(names)} clusters, all alike",
        names,
        tuple(result_fields(result)),
        tuple(result_notes(result)),
        error=f"{attempts}{result.error.message}" if result.error else "",
    )


def _section(key: str, heading: str, tone: Tone, groups: Sequence[Group]) -> Section:
    clusters = sum(len(group.names) for group in groups)
    return Section(key, heading, tone, clusters, tuple(groups[:_OPEN_GROUPS]), tuple(groups[_OPEN_GROUPS:]))


def _folds(target: TargetPicture) -> Iterator[Fold]:
    plan = target.plan
    if plan is None:
        return
    if target.settling:
        settling = tuple(f"{one.name} ({one.status})" for one in target.settling)
        yield Fold("settling", f"{SETTLES.text.capitalize()}: {len(settling)}", settling)
    for ownership, word in OWNERSHIP.items():
        names = tuple(one.name for one in plan.unmanaged if one.ownership == ownership)
        if names:
            yield Fold(ownership, f"Not declared: {len(names)}, {word.text}", names)
    if target.in_sync:
        yield Fold("in-sync", f"In sync: {len(target.in_sync)}", target.in_sync)


def _moment(at: float, now: float) -> Moment:
    ahead = round(at - now)
    said = (
        "now" if abs(ahead) < 1 else f"in {format_duration(ahead)}" if ahead > 0 else f"{format_duration(-ahead)} ago"
    )
    return Moment(said, f"{iso_timestamp(at)[:19]}Z")
