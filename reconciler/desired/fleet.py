"""The whole fleet: the fleet file where there is one, and the manifests of every target."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from reconciler.desired.files import Folder, Source, read_file, shown
from reconciler.desired.manifests import parse_manifests, refuse_duplicates
from reconciler.desired.validation import problem_at, validated
from reconciler.desired.yaml import Document, Path, Unreadable, read_documents
from reconciler.errors import InvalidManifests, Place, Problem
from reconciler.model.cluster import Frozen, Text
from reconciler.model.declaration import ClusterName, Declaration
from reconciler.model.endpoint import REGIONS, normalize_endpoint, region_endpoint
from reconciler.model.fleet import DEFAULT_CONCURRENCY, DEFAULT_TARGET, Fleet, Target
from reconciler.model.guards import Guards
from reconciler.model.text import did_you_mean

FLEET_FILE = "fleet.yaml"
STANDARD_INPUT = "<stdin>"


class TargetEntry(Frozen):
    """One target, as the fleet file has it."""

    region: Text | None = None
    endpoint: Text | None = None
    manifests: Text | None = None
    api_key_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "MOMENTO_API_KEY"
    concurrency: Annotated[int, Field(ge=1, le=1000)] = DEFAULT_CONCURRENCY
    rate: Annotated[float, Field(gt=0, strict=False)] | None = None
    on_drift: Literal["revert", "report"] = "revert"
    guards: Guards = Guards()


class FleetFile(Frozen):
    """`fleet.yaml`."""

    targets: Annotated[dict[ClusterName, TargetEntry], Field(min_length=1)]
    guards: Guards = Guards()


def read_fleet(folder: str) -> Fleet:
    """Every target of a folder with all that it declares.

    Raises InvalidManifests with every problem of every file, UsageError where the folder isn't there.
    """
    return read_source(Folder(folder))


def read_source(source: Source) -> Fleet:
    """Every target with all that it declares. Raises InvalidManifests with every problem of every file."""
    names = source.names()
    targets, problems = read_layout(source)
    declarations: dict[str, list[Declaration]] = {target.name: [] for target in targets}
    manifests = [name for name in names if name != fleet_file_name(source.root)]
    for name, data in zip(manifests, source.read(manifests), strict=True):
        target = target_of(name, targets)
        found, wrong = ([], [data]) if isinstance(data, Problem) else parse_manifests(data, name)
        problems += wrong
        if target is not None:
            declarations[target.name] += found
        elif targets:
            remedy = f"move it into one, or add a target for it to {fleet_file_name(source.root)}"
            problems.append(Problem("manifest", "it is in no target's folder", remedy, file=name, line=1))
    return _fleet(targets, declarations, problems)


def read_layout(source: Source) -> tuple[tuple[Target, ...], list[Problem]]:
    """The targets: the fleet file's, or the whole folder as one."""
    name = fleet_file_name(source.root)
    if name not in source.names():
        return (Target(DEFAULT_TARGET, source.root),), []
    (data,) = source.read([name])
    return ((), [data]) if isinstance(data, Problem) else _read_targets(data, name, source)


def fleet_file_name(root: str) -> str:
    """The fleet file of a folder, as it is shown."""
    return f"{root.rstrip('/')}/{FLEET_FILE}"


def target_of(name: str, targets: Iterable[Target]) -> Target | None:
    """The target whose folder holds a file; both as they are shown."""
    return next((t for t in targets if name.startswith(f"{t.folder.rstrip('/')}/")), None)


def read_stream(data: bytes) -> Fleet:
    """One target, `default`, from standard input. Raises InvalidManifests."""
    declarations, problems = parse_manifests(data, STANDARD_INPUT)
    return _fleet((Target(DEFAULT_TARGET, STANDARD_INPUT),), {DEFAULT_TARGET: declarations}, problems)


def read_files(paths: Sequence[str]) -> Fleet:
    """One target, `default`, from single files. Raises InvalidManifests."""
    declarations: list[Declaration] = []
    problems: list[Problem] = []
    for path in paths:
        found, wrong = _read_manifests(path, shown(path))
        declarations += found
        problems += wrong
    return _fleet((Target(DEFAULT_TARGET, ""),), {DEFAULT_TARGET: declarations}, problems)


def _read_targets(data: bytes, name: str, source: Source) -> tuple[tuple[Target, ...], list[Problem]]:
    try:
        documents = list(read_documents(data))
    except Unreadable as error:
        return (), [Problem("manifest", error.message, error.remedy, None, None, name, *error.position)]
    if len(documents) != 1:
        message = "it is empty" if not documents else "it holds several documents"
        return (), [Problem("manifest", message, "one document, with targets:", file=name, line=1)]
    document = documents[0]
    problems = [replace(problem, file=name) for problem in document.problems]
    fleet_file, found = validated(FleetFile, document, name, None, may_be_null=_is_limit)
    problems += found
    if fleet_file is None:
        return (), problems
    targets = []
    for target_name, entry in fleet_file.targets.items():
        target, found = _target(target_name, entry, fleet_file.guards, document, name, source)
        targets.append(target)
        problems += found
    problems += _clashes(targets, document, name)
    return tuple(targets), problems


def _target(
    target_name: str, entry: TargetEntry, guards: Guards, document: Document, file: str, source: Source
) -> tuple[Target, list[Problem]]:
    path: Path = ("targets", target_name)
    problems: list[Problem] = []
    endpoint: str | None = None
    if entry.region is not None and entry.endpoint is not None:
        problems.append(_at(document, (*path, "endpoint"), "region and endpoint are both given", "keep one", file))
    elif entry.region is not None and entry.region not in REGIONS:
        remedy = f"{did_you_mean(entry.region, sorted(REGIONS))}; another cell is given as endpoint:"
        problems.append(_at(document, (*path, "region"), f'unknown region "{entry.region}"', remedy, file))
    elif entry.region is not None:
        endpoint = region_endpoint(entry.region)
    elif entry.endpoint is not None:
        try:
            endpoint = normalize_endpoint(entry.endpoint)
        except ValueError as error:
            problems.append(_at(document, (*path, "endpoint"), str(error), "mend the endpoint", file))
    folder = os.path.normpath(entry.manifests or target_name)
    if folder.startswith(("/", "..")):
        remedy = "name a folder beside the fleet file"
        problems.append(_at(document, (*path, "manifests"), "it leads out of the folder of manifests", remedy, file))
    whole = f"{source.root.rstrip('/')}/{folder}" if folder != "." else source.root
    if not source.has_folder(whole):
        remedy = "make it, or name the target's folder with manifests:"
        at: Path = (*path, "manifests") if entry.manifests else path
        problems.append(_at(document, at, f"target {target_name}: there is no folder {whole}", remedy, file))
    place = Place(file, *document.place_of_key(path))
    target = Target(
        target_name,
        whole,
        endpoint,
        entry.api_key_env,
        entry.concurrency,
        entry.rate,
        entry.on_drift,
        guards.overlaid(entry.guards),
        place,
    )
    return target, problems


def _is_limit(path: Path) -> bool:
    """Whether a path of the fleet file is a guard's, where null is no limit."""
    return len(path) > 1 and path[-2] == "guards"


def _clashes(targets: Sequence[Target], document: Document, file: str) -> list[Problem]:
    problems = []
    for position, target in enumerate(targets):
        for other in targets[:position]:
            at: Path = ("targets", target.name)
            if _overlap(target.folder, other.folder):
                message = f"the folders of targets {other.name} and {target.name} overlap"
                problems.append(_at(document, at, message, "give each target a folder of its own", file))
            if target.endpoint and (target.endpoint, target.api_key_env) == (other.endpoint, other.api_key_env):
                message = f"targets {other.name} and {target.name} have the same endpoint and the same key"
                problems.append(_at(document, at, message, "make one target of them", file))
    return problems


def _overlap(one: str, other: str) -> bool:
    one, other = one.rstrip("/") + "/", other.rstrip("/") + "/"
    return one.startswith(other) or other.startswith(one)


def _at(document: Document, path: Path, message: str, remedy: str, file: str) -> Problem:
    return problem_at(
        document, path, message, remedy, file=file, at_key=path[-1] not in {"region", "endpoint", "manifests"}
    )


def _read_manifests(path: str, name: str) -> tuple[list[Declaration], list[Problem]]:
    data = read_file(path, name)
    return ([], [data]) if isinstance(data, Problem) else parse_manifests(data, name)


def _fleet(
    targets: tuple[Target, ...], declarations: dict[str, list[Declaration]], problems: Iterable[Problem]
) -> Fleet:
    found = list(problems)
    for declared in declarations.values():
        found += refuse_duplicates(declared)
    if found:
        raise InvalidManifests(sorted(found, key=lambda p: (p.file or "", p.line or 0, p.column or 0, p.message)))
    by_name = {
        target: {declaration.name: declaration for declaration in sorted(declared, key=lambda d: d.name)}
        for target, declared in declarations.items()
    }
    return Fleet(targets, by_name)
