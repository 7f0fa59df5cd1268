"""One run of `apply` in the simulated world, as the command line makes it: from a clone to its reports, or to its death.

It does what `reconciler apply` does, by the same functions, and sees each of its own requests, to ask what must hold.
"""

import asyncio
import json
import math
import random  # noqa: TID251  # seeded
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from reconciler.apply.options import ApplyOptions, Stop
from reconciler.cli import exits
from reconciler.desired.fleet import read_source
from reconciler.errors import ReconcilerError
from reconciler.evidence.checkout import Checkout, GitOptions
from reconciler.evidence.process import GitOutput, Reach
from reconciler.evidence.record import Records
from reconciler.live.client import Connection
from reconciler.model.cluster import LiveCluster
from reconciler.model.guards import ALLOWABLE
from reconciler.model.record import Record
from reconciler.model.secret import ApiKey
from reconciler.model.view import live_cluster
from reconciler.plan.change import Update
from reconciler.plan.intent import Intent
from reconciler.reconcile.applying import Applied, apply_all
from reconciler.reconcile.ground import Connected, Ground
from reconciler.reconcile.planning import Planned, PlanRequest, plan_all, refuse_stale_heads
from reconciler.report.render import render_plans, render_reports
from reconciler.results import Result
from tests.simulation import invariants
from tests.simulation.invariants import Broken
from tests.simulation.manifests import KEYS, key_variable
from tests.simulation.network import Killed, Network
from tests.simulation.repository import Clone
from tests.simulation.story import Run
from tests.simulation.truth import Key
from tests.simulation.watched import GitWorld, open_git

if TYPE_CHECKING:
    from tests.simulation.world import World

LIFTED = tuple(guard for guard in ALLOWABLE if guard != "stale-head")


@dataclass(slots=True)
class Process:
    """A run, from its start on. `exit_code` is None until it has ended, and where it was killed.

    Its targets are those of its head; `accounts` are the accounts that they stand for.
    """

    world: "World"
    number: int
    run: Run
    clone: Clone
    base: str | None
    dead: bool = False
    ended: bool = False
    exit_code: int | None = None
    planned: Planned | None = None
    applying: bool = False
    instants: int = 0
    acts: int = 0
    acts_before: int = 0
    ended_at: float = 0.0
    began_at: float = 0.0
    fetched_at: int = 0
    read_at: float = 0.0
    accounts: Mapping[str, str] = field(default_factory=dict)
    lists: dict[str, tuple[float, Mapping[str, LiveCluster]]] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)
    tried: set[tuple[str, str, str]] = field(default_factory=set)
    heard: set[Key] = field(default_factory=set)
    announces: Mapping[Key, str] = field(default_factory=dict)
    stop: Stop = field(default_factory=Stop)
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.run.seed)  # noqa: S311
        self.began_at = self.world.clock.monotonic()

    # ---- its life

    async def live(self) -> None:
        """Run to the end, whichever it is."""
        try:
            self.exit_code = await self._apply()
        except ReconcilerError as error:
            self.exit_code = error.exit_code
            self.world.tell(self.number, f"{type(error).__name__}: {error.message}")
            invariants.no_key_is_told([str(error), repr(error.problems())], KEYS.values())
        except BaseException as error:
            if not self.dead and not isinstance(error, asyncio.CancelledError):
                raise
            self.world.tell(self.number, "is gone" if self.dead else "is interrupted")
        self.ended, self.ended_at = True, self.world.clock.monotonic()

    async def _apply(self) -> int:
        world, run = self.world, self.run
        git = open_git(GitWorld(world.server, self.clone, self.before_git))
        try:
            head = git.commit("HEAD")
            assert head is not None
            asked = GitOptions(self.base, remote="origin" if run.remote else None, run_id=f"run-{self.number}")
            checkout = Checkout(git, "manifests", head, asked)
            checkout.fetch_records()
            self.fetched_at, self.acts_before = world.writes, world.acts
            self.read_at = world.clock.monotonic()
            ground = self._ground(checkout)
            allow = LIFTED if run.allow else ()
            star = ("*",)
            intent = Intent(
                prune=run.prune, adopt=star if run.adopt else (), replace=star if run.replace else (), allow=allow
            )
            refuse_stale_heads(ground, intent)
            world.check_not_older_than_applied(self)
            return await self._round(ground, PlanRequest(intent, fingerprint=True))
        finally:
            git.close()

    async def _round(self, ground: Ground, request: PlanRequest) -> int:
        world = self.world
        planned = self.planned = await plan_all(ground, request)
        self._check_planned(planned)
        if planned.refused:
            world.tell(self.number, "is refused")
            return exits.of_plans(planned.plans, planned.errors)
        for plan in planned.plans:
            world.declared(self, planned.readings[plan.target])
        self.announces = {self.key(plan.target, one.name): one.action for plan in planned.plans for one in plan.sends}
        world.announced(self)
        self.applying = True
        options = ApplyOptions(wait=self.run.wait, timeout_seconds=self.run.timeout, keep_going=self.run.keep_going)
        applied = await apply_all(ground, planned, request, options, world.clock, self.stop)
        world.acts += 1  # what a run says at its end, others may find in the record
        self.acts += 1
        code = exits.of_reports(applied.reports, (*planned.errors, *applied.errors))
        self._check_applied(planned, applied)
        if code == 0 and self.run.wait and not self.dead and not self.stop.requested.is_set():
            await self._check_in_sync(ground, request)
        return code

    def _ground(self, checkout: Checkout) -> Ground:
        fleet = read_source(checkout.head_tree())
        self.accounts = {target.name: target.folder.rpartition("/")[2] for target in fleet.targets}
        sites = [
            Connected(fleet.head(target.name), self._connection(target.name, target.endpoint or "", target.rate))
            for target in fleet.targets
        ]
        return Ground(fleet, tuple(sites), checkout, "manifests")

    def _connection(self, target: str, endpoint: str, rate: float | None) -> Connection:
        world = self.world
        return Connection(
            endpoint,
            ApiKey(KEYS[self.accounts[target]]),
            clock=world.clock,
            random=self.chance,
            give_up=self.stop.requested,
            rate=rate,
            transport=lambda: Network(world.app, world.clock, world.conditions, self.chance, _Eye(self, target)),
        )

    def declares(self, key: Key) -> bool:
        """Whether its head has a cluster, as far as it has come to read it."""
        readings = self.planned.readings if self.planned is not None else {}
        return any(self.accounts[t] == key[0] and key[1] in r.head.declarations for t, r in readings.items())

    def key(self, target: str, name: str) -> Key:
        """The cluster of this name in the account that one of its targets stands for."""
        return self.accounts[target], name

    def instant(self) -> None:
        """Something is about to happen; for the dead nothing does."""
        self.instants += 1
        if self.dead or self.instants == self.run.kill_at:
            self.dead = True
            raise Killed

    def before_git(self, reach: Reach) -> GitOutput | None:
        """A process of git is about to be run."""
        self.instant()
        if reach == "remote" and self.chance.random() < self.run.git_fails:
            return GitOutput(128, b"", "fatal: unable to access the server: Could not resolve host")
        return None

    async def signalled(self, task: "asyncio.Task[None]") -> None:
        """The first signal, and the second."""
        if self.run.stop_after is not None:
            await self.world.clock.sleep(self.run.stop_after)
            self.stop.requested.set()
        if self.run.cancel_after is not None and self.applying:
            await self.world.clock.sleep(self.run.cancel_after)
            self.stop.requested.set()
            if not self.ended:
                task.cancel()

    def records(self) -> tuple[Record, ...]:
        """The records of its clone, now."""
        with closing(open_git(GitWorld(self.world.server, self.clone, lambda _reach: None))) as git:
            return Records(git, "").all()

    # ---- what must hold

    def _check_planned(self, planned: Planned) -> None:
        world = self.world
        for plan in planned.plans:
            reading = planned.readings[plan.target]
            if plan.target not in self.lists:
                raise Broken(3, f"{plan.target} is planned, and no whole list came")
            _, listed = self.lists[plan.target]
            if {cluster.name for cluster in reading.live} | set(planned.listings[plan.target].unreadable) != {*listed}:
                raise Broken(3, f"{plan.target} is planned on another list than the one that came")
            told = [f"{change.action} {change.name} {change.cause}" for change in plan.changes]
            world.tell(self.number, f"plans {plan.target}: {', '.join(told) or 'nothing'}")
            account = self.accounts[plan.target]
            records = [one for one in self.records() if one.api_key_env == key_variable(account)]
            if len(records) <= 1 and world.whole[account] and self.run.remote and world.writes == self.fetched_at:
                known_by = math.inf if account in world.held_as_sent else self.read_at
                invariants.every_cause_is_true(
                    plan, reading, world.truth, account, true_lists=account in world.listed_truly, known_by=known_by
                )
        for target, count in self.answered.items():
            if count > 1:
                raise Broken(5, f"{target} was listed {count} times to be planned")
        document = planned.document()
        texts = [render_plans(document, "text"), render_plans(document, "markdown"), render_plans(document, "json")]
        invariants.no_key_is_told(texts, KEYS.values())
        invariants.nothing_steers_a_terminal(texts[0])

    def _check_applied(self, planned: Planned, applied: Applied) -> None:
        for plan, report in zip(planned.plans, applied.reports, strict=True):
            if [change.name for change in plan.changes] != [result.name for result in report.results]:
                raise Broken(4, f"{plan.target}: not each change ended as exactly one outcome")
            told = [f"{result.name} {result.outcome}{_why(result)}" for result in report.results]
            self.world.tell(self.number, f"ends {plan.target}: {', '.join(told) or 'nothing'}")
        for error in (*planned.errors, *applied.errors):
            self.world.tell(self.number, f"{error.kind}: {error.message}")
        kinds = {error.kind for error in (*planned.errors, *applied.errors)}
        kinds |= {one.error.kind for report in applied.reports for one in report.results if one.error is not None}
        if "internal" in kinds:
            raise Broken(4, "a bug in this program")
        document = applied.document(planned.errors)
        texts = [render_reports(document, "text"), render_reports(document, "markdown")]
        invariants.no_key_is_told(texts, KEYS.values())
        invariants.nothing_steers_a_terminal(texts[0])
        if any(error.kind == "git" for error in applied.errors):
            self.world.record_is_late()
        else:
            self.world.truth.record(self.heard | {*self._seen_active(applied)}, self.world.clock.monotonic())

    def _seen_active(self, applied: Applied) -> Iterator[Key]:
        """What it made, and saw Active at the end, though otherwise than sent: that is its own, as the record says."""
        for report in applied.reports:
            for result in report.results:
                if result.action == "create" and result.error is not None and result.error.kind == "not-as-sent":
                    yield self.key(report.target, result.name)

    async def _check_in_sync(self, ground: Ground, request: PlanRequest) -> None:
        """4: unless somebody else has done something meanwhile, or what somebody did has failed meanwhile."""
        world = self.world
        again = await plan_all(ground, request)
        if world.acts - self.acts != self.acts_before or world.lists_lie or again.errors:
            return
        for plan in again.plans:
            mine = {name for method, target, name in self.tried if (method, target) == ("PUT", plan.target)}
            not_retries = [c for c in plan.sends if not isinstance(c, Update) or c.fields or c.name in mine]
            if not_retries:
                sends = [f"{change.action} {change.name} {change.cause}" for change in not_retries]
                raise Broken(4, f"{plan.target}: after an apply that ended in 0, another would {', '.join(sends)}")
            if self.run.remote and all(one.ended for one in world.processes if one is not self):
                world.all_is_known(self, plan.target)

    def sends(self, target: str, request: httpx.Request) -> None:
        """A request of this run is on its way."""
        world = self.world
        account = self.accounts[target]
        if request.url.host != world.host_of(account) or request.headers["authorization"] != KEYS[account]:
            raise Broken(7, f"the key of {target} goes to {request.url.host}")
        if request.method == "GET":
            return
        name = request.url.path.rpartition("/")[2]
        world.tell(self.number, f"{request.method} {target}/{name}")
        if not self.applying or self.planned is None:
            raise Broken(5, f"{request.method} {name} is sent by a plan")
        if target not in self.lists:
            raise Broken(3, f"{request.method} {name} is sent, and {target} was never listed")
        reading = self.planned.readings[target]
        latest = self.lists[target][1]
        (plan,) = (plan for plan in self.planned.plans if plan.target == target)
        change = next(change for change in plan.sends if change.name == name)
        first = (request.method, target, name) not in self.tried
        self.tried.add((request.method, target, name))
        if request.method == "DELETE":
            looked_at = latest if first else {}
            was_active = world.was_active((account, name))
            invariants.a_delete_is_meant(self.run, reading, name, looked_at, was_active=was_active)
            if change.action == "delete" and first and not self.run.keep_going:
                invariants.nothing_goes_before_what_is_declared_stands(
                    self.planned, self.lists, target, world.clock.monotonic()
                )
            return
        invariants.a_put_is_consented_to(self.run, reading, name)
        if isinstance(change, Update) and name in latest and first:
            values = live_cluster({"name": name, "status": "", **json.loads(request.content)}).values
            invariants.what_isnt_managed_stays(change, reading.head.declarations[name], latest[name], values)

    def effected(self, target: str, request: httpx.Request, answer: httpx.Response) -> None:
        """The service has answered, whether or not it is heard."""
        if request.method == "GET" or not answer.is_success or self.planned is None:
            return
        name = request.url.path.rpartition("/")[2]
        self.world.took(self, target, name, answer.json() if request.method == "PUT" else None)

    def hears(self, target: str, request: httpx.Request, answer: httpx.Response) -> None:
        """A whole answer has arrived."""
        name = request.url.path.rpartition("/")[2]
        if request.method == "PUT" and answer.is_success and self.announces.get(self.key(target, name)) == "create":
            self.heard.add(self.key(target, name))
        if request.method == "GET" and answer.is_success:
            clusters = {entry["name"]: live_cluster(entry) for entry in answer.json()}
            self.lists[target] = (self.world.clock.monotonic(), clusters)
            if self.planned is not None:
                self.world.seen_as_declared(self, self.planned.readings[target], clusters.values())
            if not self.applying:
                self.answered[target] = self.answered.get(target, 0) + 1


def _why(result: Result) -> str:
    return f" ({result.error.message})" if result.error is not None else ""


@dataclass(frozen=True, slots=True)
class _Eye:
    """One target's requests of a run."""

    process: Process
    target: str

    def instant(self) -> None:
        self.process.instant()

    def sends(self, request: httpx.Request) -> None:
        with self._kept():
            self.process.sends(self.target, request)

    def effected(self, request: httpx.Request, answer: httpx.Response) -> None:
        with self._kept():
            self.process.effected(self.target, request, answer)

    def hears(self, request: httpx.Request, answer: httpx.Response) -> None:
        with self._kept():
            self.process.hears(self.target, request, answer)

    @contextmanager
    def _kept(self) -> Iterator[None]:
        """What is seen here is raised into the program, which survives it: the world must know."""
        try:
            yield
        except Exception as error:
            self.process.world.seen.append(error)
            raise
