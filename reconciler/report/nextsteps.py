"""What to do next: the last lines of every page, in git, in the workflow and on the command line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reconciler.plan.change import LeftReason
from reconciler.plan.document import PlanDocument
from reconciler.plan.plan import Plan
from reconciler.report.sections import judges_a_change
from reconciler.report.values import all_sandboxes, command_word, replace_options
from reconciler.results import Outcome, ReportDocument

_COMMANDS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class NextStep:
    """A sentence, and the commands that carry it out."""

    text: str
    commands: tuple[str, ...] = ()


def plan_steps(document: PlanDocument) -> tuple[NextStep, ...]:
    """What a reader of plans does next, what hinders first; never none."""
    found = (*_hindered(document), *_wanted(document.targets))
    return found or (NextStep("nothing to do"),)


def _hindered(document: PlanDocument) -> Iterator[NextStep]:
    if document.errors:
        yield NextStep("mend each error above and push: then this is planned anew; until then nothing is applied")
    if any(plan.violations for plan in document.targets):
        yield NextStep("nothing is applied until each refusal above is met, in one of the ways that it names")
    if any(not plan.live_read for plan in document.targets):
        yield NextStep("have it planned where the API key is, before it is merged")


def _wanted(plans: Sequence[Plan]) -> Iterator[NextStep]:
    changes = [change for plan in plans for change in plan.changes]
    if any(plan.sends for plan in plans) and not any(plan.violations or not plan.live_read for plan in plans):
        how = "review it and merge, and the workflow applies it" if judges_a_change(plans) else "run the apply workflow"
        yield NextStep(f"{how}; by hand", (_command(plans),))
    if any(field.cause == "drift" for change in changes for field in change.fields):
        yield NextStep("to keep what was changed by hand, write it into the manifest")
    reasons = {change.left for change in changes} | {field.left for change in changes for field in change.fields}
    yield from (step for reason, step in REVERTING.items() if reason in reasons)
    blocked = [cluster for plan in plans for cluster in plan.blocked]
    replaceable = [replace_options(cluster) for cluster in blocked if cluster.replace_needs != "forget"]
    if replaceable:
        yield NextStep("to make anew what was never Active, apply once with", tuple(replaceable[:_COMMANDS_SHOWN]))
    if len(replaceable) < len(blocked):
        yield NextStep("to make anew what is recorded as settled, let the record forget it, and plan again")
    if any(cluster.ownership == "owned" for plan in plans for cluster in plan.unmanaged):
        yield NextStep("to delete what is ours and no longer declared", (f"{_apply(plans)} --prune",))


def _command(plans: Sequence[Plan]) -> str:
    """The apply that plans are of: what they were asked for is asked for again."""
    intent = plans[0].intent
    prune = {None: "", "owned": " --prune", "all": " --prune=all"}[intent.prune]
    patterns = (("--only", intent.only), ("--adopt", intent.adopt), ("--replace", intent.replace))
    asked = [f" {option}={command_word(pattern)}" for option, given in patterns for pattern in given]
    return f"{_apply(plans)}{prune}{''.join(asked)}"


def _apply(plans: Sequence[Plan]) -> str:
    return "reconciler apply" + (" --sandbox" if all_sandboxes(plan.endpoint for plan in plans) else "")


REVERTING: Final[Mapping[LeftReason, NextStep]] = {
    "on-drift-report": NextStep(
        "to revert drift that is left, set on_drift: revert, in the manifest or for its target"
    ),
    "max-drift-fraction": NextStep("to revert so much drift, allow it for one run", ("--allow max-drift-fraction",)),
    "unreviewed": NextStep("to revert drift that nobody has reviewed, have a plan reviewed that shows it"),
}
"""By why it is left."""


def report_steps(document: ReportDocument) -> tuple[NextStep, ...]:
    """What a reader of a report does next, the worst first; never none."""
    outcomes = {result.outcome for report in document.targets for result in report.results}
    found = [
        *([NextStep("mend each error above, then apply again")] if document.errors else []),
        *(step for outcome, step in AFTER.items() if outcome in outcomes),
    ]
    reasons = {field.left for report in document.targets for result in report.results for field in result.fields}
    found += [step for reason, step in REVERTING.items() if reason in reasons]
    settling = {one.outcome for report in document.targets for one in report.settling}
    if settling - {"settled"}:
        found.append(NextStep("to see whether the rest settles", ("reconciler wait",)))
    return tuple(found) or (NextStep("nothing to do"),)


AFTER: Final[Mapping[Outcome, NextStep]] = {
    "failed": NextStep("read the service's words above, mend the manifest, push; what was applied is not sent again"),
    "unknown": NextStep("see what became of what is unknown", ("reconciler plan",)),
    "stale": NextStep("plan anew and have that reviewed: the cluster has changed since", ("reconciler plan",)),
    "skipped": NextStep("apply again once the cause is gone: it goes on where it stopped", ("reconciler apply",)),
}
"""By how a change ended; `applied` asks for nothing, and what is left for what its reason says."""
