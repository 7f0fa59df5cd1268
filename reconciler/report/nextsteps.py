"""What to do next: the last lines of every page, in git, in the workflow and on the command line."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

from reconciler.plan.change import LeftReason
from reconciler.plan.document import PlanDocument
from reconciler.plan.plan import Plan
from reconciler.report.invocation import Invocation
from reconciler.report.sections import judges_a_change
from reconciler.report.values import name_text, replace_options

if TYPE_CHECKING:
    from reconciler.results import Outcome, ReportDocument

_NAMES_SHOWN = 3


class NextStep(NamedTuple):
    """A sentence; and the command that carries it out, without what the program's invocation asks for anyway."""

    text: str
    words: tuple[str, ...] = ()

    def command(self, invocation: Invocation) -> str:
        """The command as it can be pasted; empty for none."""
        return invocation.command(*self.words) if self.words else ""


def plan_steps(document: PlanDocument) -> tuple[NextStep, ...]:
    """What a reader of plans does next, what hinders first; none where there is nothing to do."""
    return (*_hindered(document), *_wanted(document.targets, blocked=bool(document.errors)))


def _hindered(document: PlanDocument) -> Iterator[NextStep]:
    if any(problem.place for problem in document.errors):
        yield NextStep("fix each error above and push: then this is planned again; until then nothing is applied")
    if any(problem.place is None for problem in document.errors):
        yield NextStep("do what each error above asks for, then run this again")
    if any(plan.violations for plan in document.targets):
        yield NextStep("nothing is applied until each refusal above is met, in one of the ways that it names")
    if any(not plan.live_read for plan in document.targets):
        yield NextStep("before this is merged, have it planned where the API key is")


def _wanted(plans: Sequence[Plan], *, blocked: bool) -> Iterator[NextStep]:
    """What would be asked for, were it not for errors, refusals, and what wasn't read."""
    changes = [change for plan in plans for change in plan.changes]
    blocked = blocked or any(plan.violations or not plan.live_read for plan in plans)
    if any(plan.sends for plan in plans) and not blocked:
        how = "review it and merge, and the workflow applies it" if judges_a_change(plans) else "run the apply workflow"
        yield NextStep(f"{how}; by hand", ("apply",))
    if any(plan.taken_over for plan in plans) and not any(plan.sends or plan.violations for plan in plans):
        yield NextStep("apply, which sends nothing, and takes over what is as declared", ("apply",))
    if any(field.cause == "drift" for change in changes for field in change.fields):
        yield NextStep("to keep what was changed by hand, write it into the manifest")
    reasons = {change.left for change in changes} | {field.left for change in changes for field in change.fields}
    yield from (step for reason, step in REVERTING.items() if reason in reasons)
    stuck = [cluster for plan in plans for cluster in plan.blocked]
    replaces = [replace_options(cluster) for cluster in stuck if cluster.replace_needs != "forget"]
    if replaces:
        how = "to replace what was never Active, run the apply workflow once with its name as replace; by hand"
        yield NextStep(how, ("apply", *(option for options in replaces[:_NAMES_SHOWN] for option in options)))
    if len(replaces) < len(stuck):
        yield NextStep("to create again what the record has as settled, let the record forget it, and plan again")
    unpruned = (plan for plan in plans if plan.intent.prune is None)
    if any(cluster.ownership == "owned" for plan in unpruned for cluster in plan.unmanaged):
        yield NextStep("to delete what is ours and no longer declared", ("apply", "--prune"))


REVERTING: Final[Mapping[LeftReason, NextStep]] = {
    "on-drift-report": NextStep(
        "to revert drift that is left, set on_drift: revert, in the manifest or for its target"
    ),
    "max-drift-fraction": NextStep(
        "to revert so much drift, run the apply workflow once with allow: max-drift-fraction; by hand",
        ("apply", "--allow=max-drift-fraction"),
    ),
    "unreviewed": NextStep("to revert drift that nobody has reviewed, have a plan reviewed that shows it"),
}
"""By why it is left."""


def report_steps(document: "ReportDocument", also: Sequence[NextStep] = ()) -> tuple[NextStep, ...]:
    """What a reader of a report does next, the worst first, then what else there is to do; none where all is well."""
    outcomes = {result.outcome for report in document.targets for result in report.results}
    found = [
        *([_AFTER_ERRORS] if document.errors else []),
        *(step for outcome, step in AFTER.items() if outcome in outcomes),
    ]
    reasons = {field.left for report in document.targets for result in report.results for field in result.fields}
    found += [step for reason, step in REVERTING.items() if reason in reasons]
    settling = {one.outcome for report in document.targets for one in report.settling}
    if settling - {"settled"}:
        found.append(NextStep("to see whether the rest settles", ("wait",)))
    return (*found, *also)


def pending_steps(plans: Sequence[Plan]) -> tuple[NextStep, ...]:
    """What is to be done where waiting is over, and what is declared isn't what is live."""
    return tuple(
        NextStep(f"target {name_text(plan.target)} isn't as declared: look, then apply", ("plan",))
        for plan in plans
        if plan.sends
    )


_AFTER_ERRORS: Final = NextStep(
    "do what each error above asks for, then run the apply workflow again; by hand", ("apply",)
)
AFTER: "Final[Mapping[Outcome, NextStep]]" = {
    "failed": NextStep("read the service's words above, fix the manifest and push; what was applied is not sent again"),
    "unknown": NextStep("see what became of what is unknown", ("plan",)),
    "stale": NextStep("the cluster has changed since: have a new plan reviewed; to see it", ("plan",)),
    "skipped": NextStep(
        "once the cause is gone, run the apply workflow again, and it goes on where it stopped; by hand",
        ("apply",),
    ),
}
"""By how a change ended; `applied` asks for nothing, and what is left for what its reason says."""
