"""A fleet: its targets, and what each declares."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Literal

from reconciler.errors import Place, UsageError
from reconciler.model.declaration import Declaration
from reconciler.model.guards import Guards
from reconciler.model.text import did_you_mean

DEFAULT_TARGET = "default"
DEFAULT_CONCURRENCY = 8
DEFAULT_GUARDS = Guards()


@dataclass(frozen=True, slots=True)
class Target:
    """One endpoint, one API key, one folder of manifests.

    `endpoint` is normalised, or None where the fleet file leaves it to the command line. `folder` is as messages show
    it. `rate` is requests a second at most, None for no limit. `on_drift: report` leaves
    alone what drifted. `place` is where the fleet file defines it.
    """

    name: str
    folder: str
    endpoint: str | None = None
    api_key_env: str = "MOMENTO_API_KEY"
    concurrency: int = DEFAULT_CONCURRENCY
    rate: float | None = None
    on_drift: Literal["revert", "report"] = "revert"
    guards: Guards = DEFAULT_GUARDS
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """What git says one target should be.

    `declarations` are by cluster name, sorted by it. `elsewhere` are the names that other targets of the same endpoint
    declare: they are nobody's to delete here.
    """

    target: Target
    declarations: Mapping[str, Declaration]
    elsewhere: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Fleet:
    """All targets in the fleet file's order, and what each declares: by target name, then by cluster name, sorted."""

    targets: tuple[Target, ...]
    declarations: Mapping[str, Mapping[str, Declaration]]

    def selected(self, names: Collection[str]) -> tuple[Target, ...]:
        """The targets of these names, all of them for none. Raises UsageError for a name that no target has."""
        known = [target.name for target in self.targets]
        for name in names:
            if name not in known:
                raise UsageError(f"there is no target {name!r}", remedy=did_you_mean(name, known))
        return tuple(target for target in self.targets if not names or target.name in names)

    def with_endpoint(self, target_name: str, endpoint: str) -> "Fleet":
        """The same fleet, one target sent elsewhere."""
        targets = tuple(replace(t, endpoint=endpoint) if t.name == target_name else t for t in self.targets)
        return replace(self, targets=targets)

    def head(self, target_name: str) -> Head:
        """One target's head. Raises KeyError for a target that the fleet doesn't have.

        A target whose endpoint isn't known may have the same one: what it declares is left alone, too.
        """
        target = {t.name: t for t in self.targets}[target_name]
        elsewhere = (
            self.declarations[other.name]
            for other in self.targets
            if other.name != target_name and other.endpoint in {None, target.endpoint}
        )
        return Head(target, self.declarations[target_name], frozenset().union(*elsewhere))


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


EVERY_CLUSTER = Selection()
