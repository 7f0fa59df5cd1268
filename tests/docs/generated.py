"""What stands in the docs as the program says it itself: `make generate` writes it, a test holds the pages to it.

A page marks each such part by comments that nobody sees; the text around it is written by hand.
"""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from reconciler.cli.main import main
from reconciler.report.schema import plan_schema, report_schema
from reconciler.serve.document import state_schema
from tests.docs.keys import Document, cell
from tests.docs.picture import PICTURE, demo, drawn
from tests.docs.walk import walked

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
_PART = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def commands(group: click.Group = main) -> dict[str, click.Command]:
    """Every command by name; those of a group after it, as `record show`."""
    context, found = click.Context(group), dict[str, click.Command]()
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {below}": one for below, one in commands(command).items()}
    return found


def with_generated(page: str) -> str:
    """The page, with its marked parts as they are now."""
    return _PART.sub(lambda part: f"{part[1]}\n{PARTS[part[2]]().strip()}\n\n{part[3]}", page)


def options() -> str:
    """Each option once, with the commands that have it; what means something else elsewhere is another one."""
    found: dict[str, dict[tuple[str, str], list[str]]] = {}
    for name, command in commands().items():
        for one in command.params:
            if isinstance(one, click.Option):
                found.setdefault(one.opts[-1], {}).setdefault(_option(one), []).append(name)
    rows = [
        f"| `{written}` | {_commands(of)} | {means} |"
        for same_name in found.values()
        for (written, means), of in same_name.items()
    ]
    return "\n".join(["| option | of | means |", "|---|---|---|", *rows])


def _option(option: click.Option) -> tuple[str, str]:
    """Its names with what they take, and what it means, as its help says."""
    context = click.Context(click.Command("any"))
    record = option.get_help_record(context)
    default = option.get_help_extra(context).get("default")
    assert record is not None
    means = cell(option.help or "")
    return cell(record[0]), f"{means} Default: `{cell(default)}`." if default else means


def _commands(some: list[str]) -> str:
    """Their names; where it is most of all there are, the names of the others."""
    others = [name for name, one in commands().items() if name not in some and not isinstance(one, click.Group)]
    return f"all but {', '.join(others)}" if len(others) < len(some) / 2 else ", ".join(some)


PARTS: Mapping[str, Callable[[], str]] = {
    "options": options,
    "plan-outline": lambda: Document(plan_schema()).outline(),
    "plan-keys": lambda: Document(plan_schema()).tables(),
    "report-outline": lambda: Document(report_schema()).outline(),
    "state-outline": lambda: Document(state_schema()).outline(),
    "report-keys": lambda: Document(report_schema()).tables(besides=Document(plan_schema())),
}


def write() -> None:
    """Bring every page up to date, with what the tutorial's commands print, and the README's picture."""
    files = {page: with_generated(page.read_text()) for page in sorted(DOCS.glob("*.md"))}
    with TemporaryDirectory() as folder:
        files[DOCS / "tutorial.md"] = walked(files[DOCS / "tutorial.md"], Path(folder))
    files[PICTURE] = drawn(demo())
    for file, now in files.items():
        if file.read_text() != now:
            file.write_text(now)
            sys.stdout.write(f"docs/{file.name}\n")


if __name__ == "__main__":
    write()
