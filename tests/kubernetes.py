"""Kubernetes' own description of the objects that we make: what the fake answers and what is deployed are held to it."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator

DESCRIPTION: dict[str, Any] = json.loads(Path(__file__).with_name("kubernetes-openapi.json").read_text())


@cache
def _validator(kind: str) -> Draft202012Validator:
    [name] = [name for name in DESCRIPTION["definitions"] if name.endswith(f".{kind}")]
    return Draft202012Validator({**DESCRIPTION, "$ref": f"#/definitions/{name}"})


def wrong(kind: str, value: object) -> list[str]:
    """What keeps a value from being an object of this kind: where, and why."""
    return [
        f"{'/'.join(map(str, error.instance_path))}: {error.message}" for error in _validator(kind).iter_errors(value)
    ]
