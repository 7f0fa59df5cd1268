"""How the program was called: what a command has to repeat, to be of the same clusters and to mean the same."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from reconciler.model.command import folder_words, option_words
from reconciler.plan.document import PlanDocument
from reconciler.plan.intent import Intent
from reconciler.plan.plan import Plan
from reconciler.problem import Problem
from reconciler.report.values import all_sandboxes

if TYPE_CHECKING:
    from reconciler.results import ReportDocument, TargetReport

DEFAULT_TARGET = "default"
_MAKE_OR_CARRY_OUT = frozenset({"plan", "apply"})


class Invocation(NamedTuple):
    """Options as words of a command line; what is as it is by default is no word of it.

    `where` is which clusters are looked at, and how they are reached: each command takes that. `intent` is what a plan
    is made by: only `plan` and `apply` take it.
    """

    where: tuple[str, ...] = ()
    intent: tuple[str, ...] = ()

    def command(self, name: str, *more: str) -> str:
        """A command that can be pasted: this program's, with all that was asked for, and `more` besides."""
        asked = (*self.where, *(self.intent if name in _MAKE_OR_CARRY_OUT else ()), *more)
        return " ".join(("reconciler", name, *dict.fromkeys(asked)))


def place_words(folder: str, targets: Sequence[str], intent: Intent) -> tuple[str, ...]:
    """Which clusters are looked at."""
    return (*folder_words(folder), *option_words("target", targets), *option_words("only", intent.only))


def intent_words(intent: Intent) -> tuple[str, ...]:
    """What a plan is made by, but for its base: whoever applies it has another."""
    prune = {None: (), "owned": ("--prune",), "all": ("--prune=all",)}[intent.prune]
    asked = (("adopt", intent.adopt), ("replace", intent.replace), ("allow", intent.allow))
    return (*prune, *(word for option, values in asked for word in option_words(option, values)))


def sandbox_words(endpoints: Sequence[str]) -> tuple[str, ...]:
    """What reaches the embedded control plane, where that is meant."""
    return ("--sandbox",) if all_sandboxes(endpoints) else ()


def invocation_of(document: PlanDocument) -> Invocation:
    """What plans that come from a file were made by, as far as they say it."""
    plans = document.targets
    if not plans:
        return Invocation()
    first = plans[0]
    return Invocation(
        (
            *place_words(first.folder, _one_target(plans, document.errors), first.intent),
            *sandbox_words([plan.endpoint for plan in plans]),
        ),
        intent_words(first.intent),
    )


def invocation_of_report(document: "ReportDocument") -> Invocation:
    """What a report that comes from a file says of it."""
    reports = document.targets
    named = _one_target(reports, document.errors)
    return Invocation((*option_words("target", named), *sandbox_words([report.endpoint for report in reports])))


def _one_target(found: "Sequence[Plan | TargetReport]", errors: Sequence[Problem]) -> Sequence[str]:
    """The one target that a page is of; several may be all that there are, and need no naming."""
    names = {one.target for one in found} | {error.target for error in errors if error.target is not None}
    return [name for name in names if len(names) == 1 and name != DEFAULT_TARGET]
