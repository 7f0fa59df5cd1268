"""The simulated world: plays a story step by step, and sees to it that in the end all comes to rest."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, assert_never

from reconciler.model.view import live_cluster
from reconciler.plan.decide import Reading
from reconciler.sandbox.app import create_app
from reconciler.sandbox.lifecycle import Busy, Refused
from reconciler.sandbox.model import ClusterBody
from reconciler.sandbox.store import Absent, Store
from reconciler.sandbox.switches import FAITHFUL, Switches
from tests.fakes import FakeClock
from tests.simulation.invariants import Broken
from tests.simulation.network import Conditions
from tests.simulation.process import KEYS, Process
from tests.simulation.repository import RECORDS, Files, Server
from tests.simulation.story import (
    TARGETS,
    Branch,
    Declare,
    Edit,
    HandDelete,
    HandPut,
    LoseRecord,
    Move,
    Pass,
    Remove,
    Revert,
    Run,
    Step,
    Story,
    Weather,
)
from tests.simulation.truth import Key, Truth, meant

SETTLE_SECONDS = 20.0
ROUNDS_TO_REST = 4
PATIENCE_SECONDS = 6 * 3600.0
PLAIN: Mapping[str, Any] = {
    "node_instance_type": "m6g.large",
    "shard_count": 1,
    "replication_factor": 1,
    "enforce_shard_multi_az": False,
}
FLEET = b"""\
targets:
  us: {endpoint: https://us.momentohq.com, max_failures: 3}
  eu: {endpoint: https://eu.momentohq.com, canary: 1, concurrency: 1, rate: 10}
"""


class World:
    """All that there is: git, the service, runs, and the truth about them."""

    def __init__(self, folder: Path, clock: FakeClock, *, real_git: bool) -> None:
        self.clock = clock
        self.folder = folder
        self.server = Server(folder / "server" if real_git else None, clock)
        self.store = Store(":memory:", clock=clock, settle_seconds=SETTLE_SECONDS)
        self.app = create_app(self.store)
        self.conditions = Conditions({})
        self.truth = Truth()
        self.whole = dict.fromkeys(TARGETS, True)
        self.lists_are_true = True
        self.holds_what_is_sent = True
        self.writes = 0
        self.acts = 0
        self.diary: list[str] = []
        self.seen: list[Exception] = []
        self.processes: list[Process] = []
        self.branch: str | None = None
        self._applied: dict[str, int] = {}
        self._protected: set[Key] = set()
        self._let_go: set[Key] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self.server.merge(self.server.commit({"manifests/fleet.yaml": FLEET}, []))

    async def play(self, story: Story) -> None:
        """All of it, and then the calm after it."""
        try:
            for step in story.steps:
                await self._take(step)
                self._fail_if_any_did()
            await self._rest()
        finally:
            for task in self._tasks:
                task.cancel()
            self.store.close()

    def tell(self, run: int, what: str) -> None:
        """A line of the diary, that a failure shows."""
        self.diary.append(f"{self.clock.monotonic():9.3f} run {run} {what}")

    # ---- what happens

    async def _take(self, step: Step) -> None:
        self.diary.append(f"{self.clock.monotonic():9.3f} {step!r}")
        match step:
            case Declare() | Remove() | Move():
                self._merge(self._edited(self._main(), step))
            case Branch():
                self._take_branch(step)
            case Revert():
                self._merge(self.server.files(self.server.main[max(0, len(self.server.main) - 1 - step.back)]))
            case HandPut():
                self._hand_put(step)
            case HandDelete():
                self._hand_delete(step)
            case Weather():
                self._turn(step)
            case LoseRecord():
                self._lose_record(step)
            case Pass():
                await self.clock.sleep(step.seconds)
            case Run():
                self._start(step)
            case unreachable:
                assert_never(unreachable)

    def _main(self) -> Files:
        return self.server.files(self.server.main[-1])

    def _merge(self, files: Files, *others: str) -> None:
        self.server.merge(self.server.commit(files, [self.server.main[-1], *others]))

    def _edited(self, files: Files, edit: Edit) -> Files:
        match edit:
            case Declare():
                lifecycle = edit.fields.get("lifecycle", {})
                self._protected |= {(edit.target, edit.name)} if "prevent_destroy" in lifecycle else set()
                self._let_go |= {(edit.target, edit.name)} if "on_remove" in lifecycle else set()
                return {**files, _path(edit.target, edit.name): _manifest(edit.name, edit.fields)}
            case Remove():
                return {path: data for path, data in files.items() if path != _path(edit.target, edit.name)}
            case Move():
                was, to = _path(edit.target, edit.name), _path(edit.to_target, edit.to_name)
                if was not in files or was == to:
                    return files
                moved = files[was].replace(f'name: "{edit.name}"'.encode(), f'name: "{edit.to_name}"'.encode())
                for known in (self._protected, self._let_go):
                    known.update({(edit.to_target, edit.to_name)} if (edit.target, edit.name) in known else ())
                return {**{path: data for path, data in files.items() if path != was}, to: moved}
            case unreachable:
                assert_never(unreachable)

    def _take_branch(self, step: Branch) -> None:
        files, tip = self._main(), self.server.main[-1]
        for edit in step.edits:
            files = self._edited(files, edit)
            tip = self.server.commit(files, [tip])
        self.branch = tip
        match step.ends:
            case "merged":
                self._merge(files, tip)
            case "squashed":
                self._merge(files)
            case "open":
                pass
            case unreachable:
                assert_never(unreachable)

    def live(self, target: str) -> dict[str, dict[str, Any]]:
        """What the service truly has."""
        switches, self.store.switches = self.store.switches, FAITHFUL
        listed = self.store.clusters(_account(target))
        self.store.switches = switches
        return {entry["name"]: entry for entry in listed}

    def was_active(self, key: Key) -> bool:
        """Whether there is something to lose."""
        found = self.live(key[0]).get(key[1])
        return found is not None and found["status"] not in {"Creating", "CreationFailed", "Deleting"}

    def _hand_put(self, step: HandPut) -> None:
        found = self.live(step.target).get(step.name)
        present = {key: found[key] for key in ClusterBody.model_fields} if found is not None else PLAIN
        key = (step.target, step.name)
        try:
            body = ClusterBody.model_validate({**present, **step.fields})
            taken = self.store.put(_account(step.target), step.name, body)
        except (Busy, Refused, ValueError):
            return
        self._by_hand(key)
        exists = taken["status"] != "Creating"
        changed = {k: v for k, v in body.model_dump().items() if not exists or v != present.get(k)}
        values = live_cluster({**taken, **body.model_dump()}).values
        mine = {path: value for path, value in values.items() if path.partition("[")[0] in changed}
        self.truth.put(key, "hand", mine, exists=exists)

    def _hand_delete(self, step: HandDelete) -> None:
        try:
            self.store.delete(_account(step.target), step.name)
        except (Busy, Absent):
            return
        self._by_hand((step.target, step.name))
        self.truth.delete((step.target, step.name), "hand")

    def _by_hand(self, key: Key) -> None:
        self.acts += 1
        if any(not process.ended for process in self.processes):
            self.truth.contested.add(key)

    def _turn(self, step: Weather) -> None:
        self.acts += 1
        self.conditions.faults = step.faults
        self.store.switches = Switches.parse(step.switches)
        if any(switch.startswith(("list-lag", "vanish", "updates-listed")) for switch in step.switches):
            self.lists_are_true = False
        if any(switch.startswith(("drop", "rewrite")) for switch in step.switches):
            self.holds_what_is_sent = False

    def _lose_record(self, step: LoseRecord) -> None:
        for ref, sha in self.server.refs.below(f"{RECORDS}{step.target}-"):
            chain = self._chain(sha)
            self.whole[step.target] = False
            self.acts += 1
            self.server.refs.put(ref, None if step.back is None or step.back >= len(chain) else chain[step.back])

    def _chain(self, sha: str) -> list[str]:
        chain = [sha]
        while parents := self.server.parents(chain[-1]):
            chain.append(parents[0])
        return chain

    # ---- runs

    def _start(self, run: Run) -> Process:
        main, number = self.server.main, len(self.processes)
        at = max(0, len(main) - 1 - (run.back or 0))
        commit = main[at] if run.back is not None or self.branch is None else self.branch
        base = main[max(0, at - run.base)] if run.base is not None else None
        folder = self.folder / (f"run{number}" if run.remote else "kept")
        process = Process(self, number, run, self.server.clone(folder, commit), base)
        self.processes.append(process)
        task = asyncio.get_running_loop().create_task(process.live())
        self._tasks += [task, asyncio.get_running_loop().create_task(process.signalled(task))]
        return process

    def _fail_if_any_did(self) -> None:
        if self.seen:
            raise self.seen[0]
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    def took(self, process: Process, key: Key, answer: Mapping[str, Any] | None) -> None:
        """The service has taken a write of a run; `answer` is PUT's."""
        self.writes += 1
        self.acts += 1
        process.acts += 1
        assert process.planned is not None
        reading = process.planned.readings[key[0]]
        if not process.run.remote:
            self.whole[key[0]] = False
        elif process.clone.head in self.server.main and (answer is not None or reading.evidence.line(key[1])):
            self._applied[key[0]] = max(self._applied.get(key[0], 0), self.server.main.index(process.clone.head))
        if answer is None:
            self.truth.delete(key, "tool")
            return
        declaration = reading.head.declarations[key[1]]
        values = meant(live_cluster(answer).values, declaration.managed)
        self.truth.put(key, "tool", {**values, **declaration.managed}, exists=answer["status"] != "Creating")

    def declared(self, process: Process, reading: Reading) -> None:
        """A run holds for declared, and will record so, what is live as git says; what was let go is nobody's.

        From a branch: then the record says nothing any more of what was applied from main.
        """
        target = reading.head.target.name
        if process.clone.head not in self.server.main:
            self._applied.pop(target, None)
        for cluster in reading.live:
            declaration, incarnation = (
                reading.head.declarations.get(cluster.name),
                self.truth.at((target, cluster.name)),
            )
            line = reading.evidence.line(cluster.name)
            if incarnation is not None and line is not None and line.released:
                incarnation.maker = "hand"
            if declaration is not None and incarnation is not None:
                incarnation.put("tool", meant(cluster.values, declaration.managed))

    def announced(self, process: Process) -> None:
        """A run is about to send: what another has in hand meanwhile is contested."""
        for other in self.processes:
            if other is not process and (not other.ended or other.ended_at > process.began_at):
                mine, theirs = process.announces, other.announces
                self.truth.contested |= mine.keys() & theirs.keys()
                self.truth.contested |= {key for key in mine if mine[key] == "delete" and other.declares(key)}
                self.truth.contested |= {key for key in theirs if theirs[key] == "delete" and process.declares(key)}

    def record_is_late(self) -> None:
        """What a run did could not be pushed."""
        self.whole = dict.fromkeys(TARGETS, False)

    def check_not_older_than_applied(self, process: Process) -> None:
        """A run that goes on is of no commit that is older than one that was applied."""
        if process.run.remote and process.clone.head in self.server.main:
            at = self.server.main.index(process.clone.head)
            for target, applied in self._applied.items():
                if self.whole[target] and at < applied:
                    raise Broken(4, f"{target}: commit {applied} of main was applied, and {at} is not refused")

    # ---- the calm after the storm

    async def _rest(self) -> None:
        """No more faults, manifests that can be had, nobody else: all converges in a few rounds."""
        self._turn(Weather({}))
        await self._until_all_have_ended()
        await self.clock.sleep(PATIENCE_SECONDS)
        self._mend_manifests()
        self._delete_what_never_was_active()
        codes: list[int | None] = []
        while len(codes) < ROUNDS_TO_REST:
            last = self._start(Run(seed=0, adopt=True, replace=True, timeout=7200.0))
            await self._until_all_have_ended()
            codes.append(last.exit_code)
            if last.exit_code == 0 and last.planned is not None and not any(p.sends for p in last.planned.plans):
                self._check_all_is_as_declared(last)
                return
        raise Broken(4, f"everything is well again, and rounds end in {codes}")

    def _mend_manifests(self) -> None:
        """What fails for good is not asked for any more; what is protected and gone from git is declared once more."""
        files = {path: data.replace(b"m99.huge", b"m6g.large") for path, data in self._main().items()}
        files = {
            path: b"\n".join(line for line in data.split(b"\n") if not line.startswith(b"lifecycle"))
            for path, data in files.items()
        }
        for target, name in sorted(self._protected):
            if name in self.live(target):
                files.setdefault(_path(target, name), _manifest(name, PLAIN))
        self._merge(files)

    def _delete_what_never_was_active(self) -> None:
        """By hand, where a record was lost: one that holds a name for settled lets nothing of that name be replaced."""
        for target in (target for target in TARGETS if not self.whole[target]):
            for name, entry in self.live(target).items():
                if entry["errors"] and not self.was_active((target, name)):
                    self._hand_delete(HandDelete(target, name))

    async def _until_all_have_ended(self) -> None:
        deadline = self.clock.monotonic() + PATIENCE_SECONDS
        while not all(process.ended for process in self.processes):
            self._fail_if_any_did()
            if self.clock.monotonic() > deadline:
                raise Broken(4, "a run doesn't end")
            await self.clock.sleep(10.0)
        self._fail_if_any_did()

    def _check_all_is_as_declared(self, last: Process) -> None:
        assert last.planned is not None
        records = {record.target: record for record in last.records()}
        for target in TARGETS:
            declarations = last.planned.readings[target].head.declarations
            live = {name: live_cluster(entry) for name, entry in self.live(target).items()}
            lines = records[target].lines
            for name, declaration in declarations.items():
                found = live.get(name)
                kept = {one.path: one.kept for plan in last.planned.plans for one in plan.kept if one.name == name}
                wanted = {**declaration.managed, **kept}
                if found is None or found.status != "Active" or not wanted.items() <= {**found.values}.items():
                    raise Broken(4, f"at rest, and {target}/{name} is {found}, declared {declaration.managed}")
                if lines[name].declared != declaration.managed or lines[name].unsettled is not None:
                    raise Broken(10, f"at rest, and the record says of {target}/{name} {lines[name]}")
            for name in lines.keys() - declarations.keys():
                ours = name in live and lines[name].owns(live[name]) and (target, name) not in self._let_go
                if name not in live or ours:
                    raise Broken(10, f"at rest, and the record still has {target}/{name}: {lines[name]}")


def _path(target: str, name: str) -> str:
    return f"manifests/{target}/{name}.yaml"


def _manifest(name: str, fields: Mapping[str, Any]) -> bytes:
    """A manifest, a key a line."""
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in {"name": name, **fields}.items()).encode()


def _account(target: str) -> str:
    return f"default/{KEYS[target].partition(':')[2]}"
