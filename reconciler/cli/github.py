"""What a command tells GitHub besides its output: annotations, the step's summary, its outputs.

On by itself where GITHUB_ACTIONS is true; --no-github switches it off.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.errors import Problem
from reconciler.plan.plan import Plan
from reconciler.results import TargetReport

SUMMARY_LIMIT_BYTES = 1_000_000
"""Of Markdown: a larger summary is not uploaded, and the step doesn't fail for it."""


@dataclass(slots=True)
class Switch:
    """Whether GitHub is told anything."""

    on: bool


SWITCH = Switch(os.environ.get("GITHUB_ACTIONS") == "true")


def annotations_text(plans: Sequence[Plan], problems: Sequence[Problem]) -> str:
    """The workflow commands that annotate manifests' lines; empty where GitHub isn't told."""
    if not SWITCH.on:
        return ""
    from reconciler.report.annotations import annotations  # noqa: PLC0415  # only on GitHub

    return annotations(plans, problems)


def summarize(page: str) -> None:
    """Add a page of Markdown, free of keys, to the step's summary."""
    _append("GITHUB_STEP_SUMMARY", page)


def set_outputs(outcome: Sequence[Plan] | Sequence[TargetReport], exit_code: int, *, delimiter: str) -> None:
    """Set the step's outputs; `delimiter` must be beyond guessing."""
    if SWITCH.on:
        from reconciler.report.outputs import step_outputs  # noqa: PLC0415  # only on GitHub

        _append("GITHUB_OUTPUT", step_outputs(outcome, exit_code, delimiter=delimiter))


def _append(variable: str, text: str) -> None:
    file = os.environ.get(variable)
    if SWITCH.on and file:
        with open(file, "a", encoding="utf-8") as stream:  # noqa: PTH123
            stream.write(text)
