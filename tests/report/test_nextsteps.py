"""What a page ends in."""

import pytest

from reconciler.plan.change import Change
from reconciler.plan.intent import Intent
from reconciler.plan.plan import Unhealthy, Unmanaged
from reconciler.report.nextsteps import pending_steps, plan_steps, report_steps
from reconciler.report.notes import Telling, unhealthy_text
from tests.report.everything import (
    a_plan,
    a_report,
    create,
    document,
    explained,
    field,
    idle_report,
    in_sync,
    planned,
    reported,
    the_problems,
    update,
)

REVIEW = "review it and merge, and the workflow applies it; by hand"
KEEP = "to keep what was changed by hand, write it into the manifest"


@pytest.mark.parametrize(
    ("changes", "steps"),
    [
        ([create("a", cause="revision")], [REVIEW]),
        ([update("a", field("n", 9, 4, "drift"), cause="drift")], [REVIEW, KEEP]),
        (
            [update("a", field("n", 9, 4, "drift", left="max-drift-fraction"), left="max-drift-fraction")],
            [KEEP, "to revert so much drift, run the apply workflow once with allow: max-drift-fraction; by hand"],
        ),
    ],
)
def test_a_plan_ends_in_what_its_reader_does_next(changes: list[Change], steps: list[str]) -> None:
    """No more than applies: where there is nothing to do, nothing is said."""
    assert [step.text for step in plan_steps(document(planned(*changes)))] == steps
    assert plan_steps(document(in_sync())) == ()
    assert plan_steps(document(a_plan()))[0].text == "run the apply workflow; by hand"
    (first_day,) = plan_steps(document(planned(taken_over=("a", "b"))))
    assert (first_day.text, first_day.words) == (
        "apply, which sends nothing, and takes over what is as declared",
        ("apply",),
    )


def test_what_hinders_comes_first_and_nobody_is_told_to_apply_what_is_refused() -> None:
    """Errors, refusals, a plan that read no live cluster."""
    blind = planned(create("a", cause="revision"), live_read=False)
    hindered = plan_steps(document(explained(), blind, errors=the_problems()))
    assert [step.text.split(",")[0].split(":")[0] for step in hindered[:4]] == [
        "fix each error above and push",
        "do what each error above asks for",
        "nothing is applied until each refusal above is met",
        "before this is merged",
    ]
    assert REVIEW not in [step.text for step in hindered]


def test_what_was_never_active_is_replaced_and_what_is_ours_pruned() -> None:
    """Never is anybody told to delete by hand."""
    blocked = Unhealthy(name="a", status="CreationFailed", errors=(), blocked=True)
    plan = planned(unhealthy=(blocked,), unmanaged=(Unmanaged(name="b", ownership="owned"),))
    assert [step.words for step in plan_steps(document(plan))] == [("apply", "--replace=a"), ("apply", "--prune")]
    pruning = plan.model_copy(update={"intent": Intent(prune="owned")})
    assert [step.words for step in plan_steps(document(pruning))] == [("apply", "--replace=a")]


def test_replace_is_not_advised_where_it_is_refused() -> None:
    """It says what else it needs; where the record has to forget first, that comes first."""
    one = Unhealthy(name="a", status="CreationFailed", errors=(), blocked=True, replace_needs="adopt")
    other = Unhealthy(name="b", status="CreationFailed", errors=(), blocked=True, replace_needs="forget")
    steps = plan_steps(document(planned(unhealthy=(one, other))))
    assert [(step.text, step.words) for step in steps] == [
        (
            "to replace what was never Active, run the apply workflow once with its name as replace; by hand",
            ("apply", "--replace=a", "--adopt=a"),
        ),
        ("to create again what the record has as settled, let the record forget it, and plan again", ()),
    ]
    needed, forgotten = (unhealthy_text(cluster, Telling(str), planned(folder="infra")) for cluster in (one, other))
    assert needed == "a is CreationFailed; never Active, so no update can fix it: apply with --replace=a --adopt=a"
    assert forgotten == (
        "b is CreationFailed; never Active, but another of that name is recorded as settled: "
        "if that is gone, reconciler record forget b --manifests=infra --target=us-east-1"
    )


def test_a_report_ends_in_what_its_reader_does_next() -> None:
    """The worst first; for what is left by its reason, for what still settles `wait`."""
    steps = report_steps(reported(a_report(), errors=the_problems()))
    assert [(step.text.split(",")[0], step.words) for step in steps] == [
        ("do what each error above asks for", ("apply",)),
        ("read the service's words above", ()),
        ("see what became of what is unknown", ("plan",)),
        ("the cluster has changed since: have a new plan reviewed; to see it", ("plan",)),
        ("once the cause is gone", ("apply",)),
        ("to revert drift that nobody has reviewed", ()),
        ("to see whether the rest settles", ("wait",)),
    ]
    assert report_steps(reported(idle_report())) == ()
    pending = pending_steps([planned(create("a")), planned(target="b")])
    assert [step.text for step in report_steps(reported(idle_report()), pending)] == [
        "target us-east-1 isn't as declared: look, then apply"
    ]
