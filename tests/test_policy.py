"""The policy of the docs, run as Rego on real plans: it lets through what it should, and says why it doesn't."""

from collections.abc import Sequence

from regopy import Interpreter

from reconciler.model.declaration import Manifest
from reconciler.model.guards import Limits
from reconciler.plan.document import dump_plans
from reconciler.plan.intent import Intent
from reconciler.plan.plan import Plan
from reconciler.problem import Problem
from tests.cli.test_docs import DOCS, fenced
from tests.fakes import head, live, manifest
from tests.plan.histories import git, plan_of

[POLICY] = fenced(DOCS["policy.md"], "rego")
ORDERS = manifest("prod-orders")
SESSIONS = manifest("prod-sessions")


def planned(*declared: Manifest, prices: dict[str, float] | None = None) -> Plan:
    """The plan of these, where `prod-orders` and `prod-sessions` are live and ours."""
    one = head(*declared, limits=Limits(prices=prices or {}))
    known = git(ORDERS, SESSIONS, recorded=[ORDERS, SESSIONS])
    return plan_of(one, [live("prod-orders"), live("prod-sessions")], known, Intent(prune="owned"))


def judged(*plans: Plan, errors: Sequence[Problem] = (), labels: Sequence[str] = ()) -> dict[str, list[str]]:
    """What the policy says of a document: its `deny` and its `warn`."""
    return judged_document(dump_plans(plans, errors), labels)


def judged_document(document: object, labels: Sequence[str] = ()) -> dict[str, list[str]]:
    """The same, of any document."""
    rego = Interpreter()
    rego.add_module("policy", POLICY)
    rego.add_data({"labels": [*labels]})
    rego.set_input(document)
    return {rule: rego.query(f"data.main.{rule}").results[0].expressions[0] for rule in ("deny", "warn")}


def test_what_endangers_nothing_passes() -> None:
    """A create, a change of one cluster, a delete that the pull request's label means."""
    passes: dict[str, list[str]] = {"deny": [], "warn": []}
    assert judged(planned(ORDERS, SESSIONS)) == passes
    larger = manifest("prod-orders", node_instance_type="r6g.large", shard_count=3)
    assert judged(planned(larger, SESSIONS, manifest("prod-new"))) == passes
    assert judged(planned(ORDERS), labels=["loses-data"]) == passes


def test_what_endangers_something_is_denied_with_the_reason() -> None:
    """A delete without its label; two clusters at once; half a plan; another shape."""
    said = "default: the data of prod-sessions would be lost: label the pull request loses-data"
    assert judged(planned(ORDERS), labels=["urgent"])["deny"] == [said]
    both = planned(manifest("prod-orders", shard_count=3), manifest("prod-sessions", node_instance_type="r6g.large"))
    assert judged(both)["deny"] == ["one at a time: default/prod-orders, default/prod-sessions"]
    assert judged(errors=[Problem("unreachable", "no answer")])["deny"] == ["the plan isn't whole: no answer"]
    newer = {**dump_plans([planned(ORDERS, SESSIONS)]), "format_version": 2}
    assert judged_document(newer)["deny"] == ["this policy reads plans of format 1, and not of 2"]


def test_a_cost_that_grows_by_a_fifth_is_told() -> None:
    """Not one that isn't known, or that nobody asked for."""
    grown = (manifest("prod-orders", shard_count=4), SESSIONS)
    said = "default would cost 1.2 an hour, and costs 0.8"
    assert judged(planned(*grown, prices={"m6g.large": 0.1})) == {"deny": [], "warn": [said]}
    assert judged(planned(*grown, prices={"r6g.large": 1})) == judged(planned(*grown)) == {"deny": [], "warn": []}
