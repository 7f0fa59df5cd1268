"""One target's live clusters to the files that declare them, and the reasons for those that no manifest declares.

Nothing is believed of a text that was written: the loader reads it, and it counts only if that declares what is live.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from reconciler.desired.defaults import Defaults
from reconciler.desired.files import ManifestFiles
from reconciler.desired.layout import FLEET_FILE
from reconciler.desired.manifests import parse_manifests
from reconciler.desired.yaml import LARGEST_FILE, MOST_DOCUMENTS
from reconciler.export.edit import EditedFile, NotEdited
from reconciler.export.manifest_text import manifest_text, modeline
from reconciler.model.cluster import DELETING, LiveCluster
from reconciler.model.declaration import Declaration
from reconciler.model.fleet import Head, Selection
from reconciler.model.text import matching_pattern, printable
from reconciler.model.view import field_of
from reconciler.problem import Problem

_SINGLE_FILE: Final = "clusters.yaml"
_KEEPER: Final = ".gitkeep"
"""Holds a folder in git, which keeps no empty ones: a target whose folder was never there is an error."""
_LONGEST_STEM: Final = 200
"""Characters of a file's name; a cluster's may have more than a file system takes."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What is asked for.

    `adopt` are name patterns of clusters whose manifest lets them be taken over. `update`: manifests that stand
    already are brought up to date with what is live.
    """

    only: tuple[str, ...] = ()
    adopt: tuple[str, ...] = ()
    placements: bool = False
    single_file: bool = False
    update: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A cluster, or a part of one, for which nothing is written, and why."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file as it shall be, by its shown name, and the clusters that are new or other in it.

    None of them: it only keeps a target's folder there.
    """

    name: str
    text: str
    clusters: tuple[str, ...]
    is_new: bool


@dataclass(frozen=True, slots=True)
class TargetExport:
    """What is to be written for one target; everything by name.

    `declared` are clusters whose manifests stand and stay as they are. `unsettled` are written as they are listed
    while the service is still at work on them. `not_updated` should have been brought up to date, and can't be.
    """

    target: str
    files: tuple[WrittenFile, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    unplaced: tuple[LeftOut, ...] = ()
    declared: tuple[str, ...] = ()
    unsettled: tuple[LeftOut, ...] = ()
    not_updated: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """All that was found of a target; `unreadable` are clusters of which no more is known than this reason."""

    clusters: tuple[LiveCluster, ...]
    unreadable: Mapping[str, str] = field(default_factory=dict)


def export_target(
    head: Head, found: Found, defaults: Defaults, files: ManifestFiles, options: ExportOptions
) -> TargetExport:
    """The files that declare what was found and head doesn't; with `update`, those too that declare otherwise."""
    fit, left_out = _sorted_out(found, Selection(options.only))
    declared = [cluster for cluster in fit if cluster.name in head.declarations]
    stale = {one.name: one for one in declared if options.update and _differs(head, one, options)}
    writer = _Writer(head, defaults, options)
    new = [writer.new(cluster) for cluster in fit if cluster.name not in head.declarations]
    written = [one for one in new if isinstance(one, _Written)]
    edited, not_updated = _edited(head, [*stale.values()], defaults, files, options)
    all_files = (*_new_files(written, head, files, options), *edited)
    if not all_files and not files.has_folder(head.target.folder):
        all_files = (WrittenFile(f"{head.target.folder}/{_KEEPER}", "", (), is_new=True),)
    touched = {name for file in all_files for name in file.clusters}
    return TargetExport(
        head.target.name,
        all_files,
        left_out=_by_name([*left_out, *(one for one in new if isinstance(one, LeftOut))]),
        unplaced=tuple(one.unplaced for one in written if one.unplaced is not None),
        declared=tuple(cluster.name for cluster in declared if cluster.name not in stale),
        unsettled=tuple(LeftOut(one.name, one.status) for one in fit if one.in_transition and one.name in touched),
        not_updated=tuple(not_updated),
    )


def _sorted_out(found: Found, selects: Selection) -> tuple[list[LiveCluster], list[LeftOut]]:
    """The clusters that may be written as they are listed, by name; and those that may not."""
    reasons = {name: f"what is listed of it can't be read: {why}" for name, why in found.unreadable.items()}
    chosen = sorted((one for one in found.clusters if selects(one.name)), key=lambda one: one.name)
    reasons |= {cluster.name: reason for cluster in chosen if (reason := _unfit(cluster)) is not None}
    left_out = [LeftOut(name, reason) for name, reason in reasons.items() if selects(name)]
    return [cluster for cluster in chosen if cluster.name not in reasons], left_out


def _by_name(clusters: Sequence[LeftOut]) -> tuple[LeftOut, ...]:
    return tuple(sorted(clusters, key=lambda one: one.name))


def _unfit(cluster: LiveCluster) -> str | None:
    """Why what is listed of a cluster isn't what anybody wants it to be; None where it may be."""
    errors = f" ({', '.join(printable(error, 120) for error in cluster.errors)})" if cluster.errors else ""
    if cluster.status == DELETING:
        return "it is being deleted"
    if cluster.never_active:
        return f"it is {printable(cluster.status, 60)}{errors} and was never Active"
    if cluster.unhealthy:
        return f"it is {printable(cluster.status, 60)}{errors}: what it shall be is not what is listed"
    return None


@dataclass(frozen=True, slots=True)
class _Written:
    """A cluster's new manifest; `unplaced` is why its placements aren't in it though they were asked for."""

    name: str
    text: str
    unplaced: LeftOut | None = None


class _Writer:
    """Writes one target's new manifests, and reads each of them again."""

    def __init__(self, head: Head, defaults: Defaults, options: ExportOptions) -> None:
        self._region = head.target.region
        self._defaults = defaults
        self._options = options

    def new(self, cluster: LiveCluster) -> _Written | LeftOut:
        """The manifest of a cluster, without its placements where it is none with them; or why there is none."""
        text, wrong = self._tried(cluster, placements=self._options.placements)
        if wrong is None:
            return _Written(cluster.name, text)
        plain, still_wrong = self._tried(cluster, placements=False)
        if self._options.placements and still_wrong is None:
            return _Written(cluster.name, plain, LeftOut(cluster.name, wrong))
        return LeftOut(cluster.name, still_wrong or wrong)

    def _tried(self, cluster: LiveCluster, *, placements: bool) -> tuple[str, str | None]:
        adopt = matching_pattern(cluster.name, self._options.adopt) is not None
        text = manifest_text(cluster, self._defaults, adopt=adopt, placements=placements)
        parsed = parse_manifests(text.encode(), "-", self._defaults, self._region)
        if parsed.problems:
            return text, parsed.problems[0].message
        return text, _otherwise(parsed.declarations, cluster)


def _otherwise(declarations: Sequence[Declaration], cluster: LiveCluster) -> str | None:
    """What a manifest that was written declares otherwise than it is: what the fleet file adds to it."""
    (declaration,) = declarations
    for path, value in declaration.managed.items():
        if cluster.values.get(path) != value:
            place = declaration.place_of(path)
            return f"the default at {place.file}:{place.line} gives it {field_of(path)}, and it has none"
    return None


def _differs(head: Head, cluster: LiveCluster, options: ExportOptions) -> bool:
    managed = head.declarations[cluster.name].managed
    unplaced = options.placements and not any(field_of(path) == "shard_placements" for path in managed)
    has_places = any(field_of(path) == "shard_placements" for path in cluster.values)
    return not managed.items() <= cluster.values.items() or (unplaced and has_places)


def _edited(
    head: Head, stale: Sequence[LiveCluster], defaults: Defaults, files: ManifestFiles, options: ExportOptions
) -> tuple[list[WrittenFile], list[Problem]]:
    """The files of what is declared otherwise than it is, with the values that are live."""
    by_file: dict[str, list[LiveCluster]] = {}
    for cluster in stale:
        by_file.setdefault(head.declarations[cluster.name].file, []).append(cluster)
    edited: list[WrittenFile] = []
    problems: list[Problem] = []
    for name, data in zip(by_file, files.read(by_file), strict=True):
        if isinstance(data, Problem):
            problems.append(data)
            continue
        file = EditedFile(data, defaults, head.target.region)
        done: list[str] = []
        for cluster in by_file[name]:
            declaration = head.declarations[cluster.name]
            try:
                file.bring_up_to_date(declaration, cluster, placements=options.placements)
            except NotEdited as error:
                problems.append(_not_updated(head, declaration, error))
            else:
                done.append(cluster.name)
        if done:
            edited.append(WrittenFile(name, file.text, tuple(done), is_new=False))
    return edited, problems


def _not_updated(head: Head, declaration: Declaration, error: NotEdited) -> Problem:
    message = f"its manifest can't be brought up to date: {error}"
    remedy = "edit it by hand; the plan says what differs"
    return Problem("manifest", message, remedy, head.target.name, declaration.name, declaration.file, declaration.line)


def _new_files(
    written: Sequence[_Written], head: Head, files: ManifestFiles, options: ExportOptions
) -> Iterator[WrittenFile]:
    """A file a cluster, or one for all, under names that nothing has yet."""
    folder = head.target.folder.rstrip("/")
    taken = {name.casefold() for name in files.names()} | {f"{folder}/{FLEET_FILE}".casefold()}
    first_line = modeline(folder, files.root)
    together = ((_SINGLE_FILE, some) for some in _readable(written, first_line)) if options.single_file else ()
    each = () if options.single_file else ((f"{_stem(one.name)}.yaml", [one]) for one in written)
    for file, manifests in (*together, *each):
        name = _free(folder, file, taken)
        taken.add(name.casefold())
        text = "---\n".join(first_line + one.text for one in manifests)
        yield WrittenFile(name, text, tuple(one.name for one in manifests), is_new=True)


def _readable(written: Sequence[_Written], first_line: str) -> Iterator[list[_Written]]:
    """As many at a time as are read of one file."""
    some: list[_Written] = []
    size = 0
    for one in written:
        length = len(f"---\n{first_line}{one.text}".encode())
        if some and (len(some) == MOST_DOCUMENTS or size + length > LARGEST_FILE):
            yield some
            some, size = [], 0
        some.append(one)
        size += length
    if some:
        yield some


def _stem(cluster: str) -> str:
    """A file's name for a cluster: never hidden, for hidden files are passed over."""
    return f"_{cluster}"[:_LONGEST_STEM] if cluster.startswith(".") else cluster[:_LONGEST_STEM]


def _free(folder: str, file: str, taken: Collection[str]) -> str:
    """The file's shown name, or one with a number where another has it; not even in other capitals."""
    stem, number, name = file.removesuffix(".yaml"), 1, f"{folder}/{file}"
    while name.casefold() in taken:
        number += 1
        name = f"{folder}/{stem}-{number}.yaml"
    return name
