"""What a round stands on: the fleet, where each target is reached, and git."""

from collections.abc import Mapping
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

    `folder` is the folder of manifests as it was given.
    """

    fleet: Fleet
    sites: tuple[Site, ...]
    checkout: Checkout | None
    folder: str

    @property
    def endpoints(self) -> Mapping[str, str]:
        """Where each target is, as it is shown: of those that aren't selected, what the fleet file says."""
        known = {target.name: target.endpoint for target in self.fleet.targets if target.endpoint is not None}
        embedded = {
            f.name: f"{SANDBOX}{f.name}" for f in self.fleet.targets if any(isinstance(s, Embedded) for s in self.sites)
        }
        return {**known, **embedded, **{site.head.target.name: site.endpoint for site in self.sites}}
