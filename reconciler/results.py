"""How each change ended, and the report of a whole run."""

from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import Field

from reconciler import __version__
from reconciler.errors import EXIT_FAILED, EXIT_OK, EXIT_STALE, Problem, first_exit
from reconciler.model.cluster import Frozen

Outcome: TypeAlias = Literal["applied", "failed", "skipped", "stale", "unknown"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("applied", "failed", "skipped", "stale", "unknown")

FORMAT_VERSION: Final = 1


class ErrorDetail(Frozen):
    """Why a change didn't end as `applied`; `kind` is one of `reconciler.errors`."""

    kind: str
    message: str
    http_status: int | None = None


class Result(Frozen):
    """How one change ended.

    `unknown`: a request may have reached the service, and what became of it was not seen. `status` is the cluster's, as
    last seen. `attempts` counts requests that change it; `seconds` run from the first of them.
    """

    action: Literal["create", "update", "delete"]
    name: str
    outcome: Outcome
    status: str | None = None
    attempts: int = 0
    seconds: float = 0.0
    error: ErrorDetail | None = None


class ResultSummary(Frozen):
    """How many changes ended in each way."""

    applied: int = 0
    failed: int = 0
    skipped: int = 0
    stale: int = 0
    unknown: int = 0


class TargetReport(Frozen):
    """How one target's plan ended: one result for every change, by name."""

    target: str
    endpoint: str
    digest: str
    summary: ResultSummary
    results: Annotated[tuple[Result, ...], Field(strict=False)]

    @property
    def exit_code(self) -> int:
        """What the results alone make of the run."""
        codes = {"applied": EXIT_OK, "stale": EXIT_STALE}
        return first_exit(codes.get(result.outcome, EXIT_FAILED) for result in self.results)


class ReportDocument(Frozen):
    """All targets' results. `errors` says what kept a target out of it, or a cluster from being brought up."""

    kind: Literal["report"] = "report"
    format_version: Literal[1] = FORMAT_VERSION
    tool_version: str = __version__
    targets: Annotated[tuple[TargetReport, ...], Field(strict=False)]
    errors: Annotated[tuple[Problem, ...], Field(strict=False)] = ()


def dump_reports(reports: tuple[TargetReport, ...], errors: tuple[Problem, ...] = ()) -> dict[str, Any]:
    """The document as plain JSON values."""
    return ReportDocument(targets=reports, errors=errors).model_dump(mode="json")
