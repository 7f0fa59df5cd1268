"""A Lease as the API server has it, and as it is to be written next: all that others wrote into it stays."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from reconciler.clock import iso_timestamp
from reconciler.lease.in_cluster import LeaseName
from reconciler.wire.answer import Answer


class Record(NamedTuple):
    """A lease at one moment. `holder` is None where nobody holds it; `seconds` is how long its holder may go unseen.

    `body` is all of it, with the version by which the API server tells whether somebody has written since.
    """

    body: Mapping[str, Any]
    holder: str | None
    seconds: float | None

    @property
    def spec(self) -> Any:
        """What changes with each renewal, and not where somebody else labels the lease."""
        return self.body.get("spec")


def read_record(answer: Answer) -> Record:
    """The lease of an answer. Raises Undocumented, or NoAnswer for half a body, where it is none."""
    body = answer.value()
    metadata = body.get("metadata") if isinstance(body, dict) else None
    if not isinstance(metadata, dict) or not isinstance(metadata.get("resourceVersion"), str):
        raise answer.undocumented("no object that has a resourceVersion")
    spec = body.get("spec") or {}
    if not isinstance(spec, dict):
        raise answer.undocumented("a lease whose spec is none")
    holder, seconds = spec.get("holderIdentity"), spec.get("leaseDurationSeconds")
    if not isinstance(holder, str | None) or not isinstance(seconds, int | None) or isinstance(seconds, bool):
        raise answer.undocumented("a lease whose holder or duration is none")
    if not isinstance(spec.get("leaseTransitions"), int | None):
        raise answer.undocumented("a lease whose transitions are no number")
    return Record(body, holder or None, seconds)


def claim(record: Record | None, name: LeaseName, holder: str, seconds: int, now: float) -> dict[str, Any]:
    """The lease as this holder's: made anew where there is none."""
    moment = _micro_time(now)
    spec = dict(record.spec or {}) if record is not None else {}
    transitions = spec.get("leaseTransitions") or 0
    spec |= {
        "holderIdentity": holder,
        "leaseDurationSeconds": seconds,
        "acquireTime": moment,
        "renewTime": moment,
        "leaseTransitions": transitions if record is None else transitions + 1,
    }
    if record is not None:
        return {**record.body, "spec": spec}
    metadata = {"namespace": name.namespace, "name": name.name}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def renewal(record: Record, now: float) -> dict[str, Any]:
    """The lease, held on."""
    return {**record.body, "spec": {**record.spec, "renewTime": _micro_time(now)}}


def surrender(record: Record, now: float) -> dict[str, Any]:
    """The lease as nobody's: whoever waits may take it at once."""
    spec = {key: value for key, value in record.spec.items() if key != "holderIdentity"}
    return {**record.body, "spec": {**spec, "renewTime": _micro_time(now)}}


def _micro_time(epoch_seconds: float) -> str:
    """Six digits of a second: the API server takes neither fewer nor more."""
    return f"{iso_timestamp(epoch_seconds).removesuffix('Z')}000Z"
