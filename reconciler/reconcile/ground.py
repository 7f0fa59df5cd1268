"""What a round stands on: the fleet, where each target is reached, and git."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from reconciler.evidence.checkout import Checkout
from reconciler.live.client import Connection
from reconciler.model.fleet import Fleet, Head
from reconciler.model.record import SANDBOX


@dataclass(frozen=True, slots=True)
class Connected:
    """A target that is reached over the network."""

    head: Head
    connection: Connection

    @property
    def endpoint(self) -> str:
        """As it is shown, and recorded."""
        return self.connection.peer.address


@dataclass(frozen=True, slots=True)
class Embedded:
    """A target that a sandbox in this process stands in for: an account of its own, whatever its endpoint."""

    head: Head
    connection: Connection

    @property
    def endpoint(self) -> str:
        """As it is shown, and recorded: never a port that is another the next time."""
        return f"{SANDBOX}{self.head.target.name}"


@dataclass(frozen=True, slots=True)
class Offline:
    """A target that isn't reached: base stands in for what is live."""

    head: Head

    @property
    def endpoint(self) -> str:
        """As it is shown."""
        return self.head.target.endpoint or "unknown"


Site: TypeAlias = Connected | Embedded | Offline


@dataclass(frozen=True, slots=True)
class Ground:
    """What a round stands on: the whole fleet, the sites of the selected targets, and git, where it is at hand.

    `folder` is the folder of manifests as it was given. `waiting` are targets that were selected and are left out of
    this round: what they declare isn't looked at, so nothing is deleted meanwhile.
    """

    fleet: Fleet
    sites: tuple[Site, ...]
    checkout: Checkout | None
    folder: str
    waiting: frozenset[str] = frozenset()

    def without(self, waiting: Collection[str]) -> "Ground":
        """The same, some of its targets left out."""
        kept = tuple(site for site in self.sites if site.head.target.name not in waiting)
        left_out = frozenset(site.head.target.name for site in self.sites) & frozenset(waiting)
        return replace(self, sites=kept, waiting=left_out)

    @property
    def endpoints(self) -> Mapping[str, str]:
        """Where each target is, as it is shown: of those that aren't selected, what the fleet file says."""
        known = {target.name: target.endpoint for target in self.fleet.targets if target.endpoint is not None}
        embedded = {
            f.name: f"{SANDBOX}{f.name}" for f in self.fleet.targets if any(isinstance(s, Embedded) for s in self.sites)
        }
        return {**known, **embedded, **{site.head.target.name: site.endpoint for site in self.sites}}
