"""The first half of a round: read, compare, explain, decide, guard. It sends one GET a target.

One target that fails doesn't stop the others: its error is told beside their plans.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import structlog

from reconciler.errors import Unproven
from reconciler.live.answers import Listing
from reconciler.model.command import record_command
from reconciler.model.declaration import Declaration
from reconciler.model.evidence import NO_GIT, Gone, LeftBehind
from reconciler.model.fleet import Suspension
from reconciler.model.record import Record
from reconciler.plan.causes import who_set_what
from reconciler.plan.compare import as_if_applied, compare
from reconciler.plan.decide import Reading, make_plan
from reconciler.plan.document import PlanDocument
from reconciler.plan.intent import Intent
from reconciler.plan.moves import NO_MOVES, Movable, Moves, find_moves
from reconciler.plan.ownership import pruned
from reconciler.plan.plan import Plan
from reconciler.plan.reviewed import Reviewed
from reconciler.problem import Problem
from reconciler.reconcile.ground import Ground, Offline, Site
from reconciler.reconcile.listing import Answer, Patience, caught, list_each

log = structlog.get_logger()


class PlanRequest(NamedTuple):
    """How plans are to be made.

    `fingerprint`: so that they may be saved. `reviewed`: what somebody has seen, None where nobody has to. `saved` are
    plans by target that are carried out: then nothing else is made.
    """

    intent: Intent
    fingerprint: bool = False
    reviewed: Reviewed | None = None
    saved: Mapping[str, Plan] | None = None


class Planned(NamedTuple):
    """The plans of all targets that could be read, in the fleet file's order, and why the others couldn't.

    `late` are targets that nothing is known of, since the others didn't wait for them.
    """

    plans: tuple[Plan, ...]
    errors: tuple[Problem, ...]
    left_behind: tuple[LeftBehind, ...] = ()
    readings: Mapping[str, Reading] = MappingProxyType({})
    listings: Mapping[str, Listing] = MappingProxyType({})
    moves: Moves = NO_MOVES
    late: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Short: an event loop asks for it as a run ends, twice, where Ctrl-C is left to the interpreter."""
        return f"<Planned: {', '.join(plan.target for plan in self.plans) or 'nothing'}>"

    def document(self, refusals: Sequence[Problem] = ()) -> PlanDocument:
        """As it is told; with what else refuses it."""
        return PlanDocument(errors=(*self.errors, *refusals), left_behind=self.left_behind, targets=self.plans)

    @property
    def refused(self) -> bool:
        """Whether a guard refuses any of the plans that are to be carried out: then none is."""
        return any(plan.violations for plan in self.to_apply)

    @property
    def to_apply(self) -> tuple[Plan, ...]:
        """The plans that an apply carries out: all but those of suspended targets."""
        return tuple(plan for plan in self.plans if self.suspension(plan) is None)

    def suspension(self, plan: Plan) -> Suspension | None:
        """Why nothing is applied to a plan's target, if nothing is."""
        return self.readings[plan.target].head.target.suspension


async def plan_all(ground: Ground, request: PlanRequest, patience: Patience | None = None) -> Planned:
    """Plan all targets side by side, with one GET each; without `patience` all wait for each.

    Raises Unproven for a prune of everything where git can't show what is protected, and UsageError where a pattern of
    `only` matches no cluster of any target that could be read.
    """
    records = _records(ground)
    _refuse_unproven(ground, records, request.intent)
    orphans = ground.checkout.unclaimed(ground.fleet, ground.endpoints) if ground.checkout is not None else ()
    gone = ground.checkout.gone(orphans, ground.endpoints) if ground.checkout is not None else ()
    answers = await list_each(ground, patience)
    late = tuple(site.head.target.name for site in ground.sites if site.head.target.name not in answers)
    ground = ground.without(late)
    read, errors = await _read_all(ground, answers, request, records, gone)
    readings = {target: one.reading for target, one in read.items()}
    if not errors and not ground.left_out:
        _refuse_unmatched(ground, readings, request.intent)
    unread = tuple(_unread(one, name) for one in read.values() for name in one.reading.comparison.unreadable)
    moves = _moves(ground, readings, request.intent)
    plans = tuple(_plan(reading, request, moves) for reading in readings.values())
    for plan in plans:
        log.info("plan.computed", target=plan.target, **plan.summary.model_dump())
    left_behind = tuple(LeftBehind(r.target, r.endpoint, tuple(r.lines)) for r in orphans)
    listings = {target: one.listing for target, one in read.items()}
    return Planned(plans, (*errors, *unread), left_behind, readings, listings, moves, late)


def refuse_stale_heads(ground: Ground, intent: Intent) -> None:
    """Raise StaleHead if HEAD is too old to be applied to any of the targets.

    A record of the same account that no target claims counts, too: an old HEAD knows the target by the name it had.
    """
    checkout = ground.checkout
    if checkout is not None and "stale-head" not in intent.allow:
        own = [record for record in _records(ground).values() if record is not None]
        accounts = {(site.endpoint, site.head.target.api_key_env) for site in ground.sites}
        unclaimed = checkout.unclaimed(ground.fleet, ground.endpoints)
        checkout.refuse_stale([*own, *(one for one in unclaimed if (one.endpoint, one.api_key_env) in accounts)])


def _records(ground: Ground) -> dict[str, Record | None]:
    targets = [site.head.target for site in ground.sites]
    if ground.checkout is None:
        return dict.fromkeys(target.name for target in targets)
    return ground.checkout.records_of(targets, ground.endpoints)


def _refuse_unproven(ground: Ground, records: Mapping[str, Record | None], intent: Intent) -> None:
    if intent.prune != "all":
        return
    if ground.checkout is None:
        raise Unproven("--prune=all spares what git protects, and no git is at hand", remedy="run it in a clone")
    for target, record in records.items():
        if record is None:
            message = f"--prune=all spares what the record protects, and target {target} has none in this clone"
            fetch = record_command("fetch", folder=ground.folder)
            raise Unproven(message, remedy=f"{fetch}; or apply once without --prune")


def _gone_of(mine: str, ground: Ground, unread: Collection[str], gone: Sequence[Gone]) -> tuple[Gone, ...]:
    """The targets that this change takes away are told, and refused, with the first that was selected.

    Where that isn't in this round, it is told in its own; where it can't be read, with the next that can.
    """
    remain = ground.selected
    first = next(name for name in remain if name not in unread)
    return tuple(one for one in gone if one.target == mine or (one.target not in remain and mine == first))


class _Read(NamedTuple):
    """One target, as it was read."""

    reading: Reading
    listing: Listing


async def _read_all(
    ground: Ground,
    answers: Mapping[str, Answer],
    request: PlanRequest,
    records: Mapping[str, Record | None],
    gone: Sequence[Gone],
) -> tuple[Mapping[str, _Read], tuple[Problem, ...]]:
    """The targets whose clusters are listed, as they were read; and why others couldn't be."""
    read: dict[str, _Read] = {}
    errors: list[Problem] = []
    unread = [name for name in ground.names if not isinstance(answers[name], Listing)]
    for site in ground.sites:
        target = site.head.target.name
        answer = answers[target]
        if isinstance(answer, Listing):
            own = _gone_of(target, ground, unread, gone)
            ended = await caught(_read(site, answer, ground, request, records, own), site)
            if isinstance(ended, _Read):
                read[target] = ended
            else:
                errors += ended
        else:
            errors += answer
    return read, tuple(errors)


async def _read(
    site: Site,
    listing: Listing,
    ground: Ground,
    request: PlanRequest,
    records: Mapping[str, Record | None],
    gone: tuple[Gone, ...],
) -> _Read:
    head, checkout = site.head, ground.checkout
    comparison = compare(head, listing.clusters, request.intent.selects, listing.unreadable)
    pairs = (*comparison.absent, *comparison.differing, *(p for p in comparison.equal if p.live and p.live.unhealthy))
    names = [*(pair.declaration.name for pair in pairs), *(cluster.name for cluster in comparison.undeclared)]
    evidence = NO_GIT
    setters: Mapping[tuple[str, str], str] = {}
    if checkout is not None:
        evidence = checkout.evidence(head, records[head.target.name], names, gone)
        if isinstance(site, Offline):
            evidence = as_if_applied(evidence, head.target, site.endpoint, listing.clusters)
        setters = checkout.who_set(head.target, who_set_what(comparison, evidence))
    reading = Reading(
        head,
        listing.clusters,
        comparison,
        evidence,
        site.endpoint,
        setters=setters,
        folder=ground.folder,
        fingerprint=request.fingerprint,
        live_read=not isinstance(site, Offline),
    )
    return _Read(reading, listing)


def _refuse_unmatched(ground: Ground, readings: Mapping[str, Reading], intent: Intent) -> None:
    declared = [name for site in ground.sites for name in site.head.declarations]
    listed = [cluster.name for reading in readings.values() for cluster in reading.live]
    intent.selects.refuse_unmatched([*declared, *listed], "declared or live")


def _moves(ground: Ground, readings: Mapping[str, Reading], intent: Intent) -> Moves:
    """What arrives is looked for only where anything leaves: mostly nothing does."""
    leaving = {
        target: tuple(pruned(reading.comparison.undeclared, reading.evidence, intent))
        for target, reading in readings.items()
    }
    if not any(leaving.values()):
        return NO_MOVES
    planned = [Movable(target, leaving[target], _arriving(reading)) for target, reading in readings.items()]
    return find_moves([*planned, *_elsewhere(ground, readings)])


def _arriving(reading: Reading) -> list[Declaration]:
    """What isn't there yet, and what the record never saw to stand."""
    record = reading.evidence.record
    standing = {name for name, line in record.lines.items() if line.settled} if record is not None else None
    return [
        pair.declaration
        for pair in reading.comparison.declared
        if pair.live is None or (standing is not None and pair.declaration.name not in standing)
    ]


def _elsewhere(ground: Ground, planned: Collection[str]) -> Iterator[Movable]:
    """What targets declare that weren't selected, or couldn't be read, and that their records never saw to stand.

    What leaves a target that is planned may be on its way there: deleted now, it would be in neither.
    """
    others = [target.name for target in ground.fleet.targets if target.name not in planned]
    if ground.checkout is None or not others:
        return
    records = ground.checkout.records.all()
    for target in others:  # its endpoint may be unknown here: what its name has anywhere counts
        lines = [line for record in records if record.target == target for line in record.lines.values()]
        standing = {line.name for line in lines if line.settled}
        declared = ground.fleet.declarations[target]
        yield Movable(target, (), [declared[name] for name in declared if name not in standing])


def _plan(reading: Reading, request: PlanRequest, moves: Moves) -> Plan:
    if request.saved is not None:
        saved = Reviewed.of((), [request.saved[reading.head.target.name]])
        return make_plan(
            reading, request.intent, moves, saved=saved.of_target(reading.head.target.name, reading.endpoint)
        )
    plan = make_plan(reading, request.intent, moves)
    reviewed = request.reviewed
    if reviewed is None or plan.digest in reviewed.plans:
        return plan
    return make_plan(reading, request.intent, moves, reviewed=reviewed.of_target(plan.target, plan.endpoint))


def _unread(one: _Read, name: str) -> Problem:
    head = one.reading.head
    return Problem(
        "undocumented",
        f"what the service lists of it can't be read, so nothing is planned for it: {one.listing.unreadable[name]}",
        "look at it in the Momento console; if it stays so, ask Momento's support",
        head.target.name,
        name,
        head.declarations[name].file,
        head.declarations[name].line,
    )
