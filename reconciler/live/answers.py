"""What came back, made into clusters or into a typed error: the documented codes, and all else clearly."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from reconciler.errors import (
    Forbidden,
    HttpError,
    InTransition,
    NotFound,
    Rejected,
    Unauthenticated,
    Unavailable,
    Undocumented,
)
from reconciler.model.cluster import FIELDS, LiveCluster
from reconciler.model.secret import ApiKey, taken_out
from reconciler.model.view import live_cluster
from reconciler.wire.answer import Answer

MOST_UNREADABLE = 100
"""Of one list: beyond it, the list as a whole isn't what we take it for."""

_ASK_SUPPORT = "run again later; if it stays so, ask Momento's support"


class Listing(NamedTuple):
    """All clusters of an account, in any order.

    `unreadable` are those whose entry makes no sense, by name, with the reason: they are there, and no more is known.
    """

    clusters: tuple[LiveCluster, ...]
    unreadable: Mapping[str, str] = MappingProxyType({})


def read_listing(answer: Answer) -> Listing:
    """The clusters of a 200. Raises Undocumented, or NoAnswer for half a body, where it is no whole list of names."""
    clusters: list[LiveCluster] = []
    unreadable: dict[str, str] = {}
    seen: set[str] = set()
    may_hold_key = answer.may_hold_key  # asked once: the body is long
    read = _reader(answer, may_hold_key=may_hold_key)
    for position, entry in enumerate(answer.entries()):
        name = _usable_name(entry)
        if name is None or (may_hold_key and taken_out(name, answer.peer.key) != name):
            raise answer.undocumented(f"a list whose entry {position} has no name that can be used")
        if name in seen:
            raise answer.undocumented(f"a list that holds {answer.peer.harmless(name)} twice")
        seen.add(name)
        cluster = read(entry)
        if isinstance(cluster, LiveCluster):
            clusters.append(cluster)
        elif len(unreadable) < MOST_UNREADABLE:
            unreadable[name] = cluster
        else:
            first = next(iter(unreadable.values()))
            raise answer.undocumented(f"more than {MOST_UNREADABLE} clusters not as documented, the first by {first}")
    return Listing(tuple(clusters), unreadable)


def read_cluster(answer: Answer) -> LiveCluster:
    """The cluster of a PUT's 200. Raises Undocumented, or NoAnswer for half a body, where it is none."""
    cluster = _reader(answer, may_hold_key=answer.may_hold_key)(answer.value())
    if isinstance(cluster, LiveCluster):
        return cluster
    raise answer.undocumented(f"no cluster: {cluster}")


def status_error(answer: Answer, now: float) -> HttpError:
    """The typed error of an answer that is no success."""
    status, words, check = answer.status, answer.words(), answer.peer.check
    said = f"{answer.asked}: {status} {answer.phrase}" + (f": {words}" if words else "")
    match status:
        case 400:
            return Rejected(
                said, remedy="fix the manifest: the service refuses exactly these values", http_status=status
            )
        case 401:
            remedy = "the API key is invalid or expired: make a new one in the Momento console"
            return Unauthenticated(said, remedy=remedy, http_status=status)
        case 403:
            remedy = "the API key doesn't grant this: use one that may manage clusters"
            return Forbidden(said, remedy=remedy, http_status=status)
        case 404:
            remedy = f"is this the endpoint? its API may have moved on: check {check}"
            return NotFound(said, remedy=remedy, http_status=status)
        case 409:
            return InTransition(said, remedy="wait until it is Active, then run again", http_status=status)
        case 408 | 429:
            wait = answer.retry_after(now)
            return Unavailable(said, remedy="run again later", http_status=status, retry_after=wait)
        case _ if status >= 500:
            wait = answer.retry_after(now)
            return Unavailable(said, remedy=_ASK_SUPPORT, http_status=status, may_have_reached=True, retry_after=wait)
        case _ if answer.is_redirect:
            said = (
                f"{answer.asked}: {status}: it points elsewhere, and that is not followed: the API key would go along"
            )
    return Undocumented(said, remedy=f"is this the endpoint? check {check}", http_status=status)


def _usable_name(entry: Any) -> str | None:
    name = entry.get("name") if isinstance(entry, dict) else None
    if not isinstance(name, str) or name in {"", ".", ".."}:
        return None
    try:
        name.encode()
    except UnicodeEncodeError:  # half a character
        return None
    return name


def _reader(answer: Answer, *, may_hold_key: bool) -> Callable[[Any], LiveCluster | str]:
    """Reads an entry: the cluster, or what is wrong with it. Null is missing."""

    def read(entry: Any) -> LiveCluster | str:
        try:
            return live_cluster(_without_key(entry, answer.peer.key) if may_hold_key else entry)
        except ValueError as error:
            return answer.peer.harmless(str(error))

    return read


def _without_key(entry: Any, key: ApiKey) -> Any:
    """What goes on to plans and the record. Errors are words, and told without the key.

    A value is carried by updates: without the key it would be another value, and with it, it would be sent and kept.
    So it is an error, a ValueError.
    """
    clean = taken_out(entry, key)
    for name in (*FIELDS, "status") if isinstance(entry, dict) else ():
        if clean.get(name) != entry.get(name):
            raise ValueError(f"{name}: it holds the API key; take it out in the console, and make a new key")
    return clean
