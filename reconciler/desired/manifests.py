"""The bytes of one file to the clusters that it declares."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final, NamedTuple

from reconciler.desired.defaults import NO_DEFAULTS, Defaults, merged
from reconciler.desired.marks import Position
from reconciler.desired.places import Places
from reconciler.desired.problems import MOST_IN_A_FILE, bounded, flaw_problem, with_source
from reconciler.desired.sense import Contradiction, contradictions, slips
from reconciler.desired.validation import Reason, validated
from reconciler.desired.words import dotted
from reconciler.desired.yaml import Document, Unreadable, read_documents
from reconciler.model.cluster import FIELDS
from reconciler.model.declaration import DEFAULTABLE, Declaration, Manifest, declare
from reconciler.model.text import printable
from reconciler.problem import Problem

_OTHERS: Final = {
    "apiVersion": ("a Kubernetes object", "keep it out of the folder of manifests"),
    "kind": ("a Kubernetes object", "keep it out of the folder of manifests"),
    "targets": ("a fleet file", "its place is fleet.yaml, at the top of the folder of manifests"),
}
"""Keys of what is plainly something else, where none of a cluster's fields stands beside them."""


class Named(NamedTuple):
    """A document's name, and where it stands."""

    name: str
    file: str
    position: Position


class Parsed(NamedTuple):
    """What one file says, in its order, or one document.

    `broken` are the names of documents with problems: such a one declares nothing, but another of its name is told in
    the same run.
    """

    declarations: tuple[Declaration, ...] = ()
    broken: tuple[Named, ...] = ()
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()


def parse_manifests(data: bytes, file: str, defaults: Defaults = NO_DEFAULTS, region: str | None = None) -> Parsed:
    """What a file declares, and every problem in it; both may be empty.

    `file` is as it is shown; `defaults` and `region` are its target's.
    """
    return parse_documents(read_documents(data), data, file, defaults, region)


def parse_documents(
    documents: Iterable[Document], data: bytes, file: str, defaults: Defaults = NO_DEFAULTS, region: str | None = None
) -> Parsed:
    """The same of the documents that a file is read to: they are read no further than to its last problem."""
    declarations: list[Declaration] = []
    broken: list[Named] = []
    problems: list[Problem] = []
    warnings: list[str] = []
    try:
        for document in documents:
            said = _said(document, file, defaults, region)
            declarations += said.declarations
            broken += said.broken
            problems += said.problems
            warnings += said.warnings
            if len(problems) > MOST_IN_A_FILE:
                break
    except Unreadable as error:
        problems.append(flaw_problem(error.flaw, file))
    if not problems:
        return Parsed(tuple(declarations), warnings=tuple(warnings))
    told = tuple(with_source(bounded(problems), file, data))
    return Parsed(tuple(declarations), tuple(broken), told, tuple(warnings))


def refuse_duplicates(declarations: Sequence[Declaration], broken: Sequence[Named]) -> Iterator[Problem]:
    """A problem for each document whose name an earlier one has, in the order of files and lines."""
    seen = Counter(declaration.name for declaration in declarations)
    seen.update(named.name for named in broken)
    twice = {name for name, count in seen.items() if count > 1}
    if not twice:
        return
    documents = [*broken, *(_named(declaration) for declaration in declarations if declaration.name in twice)]
    first: dict[str, Named] = {}
    for named in sorted(documents, key=lambda named: (named.file, named.position)):
        earlier = first.setdefault(named.name, named)
        if earlier is not named:
            message = f"declared twice: first at {printable(earlier.file)}:{earlier.position[0]}"
            cluster, remedy = printable(named.name, 255), "keep one; a cluster has one manifest"
            yield Problem("manifest", message, remedy, None, cluster, named.file, *named.position)


def _named(declaration: Declaration) -> Named:
    place = declaration.place_of("name")
    return Named(declaration.name, place.file, (place.line, place.column or 1))


def _said(document: Document, file: str, defaults: Defaults, region: str | None) -> Parsed:
    """What one document says."""
    value = document.value
    if isinstance(value, dict) and not _OTHERS.keys().isdisjoint(value) and value.keys().isdisjoint(FIELDS):
        what, remedy = next(_OTHERS[key] for key in value if key in _OTHERS)
        message = f"this is not a manifest: it looks like {what}"
        return Parsed(problems=(Problem("manifest", message, remedy, None, None, file, *document.position),))
    name = value.get("name") if isinstance(value, dict) else None
    name = name if isinstance(name, str) and name else None
    manifest, problems = _checked(document, file, defaults, name)
    if manifest is None or problems:
        broken = (Named(name, file, document.marks.place(("name",))),) if name is not None else ()
        return Parsed(broken=broken, problems=tuple(problems))
    declaration = declare(manifest, file, document.position[0], Places(file, document.marks, manifest, defaults))
    warnings = [
        f"{declaration.place_of(path)}: cluster {declaration.name}: {message}"
        for path, message in slips(declaration, region)
    ]
    return Parsed((declaration,), warnings=tuple(warnings))


def _checked(
    document: Document, file: str, defaults: Defaults, name: str | None
) -> tuple[Manifest | None, list[Problem]]:
    """The manifest with its defaults under it, or what is wrong with it, told of a cluster of this name."""
    value = document.value
    if defaults.values and isinstance(value, dict):
        value = merged(value, defaults.values)
    manifest, reasons = validated(Manifest, value, document)
    found = [*islice(contradictions(manifest), MOST_IN_A_FILE + 1)] if manifest is not None else []
    if manifest is not None and not found and not document.flaws:
        return manifest, []
    cluster = printable(name, 255) if name is not None else None
    problems = [flaw_problem(flaw, file, cluster) for flaw in document.flaws]
    problems += [_problem(reason, document, file, cluster) for reason in reasons if not _may_be_given(reason, defaults)]
    problems += [_contradiction_problem(one, document, file, defaults, cluster) for one in found]
    return manifest, problems


def _may_be_given(reason: Reason, defaults: Defaults) -> bool:
    """Whether what is missing may stand in a fleet file that couldn't be read: then the manifest isn't to blame."""
    return reason.missing and not defaults.known and reason.path[0] in DEFAULTABLE


def _problem(reason: Reason, document: Document, file: str, cluster: str | None) -> Problem:
    position = document.marks.place_of_key(reason.path) if reason.at_key else document.marks.place(reason.path)
    remedy = reason.remedy
    if reason.missing and reason.path[0] in DEFAULTABLE and len(reason.path) == 1:
        remedy = "add it, here or to defaults in the fleet file: the API requires it"
    return Problem("manifest", reason.message, remedy, None, cluster, file, *position)


def _contradiction_problem(
    found: Contradiction, document: Document, file: str, defaults: Defaults, cluster: str | None
) -> Problem:
    """At the manifest's own part of it, defaults named; where all of it is defaults, once, in the fleet file."""
    paths = (found.path, *((field,) for field in found.against))
    given = {path: place for path in paths if (place := defaults.place(path, document)) is not None}
    if len(given) == len(paths):
        place = given[found.path]
        return Problem("manifest", found.message, found.remedy, None, None, place.file, place.line, place.column)
    own = next(path for path in paths if path not in given)
    asides = "".join(f"; {dotted(path)} is a default, at {place.file}:{place.line}" for path, place in given.items())
    return Problem("manifest", found.message + asides, found.remedy, None, cluster, file, *document.marks.place(own))
