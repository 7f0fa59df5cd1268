"""What a command ends in, by what it found."""

from itertools import permutations

import pytest

from reconciler.cli import exits
from reconciler.plan.plan import Plan, Settling, Unmanaged, Violation
from reconciler.problem import Problem
from reconciler.results import Outcome, Result, ResultSummary, SettlingResult, TargetReport
from tests.fakes import head, live, manifest, planned

PROBLEM = (Problem("manifest", "no"),)
IN_SYNC = planned(head(manifest()), [live()])
CREATES = planned(head(manifest()), [])
BLOCKED = planned(head(manifest()), [live(status="CreationFailed")])
REFUSED = CREATES.model_copy(update={"violations": (Violation(guard="max-deletes", message="6 of 5"),)})


def report(*outcomes: Outcome) -> TargetReport:
    results = tuple(Result(action="create", name=f"c{n}", outcome=outcome) for n, outcome in enumerate(outcomes))
    return TargetReport(target="t", endpoint="e", digest="d", summary=ResultSummary(), results=results)


@pytest.mark.parametrize(
    ("plans", "errors", "plain", "detailed"),
    [
        ((), (), 0, 0),
        ((IN_SYNC,), (), 0, 0),
        ((IN_SYNC, CREATES), (), 0, 2),
        ((BLOCKED,), (), 0, 2),
        ((REFUSED, CREATES), (), 3, 3),
        ((REFUSED,), PROBLEM, 1, 1),
    ],
)
def test_plans(plans: tuple[Plan, ...], errors: tuple[Problem, ...], plain: int, detailed: int) -> None:
    """In sync is 0; pending, or waiting for somebody's hand, is 2 where that is asked; a refusal outranks both."""
    assert exits.of_plans(plans, errors) == plain
    assert exits.of_plans(plans, errors, detailed=True) == detailed


def test_drift() -> None:
    """Whoever touched it is 2; what is only not applied yet is 5; a target that can't be read outranks both."""
    pending = CREATES.model_copy(
        update={"changes": tuple(change.model_copy(update={"cause": "pending"}) for change in CREATES.changes)}
    )
    settling = IN_SYNC.model_copy(update={"settling": (Settling(name="orders", status="Updating"),)})
    owned, foreign = (
        IN_SYNC.model_copy(update={"unmanaged": (Unmanaged(name="a", ownership=who),)}) for who in ("owned", "not-ours")
    )
    assert [exits.of_drift([plan], ()) for plan in (IN_SYNC, foreign, settling, owned)] == [0, 0, 5, 5]
    assert exits.of_drift([pending], ()) == 5
    assert exits.of_drift([pending, CREATES], ()) == 2
    assert exits.of_drift([pending, BLOCKED], ()) == 2
    assert exits.of_drift([CREATES], PROBLEM) == 1


def test_waiting() -> None:
    """What didn't settle has failed; what isn't as declared, or settles still, is for later."""
    assert exits.of_waited([report()], [IN_SYNC], ()) == 0
    assert exits.of_waited([report()], [CREATES], ()) == 2
    assert exits.of_waited([report()], [CREATES], PROBLEM) == 1
    settled = TargetReport(
        target="t",
        endpoint="e",
        digest="d",
        summary=ResultSummary(),
        results=(),
        settling=(SettlingResult(name="c", outcome="failed", status="Updating", seconds=1.0),),
    )
    assert exits.of_waited([settled], [IN_SYNC], ()) == 1


def test_what_was_not_applied() -> None:
    """Refused, not as reviewed, declined; an error of a target is told besides."""
    assert exits.of_stopped([CREATES], (), unexpected=(), declined=False) == 0
    assert exits.of_stopped([REFUSED], (), unexpected=(), declined=False) == 3
    assert exits.of_stopped([REFUSED], (), unexpected=PROBLEM, declined=False) == 4
    assert exits.of_stopped([CREATES], (), unexpected=(), declined=True) == 1
    assert exits.of_stopped([REFUSED], PROBLEM, unexpected=PROBLEM, declined=False) == 1


def test_reports() -> None:
    """All applied is 0; stale is 4, unless something failed."""
    assert exits.of_reports([report(), report("applied")], ()) == 0
    assert exits.of_reports([report("applied", "stale")], ()) == 4
    assert exits.of_reports([report("stale"), report("unknown")], ()) == 1
    assert exits.of_reports([report("stale")], PROBLEM) == 1


def test_a_signal_outranks_all_and_a_result_nobody_gets_is_a_failure() -> None:
    """Of several signals 130 is the first, whatever came before."""
    assert exits.of_process(0, (), untold=False) == 0
    assert exits.of_process(4, (), untold=True) == 1
    assert exits.of_process(1, (1,), untold=True) == 129
    assert {exits.of_process(3, signals, untold=False) for signals in permutations((1, 2, 15))} == {130}
