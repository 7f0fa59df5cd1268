"""What is told of a target's clusters, group by group: what is under way, what would be done, how it ended."""

from collections.abc import Iterator, Sequence
from typing import Final, assert_never

from reconciler.apply.ongoing import EndedChange, Ongoing
from reconciler.plan.change import Change, FieldChange
from reconciler.plan.plan import Plan
from reconciler.report.fields import field_text
from reconciler.report.notes import Telling, destroys, notes, place_text, title
from reconciler.report.outcomes import AlikeResults, alike_results, result_fields, result_notes
from reconciler.report.sections import Alike, destroyed, sections, successors, topic_of
from reconciler.report.values import duration_text
from reconciler.report.words import DELETES, OUTCOMES, OWNERSHIP, RISKS, SETTLES, TOPICS, Topic
from reconciler.results import Outcome, TargetReport
from reconciler.serve.parts import Fold, Group, Section, Tone, section_of
from reconciler.serve.picture import TargetPicture

_TOPIC_TONES: Final[dict[Topic, Tone]] = {"conflict": "bad", "drift": "warn", "left": "warn", "retry": "warn"}
_OUTCOME_TONES: Final[dict[Outcome, Tone]] = {"failed": "bad", "unknown": "bad", "applied": "good"}
_TELL: Final = Telling()


def sections_of(
    target: TargetPicture,
    plans: Sequence[Plan],
    ongoing: Sequence[tuple[Ongoing, float]],
    ended: Sequence[EndedChange],
) -> Iterator[Section]:
    """What is under way first, each cluster with how long, and what has ended meanwhile; then the last report, or plan.

    What is under way, or has ended, doesn't stand in the plan as what is to come.
    """
    if ongoing:
        yield section_of("ongoing", "Under way", "work", [*_ongoing(ongoing, target.plan)])
    yield from _so_far(ended)
    if target.report is not None:
        yield from _ended(target.report)
    elif target.plan is not None:
        names = {one.name for one, _ in ongoing} | {one.name for one in ended}
        rest = tuple(change for change in target.plan.changes if change.name not in names)
        yield from _planned(target.plan.model_copy(update={"changes": rest}), plans)


def _ongoing(ongoing: Sequence[tuple[Ongoing, float]], plan: Plan | None) -> Iterator[Group]:
    """Equal ones as one: the same is asked of them, and they are equally far."""
    changes = {change.name: change for change in (plan.changes if plan is not None else ())}
    found: dict[object, list[tuple[Ongoing, float]]] = {}
    for one, seconds in ongoing:
        fields = [(field.path, repr(field.before), repr(field.after)) for field in _fields(changes.get(one.name))]
        found.setdefault((one.action, one.doing, one.status, one.said, tuple(fields)), []).append((one, seconds))
    for alike in found.values():
        yield _ongoing_group(alike, changes.get(alike[0][0].name), plan)


def _fields(change: Change | None) -> Sequence[FieldChange]:
    return change.fields if change is not None else ()


def _ongoing_group(alike: Sequence[tuple[Ongoing, float]], change: Change | None, plan: Plan | None) -> Group:
    first, oldest = alike[0]
    doing = first.action or "await"
    one_title = title(change, plan, _TELL) if change is not None and plan is not None else f"{doing} {first.name}"
    several = len(alike) > 1
    return Group(
        f"{doing} {len(alike)} clusters, all alike" if several else one_title,
        tuple(f"{one.name} {duration_text(seconds)}" if several else one.name for one, seconds in alike),
        tuple(field_text(field, change, topic_of(change)) for field in change.fields) if change is not None else (),
        tuple(_stands(first, oldest, several=several)),
        place=place_text(change.source) if change is not None and not several else "",
    )


def _stands(one: Ongoing, seconds: float, *, several: bool) -> Iterator[str]:
    """How far it is, and what is in its way."""
    oldest, since = "the oldest " if several else "", f"{duration_text(seconds)} ago"
    status = one.status or "not listed"
    match one.doing:
        case "sending":
            yield f"{oldest}sent {since}, no answer yet"
        case "settling" if one.action is None:
            yield f"{oldest}first seen so {since}, now {status}"
        case "settling":
            yield f"{oldest}taken {since}, now {status}"
        case "waiting":
            yield f"{oldest}due {since}, waits until the service is ready for it, now {status}"
        case unreachable:
            assert_never(unreachable)
    if one.said is not None:
        yield f"the service said: {one.said}"


def _so_far(ended: Sequence[EndedChange]) -> Iterator[Section]:
    """How changes of the apply under way have ended: the worst first, equal ones as one."""
    for outcome, word in OUTCOMES.items():
        found: dict[object, list[EndedChange]] = {}
        for one in ended:
            if one.outcome == outcome:
                found.setdefault((one.action, one.error), []).append(one)
        if found:
            groups = [_so_far_group(alike) for alike in found.values()]
            tone = _OUTCOME_TONES.get(outcome, "warn")
            yield section_of(f"so-far-{outcome}", f"{word.text.capitalize()} so far", tone, groups)


def _so_far_group(alike: Sequence[EndedChange]) -> Group:
    first, names = alike[0], tuple(one.name for one in alike)
    several = f"{first.action} {len(names)} clusters"
    return Group(f"{first.action} {first.name}" if len(names) == 1 else several, names, error=first.error or "")


def _planned(plan: Plan, plans: Sequence[Plan]) -> Iterator[Section]:
    """What would be done: deletes above all else, then by topic, as every other page has it."""
    following = successors(plans)
    gone = [
        Group(
            title(change, plan, _TELL),
            (change.name,),
            notes=tuple(destroys(change, plan, following, _TELL)),
            place=place_text(change.source),
        )
        for _, change in destroyed([plan])
    ]
    if gone:
        yield section_of("deletes", DELETES.text.capitalize(), "bad", gone)
    for section in sections(plan):
        groups = [_group(alike, plan, section.topic) for alike in section.groups]
        yield section_of(section.topic, TOPICS[section.topic].title, _TOPIC_TONES.get(section.topic, "work"), groups)


def _group(alike: Alike, plan: Plan, topic: Topic) -> Group:
    change, names = alike.first, tuple(one.name for one in alike.changes)
    several = f"{change.action} {len(names)} clusters, all alike"
    return Group(
        title(change, plan, _TELL) if len(names) == 1 else several,
        names,
        tuple(field_text(field, change, topic) for field in change.fields),
        tuple(notes(change, plan, _TELL)),
        tuple(f"{risk}: {RISKS[risk].text}" for risk in change.risks),
        place=place_text(change.source) if len(names) == 1 else "",
    )


def _ended(report: TargetReport) -> Iterator[Section]:
    """How it was done: the worst first, what was applied last."""
    every = alike_results(report)
    for outcome, word in OUTCOMES.items():
        groups = [_result(alike) for alike in every if alike.first.outcome == outcome]
        if groups:
            yield section_of(outcome, word.title, _OUTCOME_TONES.get(outcome, "warn"), groups)


def _result(alike: AlikeResults) -> Group:
    result, names = alike.first, tuple(one.name for one in alike.results)
    attempts = f"after {result.attempts} attempts: " if result.attempts > 1 else ""
    return Group(
        f"{result.action} {names[0]}" if len(names) == 1 else f"{result.action} {len(names)} clusters, all alike",
        names,
        tuple(result_fields(result)),
        tuple(result_notes(result)),
        error=f"{attempts}{result.error.message}" if result.error else "",
        place=place_text(result.source) if len(names) == 1 else "",
    )


def folds(target: TargetPicture) -> Iterator[Fold]:
    """Lists of names: what settles, what is not declared, what is in sync."""
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
