"""What a run means to do: the options that a plan is made by, and that a saved plan keeps."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Annotated, Literal, TypeAlias

from reconciler.model.cluster import Frozen, Listed
from reconciler.model.fleet import Selection

Prune: TypeAlias = Literal["owned", "all"]
_Patterns: TypeAlias = Annotated[tuple[str, ...], Listed]


class Intent(Frozen):
    """The options that a plan is made by."""

    base: str | None = None
    """The base that was named; None where it was left to be found."""
    only: _Patterns = ()
    """Name patterns of the clusters that are looked at; none of them for all."""
    prune: Prune | None = None
    """What may be deleted: what is ours, or all; None for nothing."""
    adopt: _Patterns = ()
    """Name patterns of clusters that may be changed though somebody else made them."""
    replace: _Patterns = ()
    """Name patterns of clusters that were never Active and may be deleted and created again."""
    allow: _Patterns = ()
    """Guards that are lifted for this run."""

    @property
    def selects(self) -> Selection:
        """Which clusters are looked at."""
        return Selection(self.only)

    def adopts(self, name: str) -> bool:
        """Whether this cluster may be taken over although that changes it."""
        return _matches(name, self.adopt)

    def replaces(self, name: str) -> bool:
        """Whether this cluster may be deleted and made anew, if it was never Active."""
        return _matches(name, self.replace)


NO_INTENT = Intent()


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
