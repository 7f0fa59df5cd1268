"""Which file belongs to which target: what a fleet file comes to, and what a folder without one is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, TypeAlias

from reconciler.desired.defaults import NO_DEFAULTS, UNKNOWN_DEFAULTS, Defaults
from reconciler.model.fleet import Target
from reconciler.problem import Problem

FLEET_FILE: Final = "fleet.yaml"

HasFolder: TypeAlias = Callable[[str], bool]
"""Whether there is a folder of this shown name."""


@dataclass(frozen=True)
class Layout:
    """The targets of a folder, each one's defaults by its name, and what is wrong with the fleet file.

    No targets: it can't be taken as it is. `data` is the fleet file itself, empty where there is none.
    """

    targets: tuple[Target, ...] = ()
    defaults: Mapping[str, Defaults] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    data: bytes = b""

    def target_of(self, name: str) -> Target | None:
        """The target whose folder holds a file; both as they are shown."""
        folder = name
        while folder:
            folder = folder.rpartition("/")[0]
            if (folder or "/") in self._by_folder:
                return self._by_folder[folder or "/"]
        return None

    def defaults_of(self, target: Target | None) -> Defaults:
        """What stands under each of a target's manifests."""
        return UNKNOWN_DEFAULTS if target is None else self.defaults.get(target.name, NO_DEFAULTS)

    @cached_property
    def _by_folder(self) -> dict[str, Target]:
        return {target.folder: target for target in self.targets}
