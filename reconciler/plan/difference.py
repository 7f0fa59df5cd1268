"""Which managed fields of two views differ. deepdiff is loaded here, and only once two views are known to differ."""

from typing import Any

from reconciler.model.cluster import CONFIGURATION_FIELDS
from reconciler.plan.change import FieldChange, FieldValue
from reconciler.plan.view import REPLICA_ZONES, ZONE, View

_ORDER = {key: position for position, key in enumerate((*CONFIGURATION_FIELDS, ZONE, REPLICA_ZONES))}


class _Leaf:
    """Tells deepdiff that texts and zone lists are values: it would look inside, and line by line at long texts."""

    def match(self, level: Any) -> bool:
        return not isinstance(level.t1, dict) or not isinstance(level.t2, dict)

    def give_up_diffing(self, level: Any, diff_instance: Any) -> bool:
        if type(level.t1) is not type(level.t2) or level.t1 != level.t2:
            diff_instance.custom_report_result("field", level)
        return True


def differing_fields(before: View, after: View) -> tuple[FieldChange, ...]:
    """The fields in which two views of the same shape differ, in the API document's order, placements by shard."""
    if before == after:
        return ()
    from deepdiff import DeepDiff  # noqa: PLC0415  # half of a plan's start-up, and most plans find nothing

    levels = DeepDiff(before, after, view="tree", custom_operators=[_Leaf()]).get("field", ())
    found = sorted(((level.path(output_format="list"), level.t1, level.t2) for level in levels), key=_position)
    return tuple(_field_change(path, before, after) for path, before, after in found)


def _position(found: tuple[list[str | int], FieldValue, FieldValue]) -> list[int]:
    return [key if isinstance(key, int) else _ORDER[key] for key in found[0]]


def _field_change(keys: list[str | int], before: FieldValue, after: FieldValue) -> FieldChange:
    path = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")
    return FieldChange(path=path, before=before, after=after)
