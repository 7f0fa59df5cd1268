"""What stands in the docs as the program says it itself: `make generate` writes it, a test holds the pages to it.

A page marks each such part by comments that nobody sees; the text around it is written by hand.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from reconciler.cli.main import main
from reconciler.errors import KIND_MEANINGS
from reconciler.report.schema import plan_schema, report_schema
from tests.docs.picture import PICTURE, demo, drawn
from tests.docs.walk import walked

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
_PART = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

Schema = Mapping[str, Any]


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
    """Each option once, with the commands that have it; what differs from command to command is another option."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, command in commands().items():
        for one in command.params:
            if isinstance(one, click.Option):
                found.setdefault(_option(one), []).append(name)
    rows = [f"| {option} | {_commands(of)} | {means} |" for (option, means), of in found.items()]
    return "\n".join(["| option | of | means |", "|---|---|---|", *rows])


def _commands(some: list[str]) -> str:
    """Their names; where it is most of all there are, the names of the others."""
    others = [name for name, one in commands().items() if name not in some and not isinstance(one, click.Group)]
    return f"all but {', '.join(others)}" if len(others) < len(some) / 2 else ", ".join(some)


def _option(option: click.Option) -> tuple[str, str]:
    """Its names with what they take, and what it means, as its help says."""
    context = click.Context(click.Command("any"))
    record = option.get_help_record(context)
    default = option.get_help_extra(context).get("default")
    assert record is not None
    means = _cell(option.help or "")
    return f"`{_cell(record[0])}`", f"{means} Default: `{_cell(default)}`." if default else means


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def outline(schema: Schema) -> str:
    """A document's keys, each object in a line of its own below the key that holds it."""
    return "\n".join(["```text", *_outlined(schema, schema, 0), "```"])


def _outlined(whole: Schema, schema: Schema, depth: int) -> Iterator[str]:
    held = {key: _objects(whole, below) for key, below in schema["properties"].items()}
    yield ", ".join(key for key, objects in held.items() if not objects)
    for key, objects in held.items():
        if objects:
            first, *others = _outlined(whole, whole["definitions"][objects[0]], depth + 1)
            yield f"  {key}{'[]' if _is_list(schema['properties'][key]) else ''}: {first}"
            yield from (f"  {line}" for line in others)


def keys(schema: Schema, *, told: Schema | None = None) -> str:
    """A table of keys for each kind of object, in the order in which they are met; without those that are told."""
    before = {name for names in _alike(told) for name in names} if told else set()
    return "\n\n".join(_table(schema, names) for names in _alike(schema) if before.isdisjoint(names))


def _alike(whole: Schema) -> list[list[str]]:
    """The names of the objects that a document holds; those that stand in one list are alike, and are told together."""
    found: list[list[str]] = []
    waiting = [_held(whole, whole)]
    for names in (below for held in waiting for below in held):
        if names not in found:
            found.append(names)
            waiting.append(_held(whole, whole["definitions"][names[0]]))
    return found


def _held(whole: Schema, schema: Schema) -> list[list[str]]:
    return [names for below in schema["properties"].values() if (names := _objects(whole, below))]


def _table(whole: Schema, names: list[str]) -> str:
    several = [whole["definitions"][name] for name in names]
    rows = [
        f"| `{key}` | {_type(whole, _of(several, key))} | {_described(several, key)} |"
        for key in several[0]["properties"]
    ]
    told = "\n\n".join(
        f"**{name}.** {one['description']}" if len(names) > 1 else one["description"]
        for name, one in zip(names, several, strict=True)
    )
    return "\n".join([f"### {', '.join(names)}", "", told, "", "| key | holds | means |", "|---|---|---|", *rows])


def _of(several: list[Schema], key: str) -> Schema:
    """One key's schema of all that have it."""
    different = list({str(one["properties"][key]): one["properties"][key] for one in several}.values())
    return different[0] if len(different) == 1 else {"anyOf": different}


def _described(several: list[Schema], key: str) -> str:
    return _cell(next((told for one in several if (told := one["properties"][key].get("description"))), ""))


def _type(whole: Schema, schema: Schema) -> str:
    """What a value may be, in words; null last."""
    choices = dict.fromkeys(_choices(whole, schema))
    return ", ".join(sorted(choices, key=lambda choice: choice == "null"))


def _choices(whole: Schema, schema: Schema) -> list[str]:
    match schema:
        case {"anyOf": some} | {"oneOf": some} | {"allOf": some}:
            return [choice for one in some for choice in _choices(whole, one)]
        case {"$ref": str(reference)}:
            name = reference.rpartition("/")[2]
            inner = whole["definitions"][name]
            return [f"[{name}](#{_anchor(whole, name)})"] if "properties" in inner else _choices(whole, inner)
        case {"const": value}:
            return [f"`{value}`"]
        case {"enum": values} if set(values) == set(KIND_MEANINGS):
            return ["a [kind of error](commands.md#kinds-of-errors)"]
        case {"enum": values}:
            return ["null" if value is None else f"`{value}`" for value in values]
        case {"type": "array"}:
            return [f"list of {_type(whole, schema['items'])}"]
        case {"type": str(plain)}:
            return [{"string": "text", "boolean": "true or false", "integer": "number"}.get(plain, plain)]
        case {"type": several}:
            return [choice for one in several for choice in _choices(whole, {"type": one})]
        case _:
            return ["anything"]


def _anchor(whole: Schema, name: str) -> str:
    return "-".join(next(names for names in _alike(whole) if name in names)).lower()


def _objects(whole: Schema, schema: Schema) -> list[str]:
    """The names of the objects that a value may be, or may hold."""
    match schema:
        case {"$ref": str(reference)}:
            name = reference.rpartition("/")[2]
            inner = whole["definitions"][name]
            return [name] if "properties" in inner else _objects(whole, inner)
        case {"anyOf": some} | {"oneOf": some} | {"allOf": some}:
            return [name for one in some for name in _objects(whole, one)]
        case {"type": "array", "items": items}:
            return _objects(whole, items)
        case _:
            return []


def _is_list(schema: Schema) -> bool:
    return schema.get("type") == "array"


PARTS: Mapping[str, Callable[[], str]] = {
    "options": options,
    "plan-outline": lambda: outline(plan_schema()),
    "plan-keys": lambda: keys(plan_schema()),
    "report-outline": lambda: outline(report_schema()),
    "report-keys": lambda: keys(report_schema(), told=plan_schema()),
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
