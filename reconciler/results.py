"""How each change ended, and the report of a whole run."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

from pydantic import Field

from reconciler import __version__
from reconciler.errors import Kind, Problem
from reconciler.model.cluster import Frozen
from reconciler.plan.change import Cause, FieldChange, Risk

Outcome: TypeAlias = Literal["applied", "failed", "skipped", "left", "stale", "unknown"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)

SettlingOutcome: TypeAlias = Literal["settled", "failed", "unknown"]

FORMAT_VERSION: Final = 1


class ErrorDetail(Frozen):
    """Why a change didn't end as `applied`; `kind` is one of `reconciler.errors`."""

    kind: Kind
    message: str
    http_status: int | None = None


class Result(Frozen):
    """How one change ended.

    `unknown`: a request may have reached the service, and what became of it was not seen. `status` is the cluster's, as
    last seen. `attempts` counts requests that change it; `seconds` run from the first of them. `reviewed` is None where
    nothing had to be.
    """

    action: Literal["create", "update", "delete"]
    name: str
    cause: Cause | None = None
    fields: Annotated[tuple[FieldChange, ...], Field(strict=False)] = ()
    risks: Annotated[tuple[Risk, ...], Field(strict=False)] = ()
    reviewed: bool | None = None
    outcome: Outcome
    status: str | None = None
    attempts: int = 0
    seconds: float = 0.0
    error: ErrorDetail | None = None


class SettlingResult(Frozen):
    """How a declared cluster that was in transition without a change of ours ended."""

    name: str
    outcome: SettlingOutcome
    status: str | None = None
    seconds: float = 0.0


class ResultSummary(Frozen):
    """How many changes ended in each way."""

    applied: int = 0
    failed: int = 0
    skipped: int = 0
    left: int = 0
    stale: int = 0
    unknown: int = 0


class TargetReport(Frozen):
    """How one target's plan ended: one result for every change, by name."""

    target: str
    endpoint: str
    revision: str | None = None
    digest: str
    summary: ResultSummary
    results: Annotated[tuple[Result, ...], Field(strict=False)]
    settling: Annotated[tuple[SettlingResult, ...], Field(strict=False)] = ()
    warnings: Annotated[tuple[str, ...], Field(strict=False)] = ()


class ReportDocument(Frozen):
    """All targets' results. `errors` says what kept a target out of it, or a cluster from being brought up."""

    kind: Literal["report"] = "report"
    format_version: Literal[1] = FORMAT_VERSION
    tool_version: str = __version__
    errors: Annotated[tuple[Problem, ...], Field(strict=False)] = ()
    targets: Annotated[tuple[TargetReport, ...], Field(strict=False)]


def summarize(results: Iterable[Result]) -> ResultSummary:
    """How many ended in each way."""
    counts = Counter(result.outcome for result in results)
    return ResultSummary.model_validate({outcome: counts[outcome] for outcome in OUTCOMES})


def dump_reports(reports: Sequence[TargetReport], errors: Sequence[Problem] = ()) -> dict[str, Any]:
    """The document as plain JSON values."""
    return ReportDocument(targets=tuple(reports), errors=tuple(errors)).model_dump(mode="json")
