"""Plans that were saved: reading one, and holding a fresh one against it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.errors import DamagedPlan, Problem, StalePlan, UsageError
from reconciler.model.text import printable
from reconciler.plan.change import Change
from reconciler.plan.digest import change_digest
from reconciler.plan.document import PlanDocument, load_plans
from reconciler.plan.plan import Plan

_ANEW = "make a new one: reconciler plan --out FILE"
_UNEXPECTED = (
    "not what was expected",
    "look at the plan of now with `reconciler plan`, and have that one reviewed",
)
_UNREVIEWED = (
    "not what was reviewed",
    "look at the plan, and have it reviewed; or apply it without --unreviewed: in a workflow, run that by hand",
)


def read_plan(file: str) -> PlanDocument:
    """The plan of a file. Raises UsageError where it can't be opened, DamagedPlan where it isn't as it was written."""
    try:
        return load_plans(Path(file).read_bytes())
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror}", remedy="name a plan that was saved") from error


def read_whole_plan(file: str) -> tuple[Plan, ...]:
    """All targets' plans of a file, to be carried out.

    Raises what `read_plan` does, and DamagedPlan where a target is missing: what couldn't be read must not pass for in
    sync.
    """
    document = read_plan(file)
    if document.errors or not document.targets or any(plan.manifests is None for plan in document.targets):
        raise DamagedPlan("the plan is not whole: a target could not be read when it was made", remedy=_ANEW)
    if not all(plan.live_read for plan in document.targets):
        raise DamagedPlan("the plan was made offline, against git alone: it can't be applied", remedy=_ANEW)
    made_of = {(plan.folder, plan.intent) for plan in document.targets}
    if len(made_of) > 1:
        raise DamagedPlan("the plan is put together from several", remedy=_ANEW)
    return document.targets


def refuse_other(saved: Sequence[Plan], fresh: Sequence[Plan]) -> None:
    """Raise StalePlan if the manifests or the endpoint of any target are others than the saved plan's."""
    by_name = {plan.target: plan for plan in fresh}
    for plan in saved:
        now = by_name.get(plan.target)
        if now is None:
            raise StalePlan(f"target {plan.target} of the plan can't be read now", remedy=_ANEW)
        if now.endpoint != plan.endpoint:
            raise StalePlan(f"target {plan.target}: the plan is for {plan.endpoint}, not {now.endpoint}", remedy=_ANEW)
        if now.manifests != plan.manifests:
            raise StalePlan(f"target {plan.target}: the manifests are not the plan's", remedy=_ANEW)


@dataclass(frozen=True, slots=True)
class Held:
    """What came of holding a plan against the reviewed one: what refuses it, and what goes on and is said."""

    refusals: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def hold_against(fresh: Sequence[Plan], expected: Sequence[str], *, harmless_too: bool) -> Held:
    """Hold plans against those expected: digests, or files of saved plans, in which each fresh change must stand.

    `harmless_too`: a change that stands nowhere goes on if it doesn't delete, conflict or adopt.
    """
    digests = {text for text in expected if text.startswith("sha256:")}
    reviewed = {
        (plan.target, plan.endpoint, change_digest(change))
        for text in expected
        if text not in digests
        for plan in read_plan(text).targets
        if plan.live_read
        for change in plan.changes
    }
    refusals, notes = [], []
    for plan in fresh:
        other = [change for change in plan.sends if (plan.target, plan.endpoint, change_digest(change)) not in reviewed]
        if plan.digest in digests or not other:
            continue
        grave = [change for change in other if _is_grave(change)] if harmless_too else other
        if grave:
            what, remedy = _UNREVIEWED if harmless_too else _UNEXPECTED
            refusals.append(Problem(StalePlan.kind, f"{what}: {_names(grave)}", remedy, plan.target))
        else:
            notes.append(f"target {printable(plan.target)}: not reviewed, and harmless: {_names(other)}")
    return Held(tuple(refusals), tuple(notes))


def _is_grave(change: Change) -> bool:
    """Whether somebody must have looked at it: it destroys, or overwrites what isn't git's."""
    conflicts = any(cause == "conflict" for cause in (change.cause, *(field.cause for field in change.fields)))
    return change.action == "delete" or change.adopts or conflicts


def _names(changes: Sequence[Change]) -> str:
    told = ", ".join(f"{change.action} {printable(change.name)}" for change in changes[:5])
    return told + (f" and {len(changes) - 5} others" if len(changes) > 5 else "")
