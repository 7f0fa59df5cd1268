"""A command that a page names can be pasted as it stands, and does what the page is of."""

from reconciler.plan.intent import Intent
from reconciler.problem import Problem
from reconciler.report.invocation import Invocation, invocation_of, invocation_of_report
from tests.report.everything import a_report, create, document, planned, reported

ASKED = Invocation(("--manifests=infra", "--target=eu", "--only='o*'"), ("--remote=origin", "--prune"))


def test_a_command_repeats_what_was_asked_for() -> None:
    """What a plan is made by only where one is made or carried out; nothing twice."""
    assert ASKED.command("apply", "--prune", "--replace=a") == (
        "reconciler apply --manifests=infra --target=eu --only='o*' --remote=origin --prune --replace=a"
    )
    assert ASKED.command("wait") == "reconciler wait --manifests=infra --target=eu --only='o*'"
    assert Invocation().command("plan") == "reconciler plan"


def test_a_plan_from_a_file_says_what_it_was_made_by() -> None:
    """Its folder, its one target, its selection and intent; of several targets, as of the default one, none is named."""
    intent = Intent(base="main", only=("a", "b*"), prune="all", adopt=("*",), replace=("a",), allow=("stale-head",))
    plan = planned(create("a", cause="revision"), intent=intent, folder="infra")
    said = "--manifests=infra --target=us-east-1 --only=a --only='b*' --prune=all --adopt='*' --replace=a --allow=stale-head"
    assert invocation_of(document(plan)).command("apply") == f"reconciler apply {said}"
    several = invocation_of(document(plan, planned(target="eu"))).command("apply")
    unread = Problem("unreachable", "no connection", target="eu")
    assert invocation_of(document(plan, errors=(unread,))).command("apply") == several
    assert several == f"reconciler apply {said}".replace(" --target=us-east-1", "")
    assert invocation_of(document(planned(target="default"))) == invocation_of(document()) == Invocation()


def test_what_happened_on_the_sandbox_is_gone_on_with_there() -> None:
    """Without it the command would look for a key, and reach for the service."""
    there = {"endpoint": "sandbox:default", "target": "default"}
    plan, report = planned().model_copy(update=there), a_report().model_copy(update=there)
    assert invocation_of(document(plan)).command("apply") == "reconciler apply --sandbox"
    assert invocation_of_report(reported(report)).command("wait") == "reconciler wait --sandbox"
    assert invocation_of_report(reported(a_report())).command("wait") == "reconciler wait --target=us-east-1"
