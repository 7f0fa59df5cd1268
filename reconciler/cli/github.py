"""What a command tells GitHub besides its output: annotations, the step's summary, its outputs."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reconciler.cli.pages import page_look
from reconciler.forge.run import Run
from reconciler.plan.document import PlanDocument
from reconciler.plan.plan import Plan
from reconciler.report.annotations import annotations
from reconciler.report.look import Look
from reconciler.report.outputs import step_outputs

if TYPE_CHECKING:
    from reconciler.results import ReportDocument, TargetReport

SUMMARY_LIMIT_BYTES = 1_000_000
"""Of Markdown: a larger summary is not uploaded, and the step doesn't fail for it."""


class Github(NamedTuple):
    """The files of the workflow's step that this process is; None for one that isn't there.

    `folder` is the working directory as the repository has it, empty at its root; `run` is what its pages are of.
    """

    summary: str | None
    outputs: str | None
    folder: str
    run: Run

    @classmethod
    def read(cls, environment: Mapping[str, str], working_directory: Path) -> "Github":
        """The step of this environment, run there."""
        folder = _in_repository(working_directory, environment.get("GITHUB_WORKSPACE") or "/")
        summary, outputs = environment.get("GITHUB_STEP_SUMMARY") or None, environment.get("GITHUB_OUTPUT") or None
        return cls(summary, outputs, folder, Run.read(environment))

    def look(self, document: "PlanDocument | ReportDocument") -> Look:
        """How a document's page is shown in the summary."""
        return page_look(document, self.run, SUMMARY_LIMIT_BYTES)

    def annotations(self, document: PlanDocument) -> str:
        """The workflow commands that annotate manifests' lines."""
        return annotations(document, self.folder)

    def summarize(self, page: str) -> None:
        """Add a page of Markdown, free of keys, to the step's summary. Raises OSError."""
        _append(self.summary, page)

    def set_outputs(
        self, outcome: "Sequence[Plan] | Sequence[TargetReport]", exit_code: int, *, delimiter: str
    ) -> None:
        """Set the step's outputs; `delimiter` must be beyond guessing. Raises OSError."""
        _append(self.outputs, step_outputs(outcome, exit_code, delimiter=delimiter))


def _in_repository(folder: Path, workspace: str) -> str:
    """The folder from the root of its repository on, which a checkout with `path` has below the workspace.

    Empty where there is no repository within the workspace: nobody could say what its paths start from.
    """
    root = next((above for above in (folder, *folder.parents) if (above / ".git").exists()), None)
    if root is None or not root.is_relative_to(Path(workspace).resolve()):
        return ""
    inside = folder.relative_to(root).as_posix()
    return "" if inside == "." else inside


def _append(file: str | None, text: str) -> None:
    if file is not None:
        # A pipe that nobody reads is an error at once, and no wait without an end.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(file, flags, 0o666), "a", encoding="utf-8") as stream:
            stream.write(text)
