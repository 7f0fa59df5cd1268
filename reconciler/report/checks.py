"""What `doctor` found: one line a check as text, or one document."""

from collections.abc import Sequence
from typing import Literal

from reconciler import __version__
from reconciler.model.check import Check
from reconciler.model.text import printable
from reconciler.report.json_text import json_text


def render_checks(checks: Sequence[Check], format_name: Literal["text", "json"]) -> str:
    """All checks, in the order in which they were made; ends in a line break."""
    if format_name == "json":
        listed = [check.model_dump(mode="json") for check in checks]
        return json_text({"kind": "diagnosis", "format_version": 1, "tool_version": __version__, "checks": listed})
    return "".join(f"{_line(check)}\n" for check in checks)


def _line(check: Check) -> str:
    where = f"{check.target}: " if check.target is not None else ""
    remedy = f" → {check.remedy}" if check.remedy is not None else ""
    return f"{check.state:<8} {check.name:<9} {printable(f'{where}{check.message}{remedy}')}"
