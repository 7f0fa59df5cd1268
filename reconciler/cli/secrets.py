"""The secrets that this process must not show: read by every thread that shows something, while others add to them."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reconciler.model.secret import ApiKey

_PASSING: Final = 4
"""So many of those that are replaced within the hour: older ones have expired, and looking for each takes its time."""


class Secrets:
    """Those that last, and the newest of those that pass; each change takes the place of what there was, whole."""

    def __init__(self) -> None:
        self._lasting: tuple[ApiKey, ...] = ()
        self._passing: tuple[ApiKey, ...] = ()

    def keep(self, secret: "ApiKey") -> None:
        """Show this one nowhere from now on."""
        if secret not in self._lasting:
            self._lasting = (*self._lasting, secret)

    def keep_passing(self, secret: "ApiKey") -> None:
        """Show this one nowhere, until several others have taken its place."""
        if secret not in self._passing:
            self._passing = (*self._passing, secret)[-_PASSING:]

    def __iter__(self) -> "Iterator[ApiKey]":
        return iter((*self._lasting, *self._passing))

    def __bool__(self) -> bool:
        return bool(self._lasting or self._passing)
