"""JSON Schemas of models, in draft-07: editors' language servers read nothing newer.

A docstring is what describes an object. A field of what people write has its description and examples beside its type;
a field of what is written has a string below it, which costs nothing until a schema is asked for, and is read from the
source then.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

_DIALECT: Final = "http://json-schema.org/draft-07/schema#"
_NULL: Final = {"type": "null"}
_MADE_UP: Final = frozenset({"title", "discriminator"})
"""What pydantic adds, and editors or draft-07 have no use for."""
_VALUES: Final = frozenset({"const", "default", "enum", "examples"})
"""What holds values, and no schemas."""
_BY_NAME: Final = frozenset({"properties", "patternProperties"})
"""What holds schemas by names, which may be called like a keyword."""


def schema_of(
    model: type[BaseModel], title: str, *, mode: JsonSchemaMode, nullable: Collection[type[BaseModel]] | None = None
) -> dict[str, Any]:
    """The schema of a document that is read (`validation`), or written (`serialization`): then every key is there.

    `nullable` are the models whose optional fields may be null; None for all.
    """
    found = model.model_json_schema(mode=mode, schema_generator=_Generator, ref_template="#/definitions/{model}")
    inner = found.pop("$defs", {})
    all_models = {model.__name__, *inner}
    nulls = all_models if nullable is None else {one.__name__ for one in nullable}
    written = _Rewriter(_MADE_UP | {"default"} if mode == "serialization" else _MADE_UP)
    root = written.schema(found, nulls=model.__name__ in nulls)
    definitions = {name: written.schema(definition, nulls=name in nulls) for name, definition in inner.items()}
    return {"$schema": _DIALECT, "title": title, **root, "definitions": definitions}


class _Generator(GenerateJsonSchema):
    """Requires what a written document always has, and explains it."""

    def model_schema(self, schema: Any) -> Any:
        """The schema of a model."""
        return self._explained(super().model_schema(schema), schema["cls"])

    def dataclass_schema(self, schema: Any) -> Any:
        """The schema of a dataclass."""
        return self._explained(super().dataclass_schema(schema), schema["cls"])

    def field_is_required(self, field: Any, total: bool) -> bool:  # noqa: FBT001  # as pydantic has it
        """Whether the key is always there."""
        return self.mode == "serialization" or super().field_is_required(field, total)

    def _explained(self, schema: dict[str, Any], model: type) -> dict[str, Any]:
        if self.mode != "serialization":
            return schema
        texts = _texts(model)
        properties = {
            key: {"description": texts[key], **field} if key in texts else field
            for key, field in schema["properties"].items()
        }
        return {**schema, "properties": properties}


def _texts(model: type) -> Mapping[str, str]:
    """What stands below each field of a class."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    texts: dict[str, str] = {}
    for field, text in pairwise(tree.body if isinstance(tree, ast.ClassDef) else ()):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(said))):
                texts[name] = inspect.cleandoc(said)
    return texts


@dataclass(frozen=True, slots=True)
class _Rewriter:
    """Says what pydantic says in draft-07's terms, without these keywords."""

    without: frozenset[str]

    def schema(self, given: dict[str, Any], *, nulls: bool) -> dict[str, Any]:
        """One schema; without null, and defaults that are null, where `nulls` is false."""
        said = {
            key: self._keyword(key, value, nulls=nulls) for key, value in given.items() if self._is_kept(key, value)
        }
        if not _BY_NAME.isdisjoint(said):
            said.setdefault("additionalProperties", False)
        if "description" in said:
            said["description"] = re.sub(r"\bNone\b", "null", said["description"])
        if not nulls and _NULL in said.get("anyOf", []):
            said = _without_null(said)
        if "$ref" in said and len(said) > 1:  # draft-07 ignores what stands beside a reference
            said = {"allOf": [{"$ref": said.pop("$ref")}], **said}
        return said

    def _is_kept(self, key: str, value: object) -> bool:
        return key not in self.without and not (key == "default" and isinstance(value, dict | None))

    def _keyword(self, key: str, value: Any, *, nulls: bool) -> Any:
        if key in _VALUES:
            return value
        if key in _BY_NAME:
            return {name: self.schema(schema, nulls=nulls) for name, schema in value.items()}
        match value:
            case dict():
                return self.schema(value, nulls=nulls)
            case list():
                return [self.schema(item, nulls=nulls) if isinstance(item, dict) else item for item in value]
            case _:
                return value


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    others = [option for option in schema["anyOf"] if option != _NULL]
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**others[0], **rest} if len(others) == 1 else {"anyOf": others, **rest}
