"""What can happen, what is to be done about it, and how a change stands: events, steps and states, as data.

    Queued ──► Sending ──► Unsettled ─► Ended      its request is taken, and it becomes what was asked
      │  ▲        │ ▲         │
      ▼  │   409  ▼ │         ▼                    a replacement's delete is done: its PUT is queued
     Waiting ◄────┘ └──── Queued

Every event carries the moment at which it happened, in monotonic seconds: nothing here asks for time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from reconciler.apply.job import Held
from reconciler.model.cluster import LiveCluster, Values
from reconciler.plan.change import Request
from reconciler.problem import Kind
from reconciler.results import ErrorDetail, Outcome


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a request that was not taken came to; `may_have_reached`: it may have taken effect all the same."""

    kind: Kind
    message: str
    http_status: int | None = None
    may_have_reached: bool = False
    attempts: int = 1

    @property
    def detail(self) -> ErrorDetail:
        """The same, as a result tells it."""
        return ErrorDetail(kind=self.kind, message=self.message, http_status=self.http_status)


@dataclass(frozen=True, slots=True)
class Begun:
    """The run begins."""

    at: float


@dataclass(frozen=True, slots=True)
class Taken:
    """The service took a request; `cluster` is PUT's answer."""

    at: float
    target: str
    name: str
    cluster: LiveCluster | None = None
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A request was refused, or its answer was lost."""

    at: float
    target: str
    name: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Listed:
    """A whole list that was asked for at `asked`: what was taken later can't be in it."""

    at: float
    target: str
    asked: float
    clusters: Mapping[str, LiveCluster]
    unreadable: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class NotListed:
    """There was no list to be had."""

    at: float
    target: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Finish what is in flight, start nothing more."""

    at: float


@dataclass(frozen=True, slots=True)
class Superseded:
    """Newer manifests are there: begin no delete that these may no longer ask for."""

    at: float


@dataclass(frozen=True, slots=True)
class Aborted:
    """The run ends here and now; no answer comes any more."""

    at: float
    why: ErrorDetail


Event: TypeAlias = Begun | Taken | NotTaken | Listed | NotListed | StopRequested | Superseded | Aborted


@dataclass(frozen=True, slots=True)
class Send:
    """Send this request; answer with `Taken` or `NotTaken`."""

    target: str
    name: str
    request: Request


@dataclass(frozen=True, slots=True)
class ListClusters:
    """List the target's clusters at that moment, in the place of the look that was due; None: no more.

    Answer with `Listed` or `NotListed`; after `budget_seconds` an answer is of no more use.
    """

    target: str
    at: float | None
    budget_seconds: float


@dataclass(frozen=True, slots=True)
class Log:
    """Tell an event; fields that are None say nothing."""

    level: Literal["info", "warning", "error"]
    event: str
    fields: Mapping[str, object]


Step: TypeAlias = Send | ListClusters | Log


@dataclass(frozen=True, slots=True)
class Queued:
    """To be sent as soon as there is room; it has had to wait since `since`, `busy` is what 409 last said."""

    since: float | None = None
    busy: Refusal | None = None


@dataclass(frozen=True, slots=True)
class Sending:
    """In flight since `since`. It was `queued` before: where it is refused as busy, its wait goes on."""

    queued: Queued
    since: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """Its request can't be sent yet; `busy` is what 409 last said."""

    since: float
    busy: Refusal | None = None
    missing_since: float | None = None


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Its request was taken at `since`, or `lost`: whether it was is not known.

    The others say since when the list contradicts it: another configuration, in so many lists; errors that stood
    before; nothing of that name. `seen`: it was in a list since. `moved`: a list since then showed the service at
    work, or the old errors gone: from then on errors are new. `as_sent` are paths that were ever seen so, `kept` the
    values of the others in every list in which it was `Active`.
    """

    since: float
    lost: Refusal | None = None
    other_since: float | None = None
    other_lists: int = 0
    errors_since: float | None = None
    missing_since: float | None = None
    seen: bool = False
    moved: bool = False
    as_sent: frozenset[str] = frozenset()
    kept: Held | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended, and what the record has to know of it; the first word is the last."""

    outcome: Outcome
    error: ErrorDetail | None = None
    settled: bool = False
    kept: Held = field(default_factory=dict)
    stands: Values | None = None


ItemState: TypeAlias = Queued | Sending | Waiting | Unsettled | Ended
