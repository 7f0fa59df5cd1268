"""The machine alone, without a loop: whatever happens in whatever order, what was promised holds."""

from dataclasses import dataclass, field, replace

from hypothesis import event as note
from hypothesis import given
from hypothesis import strategies as st

from reconciler.apply.job import Job
from reconciler.apply.machine import Machine
from reconciler.apply.options import ApplyOptions
from reconciler.apply.protocol import (
    Aborted,
    Begun,
    Event,
    ListClusters,
    Listed,
    Log,
    NotListed,
    NotTaken,
    Refusal,
    Send,
    StopRequested,
    Superseded,
    Taken,
)
from reconciler.apply.words import BROKE
from reconciler.model.cluster import LiveCluster
from reconciler.model.view import live_cluster
from reconciler.plan.change import Delete, Origin
from reconciler.plan.intent import Intent
from tests.apply.fakes import EVERYTHING, declared, head_of, job_of, line, live

NAMES = ("a", "b", "c", "d", "e")
REFUSALS = (
    Refusal("rejected", "400", 400),
    Refusal("in-transition", "409", 409),
    Refusal("in-transition", "409", 409, may_have_reached=True),
    Refusal("no-answer", "lost", may_have_reached=True),
    Refusal("unauthenticated", "401", 401),
    Refusal("exhausted", "no descriptor"),
    Refusal("not-found", "404", 404),
)
STATES = (
    ("Active", ()),
    ("Active", ("Sick",)),
    ("Updating", ()),
    ("UpdateFailed", ("Sick",)),
    ("Deleting", ()),
    ("Creating", ("Sick",)),
)
HEALTHY = STATES[0]
INTENT = Intent(prune="owned", replace=("*",), adopt=("*",), allow=EVERYTHING)


@st.composite
def jobs_of(draw: st.DrawFn, target: str) -> Job:
    wanted = draw(st.dictionaries(st.sampled_from(NAMES), st.integers(1, 3), max_size=2))
    there = draw(
        st.dictionaries(
            st.sampled_from(NAMES), st.tuples(st.integers(1, 3), st.sampled_from([*[HEALTHY] * 20, *STATES]))
        )
    )
    left = draw(st.booleans())
    settings = {
        "concurrency": draw(st.integers(1, 3)),
        "canary": draw(st.integers(0, 2)),
        "max_failures": draw(st.integers(1, 3)),
    }
    lifecycle = {"on_drift": "report" if left else "revert"}
    head = head_of(
        *(declared(n, shard_count=c, lifecycle=lifecycle) for n, c in wanted.items()), target=target, **settings
    )
    clusters = [live(n, shard_count=c, status=status, errors=errors) for n, (c, (status, errors)) in there.items()]
    unknown = draw(st.frozensets(st.sampled_from(NAMES), max_size=1))
    lines = [
        line(c.name, declared(c.name, shard_count=draw(st.integers(1, 3)))) for c in clusters if c.name not in unknown
    ]
    job = job_of(head, clusters, lines, intent=INTENT)
    deletes = [change.name for change in job.plan.changes if isinstance(change, Delete)]
    successors = {
        n: Origin(target=draw(st.sampled_from(["eu", "us", "elsewhere"])), name=draw(st.sampled_from(NAMES)))
        for n in deletes
        if draw(st.booleans())
    }
    return replace(job, successors=successors)


@dataclass
class Watcher:
    """Drives a machine, and checks every step that it takes."""

    jobs: dict[str, Job]
    options: ApplyOptions
    at: float = 0.0
    sends: list[Send] = field(default_factory=list)
    looks: dict[str, float] = field(default_factory=dict)
    seen: dict[str, dict[str, LiveCluster]] = field(default_factory=dict)
    truth: dict[str, dict[str, LiveCluster]] = field(default_factory=dict)
    ended: dict[tuple[str, str], str] = field(default_factory=dict)
    settled: set[tuple[str, str]] = field(default_factory=set)
    stopped: bool = False
    deletes: int = 0

    def __post_init__(self) -> None:
        self.machine = Machine([*self.jobs.values()], self.options)
        for target, job in self.jobs.items():
            self.truth[target] = {cluster.name: cluster for cluster in job.listing.clusters}
            self.seen[target] = dict(self.truth[target])
        self.feed(Begun(self.at))

    def feed(self, event: Event) -> None:
        self.at = max(self.at, event.at)
        if isinstance(event, Listed):
            self.seen[event.target] = dict(event.clusters)
        if isinstance(event, StopRequested | Aborted):
            self.stopped = True
        for step in self.machine.handle(event):
            match step:
                case ListClusters():
                    self.looks.pop(step.target, None)
                    if step.at is not None:
                        self.looks[step.target] = step.at
                case Log():
                    self._told(step)
                case Send():
                    self._check_send(step)
                    self.sends.append(step)

    def _told(self, step: Log) -> None:
        key = (str(step.fields["target"]), str(step.fields.get("cluster")))
        if step.event == "cluster.settled":
            self.settled.add(key)
        kind, _, outcome = step.event.partition(".")
        if kind == "change" and outcome != "accepted":
            assert key not in self.ended, "a change ended twice"
            self.ended[key] = outcome

    def _check_send(self, step: Send) -> None:
        job, (change,) = self.jobs[step.target], [c for c in self.jobs[step.target].plan.sends if c.name == step.name]
        assert not self.stopped, "something was started after the stop"
        assert step.request in change.requests
        assert (step.target, step.name) not in self.ended
        assert step.name not in [send.name for send in self.sends if send.target == step.target]
        assert sum(send.target == step.target for send in self.sends) < job.head.target.concurrency
        builds = {c.name for c in job.plan.sends if not isinstance(c, Delete)}
        bad = [
            name
            for (target, name), outcome in self.ended.items()
            if target == step.target and outcome in {"failed", "unknown"}
        ]
        if isinstance(change, Delete):
            self._check_delete(step)
            assert len([name for name in bad if name not in builds]) < job.head.target.max_failures
            return
        assert len([name for name in bad if name in builds]) < job.head.target.max_failures
        queue = sorted(builds)
        canaries = queue[: job.head.target.canary] if 0 < job.head.target.canary < len(queue) else []
        if step.name not in canaries:
            assert all((step.target, name) in self.settled for name in canaries)

    def _check_delete(self, step: Send) -> None:
        job = self.jobs[step.target]
        for target, other in self.jobs.items():
            assert all((target, c.name) in self.ended for c in other.plan.sends if not isinstance(c, Delete))
            for name, declaration in other.head.declarations.items():
                if self.options.keep_going or self._is_left(other, name):
                    continue
                assert self._stands(target, name), f"{step.name} went before {target}/{name} stood"
                assert self.ended.get((target, name), "applied") == "applied"
                assert declaration.managed
        successor = job.successors.get(step.name)
        if successor is not None:
            assert successor.target in self.jobs
            assert self._stands(successor.target, successor.name)
        assert step.name in self.seen[step.target]
        self.deletes += 1

    def _is_left(self, job: Job, name: str) -> bool:
        return any(change.name == name and change.left is not None for change in job.plan.changes)

    def _stands(self, target: str, name: str) -> bool:
        cluster, job = self.seen[target].get(name), self.jobs[target]
        left = {f.path for c in job.plan.changes if c.name == name for f in c.fields if f.left is not None}
        managed = {p: v for p, v in job.head.declarations[name].managed.items() if p not in left}
        return (
            cluster is not None
            and cluster.status == "Active"
            and not cluster.errors
            and managed.items() <= cluster.values.items()
        )

    def take(self, send: Send, status: str = "Active") -> None:
        self.sends.remove(send)
        if send.request.body is None:
            self.truth[send.target].pop(send.name, None)
            self.feed(Taken(self.at, send.target, send.name))
            return
        cluster = live_cluster({"name": send.name, "description": "", **send.request.body, "status": status})
        self.truth[send.target][send.name] = cluster
        self.feed(Taken(self.at, send.target, send.name, cluster))

    def look(self, target: str) -> None:
        self.at = max(self.at, self.looks.pop(target))
        self.feed(Listed(self.at, target, self.at, dict(self.truth[target])))

    def to_the_end(self) -> None:
        """Nothing fails any more: whatever is at work settles, whatever is sent is taken."""
        for _ in range(2000):
            if self.machine.done:
                return
            for target, clusters in self.truth.items():
                for name, cluster in [*clusters.items()]:
                    if cluster.status == "Deleting":
                        del clusters[name]
                    elif cluster.in_transition and not cluster.never_active:
                        clusters[name] = cluster._replace(status="Active")
                self.truth[target] = clusters
            if self.sends:
                self.at += 0.1
                self.take(self.sends[0])
            else:
                assert self.looks, "nothing is under way, nobody looks, and it isn't done"
                self.look(min(self.looks, key=lambda target: self.looks[target]))
        raise AssertionError("it never ends")


def something(watcher: Watcher, data: st.DataObject) -> None:
    """One thing that happens, if it can."""
    kind = data.draw(st.sampled_from([*["take"] * 6, *["look"] * 6, "refuse", "change", "blind", "stop", "supersede"]))
    send = data.draw(st.sampled_from(watcher.sends)) if watcher.sends else None
    target = data.draw(st.sampled_from(sorted(watcher.looks))) if watcher.looks else None
    if kind == "take" and send is not None:
        watcher.take(send, data.draw(st.sampled_from(["Active", "Updating", "Creating"])))
    elif kind == "refuse" and send is not None:
        watcher.sends.remove(send)
        watcher.feed(NotTaken(watcher.at, send.target, send.name, data.draw(st.sampled_from(REFUSALS))))
    elif kind == "look" and target is not None:
        watcher.look(target)
    elif kind == "blind" and target is not None:
        watcher.at = max(watcher.at, watcher.looks.pop(target))
        watcher.feed(NotListed(watcher.at, target, data.draw(st.sampled_from([REFUSALS[3], REFUSALS[4]]))))
    elif kind == "change":
        name, (status, errors) = data.draw(st.sampled_from(NAMES)), data.draw(st.sampled_from(STATES))
        found = live(name, shard_count=data.draw(st.integers(1, 3)), status=status, errors=errors)
        watcher.truth[data.draw(st.sampled_from(["eu", "us"]))][name] = found
    elif kind == "stop" and data.draw(st.integers(0, 9)) == 0:
        watcher.feed(StopRequested(watcher.at))
    elif kind == "supersede" and data.draw(st.integers(0, 9)) == 0:
        watcher.feed(Superseded(watcher.at))


options_of = st.builds(
    ApplyOptions,
    concurrency=st.none(),
    wait=st.booleans(),
    keep_going=st.booleans(),
    all_read=st.sampled_from([True, True, True, False]),
    timeout_seconds=st.sampled_from([8.0, 600.0, 7200.0]),
    left_out=st.sampled_from([(), (), (), ("ap",)]),
    apart=st.booleans(),
)


@given(jobs_of("eu"), jobs_of("us"), options_of, st.data())
def test_whatever_happens(eu: Job, us: Job, options: ApplyOptions, data: st.DataObject) -> None:
    """Each change ends as one thing; no delete before all stands; never more at once; canaries first; it ends."""
    watcher = Watcher({"eu": eu, "us": us}, options)
    for _ in range(data.draw(st.integers(0, 25))):
        if not watcher.machine.done:
            watcher.at += data.draw(st.sampled_from([0.0, 0.5, 20.0]))
            something(watcher, data)
    if data.draw(st.integers(0, 9)) == 0:
        watcher.feed(Aborted(watcher.at, BROKE))
    else:
        watcher.to_the_end()
    note(f"deletes sent: {bool(watcher.deletes)}")
    assert watcher.machine.done
    for job, finished in zip((eu, us), watcher.machine.finished(watcher.at), strict=True):
        results = finished.report.results
        assert [result.name for result in results] == [change.name for change in job.changes]
        assert [ending.name for ending in finished.endings] == [change.name for change in job.changes]
        for change, result in zip(job.changes, results, strict=True):
            assert (result.outcome == "left") == (change.left is not None)
            assert watcher.ended.get((job.target, change.name), "left") == result.outcome


def test_a_delete_is_called_back_when_something_declared_no_longer_stands() -> None:
    """One delete is in flight; before the next the list shows a cluster at work."""
    job = job_of(head_of(declared("a"), concurrency=1), [live("a"), live("x"), live("y")], prune=True)
    watcher = Watcher({"default": job}, ApplyOptions())
    watcher.look("default")
    assert [send.name for send in watcher.sends] == ["x"]
    watcher.at += 20.0
    watcher.truth["default"]["a"] = live("a", status="Updating")
    watcher.take(watcher.sends[0])
    watcher.look("default")
    assert watcher.sends == []
    watcher.truth["default"]["a"] = live("a")
    watcher.look("default")
    assert [send.name for send in watcher.sends] == ["y"]


def test_no_delete_begins_once_newer_manifests_are_there() -> None:
    """They may declare again what is to go; one that is in flight ends, and everything else goes on."""
    job = job_of(head_of(declared("a"), concurrency=1), [live("a"), live("x"), live("y")], prune=True)
    watcher = Watcher({"default": job}, ApplyOptions())
    watcher.look("default")
    watcher.feed(Superseded(watcher.at))
    watcher.take(watcher.sends[0])
    watcher.look("default")
    assert watcher.sends == []
    ((one),) = watcher.machine.finished(watcher.at)
    assert [(r.name, r.outcome) for r in one.report.results] == [("x", "applied"), ("y", "skipped")]


def test_a_delete_that_waits_is_called_back_as_well() -> None:
    """Though it becomes ready before what is declared stands again."""
    job = job_of(head_of(declared("a")), [live("a"), live("y", status="Updating")], prune=True)
    watcher = Watcher({"default": job}, ApplyOptions())
    truth = watcher.truth["default"]
    watcher.look("default")
    truth["a"] = live("a", status="Updating")
    watcher.look("default")
    truth["y"] = live("y")
    watcher.look("default")
    assert watcher.sends == []
    truth["a"] = live("a")
    watcher.look("default")
    assert [send.name for send in watcher.sends] == ["y"]


def test_a_delete_is_sent_on_a_list_of_ten_seconds_and_no_older_one() -> None:
    """Room for the next comes so much later."""
    clusters = [live("x"), live("y")]
    for seconds, sent in ((10.0, ["y"]), (10.5, [])):
        watcher = Watcher({"default": job_of(head_of(concurrency=1), clusters, prune=True)}, ApplyOptions())
        watcher.look("default")
        watcher.at += seconds
        watcher.take(watcher.sends[0])
        assert [send.name for send in watcher.sends] == sent
        assert watcher.looks["default"] == watcher.at + (0.0 if not sent else 1.0)


def test_a_doubt_about_a_delete_is_not_forgotten() -> None:
    """409, and an earlier attempt may have arrived: it waits, is queued, looked at and called back, and then the run stops."""
    clusters = [live("a"), *map(live, "wxyz")]
    job = job_of(head_of(declared("a"), concurrency=2), clusters, prune=True)
    for called_back in (False, True):
        watcher = Watcher({"default": job}, ApplyOptions())
        truth = watcher.truth["default"]
        watcher.look("default")
        watcher.take(watcher.sends[0])
        truth["w"] = live("w", status="Deleting")
        watcher.feed(NotTaken(watcher.at, "default", watcher.sends.pop(0).name, REFUSALS[2]))
        assert [send.name for send in watcher.sends] == ["y", "z"]  # no room for x
        if called_back:
            truth["a"], truth["x"] = live("a", status="Updating"), live("x", status="Updating")
        for _ in range(3):
            watcher.look("default")
        watcher.feed(StopRequested(watcher.at))
        assert watcher.ended["default", "x"] == "unknown"


def test_it_tells_nothing_twice_after_the_end() -> None:
    """An answer that comes too late changes nothing."""
    watcher = Watcher({"default": job_of(head_of(declared("a")))}, ApplyOptions())
    watcher.feed(Aborted(1.0, BROKE))
    assert watcher.machine.handle(Taken(2.0, "default", "a")) == ()
    assert watcher.machine.finished(2.0)[0].report.results[0].outcome == "unknown"
