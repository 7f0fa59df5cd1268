"""What a command tells GitHub besides its output: annotations, the step's summary, its outputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.plan.document import PlanDocument
from reconciler.plan.plan import Plan
from reconciler.report.annotations import annotations
from reconciler.report.outputs import step_outputs
from reconciler.results import TargetReport

SUMMARY_LIMIT_BYTES = 1_000_000
"""Of Markdown: a larger summary is not uploaded, and the step doesn't fail for it."""


@dataclass(frozen=True, slots=True)
class Github:
    """The files of the workflow's step that this process is; None for one that isn't there."""

    summary: str | None
    outputs: str | None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Github":
        """The step of this environment."""
        return cls(environment.get("GITHUB_STEP_SUMMARY") or None, environment.get("GITHUB_OUTPUT") or None)

    @staticmethod
    def annotations(document: PlanDocument) -> str:
        """The workflow commands that annotate manifests' lines."""
        return annotations(document)

    def summarize(self, page: str) -> None:
        """Add a page of Markdown, free of keys, to the step's summary. Raises OSError."""
        _append(self.summary, page)

    def set_outputs(self, outcome: Sequence[Plan] | Sequence[TargetReport], exit_code: int, *, delimiter: str) -> None:
        """Set the step's outputs; `delimiter` must be beyond guessing. Raises OSError."""
        _append(self.outputs, step_outputs(outcome, exit_code, delimiter=delimiter))


def _append(file: str | None, text: str) -> None:
    if file is not None:
        with open(file, "a", encoding="utf-8") as stream:  # noqa: PTH123
            stream.write(text)
