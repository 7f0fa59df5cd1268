"""The guards: one entry each, from which the fleet file, the combining of limits, `--allow` and the documents derive.

What a guard looks at, and how it says no, is `reconciler.plan.guards`; a test holds the two lists together. Imports
nothing heavy: the command line's help lists them.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, TypeAlias

from reconciler.problem import Place

Limit: TypeAlias = float | tuple[str, ...] | None
"""A number, None for no limit; or name patterns."""

LimitSort: TypeAlias = Literal["count", "fraction", "amount", "patterns"]

Prices: TypeAlias = Mapping[str, float]
"""What a node costs an hour, by its instance type, in whatever currency the fleet file has in mind."""


class Guard(NamedTuple):
    """`key` is its limit's in the fleet file, None for a guard that has none; `default` is that limit's.

    `lifted_by`: `--allow` lifts it for one run; or another option or git alone does. `refuses` is what, in words.
    """

    name: str
    refuses: str
    key: str | None = None
    sort: LimitSort = "count"
    default: Limit = None
    lifted_by: Literal["--allow", "--adopt", "git"] = "--allow"


GUARDS: Final = (
    Guard("empty-head", "a prune where head declares nothing"),
    Guard("max-deletes", "more deletes", "max_deletes", "count", 5),
    Guard("max-delete-fraction", "deletes of more of the fleet", "max_delete_fraction", "fraction", 0.25),
    Guard("max-drift-fraction", "nothing: where more of the fleet has drifted, drift is left", "max_drift_fraction",
          "fraction", 0.5),
    Guard("max-added-nodes", "more new nodes in all", "max_added_nodes", "count", None),
    Guard("max-added-cost", "more cost an hour in all, or what has no price", "max_added_cost", "amount", None),
    Guard("protected", "a delete of what is protected", "protect", "patterns", (), lifted_by="git"),
    Guard("adopt", "an adoption that changes the cluster", lifted_by="--adopt"),
    Guard("orphans", "a change that takes a target away, or sends it elsewhere, while its record isn't empty"),
    Guard("stale-head", "a HEAD that is older than what was applied"),
)  # fmt: skip
ALLOWABLE: Final = tuple(guard.name for guard in GUARDS if guard.lifted_by == "--allow")
LIMITED: Final = {guard.key: guard for guard in GUARDS if guard.key is not None}


_DEFAULTS: Final[Mapping[str, Limit]] = MappingProxyType({key: guard.default for key, guard in LIMITED.items()})


class Limits(NamedTuple):
    """A limit for each key of `LIMITED`, where those stand that a fleet file gives, and the prices that one is in."""

    values: Mapping[str, Limit] = _DEFAULTS
    places: Mapping[str, Place] = MappingProxyType({})
    prices: Prices = MappingProxyType({})

    def of(self, key: str) -> Limit:
        """One limit; its default where it isn't given."""
        return self.values.get(key, LIMITED[key].default)

    def overlaid(self, values: Mapping[str, Limit], places: Mapping[str, Place]) -> "Limits":
        """These, with others in their place."""
        return Limits({**self.values, **values}, {**self.places, **places}, self.prices)

    def at_prices(self, prices: Prices) -> "Limits":
        """These, with prices laid over their own."""
        return Limits(self.values, self.places, {**self.prices, **prices})

    def stricter(self, other: "Limits") -> "Limits":
        """Of each limit the tighter one of both, at these prices."""
        return _combined(self, other, tight=True)

    def looser(self, other: "Limits") -> "Limits":
        """Of each limit the wider one of both, at these prices."""
        return _combined(self, other, tight=False)


def effective(head: Limits, earlier: Iterable[Limits]) -> Limits:
    """The stricter of head's and the loosest of the earlier ones: no change lifts its own limit."""
    found = list(earlier)
    if not found:
        return head
    loosest = found[0]
    for limits in found[1:]:
        loosest = loosest.looser(limits)
    return head.stricter(loosest)


def _combined(one: Limits, other: Limits, *, tight: bool) -> Limits:
    values: dict[str, Limit] = {}
    places: dict[str, Place] = {}
    for key, guard in LIMITED.items():
        values[key] = _one_of(guard.sort, one.of(key), other.of(key), tight=tight)
        for limits in (other, one):
            gives = guard.sort == "patterns" or limits.of(key) == values[key]  # of patterns each may give some
            if gives and key in limits.places:
                places[key] = limits.places[key]
    return Limits(values, places, one.prices)


def _one_of(sort: LimitSort, one: Limit, other: Limit, *, tight: bool) -> Limit:
    if sort == "patterns":
        mine, theirs = (set(limit) if isinstance(limit, tuple) else set[str]() for limit in (one, other))
        return tuple(sorted(mine | theirs if tight else mine & theirs))
    numbers = [limit for limit in (one, other) if isinstance(limit, int | float)]
    if tight:
        return min(numbers, default=None)
    return max(numbers) if len(numbers) == 2 else None
