"""What a run means to do: the options that a plan is made by, and that a saved plan keeps."""

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from reconciler.model.cluster import Frozen
from reconciler.model.fleet import Selection

Prune: TypeAlias = Literal["owned", "all"]
_Patterns: TypeAlias = Annotated[tuple[str, ...], Field(strict=False)]


class Intent(Frozen):
    """`only`, `adopt` and `replace` are name patterns; `allow` are the guards that are lifted for one run.

    `base` is the base that was named, None where it was left to be found.
    """

    base: str | None = None
    only: _Patterns = ()
    prune: Prune | None = None
    adopt: _Patterns = ()
    replace: _Patterns = ()
    allow: _Patterns = ()

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
