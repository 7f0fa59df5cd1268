"""Plans that were saved: reading one, and what it asks for when it is applied or expected."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

from reconciler.errors import DamagedPlan, StalePlan, UsageError
from reconciler.plan.document import MAX_PLAN_BYTES, PlanDocument, load_plans
from reconciler.plan.plan import Plan
from reconciler.plan.reviewed import Reviewed

_PIECE_BYTES = 1024 * 1024
_ANEW = "make a new one: reconciler plan --out FILE"


def read_saved(file: str) -> bytes:
    """The bytes of a plan or a report, at most a piece more than either may have. Raises OSError."""
    with open(file, "rb") as stream:  # noqa: PTH123  # its name may be no text
        pieces = iter(partial(stream.read, _PIECE_BYTES), b"")  # read at once, all that may come would be made room for
        return b"".join(islice(pieces, MAX_PLAN_BYTES // _PIECE_BYTES + 1))


def read_plan(file: str) -> PlanDocument:
    """The plan of a file. Raises UsageError where it can't be opened, DamagedPlan where it isn't as it was written."""
    try:
        return load_plans(read_saved(file))
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror}", remedy="name a plan that was saved") from error


def read_whole_plan(file: str) -> Mapping[str, Plan]:
    """All targets' plans of a file, to be carried out, by target. Raises what `read_plan` and `whole_plan` do."""
    return whole_plan(read_plan(file))


def whole_plan(document: PlanDocument) -> Mapping[str, Plan]:
    """All targets' plans, to be carried out, by target.

    Raises DamagedPlan where a target is missing: what couldn't be read must not pass for in sync.
    """
    if document.errors or not document.targets or any(plan.manifests is None for plan in document.targets):
        raise DamagedPlan("the plan is not whole: a target could not be read when it was made", remedy=_ANEW)
    if not all(plan.live_read for plan in document.targets):
        raise DamagedPlan("the plan was made offline, against git alone: it can't be applied", remedy=_ANEW)
    made_of = {(plan.folder, plan.intent) for plan in document.targets}
    if len(made_of) > 1:
        raise DamagedPlan("the plan is put together from several", remedy=_ANEW)
    return {plan.target: plan for plan in document.targets}


def options_of(saved: Mapping[str, Plan]) -> dict[str, Any]:
    """The selection and intent that a saved plan brings along."""
    first = next(iter(saved.values()))
    named = first.base.commit if first.intent.base and first.base else first.intent.base
    if first.intent.base == "HEAD":
        named = None  # that is what `drift` takes: nobody meant to go back by it
    return {"manifests": first.folder, "targets": tuple(saved), **first.intent.model_dump(), "base": named}


def refuse_other(saved: Mapping[str, Plan], fresh: Sequence[Plan]) -> None:
    """Raise StalePlan if the manifests or the endpoint of any target are others than the saved plan's."""
    by_name = {plan.target: plan for plan in fresh}
    for target, plan in saved.items():
        now = by_name.get(target)
        if now is None:
            raise StalePlan(f"target {target} of the plan can't be read now", remedy=_ANEW)
        if now.endpoint != plan.endpoint:
            raise StalePlan(f"target {target}: the plan is for {plan.endpoint}, not {now.endpoint}", remedy=_ANEW)
        if now.manifests != plan.manifests:
            raise StalePlan(f"target {target}: the manifests are not the plan's", remedy=_ANEW)


def read_reviewed(expected: Sequence[str]) -> Reviewed:
    """What `--expect` names: digests, or files of saved plans."""
    digests = [text for text in expected if text.startswith("sha256:")]
    files = [text for text in expected if not text.startswith("sha256:")]
    return Reviewed.of(digests, (plan for file in files for plan in read_plan(file).targets))
