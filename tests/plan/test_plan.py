"""What a plan is asked by the commands that end in an exit code."""

import pytest

from reconciler.plan.intent import Intent
from reconciler.plan.plan import Plan
from tests.fakes import head, live, manifest
from tests.plan.histories import git, line, plan_of, values

ONE, GROWN = manifest(), manifest(shard_count=3)
EQUAL = plan_of(head(ONE), [live()], git(ONE, recorded=[ONE]))
REVISION = plan_of(head(GROWN), [live()], git(ONE, recorded=[ONE]))
PENDING = plan_of(head(GROWN), [live()], git(GROWN, recorded=[ONE]))
DRIFT = plan_of(head(ONE), [live(shard_count=9)], git(ONE, recorded=[ONE]))
ADOPTION = plan_of(head(GROWN), [live()], git(ONE))
ILL = plan_of(head(ONE), [live(status="Rebalancing", errors=["Odd"])], git(ONE, recorded=[ONE]))
DEAD = plan_of(
    head(ONE), [live(status="CreationFailed")], git(ONE, recorded=[line(ONE, declared=None, unsettled=values(ONE))])
)
SETTLING = plan_of(head(ONE), [live(status="Updating")], git(ONE, recorded=[ONE]))
OWNED = plan_of(head(), [live()], git(recorded=[ONE]))
STRANGER = plan_of(head(), [live()], git())
PRUNED = plan_of(head(), [live()], git(recorded=[ONE]), Intent(prune="owned"))


@pytest.mark.parametrize(
    ("plan", "touched", "unapplied"),
    [
        (EQUAL, False, False),
        (REVISION, False, True),
        (PENDING, False, True),
        (DRIFT, True, True),
        (ADOPTION, True, True),
        (ILL, True, True),
        (DEAD, True, False),
        (SETTLING, False, True),
        (OWNED, False, True),
        (STRANGER, False, False),
    ],
)
def test_what_was_touched_and_what_is_not_applied(plan: Plan, touched: bool, unapplied: bool) -> None:
    """By somebody else, or by the service's own failure; what git says and nobody has done yet is the other thing."""
    assert (plan.touched, plan.unapplied) == (touched, unapplied)


def test_what_is_ours_and_left_alone_and_what_is_never_active() -> None:
    """By name."""
    assert [one.name for one in OWNED.owned] == ["orders"]
    assert STRANGER.owned == PRUNED.owned == ()
    assert [one.name for one in DEAD.blocked] == ["orders"]
    assert ILL.blocked == ()
