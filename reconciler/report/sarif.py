"""Findings as SARIF 2.1.0, so that code scanning shows them beside their lines.

A result has a place; what has none is a notification of the run, since a code scanner drops results without places.
"""

import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from reconciler import __version__
from reconciler.model.text import printable
from reconciler.plan.document import PlanDocument
from reconciler.problem import Place, Problem
from reconciler.report.findings import Finding, error_findings, plan_findings, rules
from reconciler.report.json_text import json_text

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def plans_sarif(document: PlanDocument) -> str:
    """What the plans find."""
    return _document(plan_findings(document), succeeded=not document.errors)


def errors_sarif(errors: Sequence[Problem]) -> str:
    """What is wrong with manifests."""
    return _document(error_findings(errors), succeeded=not errors)


def _document(found: Sequence[Finding], *, succeeded: bool) -> str:
    known = rules()
    order = {rule: index for index, rule in enumerate(known)}
    tool = {
        "name": "reconciler",
        "version": __version__,
        "rules": [{"id": rule, "shortDescription": {"text": text}} for rule, text in known.items()],
    }
    run = {
        "tool": {"driver": tool},
        "invocations": [
            {
                "executionSuccessful": succeeded,
                "toolExecutionNotifications": [_notification(finding) for finding in found if finding.place is None],
            }
        ],
        "results": [_result(f, f.place, order[f.rule]) for f in found if f.place is not None],
    }
    return json_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})


def _notification(finding: Finding) -> dict[str, Any]:
    return {
        "descriptor": {"id": printable(finding.rule)},
        "level": finding.level,
        "message": {"text": _message(finding.message)},
    }


def _result(finding: Finding, place: Place, index: int) -> dict[str, Any]:
    column = {} if place.column is None else {"startColumn": place.column}
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": finding.level,
        "message": {"text": _message(finding.message)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(place.file, safe="/", errors="surrogatepass")},
                    "region": {"startLine": place.line, **column},
                }
            }
        ],
    }


def _message(text: str) -> str:
    """Neither a link nor a placeholder, which SARIF reads in a message."""
    return re.sub(r"\{(\d+)\}", r"{{\1}}", re.sub(r"\](?=\()", r"\\]", text)) or " "
