"""What is published is draft-07, whole, and says more than types."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import Draft7Validator, meta

from tests.schemas import SCHEMAS


def subschemas(schema: object) -> Iterator[dict[str, Any]]:
    """Every object of a schema, values that are shown as examples aside."""
    if isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            if key not in {"examples", "default", "enum"}:
                yield from subschemas(value)
    elif isinstance(schema, list):
        for item in schema:
            yield from subschemas(item)


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_is_of_the_draft_that_editors_read(name: str) -> None:
    """No word of a newer draft; every reference stands alone, and leads somewhere; no object is left open unsaid."""
    schema = SCHEMAS[name]
    meta.validate(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    for found in subschemas(schema):
        assert found.keys().isdisjoint({"$defs", "prefixItems", "discriminator", "unevaluatedProperties"})
        if "$ref" in found:
            assert list(found) == ["$ref"]
            assert found["$ref"].removeprefix("#/definitions/") in schema["definitions"]
        if "properties" in found and "type" in found:
            assert found["additionalProperties"] is False


@pytest.mark.parametrize("name", ["manifest", "fleet"])
def test_each_field_is_explained_by_example(name: str) -> None:
    """An editor shows what it means and how it is written, unless its values are a list; each example is valid."""
    schema = SCHEMAS[name]
    for holder in (schema, *schema["definitions"].values()):
        assert holder["description"]
        for key, field in holder["properties"].items():
            assert field["description"], key
            says_itself = "enum" in field or "allOf" in field or field.get("type") == "boolean"
            assert says_itself or field["examples"], key
            within = Draft7Validator({**field, "definitions": schema["definitions"]})
            assert all(within.is_valid(example) for example in field.get("examples", [])), key


@pytest.mark.parametrize("name", ["plan", "report"])
def test_each_object_is_explained(name: str) -> None:
    """And each of its keys, but those that can have one value alone; in words of JSON: None is null there."""
    schema = SCHEMAS[name]
    for holder in (schema, *schema["definitions"].values()):
        for key, field in holder["properties"].items():
            assert field.get("description") or "const" in field or field == {"type": "null"}, key
        assert holder["description"]
        assert "None" not in str(holder)
        assert holder["required"] == [*holder["properties"]]
