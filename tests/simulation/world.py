"""The simulated world: plays a story step by step, and sees to it that in the end all comes to rest."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from itertools import takewhile
from pathlib import Path
from typing import Any, assert_never

from reconciler.evidence.format import TARGET_FILE
from reconciler.evidence.objects import tree_entries
from reconciler.evidence.record import Records
from reconciler.model.cluster import LiveCluster
from reconciler.model.view import live_cluster
from reconciler.plan.decide import Reading
from reconciler.sandbox.app import create_app
from reconciler.sandbox.lifecycle import Busy, Refused
from reconciler.sandbox.model import ClusterBody
from reconciler.sandbox.store import Absent, Store
from reconciler.sandbox.switches import FAITHFUL, Switches
from tests.fakes import FakeClock
from tests.simulation import manifests
from tests.simulation.calm import rest
from tests.simulation.invariants import Broken
from tests.simulation.manifests import FLEET_FILE, KEYS, PLAIN, fleet_file, targets_in
from tests.simulation.network import Conditions
from tests.simulation.process import Process
from tests.simulation.repository import RECORDS, Files, Server
from tests.simulation.story import (
    ACCOUNTS,
    Branch,
    Declare,
    Edit,
    Fleet,
    HandDelete,
    HandPut,
    LoseRecord,
    Move,
    Pass,
    PushRecord,
    Remove,
    Revert,
    Run,
    Step,
    Story,
    Weather,
)
from tests.simulation.truth import Key, Truth, meant
from tests.simulation.watched import GitWorld, open_git

SETTLE_SECONDS = 20.0


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
        self.whole = dict.fromkeys(ACCOUNTS, True)
        self.shared = False
        self.lists_lie = False
        self.listed_truly = set(ACCOUNTS)
        self.held_as_sent = set(ACCOUNTS)
        self.writes = 0
        self.acts = 0
        self.diary: list[str] = []
        self.seen: list[Exception] = []
        self.processes: list[Process] = []
        self.branch: str | None = None
        self._holds_otherwise = False
        self._applied: dict[str, int] = {}
        self.protected: set[Key] = set()
        self.let_go: set[Key] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def play(self, story: Story) -> None:
        """All of it, and then the calm after it."""
        self.shared = story.shared
        fleet = fleet_file({account: account for account in ACCOUNTS}, shared=self.shared)
        self.server.merge(self.server.commit({FLEET_FILE: fleet}, []))
        try:
            for step in story.steps:
                await self._take(step)
                self.fail_if_any_did()
            await rest(self)
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
            case Declare() | Remove() | Move() | Fleet():
                self.merge(self.edited(self.main(), step))
            case Branch():
                self._take_branch(step)
            case Revert():
                self.merge(self.server.files(self.server.main[max(0, len(self.server.main) - 1 - step.back)]))
            case HandPut() | HandDelete():
                self._by_hand(step)
            case Weather():
                self.turn(step)
            case LoseRecord():
                self._lose_record(step)
            case PushRecord():
                self._push_record()
            case Pass():
                await self.clock.sleep(step.seconds)
            case Run():
                self.start(step)
            case unreachable:
                assert_never(unreachable)

    def main(self) -> Files:
        """What main holds."""
        return self.server.files(self.server.main[-1])

    def merge(self, files: Files, *others: str) -> None:
        """Main holds this from now on."""
        self.server.merge(self.server.commit(files, [self.server.main[-1], *others]))

    def edited(self, files: Files, edit: Edit) -> Files:
        """The files after an edit; what is protected by it, or will be let go, is remembered."""
        match edit:
            case Declare():
                lifecycle = edit.fields.get("lifecycle", {})
                self.protected |= {(edit.target, edit.name)} if "prevent_destroy" in lifecycle else set()
                self.let_go |= {(edit.target, edit.name)} if "on_remove" in lifecycle else set()
            case Move():
                for known in (self.protected, self.let_go):
                    known.update({(edit.to_target, edit.to_name)} if (edit.target, edit.name) in known else ())
            case Remove() | Fleet():
                pass
            case unreachable:
                assert_never(unreachable)
        return manifests.edited(files, edit, shared=self.shared)

    def host_of(self, account: str) -> str:
        """Where an account is reached."""
        return manifests.host_of(account, shared=self.shared)

    def _take_branch(self, step: Branch) -> None:
        files, tip = self.main(), self.server.main[-1]
        for edit in step.edits:
            files = self.edited(files, edit)
            tip = self.server.commit(files, [tip])
        self.branch = tip
        match step.ends:
            case "merged":
                self.merge(files, tip)
            case "squashed":
                self.merge(files)
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

    def _by_hand(self, step: HandPut | HandDelete) -> None:
        match step:
            case HandPut():
                self._hand_put(step)
            case HandDelete():
                self._hand_delete(step)
            case unreachable:
                assert_never(unreachable)

    def _hand_put(self, step: HandPut) -> None:
        found = self.live(step.target).get(step.name)
        present = {key: found[key] for key in ClusterBody.model_fields} if found is not None else PLAIN
        key = (step.target, step.name)
        try:
            body = ClusterBody.model_validate({**present, **step.fields})
            taken = self.store.put(_account(step.target), step.name, body)
        except (Busy, Refused, ValueError):
            return
        self._acted(key)
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
        self._acted((step.target, step.name))
        self.truth.delete((step.target, step.name), "hand")

    def _acted(self, key: Key) -> None:
        self.acts += 1
        if any(not process.ended for process in self.processes):
            self.truth.contested.add(key)

    def turn(self, step: Weather) -> None:
        """The weather changes."""
        self.acts += 1
        self.conditions.faults = step.faults
        self.store.switches = Switches.parse(step.switches)
        self.lists_lie = any(switch.startswith(("list-lag", "vanish", "updates-listed")) for switch in step.switches)
        self._holds_otherwise = any(switch.startswith(("drop", "rewrite")) for switch in step.switches)
        self.listed_truly -= set(ACCOUNTS) if self.lists_lie else set()
        if self._holds_otherwise:  # what was made before is listed otherwise, too
            self.held_as_sent.clear()
            self.truth.forget()
            for process in self.processes:
                process.heard.clear()

    def _lose_record(self, step: LoseRecord) -> None:
        name = targets_in(self.main()).get(step.target)
        for ref, sha in self.server.refs.below(f"{RECORDS}{name}-"):
            chain = [*takewhile(lambda one: self._recorded_for(one) == name, self._chain(sha))]
            self.whole[step.target] = False
            self.acts += 1
            self.server.refs.put(ref, None if step.back is None or step.back >= len(chain) else chain[step.back])

    def _recorded_for(self, sha: str) -> str:
        """The target whose record a commit is: a chain goes on where one was renamed."""
        objects = self.server.objects
        tree = tree_entries(objects[objects[sha].data[5:45].decode()])
        header = next(objects[entry.sha] for entry in tree if entry.name == TARGET_FILE)
        named: str = json.loads(header.data)["target"]
        return named

    def _push_record(self) -> None:
        """From the clone that is kept; what it holds was applied unknown to others."""
        clone = self.server.clone(self.folder / "kept", self.server.main[-1])
        with closing(open_git(GitWorld(self.server, clone, lambda _reach: None))) as git:
            records = Records(git, "late")
            records.push("origin", records.all())
        self.acts += 1

    def _chain(self, sha: str) -> list[str]:
        chain = [sha]
        while parents := self.server.parents(chain[-1]):
            chain.append(parents[0])
        return chain

    # ---- runs

    def start(self, run: Run) -> Process:
        """A run, from a clone of its own or the one that is kept."""
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

    def fail_if_any_did(self) -> None:
        """Raise what a run has seen broken."""
        if self.seen:
            raise self.seen[0]
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    def took(self, process: Process, target: str, name: str, answer: Mapping[str, Any] | None) -> None:
        """The service has taken a write of a run; `answer` is PUT's."""
        self.writes += 1
        self.acts += 1
        process.acts += 1
        assert process.planned is not None
        key = process.key(target, name)
        reading = process.planned.readings[target]
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
        account = process.accounts[reading.head.target.name]
        if process.clone.head not in self.server.main:
            self._applied.pop(account, None)
        for cluster in reading.live:
            incarnation = self.truth.at((account, cluster.name))
            line = reading.evidence.line(cluster.name)
            if incarnation is not None and line is not None and line.released:
                incarnation.maker = "hand"
        self.seen_as_declared(process, reading, reading.live)

    def seen_as_declared(self, process: Process, reading: Reading, clusters: Iterable[LiveCluster]) -> None:
        """What a run has seen live as git says, it takes for its own."""
        account = process.accounts[reading.head.target.name]
        for cluster in clusters:
            declaration = reading.head.declarations.get(cluster.name)
            incarnation = self.truth.at((account, cluster.name))
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
        self.whole = dict.fromkeys(ACCOUNTS, False)

    def all_is_known(self, process: Process, target: str) -> None:
        """A run was alone and found all as declared: what was lost before is no matter now, but for what nobody declares.

        What the record hasn't is nobody's, though this tool may have made it once. What it has as under way still, of a run
        that is gone, may be anybody's.
        """
        assert process.planned is not None
        account, declared = process.accounts[target], process.planned.readings[target].head.declarations
        records = (record for record in process.records() if record.target == target)
        lines = {name: line for record in records for name, line in record.lines.items()}
        self.whole[account] = True
        self.listed_truly.add(account)
        self.held_as_sent |= set() if self._holds_otherwise else {account}
        self.truth.contested -= {(account, name) for name in declared if name not in lines or not lines[name].under_way}
        for name in self.live(account):
            incarnation = self.truth.at((account, name))
            if incarnation is not None and name not in lines:
                incarnation.maker = "hand"

    def check_not_older_than_applied(self, process: Process) -> None:
        """A run that goes on is of no commit that is older than one that was applied."""
        if process.run.remote and process.clone.head in self.server.main:
            at = self.server.main.index(process.clone.head)
            for account, applied in self._applied.items():
                if account in process.accounts.values() and self.whole[account] and at < applied:
                    raise Broken(4, f"{account}: commit {applied} of main was applied, and {at} is not refused")


def _account(target: str) -> str:
    return f"default/{KEYS[target].partition(':')[2]}"
