"""One thing that was looked at, and what was found: how `doctor` tells whether a run would go well."""

from typing import Literal, TypeAlias

from reconciler.model.cluster import Frozen

State: TypeAlias = Literal["ok", "warning", "failed"]
"""A warning is what a run can do without, and shouldn't."""


class Check(Frozen):
    """`name` is what was looked at; `target` is None for what all have in common."""

    name: str
    target: str | None = None
    state: State
    message: str
    remedy: str | None = None
