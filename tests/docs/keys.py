"""A JSON Schema told to readers: an outline of a document's keys, and a table for each sort of object in it."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from reconciler.problem import KIND_MEANINGS

Schema = Mapping[str, Any]

_PLAIN = {"string": "text", "boolean": "true or false", "integer": "number"}


class Document(NamedTuple):
    """A document's schema, with the definitions that it refers to."""

    schema: Schema

    def outline(self) -> str:
        """The keys, each object in a line of its own below the key that holds it."""
        return "\n".join(["```text", *self._lines(self.schema), "```"])

    def _lines(self, schema: Schema) -> Iterator[str]:
        held = {key: self._objects(below) for key, below in schema["properties"].items()}
        yield ", ".join(key for key, objects in held.items() if not objects)
        for key, objects in held.items():
            if objects:
                first, *others = self._lines(self._definition(objects[0]))
                yield f"  {key}{'[]' if schema['properties'][key].get('type') == 'array' else ''}: {first}"
                yield from (f"  {line}" for line in others)

    def tables(self, *, besides: "Document | None" = None) -> str:
        """A table of keys for each sort of object, in the order in which they are met; without those of another."""
        told = besides.sorts() if besides else []
        return "\n\n".join(self._table(names) for names in self.sorts() if names not in told)

    def sorts(self) -> list[list[str]]:
        """The names of the objects that the document holds; those that stand in one list are alike: one sort."""
        found: list[list[str]] = []
        waiting = [self._held(self.schema)]
        for names in (below for held in waiting for below in held):
            if names not in found:
                found.append(names)
                waiting.append(self._held(self._definition(names[0])))
        return found

    def _held(self, schema: Schema) -> list[list[str]]:
        return [names for below in schema["properties"].values() if (names := self._objects(below))]

    def _table(self, names: list[str]) -> str:
        several = [self._definition(name) for name in names]
        told = [one.get("description", "") for one in several]
        if len(names) > 1:
            told = [f"**{name}.** {words}" for name, words in zip(names, told, strict=True)]
        rows = []
        for key in several[0]["properties"]:
            values = [one["properties"][key] for one in several]
            means = next((value["description"] for value in values if "description" in value), "")
            rows.append(f"| `{key}` | {self._holds({'anyOf': values})} | {cell(means)} |")
        title, head = f"### {', '.join(names)}", "| key | holds | means |\n|---|---|---|"
        return "\n\n".join([title, *told, "\n".join([head, *rows])])

    def _holds(self, schema: Schema) -> str:
        """What a value may be, in words; null last."""
        return ", ".join(sorted(dict.fromkeys(self._choices(schema)), key=lambda choice: choice == "null"))

    def _choices(self, schema: Schema) -> list[str]:
        match schema:
            case {"anyOf": some} | {"oneOf": some} | {"allOf": some}:
                return [choice for one in some for choice in self._choices(one)]
            case {"$ref": str(reference)} if "properties" in self._definition(reference):
                name = reference.rpartition("/")[2]
                names = next(names for names in self.sorts() if name in names)
                return [f"[{name}](#{'-'.join(names).lower()})"]
            case {"$ref": str(reference)}:
                return self._choices(self._definition(reference))
            case {"const": value}:
                return [f"`{value}`"]
            case {"enum": values} if set(values) == set(KIND_MEANINGS):
                return ["a [kind of error](commands.md#kinds-of-errors)"]
            case {"enum": values}:
                return ["null" if value is None else f"`{value}`" for value in values]
            case {"type": "array"}:
                return [f"list of {self._holds(schema['items'])}"]
            case {"type": str(plain)}:
                return [_PLAIN.get(plain, plain)]
            case {"type": several}:
                return [choice for one in several for choice in self._choices({"type": one})]
            case _:
                return ["anything"]

    def _objects(self, schema: Schema) -> list[str]:
        """The names of the objects that a value may be, or may hold."""
        match schema:
            case {"$ref": str(reference)}:
                inner = self._definition(reference)
                return [reference.rpartition("/")[2]] if "properties" in inner else self._objects(inner)
            case {"anyOf": some} | {"oneOf": some} | {"allOf": some}:
                return [name for one in some for name in self._objects(one)]
            case {"type": "array", "items": items}:
                return self._objects(items)
            case _:
                return []

    def _definition(self, reference: str) -> Schema:
        definition: Schema = self.schema["definitions"][reference.rpartition("/")[2]]
        return definition


def cell(text: str) -> str:
    """What may stand in a table's cell."""
    return " ".join(text.split()).replace("|", "\\|")
