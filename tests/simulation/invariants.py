"""What must hold whatever happens, asked of what the simulated world knows: design's ten, by their numbers.

 1  each DELETE: nothing that the run's head declares, but for `--replace` of what the service never had Active; and of
    what a list shows so, where it is sent for the first time
 2  each DELETE and PUT: in the record that the run read, or consented to; nothing is deleted unasked
 3  each write: after a whole list of its target; each plan: on exactly the clusters of a list that arrived whole
 4  each apply that ended in 0 while nobody else did anything: a new plan sends nothing
 5  each request before the apply: a GET, of which one is answered a target
 6  each PUT that is sent for the first time, on a cluster that was listed: what isn't managed, or is left, is as it was
    last listed
 7  each request, page, error and log event: the key goes to its own endpoint, and is read nowhere
 8  each page of text: not one control character
 9  each DELETE that is sent for the first time: all that the run declares stood in the last lists, as declared, and
    that of its own target is no older than a delete may trust; one that is tried again is not looked at again
10  each field's and cluster's cause in each plan, and what it says that the service keeps: held against who is known to
    have set, made or taken away

What the world can't know is not asked: values that both people and the tool have written, clusters that two did
something to at once, causes after a record was lost or of an account that two names have a record of, who made what on a service that lists something else, or that holds
something else and whose answer the record never got. All of that is asked again once a run was alone, and found all as
declared: then the record has it.
"""

from collections.abc import Iterable, Mapping

from reconciler.apply.share import FRESH_SECONDS
from reconciler.model.cluster import LiveCluster, Values
from reconciler.model.declaration import Declaration
from reconciler.model.record import Line
from reconciler.model.view import field_of
from reconciler.plan.change import Change, Create, Delete, Update
from reconciler.plan.decide import Reading
from reconciler.plan.plan import Plan
from reconciler.reconcile.planning import Planned
from tests.simulation.story import Run
from tests.simulation.truth import Incarnation, Truth

ON_THE_WAY_SECONDS = 60.0
"""How long a request, or a list, may be under way."""


class Broken(AssertionError):
    """An invariant doesn't hold."""

    def __init__(self, invariant: int, why: str) -> None:
        super().__init__(f"invariant {invariant}: {why}")
        self.invariant = invariant


def a_delete_is_meant(
    run: Run, reading: Reading, name: str, latest: Mapping[str, LiveCluster], *, was_active: bool
) -> None:
    """1 and 2."""
    live = latest.get(name)
    declaration = reading.head.declarations.get(name)
    if declaration is not None:
        if not run.replace or was_active or (live is not None and not live.never_active):
            raise Broken(1, f"{name} is declared, and deleted")
        return
    line = reading.evidence.line(name)
    listed = {cluster.name: cluster for cluster in reading.live}.get(name)
    if run.prune is None:
        raise Broken(2, f"{name} is deleted without --prune")
    if line is not None and line.released:
        raise Broken(2, f"{name} was let go, and is deleted")
    if run.prune == "owned" and (line is None or listed is None or not line.owns(listed)):
        raise Broken(2, f"{name} isn't in the record, and is deleted")
    if line is not None and line.lifecycle.prevent_destroy:
        raise Broken(2, f"{name} is protected, and is deleted")


def a_put_is_consented_to(run: Run, reading: Reading, name: str) -> None:
    """2."""
    declaration = reading.head.declarations.get(name)
    if declaration is None:
        raise Broken(2, f"{name} isn't declared, and is written")
    listed = {cluster.name: cluster for cluster in reading.live}.get(name)
    line = reading.evidence.line(name)
    if listed is None or listed.status == "Deleting" or run.adopt or declaration.lifecycle.adopt:
        return
    if line is None or not line.owns(listed):
        raise Broken(2, f"{name} is somebody else's, and is changed")


def what_isnt_managed_stays(change: Update, declaration: Declaration, live: LiveCluster, sent: Values) -> None:
    """6."""
    left = {field.path for field in change.fields if field.left is not None}
    managed = declaration.managed.keys() - left
    for path in {*live.values, *sent} - managed:
        if field_of(path) != "shard_placements" and sent.get(path) != live.values.get(path):
            raise Broken(6, f"{change.name}: {path} isn't managed, is {live.values.get(path)}, sent {sent.get(path)}")


def nothing_goes_before_what_is_declared_stands(
    planned: Planned, lists: Mapping[str, tuple[float, Mapping[str, LiveCluster]]], target: str, now: float
) -> None:
    """9."""
    for plan in planned.plans:
        reading = planned.readings[plan.target]
        at, latest = lists[plan.target]
        if plan.target == target and now - at > FRESH_SECONDS + ON_THE_WAY_SECONDS:
            raise Broken(9, f"{plan.target} was listed {now - at:.0f} s ago")
        changes = {change.name: change for change in plan.changes}
        for name, declaration in reading.head.declarations.items():
            change = changes.get(name)
            if change is None or change.left is None:
                _stands(name, declaration, change, reading.evidence.line(name), latest.get(name))


def _stands(
    name: str, declaration: Declaration, change: Change | None, line: Line | None, live: LiveCluster | None
) -> None:
    if live is None or live.status != "Active" or live.errors:
        raise Broken(9, f"something is deleted, and {name} is {live.status if live is not None else 'not there'}")
    left = {field.path for field in change.fields if field.left is not None} if isinstance(change, Update) else set()
    for path, value in declaration.managed.items():
        held = live.values.get(path)
        keeps = line is not None and line.keeps(path, value, held)
        if path not in left and held != value and not keeps:
            raise Broken(9, f"something is deleted, and {name}'s {path} is {held}, declared {value}")


def every_cause_is_true(
    plan: Plan, reading: Reading, truth: Truth, account: str, *, true_lists: bool, known_by: float
) -> None:
    """10. `true_lists`: the service lists what there is; `known_by`: by when the record had to be told what it answered."""
    if reading.evidence.record is None or not reading.evidence.tells_causes:
        return
    for change in plan.changes:
        key = (account, change.name)
        incarnation = truth.at(key)
        match change:
            case Create() | Update() if key in truth.contested:
                pass
            case Create() if change.cause == "drift" and true_lists and change.live_digest is None:
                if truth.gone_by.get(key) != "hand":
                    raise Broken(10, f"{change.name} is said to be deleted by hand")
            case Update() if incarnation is not None:
                maker_is_known = true_lists and incarnation.recorded <= known_by
                _fields_are_true(change, reading, incarnation, maker_is_known=maker_is_known)
            case Create() | Update() | Delete():
                pass
    for kept in plan.kept:
        key = (account, kept.name)
        incarnation = truth.at(key)
        if incarnation is not None and key not in truth.contested and incarnation.surely("hand", kept.path, kept.kept):
            raise Broken(10, f"{kept.name}: {kept.path} is said to be kept by the service, and somebody set it by hand")


def _fields_are_true(change: Update, reading: Reading, incarnation: Incarnation, *, maker_is_known: bool) -> None:
    line, base = reading.evidence.line(change.name), reading.evidence.at_base(change.name)
    for field in change.fields:
        told = f"{change.name}: {field.path} {field.before} → {field.after} is {field.cause}"
        match field.cause:
            case "drift" | "conflict" if change.name not in reading.evidence.astray:
                if incarnation.surely("tool", field.path, field.before):
                    raise Broken(10, f"{told}, and the tool set it")
            case "pending" | "revision" if incarnation.surely("hand", field.path, field.before):
                at_base = base.managed.get(field.path) if base is not None else None
                if line is not None and field.path in (line.declared or {}) and at_base != field.before:
                    raise Broken(10, f"{told}, and somebody set it by hand")
            case "adoption" if maker_is_known and incarnation.maker == "tool" and not incarnation.written["hand"]:
                if line is not None and line.released:
                    continue
                raise Broken(10, f"{told}, and the tool made it")


def no_key_is_told(texts: Iterable[str], keys: Iterable[str]) -> None:
    """7."""
    for text in texts:
        for key in keys:
            if key in text:
                raise Broken(7, f"the key is told: …{text[max(0, text.index(key) - 80) : text.index(key) + 80]}…")


def nothing_steers_a_terminal(text: str) -> None:
    """8."""
    for character in text:
        if character != "\n" and (ord(character) < 32 or 127 <= ord(character) < 160):
            raise Broken(8, f"{character!r} is written: {text[max(0, text.index(character) - 40) :][:80]!r}")
