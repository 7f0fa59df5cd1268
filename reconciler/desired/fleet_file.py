"""The fleet file: which targets there are, with their settings, limits and defaults.

What a guard's limit may be is read off the list of guards, and what a default may be off the manifest: a guard or a
field more there is one more here.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Final

from pydantic import Field, create_model

from reconciler.desired.defaults import Defaults, read_defaults
from reconciler.desired.layout import HasFolder, Layout
from reconciler.desired.marks import KeyPath
from reconciler.desired.problems import bounded, flaw_problem, with_source
from reconciler.desired.validation import Reason, validated
from reconciler.desired.words import ReadAs, quoted
from reconciler.desired.yaml import Document, Unreadable, read_documents
from reconciler.model.cluster import Frozen, Text
from reconciler.model.declaration import DEFAULTABLE, ClusterName, Manifest, OnDrift
from reconciler.model.endpoint import REGIONS, normalize_endpoint, region_endpoint
from reconciler.model.fleet import DEFAULT_API_KEY_ENV, DEFAULT_CONCURRENCY, Suspension, Target
from reconciler.model.guards import LIMITED, Guard, Limit, Limits, LimitSort
from reconciler.model.text import did_you_mean
from reconciler.problem import Place, Problem

_LIMITS: Final[Mapping[LimitSort, Any]] = {
    "count": Annotated[int, Field(ge=0)] | None,
    "fraction": Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None,
    "amount": Annotated[float, Field(ge=0, allow_inf_nan=False)] | None,
    "patterns": Annotated[tuple[Text, ...], Field(strict=False)],
}
_LIMIT_WORDS: Final[Mapping[LimitSort, tuple[str, list[Any]]]] = {
    "count": ("A whole number; null for no limit.", [20]),
    "fraction": ("From 0 to 1; null for no limit.", [0.1]),
    "amount": ("In what `prices` are in; null for no limit.", [1.5]),
    "patterns": ("Name patterns.", [["prod-*"]]),
}
"""What may be written, and an example of it."""


def _limit_field(guard: Guard) -> tuple[Any, Limit]:
    words, examples = _LIMIT_WORDS[guard.sort]
    told = f"The limit of {guard.name}, which refuses {guard.refuses}. {words}"
    return Annotated[_LIMITS[guard.sort], Field(description=told, examples=examples)], guard.default


_GUARDS: Final[dict[str, Any]] = {key: _limit_field(guard) for key, guard in LIMITED.items()}
_DEFAULTS: Final[dict[str, Any]] = {
    key: (
        Annotated[
            Annotated[info.annotation, Field(), *info.metadata] | None,
            Field(description=info.description, examples=info.examples),
        ],
        None,
    )
    for key, info in Manifest.model_fields.items()
    if key in DEFAULTABLE
}
GuardLimits: Final[type[Frozen]] = create_model(
    "GuardLimits", __base__=Frozen, __doc__="What may refuse a plan, and from where on.", **_GUARDS
)
ManifestDefaults: Final[type[Frozen]] = create_model(
    "ManifestDefaults", __base__=Frozen, __doc__="Fields of manifests, save a cluster's own.", **_DEFAULTS
)

_Prices = Annotated[
    dict[Text, Annotated[float, Field(ge=0, allow_inf_nan=False)]], Field(examples=[{"m6g.large": 0.12}])
]
_Guards = Annotated[Frozen, ReadAs(GuardLimits)]
_ManifestDefaults = Annotated[Frozen, ReadAs(ManifestDefaults)]


class SuspendEntry(Frozen):
    """For a while a target is planned and shown, and nothing is applied to it."""

    reason: Annotated[Text, Field(description="Why: every page says it.", examples=["failover test until Tuesday"])]
    until: Annotated[
        Text,
        Field(description="When it ends by itself: a date, a time and Z or an offset.", examples=["2026-12-01T08:00Z"]),
    ]


class TargetEntry(Frozen):
    """One target: an account, with its endpoint, its API key and its folder of manifests."""

    region: Annotated[
        Text | None,
        Field(description="A published region, instead of an endpoint.", json_schema_extra={"enum": sorted(REGIONS)}),
    ] = None
    endpoint: Annotated[
        Text | None,
        Field(
            description="The API's address, instead of a region: a URL, or a bare cell host.",
            examples=["cell-1-us-east-1-1.prod.a.momentohq.com"],
        ),
    ] = None
    manifests: Annotated[
        Text | None,
        Field(description="The folder of its manifests, beside this file; default: its name.", examples=["us-east-1"]),
    ] = None
    api_key_env: Annotated[
        str,
        Field(
            pattern=r"^MOMENTO_[A-Za-z0-9_]+$",
            description="The variable that holds its API key; never the key itself.",
            examples=["MOMENTO_API_KEY_EU"],
        ),
    ] = DEFAULT_API_KEY_ENV
    concurrency: Annotated[int, Field(ge=1, le=1000, description="Changes under way at once.", examples=[8])] = (
        DEFAULT_CONCURRENCY
    )
    rate: Annotated[
        Annotated[float, Field(gt=0, allow_inf_nan=False)] | None,
        Field(description="Requests a second, at most; left out: no limit.", examples=[20]),
    ] = None
    on_drift: Annotated[
        OnDrift,
        Field(description="What becomes of a change made outside git: revert it, or report it and leave it alone."),
    ] = "revert"
    max_failures: Annotated[
        int, Field(ge=1, description="After so many failed changes nothing more is sent.", examples=[1])
    ] = 1
    canary: Annotated[
        int, Field(ge=0, description="So many changes go first, and settle, before the others.", examples=[1])
    ] = 0
    suspend: Annotated[
        SuspendEntry | None, Field(description="Show what would be done, and apply nothing to it, until a moment.")
    ] = None
    defaults: Annotated[
        _ManifestDefaults, Field(description="Values for each of its manifests that doesn't set them itself.")
    ] = ManifestDefaults()
    guards: Annotated[_Guards, Field(description="Its own limits; else those beside `targets` count.")] = GuardLimits()
    prices: Annotated[
        _Prices, Field(default_factory=dict, description="Its own prices; else those beside `targets` count.")
    ]


class FleetFile(Frozen):
    """The targets of a fleet; what stands beside `targets` is for all of them."""

    targets: Annotated[
        dict[ClusterName, TargetEntry],
        Field(
            min_length=1,
            description="Each account, by a name of its own.",
            examples=[{"us-east-1": {"region": "us-east-1"}}],
        ),
    ]
    suspend: Annotated[
        SuspendEntry | None, Field(description="The same for every target, save where one has its own.")
    ] = None
    defaults: Annotated[
        _ManifestDefaults,
        Field(description="Values for every manifest, unless its target or the manifest itself sets them."),
    ] = ManifestDefaults()
    guards: Annotated[_Guards, Field(description="The limits of all targets, save where a target has its own.")] = (
        GuardLimits()
    )
    prices: Annotated[
        _Prices,
        Field(
            default_factory=dict,
            description="What a node costs an hour, by instance type, in any one currency: by these, plans show costs.",
        ),
    ]


def read_targets(data: bytes, file: str, root: str, has_folder: HasFolder) -> Layout:
    """What a fleet file says; `root` is the folder that it lies in."""
    layout = _layout(data, file, root, has_folder)
    problems = tuple(with_source(bounded(list(layout.problems)), file, data))
    return replace(layout, problems=problems, data=data)


def is_fleet_file(data: bytes) -> bool:
    """Whether a file of that name is one by its content, right or wrong, rather than a manifest."""
    try:
        value = next((document.value for document in read_documents(data)), None)
    except Unreadable:
        return True
    return isinstance(value, dict) and not value.keys().isdisjoint(FleetFile.model_fields) and "name" not in value


def _layout(data: bytes, file: str, root: str, has_folder: HasFolder) -> Layout:
    try:
        documents = list(read_documents(data))
    except Unreadable as error:
        return Layout(problems=(flaw_problem(error.flaw, file),))
    if len(documents) != 1:
        message = "it is empty" if not documents else "it holds several documents"
        remedy = "write one document, with targets:"
        return Layout(problems=(Problem("manifest", message, remedy, file=file, line=1),))
    (document,) = documents
    problems = [flaw_problem(flaw, file) for flaw in document.flaws]
    fleet_file, reasons = validated(FleetFile, document.value, document, _may_be_null)
    if fleet_file is None:
        problems += [_problem(_of_defaults(reason), document, file) for reason in reasons]
        return Layout(problems=tuple(problems))
    read = [_target(name, entry, fleet_file, document, file, root) for name, entry in fleet_file.targets.items()]
    targets = tuple(target for target, _ in read)
    wrong = [reason for _, reasons in read for reason in reasons]
    wrong += [reason for target in targets for reason in _no_folder(target, fleet_file, has_folder)]
    problems += [_problem(reason, document, file) for reason in (*wrong, *_clashes(targets))]
    return Layout(targets, {name: _defaults(name, document, file) for name in fleet_file.targets}, tuple(problems))


def _target(
    name: str, entry: TargetEntry, fleet_file: FleetFile, document: Document, file: str, root: str
) -> tuple[Target, list[Reason]]:
    path: KeyPath = ("targets", name)
    endpoint, wrong = _endpoint(entry, path)
    folder = os.path.normpath(entry.manifests or name)
    if folder.startswith(("/", "..")):
        message, remedy = "it leads out of the folder of manifests", "name a folder beside the fleet file"
        wrong.append(Reason((*path, "manifests"), message, remedy))
    suspension, unclear = _suspension(entry.suspend, (*path, "suspend"))
    if entry.suspend is None:
        suspension, unclear = _suspension(fleet_file.suspend, ("suspend",))
    wrong += unclear
    limits = _overlaid(Limits(prices=fleet_file.prices), fleet_file.guards, ("guards",), document, file)
    target = Target(
        name=name,
        folder=root if folder == "." else f"{root.rstrip('/')}/{folder}",
        endpoint=endpoint,
        api_key_env=entry.api_key_env,
        concurrency=entry.concurrency,
        rate=entry.rate,
        on_drift=entry.on_drift,
        max_failures=entry.max_failures,
        canary=entry.canary,
        region=entry.region,
        limits=_overlaid(limits.at_prices(entry.prices), entry.guards, (*path, "guards"), document, file),
        place=Place(file, *document.marks.place_of_key(path)),
        suspension=suspension,
    )
    return target, wrong


def _suspension(entry: SuspendEntry | None, path: KeyPath) -> tuple[Suspension | None, list[Reason]]:
    if entry is None:
        return None, []
    from reconciler.clock import parse_moment  # noqa: PLC0415  # few fleet files have one, and asyncio comes along

    try:
        return Suspension(entry.reason, parse_moment(entry.until)), []
    except ValueError as error:
        return None, [Reason((*path, "until"), str(error), "fix the time")]


def _endpoint(entry: TargetEntry, path: KeyPath) -> tuple[str | None, list[Reason]]:
    if entry.region is not None and entry.endpoint is not None:
        return None, [Reason((*path, "endpoint"), "region and endpoint are both given", "keep one")]
    if entry.region is not None and entry.region not in REGIONS:
        remedy = f"{did_you_mean(entry.region, sorted(REGIONS))}; another cell is given as endpoint:"
        return None, [Reason((*path, "region"), f"unknown region {quoted(entry.region)}", remedy)]
    if entry.region is not None:
        return region_endpoint(entry.region), []
    try:
        return normalize_endpoint(entry.endpoint) if entry.endpoint is not None else None, []
    except ValueError as error:
        return None, [Reason((*path, "endpoint"), str(error), "fix the endpoint")]


def _overlaid(limits: Limits, guards: Frozen, path: KeyPath, document: Document, file: str) -> Limits:
    """The limits with those in their place that a mapping of guards names."""
    given: dict[str, Limit] = {key: getattr(guards, key) for key in LIMITED if key in guards.model_fields_set}
    return limits.overlaid(given, {key: Place(file, *document.marks.place((*path, key))) for key in given})


def _defaults(target: str, document: Document, file: str) -> Defaults:
    own, common = (read_defaults(path, document, file) for path in (("targets", target, "defaults"), ("defaults",)))
    return own.over(common)


def _no_folder(target: Target, fleet_file: FleetFile, has_folder: HasFolder) -> Iterator[Reason]:
    if not has_folder(target.folder):
        named = fleet_file.targets[target.name].manifests is not None
        path: KeyPath = ("targets", target.name, *(("manifests",) if named else ()))
        message = f"target {target.name}: there is no folder {target.folder}"
        remedy = "make it, with a .gitkeep if it is empty; or name the target's folder with manifests:"
        yield Reason(path, message, remedy, at_key=not named)


def _clashes(targets: Sequence[Target]) -> Iterator[Reason]:
    by_account: dict[tuple[str, str], str] = {}
    for position, target in enumerate(targets):
        path: KeyPath = ("targets", target.name)
        for other in targets[:position]:
            if _overlap(target.folder, other.folder):
                message = f"the folders of targets {other.name} and {target.name} overlap"
                yield Reason(path, message, "give each target a folder of its own", at_key=True)
        if target.endpoint is None:
            continue
        first = by_account.setdefault((target.endpoint, target.api_key_env), target.name)
        if first != target.name:
            message = f"targets {first} and {target.name} have the same endpoint and the same key"
            yield Reason(path, message, "make one target of them", at_key=True)


def _overlap(one: str, other: str) -> bool:
    one, other = one.rstrip("/") + "/", other.rstrip("/") + "/"
    return one.startswith(other) or other.startswith(one)


def _may_be_null(path: KeyPath) -> bool:
    """Whether a path is a limit's, where null is no limit."""
    return len(path) > 1 and path[-2] == "guards" and path[-1] in LIMITED


def _of_defaults(reason: Reason) -> Reason:
    """What is a manifest's own is no unknown key, and yet no default."""
    if reason.path[-2:-1] == ("defaults",) and reason.path[-1] in Manifest.model_fields.keys() - {*DEFAULTABLE}:
        message = f"{reason.path[-1]} has no default: each cluster has its own"
        return reason._replace(message=message, remedy="write it into the manifests")
    return reason


def _problem(reason: Reason, document: Document, file: str) -> Problem:
    position = document.marks.place_of_key(reason.path) if reason.at_key else document.marks.place(reason.path)
    return Problem("manifest", reason.message, reason.remedy, None, None, file, *position)
