"""A fleet: its targets, and what each declares."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.errors import Place
from reconciler.model.declaration import Declaration

DEFAULT_TARGET = "default"


@dataclass(frozen=True, slots=True)
class Target:
    """One endpoint, one API key, one folder of manifests.

    `endpoint` is normalised, or None where the fleet file leaves it to the command line. `folder` is as messages show
    it. `rate` is requests a second at most, None for no limit. `place` is where the fleet file defines it.
    """

    name: str
    folder: str
    endpoint: str | None = None
    api_key_env: str = "MOMENTO_API_KEY"
    concurrency: int = 8
    rate: float | None = None
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

    def with_endpoint(self, target_name: str, endpoint: str) -> "Fleet":
        """The same fleet, one target sent elsewhere."""
        targets = tuple(replace(t, endpoint=endpoint) if t.name == target_name else t for t in self.targets)
        return replace(self, targets=targets)

    def head(self, target_name: str) -> Head:
        """One target's head. Raises KeyError for a target that the fleet doesn't have."""
        target = {t.name: t for t in self.targets}[target_name]
        elsewhere = (
            self.declarations[other.name]
            for other in self.targets
            if other.name != target_name and other.endpoint == target.endpoint
        )
        return Head(target, self.declarations[target_name], frozenset().union(*elsewhere))
