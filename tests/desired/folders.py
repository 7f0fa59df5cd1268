"""Folders of manifests for the tests of this room, and what is wrong with them, line by line."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

import pytest

from reconciler.desired.fleet import read_files, read_fleet
from reconciler.errors import InvalidManifests
from reconciler.problem import Problem

GOOD = "node_instance_type: m6g.large\nshard_count: 2\nreplication_factor: 1\nenforce_shard_multi_az: true\n"


def write(folder: Path, files: dict[str, str]) -> Path:
    """Files by name."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return folder


def manifest(name: str, more: str = "") -> str:
    return f"name: {name}\n{GOOD}{more}"


def problems_of(folder: Path) -> Sequence[Problem]:
    with pytest.raises(InvalidManifests) as caught:
        read_fleet(str(folder))
    return caught.value.problems()


def told(folder: Path) -> list[str]:
    """The problems of a folder, one line each, without the folder."""
    return lines(problems_of(folder), folder)


def told_of_files(*paths: str) -> list[str]:
    with pytest.raises(InvalidManifests) as caught:
        read_files(paths)
    return lines(caught.value.problems(), Path.cwd())


def lines(problems: Sequence[Problem], folder: Path) -> list[str]:
    return [f"{p.place or '-'}: {p.message}".replace(f"{folder}/", "").replace(f"{folder}", ".") for p in problems]
