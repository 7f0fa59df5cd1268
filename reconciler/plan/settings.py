"""What a run means to do: the options that a plan is made by, and that a saved plan keeps."""

from fnmatch import fnmatchcase
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from reconciler.model.cluster import Frozen
from reconciler.model.fleet import Selection
from reconciler.model.guards import GuardName

Prune: TypeAlias = Literal["owned", "all"]


class Intent(Frozen):
    """`only` and `adopt` are name patterns; `allow` are the guards that are lifted for one run.

    `base` is the base that was named, None where it was left to be found.
    """

    base: str | None = None
    only: Annotated[tuple[str, ...], Field(strict=False)] = ()
    prune: Prune | None = None
    adopt: Annotated[tuple[str, ...], Field(strict=False)] = ()
    allow: Annotated[tuple[GuardName, ...], Field(strict=False)] = ()

    @property
    def selects(self) -> Selection:
        """Which clusters are looked at."""
        return Selection(self.only)

    def adopts(self, name: str) -> bool:
        """Whether this cluster may be adopted although that changes it."""
        return any(fnmatchcase(name, pattern) for pattern in self.adopt)


NO_INTENT = Intent()
