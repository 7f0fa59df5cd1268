"""The whole fleet: the fleet file where there is one, and the manifests of every target."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from reconciler.desired.files import NOTHING_BESIDE, Beside, Folder, ManifestFiles, read_named, shown_path
from reconciler.desired.layout import FLEET_FILE, HasFolder, Layout
from reconciler.desired.manifests import Named, Parsed, parse_manifests, refuse_duplicates
from reconciler.desired.problems import Problems, with_source
from reconciler.errors import InvalidManifests
from reconciler.model.declaration import Declaration
from reconciler.model.fleet import DEFAULT_TARGET, Fleet, Target
from reconciler.problem import Problem

STANDARD_INPUT: Final = "<stdin>"

_AT_ONCE: Final = 128
"""Files that are read before the first of them is parsed."""
_BYTES_AT_ONCE: Final = 1 << 20
"""Fewer files are, where they have more bytes than this together."""

_MOST_WARNINGS: Final = 20
"""Told of one target; the rest are counted."""


def never(_folder: str) -> bool:
    """No folder ever was."""
    return False


def read_fleet(folder: str) -> Fleet:
    """Every target of a folder with all that it declares.

    Raises InvalidManifests with every problem of every file, UsageError where the folder isn't there.
    """
    source = Folder(folder)
    return read_source(source, beside=source.beside)


def read_fleet_to_write(source: Folder) -> Fleet:
    """Every target of a folder that manifests shall be written into, with what it declares so far.

    A target's folder needn't be there yet, nor declare anything. Raises InvalidManifests.
    """
    return read_source(source, lambda _folder: True, source.beside._replace(occupied=frozenset()))


def read_source(source: ManifestFiles, had_folder: HasFolder = never, beside: Beside = NOTHING_BESIDE) -> Fleet:
    """Every target with all that it declares.

    A target's folder that isn't there is empty if `had_folder` says that it once was: git keeps no empty folders.
    Raises InvalidManifests with every problem of every file.
    """
    fleet_file = fleet_file_name(source.root)
    reading = _Reading(read_layout(source, had_folder), fleet_file, beside)
    names = [name for name in source.names() if name != fleet_file]
    for name, data in zip(names, _ahead(source.read(names)), strict=True):
        reading.take(name, data)
    (fleet,) = _fleets([reading])
    return fleet


def _ahead(contents: Iterable[bytes | Problem]) -> Iterator[bytes | Problem]:
    """The same, taken some at a time: many in a row are read, and hashed, faster than each between two parses."""
    some: list[bytes | Problem] = []
    size = 0
    for data in contents:
        some.append(data)
        size += len(data) if isinstance(data, bytes) else 0
        if len(some) == _AT_ONCE or size > _BYTES_AT_ONCE:
            yield from some
            some, size = [], 0
    yield from some


def read_layout(source: ManifestFiles, had_folder: HasFolder = never) -> Layout:
    """The targets: the fleet file's, or the whole folder as one."""
    name = fleet_file_name(source.root)
    if name not in source.names():
        return one_target(source.root)
    (data,) = source.read([name])
    if isinstance(data, Problem):
        return Layout(problems=(data,))
    from reconciler.desired.fleet_file import read_targets  # noqa: PLC0415  # many fleets have none

    return read_targets(data, name, source.root, lambda folder: source.has_folder(folder) or had_folder(folder))


def fleet_file_name(root: str) -> str:
    """The fleet file of a folder, as it is shown."""
    return f"{root.rstrip('/')}/{FLEET_FILE}"


def read_stream(data: bytes) -> Fleet:
    """One target, `default`, from standard input. Raises InvalidManifests."""
    reading = _Reading(one_target(STANDARD_INPUT), FLEET_FILE)
    reading.take(STANDARD_INPUT, data, reading.layout.targets[0])
    (fleet,) = _fleets([reading])
    return fleet


def read_files(paths: Sequence[str]) -> tuple[Fleet, ...]:
    """What single files declare, as a pre-commit hook names them: a fleet for each fleet file that they belong to.

    A fleet file is looked for from each file upward, as far as the repository goes; files that have none are one
    target, `default`. What is named is read whatever it is: a link, a pipe. Raises InvalidManifests.
    """
    from reconciler.desired.upward import Above  # noqa: PLC0415  # where files are named, and only there

    above = Above()
    readings: dict[str, _Reading] = {}
    for path in sorted({*paths}):
        name, data = shown_path(path), read_named(path, shown_path(path))
        found = above.fleet_file(path)
        key = found.name if found else ""
        if key not in readings:
            readings[key] = _Reading(found.layout(), found.name) if found else _Reading(one_target(""), FLEET_FILE)
        reading = readings[key]
        if found is None or not found.is_at(path):
            target = reading.layout.target_of(found.name_of(path)) if found else reading.layout.targets[0]
            reading.take(name, data, target)
    return _fleets(readings.values())


class _Reading:
    """What the files of one fleet say, taken in one after the other."""

    def __init__(self, layout: Layout, fleet_file: str, beside: Beside | None = None) -> None:
        self.layout = layout
        self._fleet_file = fleet_file
        self._beside = beside
        self._problems = Problems()
        self._problems.add(layout.problems)
        self._problems.add(beside.problems if beside else ())
        self._gathered = {target.name: _Gathered() for target in layout.targets}

    def take(self, name: str, data: bytes | Problem, target: Target | None = None) -> None:
        """One file, of this target; else of the one whose folder holds it."""
        target = target or self.layout.target_of(name)
        parsed = self._parse(name, data, target)
        self._problems.add(parsed.problems)
        if target is not None:
            self._gathered[target.name].take(parsed, data)
        elif self.layout.targets and isinstance(data, bytes):
            remedy = f"move it into one, or add a target for it to {self._fleet_file}"
            self._problems.add([Problem("manifest", "it is in no target's folder", remedy, file=name, line=1)])

    def problems(self) -> Problems:
        """Everything that is wrong."""
        for target in self.layout.targets:
            gathered = self._gathered[target.name]
            self._problems.add(gathered.duplicates())
            if self._beside is not None and not gathered.declarations and not gathered.wrong:
                self._problems.add(_nothing_there(target, self._beside, has_files=gathered.files > 0))
        return self._problems

    def fleet(self) -> Fleet:
        """What there is, if nothing is wrong."""
        declared = {
            name: sorted(gathered.declarations, key=lambda d: d.name) for name, gathered in self._gathered.items()
        }
        return Fleet(
            self.layout.targets,
            {target: {d.name: d for d in declarations} for target, declarations in declared.items()},
            {target.name: warnings for target in self.layout.targets if (warnings := self._warnings(target))},
        )

    def _parse(self, name: str, data: bytes | Problem, target: Target | None) -> Parsed:
        if isinstance(data, Problem):
            return Parsed(problems=(data,))
        parsed = parse_manifests(data, name, self.layout.defaults_of(target), target.region if target else None)
        if not parsed.problems or not self.layout.data:
            return parsed
        return parsed._replace(problems=tuple(with_source(parsed.problems, self._fleet_file, self.layout.data)))

    def _warnings(self, target: Target) -> tuple[str, ...]:
        hidden = self._beside.hidden if self._beside else ()
        warnings = [f"{name} is hidden, and so not read" for name in hidden if _below(name, target.folder)]
        warnings += self._gathered[target.name].warnings
        more = len(warnings) - _MOST_WARNINGS
        return (*warnings[:_MOST_WARNINGS], *((f"and {more} more warnings",) if more > 0 else ()))


class _Gathered:
    """What the files of one target say, so far; of files that repeat a name all, to show the line."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._repeating: dict[str, bytes] = {}
        self.files = 0
        self.wrong = False
        self.declarations: list[Declaration] = []
        self.broken: list[Named] = []
        self.warnings: list[str] = []

    def take(self, parsed: Parsed, data: bytes | Problem) -> None:
        """One file more."""
        documents: tuple[Declaration | Named, ...] = (*parsed.declarations, *parsed.broken)
        for one in documents:
            if one.name in self._names and isinstance(data, bytes):
                self._repeating[one.file] = data
            self._names.add(one.name)
        self.files += 1
        self.wrong = self.wrong or bool(parsed.problems)
        self.declarations += parsed.declarations
        self.broken += parsed.broken
        self.warnings += parsed.warnings

    def duplicates(self) -> list[Problem]:
        """Each document whose name an earlier one has, with its line."""
        problems = [*refuse_duplicates(self.declarations, self.broken)]
        for file, data in self._repeating.items():
            problems = [*with_source(problems, file, data)]
        return problems


def _nothing_there(target: Target, beside: Beside, *, has_files: bool) -> Iterator[Problem]:
    """A folder that holds files and yields no manifest: one that was emptied by mistake looks like that."""
    if any(_below(problem.file or "", target.folder) for problem in beside.problems):
        return
    if has_files or any(_below(folder, target.folder) for folder in beside.occupied):
        message = f"{target.folder} holds files, and none of them declares a cluster"
        remedy = "a manifest's name ends in .yaml or .yml; to declare nothing, leave the folder empty"
        yield Problem("manifest", message, remedy, target.name)


def _fleets(readings: Collection[_Reading]) -> tuple[Fleet, ...]:
    problems = Problems()
    for reading in readings:
        problems.add_all(reading.problems())
    if told := problems.told():
        raise InvalidManifests(told)
    return tuple(reading.fleet() for reading in readings)


def one_target(folder: str) -> Layout:
    """The layout of a folder without a fleet file."""
    return Layout((Target(DEFAULT_TARGET, folder),))


def _below(name: str, folder: str) -> bool:
    return f"{name}/".startswith(f"{folder.rstrip('/')}/")
