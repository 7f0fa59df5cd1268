"""A fleet: its targets, and what each declares."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final, NamedTuple

from reconciler.errors import UsageError
from reconciler.model.declaration import Declaration, OnDrift
from reconciler.model.guards import Limits
from reconciler.model.text import did_you_mean
from reconciler.problem import Place

DEFAULT_TARGET: Final = "default"
DEFAULT_API_KEY_ENV: Final = "MOMENTO_API_KEY"
DEFAULT_CONCURRENCY: Final = 8


class Suspension(NamedTuple):
    """A target is planned and shown, and nothing is applied to it, until then (epoch seconds), for this reason."""

    reason: str
    until: float


class Target(NamedTuple):
    """One account: an endpoint, an API key, a folder of manifests.

    `endpoint` is normalised, or None where the fleet file leaves it to the command line. `folder` is as messages show
    it. `rate` is requests a second at most, None for no limit. `on_drift: report` leaves alone what drifted. After
    `max_failures` failed changes nothing more is sent; `canary` changes go first, and settle, before the others.
    `suspension` is what the fleet file says, None for nothing; whether it has ended is for who knows the time to say.
    `place` is where the fleet file defines it.
    """

    name: str
    folder: str
    endpoint: str | None = None
    api_key_env: str = DEFAULT_API_KEY_ENV
    concurrency: int = DEFAULT_CONCURRENCY
    rate: float | None = None
    on_drift: OnDrift = "revert"
    max_failures: int = 1
    canary: int = 0
    region: str | None = None
    limits: Limits = Limits()
    place: Place | None = None
    suspension: Suspension | None = None


def suspended_text(suspension: Suspension) -> str:
    """`suspended until 2026-12-01T08:00:00Z, nothing is applied to it: incident 4711`."""
    from reconciler.clock import iso_timestamp  # noqa: PLC0415  # asyncio comes along

    return f"suspended until {iso_timestamp(suspension.until)[:19]}Z, nothing is applied to it: {suspension.reason}"


def select_targets(targets: Iterable[Target], names: Collection[str]) -> tuple[Target, ...]:
    """The targets of these names, all of them for none. Raises UsageError for a name that none of them has."""
    known = {target.name: target for target in targets}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no target {name!r}", remedy=did_you_mean(name, list(known)))
    return tuple(target for target in known.values() if not names or target.name in names)


class Head(NamedTuple):
    """What git says one target should be.

    `declarations` are by cluster name, sorted by it. `warnings` are of what is surely a slip, and no error.
    """

    target: Target
    declarations: Mapping[str, Declaration]
    warnings: tuple[str, ...] = ()


class Fleet(NamedTuple):
    """All targets in the fleet file's order, and what each declares: by target name, then by cluster name, sorted.

    `warnings` are what is surely a slip and no error, by target name.
    """

    targets: tuple[Target, ...]
    declarations: Mapping[str, Mapping[str, Declaration]]
    warnings: Mapping[str, tuple[str, ...]] = MappingProxyType({})

    def selected(self, names: Collection[str]) -> tuple[Target, ...]:
        """The targets of these names, all of them for none. Raises UsageError for a name that no target has."""
        return select_targets(self.targets, names)

    def with_endpoint(self, target_name: str, endpoint: str) -> "Fleet":
        """The same fleet, one target sent elsewhere."""
        targets = tuple(t._replace(endpoint=endpoint) if t.name == target_name else t for t in self.targets)
        return self._replace(targets=targets)

    def at(self, now: float) -> "Fleet":
        """The same fleet at a moment: suspensions that have ended are taken out, the others are warned of."""
        targets = tuple(
            one._replace(suspension=None) if one.suspension and one.suspension.until <= now else one
            for one in self.targets
        )
        told = {
            one.name: (suspended_text(one.suspension), *self.warnings.get(one.name, ()))
            for one in targets
            if one.suspension is not None
        }
        return self._replace(targets=targets, warnings={**self.warnings, **told})

    def head(self, target_name: str) -> Head:
        """One target's head. Raises KeyError for a target that the fleet doesn't have."""
        target = {t.name: t for t in self.targets}[target_name]
        return Head(target, self.declarations[target_name], self.warnings.get(target_name, ()))


@dataclass(frozen=True, slots=True)
class Selection:
    """Which clusters a run looks at: `only` are name patterns, none of them for all."""

    only: tuple[str, ...] = ()

    def __call__(self, name: str) -> bool:
        """Whether a cluster of this name is looked at."""
        return not self.only or any(fnmatchcase(name, pattern) for pattern in self.only)

    def refuse_unmatched(self, names: Iterable[str], where: str) -> None:
        """Raise UsageError if a pattern matches none of these names."""
        seen = set(names)
        for pattern in self.only:
            if not any(fnmatchcase(name, pattern) for name in seen):
                remedy = "a pattern is matched against the whole name: look at the names with `reconciler plan`"
                raise UsageError(f"--only {pattern!r} matches no cluster, {where}", remedy=remedy)
