"""What code scanning shows."""

import json
from typing import get_args

from reconciler.model.guards import GUARDS
from reconciler.plan.change import Risk
from reconciler.problem import Kind, Problem
from reconciler.report.findings import rules
from reconciler.report.sarif import errors_sarif, plans_sarif
from tests.report.everything import a_plan, document, explained, in_sync, the_problems


def test_an_error_stands_at_its_line_and_what_has_none_is_told_of_the_run() -> None:
    """The whole document: a rule, a level, a message, a place that is a relative address."""
    errors = (
        Problem("manifest", "x is no {0} [y](http://example.com)", "write z", "us", "a", "m/ö a.yaml", 4, 14),
        Problem("unreachable", "GET /cluster: no connection"),
    )
    read = json.loads(errors_sarif(errors))
    run = read["runs"][0]
    driver = run["tool"].pop("driver")
    assert driver.pop("rules")[run["results"][0]["ruleIndex"]]["id"] == "error/manifest"
    assert read == {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {},
                "invocations": [
                    {
                        "executionSuccessful": False,
                        "toolExecutionNotifications": [
                            {
                                "descriptor": {"id": "error/unreachable"},
                                "level": "error",
                                "message": {"text": "GET /cluster: no connection"},
                            }
                        ],
                    }
                ],
                "results": [
                    {
                        "ruleId": "error/manifest",
                        "ruleIndex": run["results"][0]["ruleIndex"],
                        "level": "error",
                        "message": {"text": "cluster a: x is no {{0}} [y\\](http://example.com) → write z"},
                        "locations": [
                            {
                                "physicalLocation": {
                                    "artifactLocation": {"uri": "m/%C3%B6%20a.yaml"},
                                    "region": {"startLine": 4, "startColumn": 14},
                                }
                            }
                        ],
                    }
                ],
            }
        ],
    }


def test_a_plan_shows_what_is_refused_what_is_risky_and_what_git_no_longer_says() -> None:
    """Errors and refusals as errors, risks and conflicts as warnings, drift as notes."""
    read = json.loads(plans_sarif(document(explained(), a_plan(), errors=the_problems()[:1])))
    told = [
        (one["level"], one["ruleId"], one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        for one in read["runs"][0]["results"]
    ]
    assert told == [
        ("error", "error/manifest", "manifests/orders.yaml"),
        ("error", "guard/max-deletes", "manifests/fleet.yaml"),
        ("warning", "risk/resharding", "manifests/contested.yaml"),
        ("warning", "cause/conflict", "manifests/contested.yaml"),
        ("warning", "cause/adoption", "manifests/foreign.yaml"),
        ("warning", "risk/data-loss", "manifests/gone.yaml"),
        ("note", "cause/drift", "manifests/loose.yaml"),
        ("warning", "risk/data-loss", "manifests/new-name.yaml"),
        ("warning", "risk/data-loss", "manifests/old-name.yaml"),
        ("warning", "risk/node-replacement", "manifests/orders.yaml"),
        ("note", "cause/drift", "manifests/orders.yaml"),
        ("note", "cause/drift", "manifests/vanished.yaml"),
        ("note", "cause/drift", "manifests/wandered.yaml"),
        ("warning", "risk/fewer-replicas", "manifests/busy.yaml"),
        ("warning", "risk/no-failover", "manifests/busy.yaml"),
        ("warning", "risk/data-loss", "manifests/gone.yaml"),
        ("warning", "risk/node-replacement", "manifests/orders.yaml"),
    ]
    nothing = json.loads(plans_sarif(document(in_sync())))["runs"][0]
    assert nothing["results"] == []
    assert nothing["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_rules_come_from_the_lists() -> None:
    """Every kind of error, guard and risk has one."""
    assert {f"risk/{risk}" for risk in get_args(Risk)} <= set(rules())
    assert {f"guard/{guard.name}" for guard in GUARDS} <= set(rules())
    assert {f"error/{kind}" for kind in get_args(Kind)} <= set(rules())
