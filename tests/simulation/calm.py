"""The calm after the storm: no more faults, manifests that can be had, nobody else. All comes to rest in a few rounds."""

from contextlib import closing
from typing import TYPE_CHECKING

from reconciler.evidence.record import Records
from reconciler.model.view import live_cluster
from reconciler.plan.plan import Plan
from tests.simulation.invariants import Broken
from tests.simulation.manifests import PLAIN, manifest, path_of, targets_in
from tests.simulation.process import Process
from tests.simulation.story import ACCOUNTS, Fleet, Run, Weather
from tests.simulation.watched import GitWorld, open_git

if TYPE_CHECKING:
    from tests.simulation.world import World

ROUNDS_TO_REST = 4
PATIENCE_SECONDS = 6 * 3600.0


async def rest(world: "World") -> None:
    """Round after round, doing in between what the program advises. Raises Broken where it doesn't come to rest."""
    world.turn(Weather({}))
    await _until_all_have_ended(world)
    await world.clock.sleep(PATIENCE_SECONDS)
    _mend_manifests(world)
    codes: list[int | None] = []
    while len(codes) < ROUNDS_TO_REST:
        last = world.start(Run(seed=0, adopt=True, replace=True, timeout=7200.0))
        await _until_all_have_ended(world)
        codes.append(last.exit_code)
        plans = last.planned.plans if last.planned is not None else ()
        if last.exit_code == 0 and plans and not any(plan.sends for plan in plans):
            _check_all_is_as_declared(world, last)
            return
        for plan in plans:
            _forget_as_advised(world, plan)
    raise Broken(4, f"everything is well again, and rounds end in {codes}")


def _mend_manifests(world: "World") -> None:
    """What can't be had is not asked for any more; what is protected and gone from git is declared once more.

    Where a primary stands already, it can't be moved.
    """
    names = targets_in(world.main())
    whole = world.edited(world.main(), Fleet({account: names.get(account, account) for account in ACCOUNTS}))
    standing = {path_of(account, name) for account in ACCOUNTS for name in world.live(account)}
    files = {path: data.replace(b"m99.huge", b"m6g.large") for path, data in whole.items()}
    files = {path: _without(data, b"lifecycle") for path, data in files.items()}
    files = {path: _without(data, b"shard_placements") if path in standing else data for path, data in files.items()}
    for account, name in sorted(world.protected):
        if name in world.live(account):
            files.setdefault(path_of(account, name), manifest(name, PLAIN))
    world.merge(files)


def _without(data: bytes, key: bytes) -> bytes:
    return b"\n".join(line for line in data.split(b"\n") if not line.startswith(key))


def _forget_as_advised(world: "World", plan: Plan) -> None:
    """A record that was lost may have as settled what was never Active: `reconciler record forget`, in a clone."""
    names = [cluster.name for cluster in plan.blocked if cluster.replace_needs == "forget"]
    if names:
        clone = world.server.clone(world.folder / "forgets", world.server.main[-1])
        with closing(open_git(GitWorld(world.server, clone, lambda _reach: None))) as git:
            records = Records(git, "forget")
            records.fetch("origin")
            known = [record for record in records.all() if record.target == plan.target]
            forgotten = [records.write(one.with_lines(dict.fromkeys(names)), "forget") for one in known]
            records.push("origin", forgotten)


async def _until_all_have_ended(world: "World") -> None:
    deadline = world.clock.monotonic() + PATIENCE_SECONDS
    while not all(process.ended for process in world.processes):
        world.fail_if_any_did()
        if world.clock.monotonic() > deadline:
            raise Broken(4, "a run doesn't end")
        await world.clock.sleep(10.0)
    world.fail_if_any_did()


def _check_all_is_as_declared(world: "World", last: Process) -> None:
    assert last.planned is not None
    records = {record.target: record for record in last.records()}
    for target, account in last.accounts.items():
        declarations = last.planned.readings[target].head.declarations
        live = {name: live_cluster(entry) for name, entry in world.live(account).items()}
        lines = records[target].lines
        for name, declaration in declarations.items():
            found = live.get(name)
            plans = [plan for plan in last.planned.plans if plan.target == target]
            kept = {one.path: one.kept for plan in plans for one in plan.kept if one.name == name}
            wanted = {**declaration.managed, **kept}
            if found is None or found.status != "Active" or not wanted.items() <= {**found.values}.items():
                raise Broken(4, f"at rest, and {target}/{name} is {found}, declared {declaration.managed}")
            if lines[name].declared != declaration.managed or lines[name].under_way:
                raise Broken(10, f"at rest, and the record says of {target}/{name} {lines[name]}")
        for name in lines.keys() - declarations.keys():
            ours = name in live and lines[name].owns(live[name]) and (account, name) not in world.let_go
            if name not in live or ours:
                raise Broken(10, f"at rest, and the record still has {target}/{name}: {lines[name]}")
