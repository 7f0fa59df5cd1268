"""One round: read, compare, explain, guard, apply; of one target, and of several side by side.

One target that fails doesn't stop the others: its error is told beside their results. A guard that refuses stops all.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import structlog

from reconciler.apply.executor import carry_out
from reconciler.apply.ledger import Ledger
from reconciler.apply.options import ApplyOptions, Now, Stop
from reconciler.clock import Clock
from reconciler.desired.lookup import Repository
from reconciler.errors import EXIT_OK, GitError, Problem, ReconcilerError, StalePlan, Unproven, UsageError
from reconciler.live.client import Connection
from reconciler.model.cluster import LiveCluster
from reconciler.model.evidence import Evidence
from reconciler.model.fleet import Head, Target
from reconciler.plan.compare import compare
from reconciler.plan.explain import Reading, explain
from reconciler.plan.offline import as_if_live
from reconciler.plan.plan import Plan
from reconciler.plan.settings import Intent
from reconciler.results import TargetReport

log = structlog.get_logger()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Site:
    """One target, how to reach it, and the git that it stands in.

    `endpoint` is as it is shown. Without a `connection` live is not read: base stands in for it. `declared` is the
    target as the fleet file has it, whatever the command line says of its endpoint. `folder` is the folder of manifests
    as it was given. `embedded`: it is a sandbox in this process, or nothing at all, so git knows it by the endpoint of
    the fleet file, and nothing is ever said to be applied to it.
    """

    head: Head
    endpoint: str
    connection: Connection | None
    declared: Target
    folder: str = ""
    repository: Repository | None = None
    embedded: bool = False

    @property
    def endpoint_in_git(self) -> str:
        """The endpoint that git knows the target's clusters by."""
        return (self.declared.endpoint or self.endpoint) if self.embedded else self.endpoint


@dataclass(frozen=True, slots=True)
class Planned:
    """The plans of all targets that could be read, in the fleet file's order, and why the others couldn't.

    `live` are the clusters that each plan was made on, by target.
    """

    plans: tuple[Plan, ...]
    errors: tuple[Problem, ...]
    live: Mapping[str, tuple[LiveCluster, ...]]

    @property
    def refused(self) -> bool:
        """Whether a guard refuses any of the plans: then none is carried out."""
        return any(plan.violations for plan in self.plans)


@dataclass(frozen=True, slots=True)
class Applied:
    """The results of all targets' plans, and what kept one from being carried out whole."""

    reports: tuple[TargetReport, ...]
    errors: tuple[Problem, ...]


async def plan_all(
    sites: Sequence[Site],
    intent: Intent,
    clock: Clock,
    *,
    fingerprint: bool = False,
    saved: Sequence[Plan] | None = None,
) -> Planned:
    """Plan all targets side by side, with one GET each; `fingerprint`: so that the plans may be saved.

    `saved` are the plans that will be carried out instead: the guards look at what still stands of them.

    Raises Unproven for a prune where git can't prove what is ours, or can't show what is protected, and UsageError
    where a pattern of `only` matches no cluster of any target that could be read.
    """
    _refuse_unproven(sites, intent)
    live: dict[str, tuple[LiveCluster, ...]] = {}
    earlier = {plan.target: plan for plan in saved or ()}
    running = (_plan(site, intent, clock, live, fingerprint, earlier.get(site.declared.name)) for site in sites)
    ended = await asyncio.gather(*(_caught(work, site) for work, site in zip(running, sites, strict=True)))
    plans = tuple(plan for plan in ended if isinstance(plan, Plan))
    errors = tuple(problem for problems in ended if isinstance(problems, tuple) for problem in problems)
    if not errors:
        declared = [name for site in sites for name in site.head.declarations]
        listed = [cluster.name for clusters in live.values() for cluster in clusters]
        intent.selects.refuse_unmatched([*declared, *listed], "declared or live")
    return Planned(plans, errors, live)


def refuse_stale_heads(sites: Sequence[Site]) -> None:
    """Raise StalePlan if HEAD is too old to be applied to any of the targets."""
    for site in sites:
        if site.repository is not None:
            try:
                site.repository.refuse_stale(site.endpoint, site.declared.name)
            except StalePlan as error:
                error.target = site.declared.name
                raise


async def apply_all(
    planned: Planned,
    sites: Sequence[Site],
    options: ApplyOptions,
    clock: Clock,
    stop: Stop,
    *,
    saved: Sequence[Plan] | None = None,
) -> Applied:
    """Carry out all plans side by side, each by its own target's concurrency where `options` doesn't say.

    `saved` are carried out instead, each change only where its cluster is still as it was when that plan was made.
    Returns the results so far even where it is cancelled.
    """
    plans = planned.plans if saved is None else tuple(saved)
    ledgers = {plan.target: Ledger(plan, clock) for plan in plans}
    by_name = {site.declared.name: site for site in sites}
    now = {fresh.target: Now(planned.live[fresh.target], fresh) for fresh in planned.plans if saved is not None}
    running = []
    for plan in plans:
        site, ledger = by_name[plan.target], ledgers[plan.target]
        running.append(_caught(_apply(plan, ledger, site, options, clock, stop, now.get(plan.target)), site))
    errors: list[Problem] = []
    try:
        errors += [problem for problems in await asyncio.gather(*running) if problems for problem in problems]
    except asyncio.CancelledError:
        log.warning("apply.cancelled")
    errors += [_blocked(plan.target, cluster.name, cluster.status) for plan in plans for cluster in plan.blocked]
    reports = tuple(ledger.report() for ledger in ledgers.values())
    failed = {problem.target for problem in errors}
    for plan, report in zip(plans, reports, strict=True):
        if report.exit_code == EXIT_OK and plan.target not in failed and not stop.requested.is_set():
            _say_applied(plan, by_name[plan.target])
    return Applied(reports, tuple(errors))


async def _plan(
    site: Site,
    intent: Intent,
    clock: Clock,
    lists: dict[str, tuple[LiveCluster, ...]],
    fingerprint: bool,  # noqa: FBT001
    saved: Plan | None,
) -> Plan:
    started = clock.monotonic()
    live = await _read_live(site)
    lists[site.declared.name] = live
    comparison = compare(site.head, live, intent.selects)
    evidence = Evidence()
    if site.repository is not None:
        evidence = site.repository.evidence(
            site.declared,
            site.endpoint_in_git,
            {change.name: [field.path for field in change.fields] for change in comparison.changes},
            [cluster.name for cluster in comparison.undeclared],
            comparison.settled,
            applied_to=site.endpoint,
        )
    reading = Reading(
        site.head, live, site.endpoint, site.folder, fingerprint, live_read=site.connection is not None, saved=saved
    )
    plan = explain(reading, comparison, evidence, intent, clock.now())
    log.info("plan.computed", seconds=round(clock.monotonic() - started, 3), **plan.summary.model_dump())
    return plan


async def _read_live(site: Site) -> tuple[LiveCluster, ...]:
    if site.connection is not None:
        async with site.connection.client() as client:
            return await client.list_clusters()
    if site.repository is None:
        raise UsageError("--offline compares with base, and no git is at hand", remedy="run it in a clone")
    return as_if_live(site.repository.at_base(site.declared, site.endpoint_in_git).values())


async def _apply(
    plan: Plan,
    ledger: Ledger,
    site: Site,
    options: ApplyOptions,
    clock: Clock,
    stop: Stop,
    now: Now | None,
) -> tuple[Problem, ...]:
    if site.connection is None:
        raise StalePlan("a plan that was made offline can't be applied", remedy="make one that reads what is live")
    own = options if options.concurrency else replace(options, concurrency=site.head.target.concurrency)
    await carry_out(plan, ledger, site.connection, own, clock=clock, stop=stop, now=now)
    return ()


def _refuse_unproven(sites: Sequence[Site], intent: Intent) -> None:
    repositories = [site.repository for site in sites]
    if intent.prune == "owned":
        for repository in repositories:
            why = repository.unproven if repository is not None else "no git is at hand"
            if why is not None:
                raise Unproven(f"--prune deletes only what git proves to be ours, and here it can't: {why}")
    if intent.prune == "all":
        for repository in repositories:
            if repository is not None and repository.blind is not None:
                raise Unproven(f"--prune=all spares what git protects, and here it can't be seen: {repository.blind}")


def _say_applied(plan: Plan, site: Site) -> None:
    """Move the ref of what was applied: for a whole target, from a clean tree, where git knows the endpoint."""
    repository = site.repository
    contradicted = site.declared.endpoint not in {None, site.endpoint}
    if repository is None or repository.dirty or site.embedded or contradicted or plan.intent.only:
        return
    try:
        moved = repository.say_applied(site.endpoint, site.declared.name)
    except GitError as error:
        log.warning("applied.unrecorded", target=plan.target, error=error.message)
    else:
        told = {"target": plan.target, "commit": repository.head.sha}
        if moved:
            log.info("applied.recorded", **told)
        else:
            log.info("applied.superseded", **told)


async def _caught(work: Awaitable[T], site: Site) -> T | tuple[Problem, ...]:
    target = site.declared.name
    structlog.contextvars.bind_contextvars(target=target)
    try:
        return await work
    except ReconcilerError as error:
        log.warning("round.failed", kind=error.kind, error=error.message)
        return tuple(replace(problem, target=target) for problem in error.problems())
    except Exception:
        log.exception("round.broke")
        message = "this program broke while working on this target; the log says where"
        return (Problem("internal", message, "report it, with the log", target),)


def _blocked(target: str, cluster: str, status: str) -> Problem:
    return Problem(
        "unhealthy",
        f"it is {status} and takes no update: it must be deleted first",
        "delete it by hand, then run apply again to create it as declared",
        target,
        cluster,
    )
