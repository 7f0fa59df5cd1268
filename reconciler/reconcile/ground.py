"""What a round stands on: the fleet, where each target is reached, and git."""

from collections.abc import Collection, Mapping
from typing import NamedTuple, TypeAlias

from reconciler.evidence.checkout import Checkout
from reconciler.live.client import Connection
from reconciler.model.fleet import Fleet, Head
from reconciler.model.record import SANDBOX


class Connected(NamedTuple):
    """A target that is reached over the network."""

    head: Head
    connection: Connection

    @property
    def endpoint(self) -> str:
        """As it is shown, and recorded."""
        return self.connection.peer.address


class Embedded(NamedTuple):
    """A target that a sandbox in this process stands in for: an account of its own, whatever its endpoint."""

    head: Head
    connection: Connection

    @property
    def endpoint(self) -> str:
        """As it is shown, and recorded: never a port that is another the next time."""
        return f"{SANDBOX}{self.head.target.name}"


class Offline(NamedTuple):
    """A target that isn't reached: base stands in for what is live."""

    head: Head

    @property
    def endpoint(self) -> str:
        """As it is shown."""
        return self.head.target.endpoint or "unknown"


Site: TypeAlias = Connected | Embedded | Offline


class Ground(NamedTuple):
    """What a round stands on: the whole fleet, the sites of the selected targets, and git, where it is at hand.

    `folder` is the folder of manifests as it was given. `left_out` are the sites of targets that were selected and take
    no part in this round: whether what they declare stands isn't looked at, so nothing is deleted meanwhile.
    """

    fleet: Fleet
    sites: tuple[Site, ...]
    checkout: Checkout | None
    folder: str
    left_out: tuple[Site, ...] = ()

    def without(self, targets: Collection[str]) -> "Ground":
        """The same, these of its targets left out."""
        kept = tuple(site for site in self.sites if site.head.target.name not in targets)
        left_out = tuple(site for site in self.sites if site.head.target.name in targets)
        return self._replace(sites=kept, left_out=(*self.left_out, *left_out))

    @property
    def names(self) -> tuple[str, ...]:
        """The targets that are reached, in the fleet's order."""
        return tuple(site.head.target.name for site in self.sites)

    @property
    def selected(self) -> tuple[str, ...]:
        """The targets that were selected, in the fleet's order."""
        names = {site.head.target.name for site in (*self.sites, *self.left_out)}
        return tuple(target.name for target in self.fleet.targets if target.name in names)

    @property
    def endpoints(self) -> Mapping[str, str]:
        """Where each target is, as it is shown: of those that aren't selected, what the fleet file says."""
        known = {target.name: target.endpoint for target in self.fleet.targets if target.endpoint is not None}
        sites = (*self.sites, *self.left_out)
        embedded = {
            f.name: f"{SANDBOX}{f.name}" for f in self.fleet.targets if any(isinstance(s, Embedded) for s in sites)
        }
        return {**known, **embedded, **{site.head.target.name: site.endpoint for site in sites}}
