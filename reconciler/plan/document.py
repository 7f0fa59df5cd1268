"""The plan as a JSON document, both ways. Its shape is published; `format_version` changes with it."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from pydantic import TypeAdapter, ValidationError

from reconciler import __version__
from reconciler.errors import DamagedPlan
from reconciler.model.cluster import Frozen, Listed
from reconciler.model.evidence import LeftBehind
from reconciler.model.text import printable
from reconciler.plan.change import Change
from reconciler.plan.digest import change_digest
from reconciler.plan.plan import Plan
from reconciler.problem import Problem

FORMAT_VERSION: Final = 1
MAX_PLAN_BYTES: Final = 64 * 1024 * 1024
"""25,000 creates take as much: what is longer isn't reviewed by anybody, nor worth its memory."""
MOST_VALUES: Final = 2_000_000
"""Nor is what has more in it, however short: so many make up those creates. Each may take half a kilobyte to read."""

_ANEW = "make a new one: reconciler plan --out FILE"
_FEWER = "plan fewer clusters at once: --target NAME, --only GLOB"


class PlanDocument(Frozen):
    """All targets' plans. One that is missing is not an empty plan."""

    kind: Literal["plan"] = "plan"
    format_version: Literal[1] = FORMAT_VERSION
    """Changes with the shape."""
    tool_version: str = __version__
    """What wrote it."""
    errors: Annotated[tuple[Problem, ...], Listed] = ()
    """What kept a target out of it."""
    left_behind: Annotated[tuple[LeftBehind, ...], Listed] = ()
    """The records that no target claims."""
    targets: Annotated[tuple[Plan, ...], Listed]
    """Each one's plan."""


def dump_plans(
    plans: Sequence[Plan], errors: Sequence[Problem] = (), left_behind: Sequence[LeftBehind] = ()
) -> dict[str, Any]:
    """The document as plain JSON values, with the digest of each target and each change."""
    whole = PlanDocument(targets=tuple(plans), errors=tuple(errors), left_behind=tuple(left_behind))
    document = whole.model_dump(mode="json")
    for plan, dumped in zip(plans, document["targets"], strict=True):
        dumped["changes"] = [
            _with_digest(change, change_digest(original), after="cause")
            for change, original in zip(dumped["changes"], plan.changes, strict=True)
        ]
    document["targets"] = [
        _with_digest(dumped, plan.digest, after="live_read")
        for plan, dumped in zip(plans, document["targets"], strict=True)
    ]
    return document


def load_plans(text: str | bytes) -> PlanDocument:
    """The document that `dump_plans` wrote.

    Raises DamagedPlan for anything else: another kind or version, a missing or unknown key, a digest that doesn't fit.
    """
    refuse_excess(text)
    try:
        raw = json.loads(text)
        version = raw["format_version"] if isinstance(raw, dict) and raw.get("kind") == "plan" else None
        if version != FORMAT_VERSION:
            raise DamagedPlan(
                f"this is not a plan of format {FORMAT_VERSION}"
                + (f", but of {printable(repr(version), 40)}" if version else ""),
                remedy="make a new one with this version: reconciler plan --out FILE",
            )
        del text  # a large plan is held once: as text, then as values, then as models
        digests = [(t.pop("digest"), [c.pop("digest") for c in t["changes"]]) for t in raw["targets"]]
        document = _loaded(raw)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = "its shape is wrong" if isinstance(error, ValidationError) else "it can't be read"
        raise DamagedPlan(f"the plan is damaged: {what}", remedy=_ANEW) from error
    for plan, (digest, changes) in zip(document.targets, digests, strict=True):
        if plan.digest != digest or [change_digest(change) for change in plan.changes] != changes:
            raise DamagedPlan(f"the plan of target {plan.target} was altered: its digest doesn't fit", remedy=_ANEW)
    return document


def refuse_excess(text: str | bytes) -> None:
    """Raise DamagedPlan for more than a plan or report may be; it isn't even read."""
    if len(text) > MAX_PLAN_BYTES:
        raise DamagedPlan(f"the plan is longer than {MAX_PLAN_BYTES // 1024**2} MiB: none is read", remedy=_FEWER)
    data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    if sum(map(data.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise DamagedPlan(f"the plan has more than {MOST_VALUES} values: none is read", remedy=_FEWER)


def _loaded(raw: dict[str, Any]) -> PlanDocument:
    """The document of its values without digests; these are used up, change by change."""
    adapter: TypeAdapter[Change] = TypeAdapter(Change)
    changes: list[tuple[Change, ...]] = []
    for target in raw["targets"]:
        values, target["changes"] = target["changes"][::-1], []
        changes.append(tuple(adapter.validate_json(json.dumps(values.pop())) for _ in range(len(values))))
    whole = PlanDocument.model_validate_json(json.dumps(raw))
    plans = (plan.model_copy(update={"changes": own}) for plan, own in zip(whole.targets, changes, strict=True))
    return whole.model_copy(update={"targets": tuple(plans)})


def _with_digest(values: dict[str, Any], digest: str, *, after: str) -> dict[str, Any]:
    keys = list(values)
    split = keys.index(after) + 1
    return {**{k: values[k] for k in keys[:split]}, "digest": digest, **{k: values[k] for k in keys[split:]}}
