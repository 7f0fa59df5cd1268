"""Findings as GitLab's code quality report, which a merge request shows beside its lines.

It knows places alone: what has none stands in the job's log, and fails the job.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.plan.document import PlanDocument
from reconciler.problem import Problem
from reconciler.report.findings import Finding, Level, error_findings, plan_findings
from reconciler.report.json_text import json_text

_SEVERITIES: Final[Mapping[Level, str]] = {"error": "critical", "warning": "major", "note": "info"}


def plans_codequality(document: PlanDocument) -> str:
    """What the plans find."""
    return json_text([*_entries(plan_findings(document))])


def errors_codequality(errors: Sequence[Problem]) -> str:
    """What is wrong with manifests."""
    return json_text([*_entries(error_findings(errors))])


def _entries(found: Sequence[Finding]) -> Iterator[dict[str, Any]]:
    """GitLab tells what is new by fingerprints: one stays where only lines moved, and none is there twice."""
    seen = Counter[str]()
    for finding in found:
        if finding.place is None:
            continue
        facts = json.dumps([finding.rule, finding.place.file, finding.message])
        fingerprint = hashlib.sha256(f"{facts}{seen[facts]}".encode()).hexdigest()
        seen[facts] += 1
        yield {
            "description": finding.message,
            "check_name": finding.rule,
            "fingerprint": fingerprint,
            "severity": _SEVERITIES[finding.level],
            "location": {"path": finding.place.file, "lines": {"begin": finding.place.line}},
        }
