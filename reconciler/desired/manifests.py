"""The bytes of one file to the clusters that it declares."""

from collections.abc import Iterable
from typing import Any

from reconciler.desired.sense import nonsense
from reconciler.desired.validation import problem_at, validated
from reconciler.desired.yaml import Document, Unreadable, read_documents
from reconciler.errors import Problem
from reconciler.model.declaration import Declaration, Manifest
from reconciler.model.text import printable

_FIELDS: dict[str | int, str] = {name: name for name in Manifest.model_fields}


def parse_manifests(data: bytes, file: str) -> tuple[list[Declaration], list[Problem]]:
    """What a file declares, in its order, and every problem in it; both may be empty. `file` is as it is shown.

    A document with problems declares its name alone, so that another of that name is told in the same run.
    """
    declarations: list[Declaration] = []
    problems: list[Problem] = []
    try:
        for document in read_documents(data):
            declaration, found = _declaration(document, file)
            problems += found
            if declaration is not None:
                declarations.append(declaration)
    except Unreadable as error:
        problems.append(Problem("manifest", error.message, error.remedy, None, None, file, *error.position))
    return declarations, problems


def refuse_duplicates(declarations: Iterable[Declaration]) -> list[Problem]:
    """A problem for each declaration whose name an earlier one has."""
    first: dict[str, Declaration] = {}
    problems = []
    for declaration in declarations:
        earlier = first.setdefault(declaration.name, declaration)
        if earlier is not declaration:
            problems.append(
                Problem(
                    "manifest",
                    f"declared twice: first at {earlier.file}:{earlier.line}",
                    "keep one; a cluster has one manifest",
                    None,
                    declaration.name,
                    declaration.file,
                    declaration.line_of("name"),
                    1,
                )
            )
    return problems


def _declaration(document: Document, file: str) -> tuple[Declaration | None, list[Problem]]:
    value = document.value
    name = value.get("name") if isinstance(value, dict) else None
    cluster = printable(name, 255) if isinstance(name, str) and name else None
    problems = [_about(problem, file, cluster) for problem in document.problems]
    manifest, found = validated(Manifest, document, file, cluster)
    problems += found
    if manifest is None:
        return _name_alone(document, file), problems
    problems += [
        problem_at(document, path, message, remedy, file=file, cluster=cluster)
        for path, message, remedy in nonsense(manifest)
    ]
    if problems:
        return _name_alone(document, file), problems
    return Declaration(manifest, file, document.position[0], _lines(document, manifest)), []


def _name_alone(document: Document, file: str) -> Declaration | None:
    name = document.value.get("name") if isinstance(document.value, dict) else None
    if not isinstance(name, str):
        return None
    lines = {"name": document.place(("name",))[0]}
    known: dict[str, Any] = {"name": name}  # and nothing else: it is never looked at, for its problems refuse the run
    return Declaration(Manifest.model_construct(**known), file, document.position[0], lines)


def _about(problem: Problem, file: str, cluster: str | None) -> Problem:
    return Problem(problem.kind, problem.message, problem.remedy, None, cluster, file, problem.line, problem.column)


def _lines(document: Document, manifest: Manifest) -> dict[str, int]:
    """The line of each field, by its path in a plan."""
    lines = {_FIELDS[key]: mark.line + 1 for key, mark in document.marks.values.items()}
    for position, placement in enumerate(manifest.shard_placements or ()):
        prefix = f"shard_placements[{placement.shard_index}]"
        for key in type(placement).model_fields:
            lines[f"{prefix}.{key}"] = document.place(("shard_placements", position, key))[0]
    return lines
