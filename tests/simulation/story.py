"""A story: what happens in the simulated world, step by step, all of it drawn from one seed.

A step carries all its own chance, and means something whatever came before it: so steps can be taken out of a story,
and what is left still plays the same way. That is how a failing one is made short.
"""

import random  # noqa: TID251  # seeded: the one source of all that happens
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

ACCOUNTS = ("us", "eu")
NAMES = ("ant", "bee", "cat", "dog")
SHARDS = (1, 2, 3)


@dataclass(frozen=True, slots=True)
class Declare:
    """Somebody merges a manifest, new or changed; `target` is an account, here and below, whatever its target's name."""

    target: str
    name: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Remove:
    """Somebody merges the removal of a manifest."""

    target: str
    name: str


@dataclass(frozen=True, slots=True)
class Move:
    """A manifest goes to another target, or gets another name, or both."""

    target: str
    name: str
    to_target: str
    to_name: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """The targets get these names, by account; what an account without one declared goes with it."""

    names: Mapping[str, str]


Edit: TypeAlias = Declare | Remove | Move | Fleet


@dataclass(frozen=True, slots=True)
class Branch:
    """Some edits on a branch, which is merged, squashed, or stays."""

    edits: tuple[Edit, ...]
    ends: Literal["merged", "squashed", "open"]


@dataclass(frozen=True, slots=True)
class Revert:
    """The main branch's manifests are once more what they were so many commits ago."""

    back: int


@dataclass(frozen=True, slots=True)
class HandPut:
    """Somebody makes a cluster, or changes these fields of it, behind git's back."""

    target: str
    name: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HandDelete:
    """Somebody deletes a cluster behind git's back."""

    target: str
    name: str


@dataclass(frozen=True, slots=True)
class Weather:
    """From now on the network fails this often, and the service differs from others in these ways."""

    faults: Mapping[str, float]
    switches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoseRecord:
    """The server's record of a target is gone, or as it was some writes ago."""

    target: str
    back: int | None


@dataclass(frozen=True, slots=True)
class PushRecord:
    """The record of the clone that is kept is pushed, however late."""


@dataclass(frozen=True, slots=True)
class Pass:
    """Time passes."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Run:
    """An `apply` is started; it goes on while other things happen.

    `back`: so many commits behind main; None for the open branch's tip. `base`: how many commits before its own, None
    for the default. `kill_at`: the instant at which the process is gone, counted in requests, answers, sleeps and
    processes of git. `stop_after` and `cancel_after` are a first and a second signal, in seconds. `remote`: whether the
    record is fetched and pushed; else a clone of its own is kept, and its record with it.
    """

    seed: int
    back: int | None = 0
    base: int | None = None
    prune: Literal["owned", "all"] | None = "owned"
    adopt: bool = False
    replace: bool = False
    allow: bool = True
    wait: bool = True
    keep_going: bool = False
    timeout: float = 600.0
    remote: bool = True
    git_fails: float = 0.0
    kill_at: int | None = None
    stop_after: float | None = None
    cancel_after: float | None = None


Step: TypeAlias = Edit | Branch | Revert | HandPut | HandDelete | Weather | LoseRecord | PushRecord | Pass | Run


@dataclass(frozen=True, slots=True)
class Story:
    """The steps that a seed comes to; `shared`: both accounts have one endpoint."""

    seed: int
    steps: tuple[Step, ...]
    shared: bool = False

    def told(self) -> str:
        """A line a step, as Python would make it again."""
        return "\n".join(f"    {step!r}," for step in self.steps)


def story_of(seed: int) -> Story:
    """The story of a seed: how long, and of what sort, is chance, too."""
    chance = random.Random(seed)  # noqa: S311
    teller = _Teller(chance)
    opening = [teller.declare() for _ in range(chance.randint(1, 4))]
    steps: list[Step] = [*opening, Run(chance.getrandbits(32)), Pass(100.0)]
    if teller.storm:
        steps.append(teller.weather())
    for _ in range(chance.randint(4, 24)):
        steps += teller.scene()
    return Story(seed, tuple(steps), shared=chance.random() < 0.2)


@dataclass(slots=True)
class _Teller:
    """Draws steps; how stormy the whole story is, and whether records get lost in it, is drawn once."""

    chance: random.Random
    storm: float = field(init=False)
    loses_records: bool = field(init=False)

    def __post_init__(self) -> None:
        self.storm = self.chance.choice([0.0, 0.0, 0.05, 0.15, 0.3])
        self.loses_records = self.chance.random() < 0.2

    def scene(self) -> list[Step]:
        """What happens next, and the time until something else does."""
        scenes: list[tuple[Callable[[], list[Step]], float]] = [
            (lambda: [self.declare()], 5),
            (lambda: [self.remove()], 2),
            (lambda: [self.move()], 1),
            (lambda: [self.branch()], 1),
            (lambda: [self.revert()], 1),
            (lambda: [self.hand_put()], 2),
            (lambda: [self.hand_delete()], 1),
            (lambda: [self.weather()], 2 if self.storm else 0.3),
            (lambda: [self.lose_record()], 1 if self.loses_records else 0),
            (lambda: [PushRecord()], 0.5 if self.loses_records else 0),
            (lambda: [self.fleet()], 0.7),
            (self.exchange, 2),
            (self.hurry, 1.5),
            (self.meddle, 0.3),
            (self.canary, 0.3),
            (self.lag, 0.3),
            (self.rewrite, 0.3),
            (lambda: [self.run()], 7),
        ]
        (make,) = self.chance.choices([scene for scene, _ in scenes], [weight for _, weight in scenes])
        steps = make()
        return [*steps, *([self.time()] if isinstance(steps[-1], Run) or self.chance.random() < 0.2 else [])]

    def exchange(self) -> list[Step]:
        """One goes while others come or change, and a run that deletes what is gone: in which order matters."""
        target = self.target()
        some = self.chance.sample(NAMES, 3)
        come: list[Edit] = [Declare(target, name, self.body() | self.lifecycle()) for name in some[1:]]
        run = replace(self.run(), back=0, prune="owned", allow=True)
        return [Branch((Remove(target, some[0]), *come), "merged"), run]

    def hurry(self) -> list[Step]:
        """A manifest is changed again before what was sent has settled, and the run that sends it anew is killed."""
        target, name, run = self.target(), self.name(), replace(self.run(), back=0, remote=True, kill_at=None)
        first = Declare(target, name, self.body())
        second = replace(first, fields=self.body())
        killed = replace(run, seed=self.chance.getrandbits(32), kill_at=self.chance.randint(10, 50))
        return [first, replace(run, wait=False), Pass(3.0), second, killed, Pass(60.0), replace(run, adopt=False)]

    def meddle(self) -> list[Step]:
        """Somebody changes by hand what was applied, and then git changes the very same field."""
        target, name, run = self.target(), self.name(), self.plain_run()
        first, *others = self.chance.sample(SHARDS, 3)
        by_hand, then = ({"shard_count": count} for count in others)
        body = self.unplaced_body() | {"shard_count": first}
        steps: list[Step] = [Declare(target, name, body), run, Pass(100.0), HandPut(target, name, by_hand), Pass(30.0)]
        return [*steps, Declare(target, name, body | then), replace(run, seed=self.chance.getrandbits(32))]

    def canary(self) -> list[Step]:
        """While a canary settles somebody changes what waits behind it, in a field that git doesn't manage."""
        run, names = self.plain_run(), sorted(self.chance.sample(NAMES, 3))
        bodies = {name: {**self.unplaced_body(), "shard_count": 1} for name in names}
        for body in bodies.values():
            body.pop("description", None)
        come: list[Edit] = [Declare("eu", name, body) for name, body in bodies.items()]
        change: list[Edit] = [Declare("eu", name, {**body, "shard_count": 2}) for name, body in bodies.items()]
        by_hand = HandPut("eu", names[-1], {"description": self.chance.choice(["mine", "yours"])})
        return [Branch((*come,), "merged"), run, Pass(200.0), Branch((*change,), "merged"), run, Pass(9.0), by_hand]

    def lag(self) -> list[Step]:
        """A list lags, and a run of little patience sees what somebody made by hand; who later makes it so once more."""
        target, name, run, body = self.target(), self.name(), self.plain_run(), self.unplaced_body()
        was, then = ({"shard_count": count} for count in self.chance.sample(SHARDS, 2))
        steps: list[Step] = [HandPut(target, name, body | was), Pass(100.0), Weather({}, ("list-lag=40s",))]
        steps += [Declare(target, name, body | then), replace(run, timeout=60.0), Pass(100.0), Weather({})]
        return [*steps, HandPut(target, name, was), Pass(60.0), replace(run, seed=self.chance.getrandbits(32))]

    def rewrite(self) -> list[Step]:
        """A service that rewrites a field is sent a create that nobody sees settle."""
        target, name, run = self.target(), self.name(), self.plain_run()
        steps: list[Step] = [
            Weather({}, ("rewrite=node_instance_type/^m6g/m7g/",)),
            HandDelete(target, name),
            Pass(60.0),
        ]
        steps += [Declare(target, name, self.unplaced_body()), replace(run, timeout=8.0), Pass(100.0)]
        return [*steps, replace(run, adopt=False, seed=self.chance.getrandbits(32)), Pass(100.0), Weather({})]

    def plain_run(self) -> Run:
        """An apply of main as a workflow runs it, that nobody disturbs."""
        return Run(seed=self.chance.getrandbits(32), adopt=True)

    def unplaced_body(self) -> dict[str, Any]:
        """A configuration that the service takes, that settles, and that any number of shards fits."""
        body = {**self.body(), "node_instance_type": "m6g.large"}
        body.pop("shard_placements", None)
        return body

    def declare(self) -> Step:
        """A manifest."""
        return Declare(self.target(), self.name(), self.body() | self.lifecycle())

    def remove(self) -> Step:
        return Remove(self.target(), self.name())

    def move(self) -> Step:
        return Move(self.target(), self.name(), self.target(), self.name())

    def fleet(self) -> Step:
        """Names for the targets; now and then one goes, or comes back."""
        names = {"us": self.chance.choice(["us", "us", "west"]), "eu": self.chance.choice(["eu", "east", None])}
        return Fleet({account: name for account, name in names.items() if name is not None})

    def branch(self) -> Step:
        edits = [
            self.chance.choice([self.declare, self.declare, self.remove])() for _ in range(self.chance.randint(1, 3))
        ]
        kept = tuple(edit for edit in edits if isinstance(edit, Declare | Remove))
        return Branch(kept, self.chance.choice(["merged", "squashed", "open"]))

    def revert(self) -> Step:
        return Revert(self.chance.randint(1, 4))

    def hand_put(self) -> Step:
        fields = self.body()
        some = self.chance.sample([*fields], self.chance.randint(1, 2)) if self.chance.random() < 0.6 else [*fields]
        return HandPut(self.target(), self.name(), {key: fields[key] for key in fields if key in some})

    def hand_delete(self) -> Step:
        return HandDelete(self.target(), self.name())

    def weather(self) -> Step:
        faults = self.chance.sample(FAULTS, 4)
        rates = {fault: round(self.chance.random() * self.storm, 3) for fault in faults if self.storm}
        switches = self.chance.sample(SWITCHES, self.chance.choice([0, 0, 1, 1, 2]))
        return Weather(rates, tuple(switches))

    def lose_record(self) -> Step:
        return LoseRecord(self.target(), self.chance.choice([None, 1, 2, 3]))

    def time(self) -> Step:
        return Pass(self.chance.choice([0.0, 0.1, 1.0, 5.0, 30.0, 100.0, 1000.0, 4000.0]))

    def run(self) -> Run:
        """An apply, most often as a workflow runs it."""
        chance = self.chance

        def maybe(share: float, value: Callable[[], Any]) -> Any:
            return value() if chance.random() < share else None

        return Run(
            seed=chance.getrandbits(32),
            back=chance.choice([0, 0, 0, 0, 0, 1, 2, None]),
            base=maybe(0.3, lambda: chance.randint(1, 3)),
            prune=chance.choice(["owned", "owned", "owned", None, "all"]),
            adopt=chance.random() < 0.4,
            replace=chance.random() < 0.3,
            allow=chance.random() < 0.8,
            wait=chance.random() < 0.85,
            keep_going=chance.random() < 0.1,
            timeout=chance.choice([60.0, 600.0, 7200.0]),
            remote=not (self.loses_records and chance.random() < 0.3),
            git_fails=chance.choice([0.0, 0.0, 0.0, self.storm]),
            kill_at=maybe(0.35, lambda: chance.randint(1, chance.choice([30, 120]))),
            stop_after=maybe(0.1, lambda: chance.choice([0.0, 0.5, 5.0, 50.0])),
            cancel_after=maybe(0.1, lambda: chance.choice([0.1, 1.0, 10.0, 60.0])),
        )

    def target(self) -> str:
        return self.chance.choice([ACCOUNTS[0], *ACCOUNTS])

    def name(self) -> str:
        return self.chance.choice(NAMES)

    def body(self) -> dict[str, Any]:
        """A configuration that the service takes; now and then one that it fails on later."""
        chance = self.chance
        replicas = chance.randint(0, 2)
        shards = chance.randint(1, 3)
        body: dict[str, Any] = {
            "node_instance_type": chance.choices(["m6g.large", "r6g.large", "m99.huge"], [6, 5, 1])[0],
            "shard_count": shards,
            "replication_factor": replicas,
            "enforce_shard_multi_az": replicas > 0 and chance.random() < 0.5,
        }
        if chance.random() < 0.4:
            body["description"] = chance.choice(["", "mine", "yours", "\x1b[31mred\r\n::error::| <b> @all"])
        if chance.random() < 0.2:
            shard = chance.randrange(shards)
            others = ["us-east-1b", "us-east-1c"][:replicas]
            body["shard_placements"] = [
                {"shard_index": shard, "availability_zone": "us-east-1a", "replica_availability_zones": others}
            ]
        return body

    def lifecycle(self) -> dict[str, Any]:
        chosen = self.chance.choices(LIFECYCLES, [10, 1, 1, 1, 1, 1])[0]
        return {"lifecycle": chosen} if chosen else {}


LIFECYCLES: tuple[Mapping[str, Any], ...] = (
    {},
    {"on_remove": "keep"},
    {"prevent_destroy": True},
    {"on_drift": "report"},
    {"adopt": True},
    {"ignore_changes": ["description", "shard_count"]},
)

FAULTS = ("slow", "500", "503", "429", "refused", "hang", "lost", "truncated", "half", "html")
"""What the network may do; `network` does it."""

SWITCHES = (
    "list-lag=5s",
    "list-lag=40s",
    "updates-listed=settled",
    "vanish=a*:20s",
    "busy=b*:60s",
    "reveal-placements",
    "drop=description",
    "rewrite=node_instance_type/^m6g/m7g/",
    "unavailable=r6g.large",
    "failed-statuses",
    "quota=3",
)
"""In what the service may differ for a while, as the sandbox writes it."""
