"""The workflows and the action, as they are read."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
WORKFLOWS = tuple(sorted((ROOT / ".github/workflows").glob("*.yml")))
ACTION = ROOT / "action.yml"


def read(path: Path) -> dict[str, Any]:
    """A file's content; `on` is no boolean."""
    document = yaml.load(path.read_text(), Loader=yaml.BaseLoader)  # noqa: S506  # makes nothing but text of text
    assert isinstance(document, dict)
    return document


def jobs() -> dict[str, dict[str, Any]]:
    """Every job of every workflow by `workflow.job`."""
    return {f"{path.stem}.{name}": job for path in WORKFLOWS for name, job in read(path)["jobs"].items()}


def steps() -> dict[str, dict[str, Any]]:
    """Every step by `workflow.job: name`, or `action: name`."""
    found = {f"{where}: {step['name']}": step for where, job in jobs().items() for step in job["steps"]}
    return found | {f"action: {step['name']}": step for step in read(ACTION)["runs"]["steps"]}


def documented() -> dict[str, dict[str, Any]]:
    """The workflows that the documentation gives, by their job's name."""
    found = [yaml.load(text, Loader=yaml.BaseLoader) for text in documented_texts()]  # noqa: S506  # as above
    return {next(iter(workflow["jobs"])): workflow for workflow in found}


def documented_texts() -> list[str]:
    """Their text."""
    page = (ROOT / "docs/github.md").read_text()
    return [text for text in re.findall(r"^```yaml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE) if "jobs:" in text]


def expressions(value: Any) -> list[str]:
    """What stands in `${{ }}` and in `if:`, anywhere in there."""
    match value:
        case dict():
            own = [tidy(value["if"])] if isinstance(value.get("if"), str) and "${{" not in value["if"] else []
            return own + [found for part in value.values() for found in expressions(part)]
        case list():
            return [found for part in value for found in expressions(part)]
    return [tidy(found) for found in re.findall(r"\$\{\{(.*?)\}\}", str(value), re.DOTALL)]


def tidy(text: str) -> str:
    """An expression on one line."""
    return " ".join(text.split())
