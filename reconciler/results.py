"""How each change ended, and the report of a whole run."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, Literal, TypeAlias, get_args

from reconciler import __version__
from reconciler.model.cluster import Frozen, Listed
from reconciler.plan.change import Cause, FieldChange, Risk, Source
from reconciler.problem import Kind, Problem

Outcome: TypeAlias = Literal["applied", "failed", "skipped", "left", "stale", "unknown"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)

SettlingOutcome: TypeAlias = Literal["settled", "failed", "unknown"]

FORMAT_VERSION: Final = 1


class ErrorDetail(Frozen):
    """Why a change didn't end as `applied`."""

    kind: Kind
    """What is wrong, as the page on commands lists it."""
    message: str
    """In words, the service's own included."""
    http_status: int | None = None
    """The answer's; None where there was none."""


class Result(Frozen):
    """How one change ended."""

    action: Literal["create", "update", "delete"]
    """What was to be done."""
    name: str
    """The cluster."""
    cause: Cause | None = None
    """Why; None where there is no base to tell it by."""
    source: Source | None = None
    """Where the cluster is, or was last, declared."""
    fields: Annotated[tuple[FieldChange, ...], Listed] = ()
    """What differed."""
    risks: Annotated[tuple[Risk, ...], Listed] = ()
    """What a reviewer should have known of it first."""
    reviewed: bool | None = None
    """Whether a reviewed plan shows it; None where none was asked for."""
    outcome: Outcome
    """How. `unknown`: a request may have reached the service, and what became of it was not seen."""
    status: str | None = None
    """The cluster's, as last seen, in the service's words."""
    attempts: int = 0
    """The requests that were sent to change it."""
    seconds: float = 0.0
    """From the first of them on."""
    error: ErrorDetail | None = None
    """Why it isn't `applied`; None where it is."""


class SettlingResult(Frozen):
    """How a declared cluster that was in transition without a change of ours ended."""

    name: str
    """The cluster."""
    outcome: SettlingOutcome
    """How."""
    status: str | None = None
    """As last seen, in the service's words."""
    seconds: float = 0.0
    """That it took."""


class ResultSummary(Frozen):
    """How many changes ended in each way."""

    applied: int = 0
    """Done, and seen to be."""
    failed: int = 0
    """Refused by the service, or not as it was sent."""
    skipped: int = 0
    """Not sent."""
    left: int = 0
    """Shown, and not meant to be sent."""
    stale: int = 0
    """Not sent, since the cluster moved after the plan."""
    unknown: int = 0
    """Sent, and not seen to end."""


class TargetReport(Frozen):
    """How one target's plan ended."""

    target: str
    """Its name in the fleet file."""
    endpoint: str
    """Where its API is; `sandbox:` and its name for an embedded one."""
    revision: str | None = None
    """HEAD's commit; None without git."""
    digest: str
    """The plan's."""
    summary: ResultSummary
    """How many changes ended in each way."""
    results: Annotated[tuple[Result, ...], Listed]
    """One for every change, by name."""
    settling: Annotated[tuple[SettlingResult, ...], Listed] = ()
    """Declared clusters that were in transition without a change of ours."""
    taken_over: Annotated[tuple[str, ...], Listed] = ()
    """Clusters that were live exactly as declared, and that the record has from now on."""
    warnings: Annotated[tuple[str, ...], Listed] = ()
    """What is odd, and no error."""


class ReportDocument(Frozen):
    """All targets' results."""

    kind: Literal["report"] = "report"
    format_version: Literal[1] = FORMAT_VERSION
    """Changes with the shape."""
    tool_version: str = __version__
    """What wrote it."""
    errors: Annotated[tuple[Problem, ...], Listed] = ()
    """What kept a target out of it, or a cluster from being brought up."""
    targets: Annotated[tuple[TargetReport, ...], Listed]
    """Each one's results."""


def summarize(results: Iterable[Result]) -> ResultSummary:
    """How many ended in each way."""
    counts = Counter(result.outcome for result in results)
    return ResultSummary.model_validate({outcome: counts[outcome] for outcome in OUTCOMES})


def dump_reports(reports: Sequence[TargetReport], errors: Sequence[Problem] = ()) -> dict[str, Any]:
    """The document as plain JSON values."""
    return ReportDocument(targets=tuple(reports), errors=tuple(errors)).model_dump(mode="json")
