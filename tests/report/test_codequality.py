"""What a merge request shows beside its lines."""

import json

from reconciler.problem import Problem
from reconciler.report.codequality import errors_codequality, plans_codequality
from tests.report.everything import a_plan, document, explained, in_sync, the_problems


def test_an_error_stands_at_its_line_and_what_has_none_is_left_out() -> None:
    """The whole document; an equal error in another line of the same file is another finding."""
    error = Problem("manifest", "x is no y", "write z", "us", "a", "manifests/ö a.yaml", 4, 14)
    read = json.loads(errors_codequality([error, Problem("unreachable", "GET /cluster: no connection"), error]))
    first, second = (entry.pop("fingerprint") for entry in read)
    assert len({first, second}) == 2
    assert len(first) == 64
    assert read == 2 * [
        {
            "description": "cluster a: x is no y → write z",
            "check_name": "error/manifest",
            "severity": "critical",
            "location": {"path": "manifests/ö a.yaml", "lines": {"begin": 4}},
        }
    ]
    assert json.loads(errors_codequality([])) == []


def test_a_finding_is_the_same_where_only_its_line_moved() -> None:
    """GitLab then tells nothing new; another file, rule or message is another finding."""

    def fingerprints(*problems: Problem) -> list[str]:
        return [entry["fingerprint"] for entry in json.loads(errors_codequality(problems))]

    one = Problem("manifest", "x", None, None, None, "a.yaml", 4, 1)
    others = (
        Problem("usage", "x", None, None, None, "a.yaml", 4, 1),
        Problem("manifest", "y", None, None, None, "a.yaml", 4, 1),
        Problem("manifest", "x", None, None, None, "b.yaml", 4, 1),
    )
    assert fingerprints(one) == fingerprints(Problem("manifest", "x", None, None, None, "a.yaml", 9, 3))
    assert len({*fingerprints(one, *others)}) == 4


def test_a_plan_shows_what_code_scanning_shows() -> None:
    """Errors and refusals as critical, risks and conflicts as major, drift as information; in sync, nothing."""
    read = json.loads(plans_codequality(document(explained(), a_plan(), errors=the_problems()[:1])))
    told = [(one["severity"], one["check_name"], one["location"]["path"]) for one in read]
    assert told[:4] == [
        ("critical", "error/manifest", "manifests/orders.yaml"),
        ("critical", "guard/max-deletes", "manifests/fleet.yaml"),
        ("major", "risk/resharding", "manifests/contested.yaml"),
        ("major", "cause/conflict", "manifests/contested.yaml"),
    ]
    assert ("info", "cause/drift", "manifests/loose.yaml") in told
    assert len({one["fingerprint"] for one in read}) == len(read) == 17
    assert json.loads(plans_codequality(document(in_sync()))) == []
