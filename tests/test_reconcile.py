"""One round: what is read, what is planned of it, what is carried out, and what becomes of a target that can't be."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from contextlib import nullcontext as does_not_raise
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.apply.options import ApplyOptions, Stop
from reconciler.errors import GitError, LeaseLost, StalePlan, Unproven, UsageError
from reconciler.evidence.checkout import Checkout, GitOptions
from reconciler.evidence.record import Records
from reconciler.model.declaration import Manifest
from reconciler.model.fleet import Fleet, Head, Suspension
from reconciler.model.record import Line, Record
from reconciler.plan.intent import Intent
from reconciler.plan.plan import Plan
from reconciler.reconcile.applying import Applied, apply_all, wait_all
from reconciler.reconcile.ground import Connected, Ground, Offline
from reconciler.reconcile.listing import Patience, list_all
from reconciler.reconcile.planning import Planned, PlanRequest, plan_all, refuse_stale_heads
from reconciler.wire.client import Permit
from tests.evidence.conftest import nobodys_configuration  # noqa: F401
from tests.evidence.records import line, record
from tests.evidence.repositories import Repo, git_of, text
from tests.fakes import FakeClock, connection, entry, head, manifest

STRICT = ("max-deletes", "max-delete-fraction")


class Account:
    """A service: it lists what it holds, takes what it is sent, and is settled at once; or answers `down`."""

    def __init__(self, *listed: Mapping[str, Any]) -> None:
        self.listed = {one["name"]: dict(one) for one in listed}
        self.sent: list[str] = []
        self.asked = 0
        self.down: int | None = None

    def reply(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        name = request.url.path.rpartition("/")[2]
        if self.down is not None:
            return httpx.Response(self.down)
        if request.method == "GET":
            return httpx.Response(200, json=[*self.listed.values()])
        self.sent.append(f"{request.method} {name}")
        if request.method == "DELETE":
            del self.listed[name]
            return httpx.Response(204)
        self.listed[name] = entry(name, **json.loads(request.content))
        return httpx.Response(200, json=self.listed[name])


class Round:
    """Targets, an account each; git is at hand where there is a checkout. `elsewhere` is a target that was moved."""

    def __init__(
        self,
        heads: Sequence[Head],
        accounts: Sequence[Account],
        checkout: Checkout | None = None,
        elsewhere: str | None = None,
    ) -> None:
        self.elsewhere = elsewhere
        self.clock = FakeClock()
        self.stop = Stop()
        self.accounts = accounts
        fleet = Fleet(tuple(one.target for one in heads), {one.target.name: one.declarations for one in heads})
        sites = [Connected(one, self._connection(one, account)) for one, account in zip(heads, accounts, strict=True)]
        self.ground = Ground(fleet, tuple(sites), checkout, "manifests")

    def _connection(self, one: Head, account: Account) -> Any:
        name = one.target.name
        endpoint = f"https://{name}.{'elsewhere.' if name == self.elsewhere else ''}example.com"
        return connection(lambda: httpx.MockTransport(account.reply), self.clock, endpoint=endpoint)

    def held(self, account: Account, permit: Permit) -> Any:
        """A connection that sends nothing without a permit."""
        return connection(lambda: httpx.MockTransport(account.reply), self.clock, stop=self.stop, permit=permit)

    def plan(self, saved: Mapping[str, Plan] | None = None, **intent: Any) -> Planned:
        return self.clock.run(plan_all(self.ground, PlanRequest(Intent(**intent), fingerprint=True, saved=saved)))

    def apply(self, saved: Mapping[str, Plan] | None = None, **intent: Any) -> Applied:
        request = PlanRequest(Intent(**intent), fingerprint=True, saved=saved)
        planned = self.plan(saved, **intent)
        return self.clock.run(apply_all(self.ground, planned, request, ApplyOptions(), self.clock, self.stop))


def one(account: Account, *manifests: Manifest) -> Round:
    return Round([head(*manifests)], [account])


def told(planned: Planned) -> list[tuple[str, str, str]]:
    return [(plan.target, change.action, change.name) for plan in planned.plans for change in plan.changes]


def ended(applied: Applied) -> list[tuple[str, str, str]]:
    return [(report.target, result.name, result.outcome) for report in applied.reports for result in report.results]


def test_planning_is_one_get_a_target_and_sends_nothing() -> None:
    """Whatever it finds; each target has its plan, in the fleet file's order."""
    accounts = [Account(entry("a", shard_count=3)), Account()]
    both = Round([head(manifest("a"), name="us"), head(manifest("b"), name="eu")], accounts)
    assert told(both.plan()) == [("us", "update", "a"), ("eu", "create", "b")]
    assert [(account.asked, account.sent) for account in accounts] == [(1, []), (1, [])]


def test_a_target_that_cant_be_read_stops_no_other_and_is_no_empty_fleet() -> None:
    """Its error stands beside their plans; of it there is none. What head declares there is not known to stand."""
    accounts = [Account(), Account(entry("stranger"))]
    both = Round([head(manifest("a"), name="us"), head(manifest("b"), name="eu")], accounts)
    accounts[0].down = 401
    planned = both.plan()
    assert [plan.target for plan in planned.plans] == ["eu"]
    [problem] = planned.errors
    assert (problem.kind, problem.target) == ("unauthenticated", "us")
    assert ended(both.apply()) == [("eu", "b", "applied")]


def test_who_loses_the_lease_in_the_middle_sends_nothing_more() -> None:
    """Nobody is told that anything became of what was not sent; what was in flight is told as far as it is known."""
    account = Account()
    round_ = one(account, manifest("a"), manifest("b"), manifest("c"))

    def permit() -> None:
        if account.sent:
            round_.stop.requested.set()
            raise LeaseLost("not sent, as the lease fleet/reconciler is no longer held")

    permitted = [Connected(site.head, round_.held(account, permit)) for site in round_.ground.sites]
    round_.ground = round_.ground._replace(sites=tuple(permitted))
    applied = round_.apply()
    assert account.sent == ["PUT a"]
    results = applied.reports[0].results
    assert [(r.name, r.outcome, r.error.kind if r.error else None) for r in results] == [
        ("a", "unknown", "interrupted"),
        ("b", "failed", "lease-lost"),
        ("c", "failed", "lease-lost"),
    ]


def test_listing_alone_is_one_get_a_target_too() -> None:
    """What can't be read is told beside what can."""
    accounts = [Account(), Account(entry("a"), {"name": "odd", "status": "Active"})]
    both = Round([head(name="us"), head(name="eu")], accounts)
    accounts[0].down = 401
    listings, errors = both.clock.run(list_all(both.ground))
    assert {target: [*listing.unreadable] for target, listing in listings.items()} == {"eu": ["odd"]}
    assert [(problem.kind, problem.target) for problem in errors] == [("unauthenticated", "us")]
    assert [(account.asked, account.sent) for account in accounts] == [(1, []), (1, [])]


def test_who_is_late_is_left_out_where_nobody_waits() -> None:
    """Some seconds after the first that is listed; who can't be read is no reason for it. A late one is no empty fleet."""

    class Late(Account):
        seconds = 20.0

        async def reply_late(self, request: httpx.Request) -> httpx.Response:
            await this.clock.sleep(self.seconds)
            return self.reply(request)

    heads = [head(manifest(name), name=name) for name in ("us", "eu", "ap")]
    accounts = [Account(), Account(), Account()]
    this = Round(heads, accounts)
    late = Late()
    transport = httpx.MockTransport(late.reply_late)
    us, eu, ap = this.ground.sites
    this.ground = this.ground._replace(sites=(us, eu, Connected(ap.head, connection(lambda: transport, this.clock))))
    accounts[0].down = 401
    planned = this.clock.run(plan_all(this.ground, PlanRequest(Intent()), Patience(this.clock, asyncio.Event(), 3.0)))
    assert (told(planned), planned.late, this.clock.seconds) == ([("eu", "create", "eu")], ("ap",), 3.0)
    assert [problem.target for problem in planned.errors] == ["us"]
    assert told(this.plan()) == [("eu", "create", "eu"), ("ap", "create", "ap")]
    accounts[1].down = 401
    alone = this.clock.run(plan_all(this.ground, PlanRequest(Intent()), Patience(this.clock, asyncio.Event(), 3.0)))
    assert (told(alone), alone.late) == ([("ap", "create", "ap")], ())


@pytest.mark.slow
def test_a_broken_program_costs_one_target() -> None:
    """An error that isn't ours is told as such, and the others go on."""

    class Broken(Account):
        def reply(self, request: httpx.Request) -> httpx.Response:
            raise ZeroDivisionError(request)

    both = Round([head(name="us"), head(manifest("b"), name="eu")], [Broken(), Account()])
    planned = both.plan()
    assert told(planned) == [("eu", "create", "b")]
    assert [(problem.kind, problem.target) for problem in planned.errors] == [("internal", "us")]


def test_a_cluster_that_cant_be_understood_fails_only_what_declares_it() -> None:
    """It is not planned, least of all created anew, and an error names it; the others, and strangers, are as ever."""
    account = Account(entry("a", shard_count=None), entry("b"), entry("stranger", status=None))
    this = one(account, manifest("a"), manifest("b", shard_count=3), manifest("c"))
    planned = this.plan(adopt=("*",))
    assert told(planned) == [("default", "update", "b"), ("default", "create", "c")]
    [problem] = planned.errors
    assert (problem.kind, problem.target, problem.cluster) == ("undocumented", "default", "a")
    assert str(problem.place) == "manifests/a.yaml:1"
    assert this.plan(only=("b",)).errors == ()
    assert this.plan(only=("a",)).plans[0].changes == ()


def test_a_saved_change_of_a_cluster_that_cant_be_understood_is_stale() -> None:
    """What was made while it was readable, or not there, is not sent blindly."""
    account = Account(entry("b"))
    this = one(account, manifest("a"), manifest("b", shard_count=3))
    [saved] = this.plan(adopt=("*",)).plans
    assert [change.name for change in saved.changes] == ["a", "b"]
    account.listed = {"a": entry("a", status=None), "b": entry("b", shard_count="2")}
    assert ended(this.apply({"default": saved}, adopt=("*",))) == [("default", name, "stale") for name in "ab"]
    assert account.sent == []


def test_a_saved_plan_is_all_that_is_done() -> None:
    """A change that came since isn't made; one that was made meanwhile is done already."""
    account = Account()
    [saved] = one(account, manifest("a"), manifest("b")).plan().plans
    account.listed["a"] = entry("a")
    more = one(account, manifest("a"), manifest("b"), manifest("c"))
    assert ended(more.apply({"default": saved})) == [("default", name, "applied") for name in "ab"]
    assert account.sent == ["PUT b"]


def test_only_must_match_something_wherever_all_could_be_read() -> None:
    """A pattern that matches nothing is a slip; where a target can't be read nobody can say."""
    account = Account(entry("stranger"))
    this = one(account, manifest("a"))
    assert told(this.plan(only=("strang*", "a"))) == [("default", "create", "a")]
    with pytest.raises(UsageError, match="matches no cluster"):
        this.plan(only=("b*",))
    account.down = 401
    assert this.plan(only=("b*",)).plans == ()


def test_pruning_everything_takes_git_and_a_record() -> None:
    """Else nobody could see what is protected: refused before anything is read."""
    account = Account(entry("stranger"))
    with pytest.raises(Unproven):
        one(account).plan(prune="all")
    assert account.asked == 0


def test_offline_takes_git_and_is_never_applied() -> None:
    """Without git there is no base to stand in for what is live."""
    this = one(Account(), manifest("a"))
    ground = Ground(this.ground.fleet, (Offline(this.ground.sites[0].head),), None, "manifests")
    planned = this.clock.run(plan_all(ground, PlanRequest(Intent())))
    assert [(problem.kind, problem.target) for problem in planned.errors] == [("usage", "default")]
    with pytest.raises(StalePlan):
        this.clock.run(apply_all(ground, planned, PlanRequest(Intent()), ApplyOptions(), this.clock, this.stop))


def test_what_was_planned_is_shown_in_short() -> None:
    """An event loop asks for it: over a large fleet it would take as long as the plan."""
    assert repr(one(Account(entry("a")), manifest("a")).plan()) == "<Planned: default>"


def test_what_was_never_active_is_an_error_of_an_apply() -> None:
    """It takes no update: somebody has to say --replace."""
    account = Account(entry("a", status="CreationFailed"))
    [problem] = one(account, manifest("a")).apply().errors
    assert (problem.kind, problem.cluster, account.sent) == ("never-active", "a", [])
    assert str(problem.place) == "manifests/a.yaml:1"
    assert "--replace=a" in (problem.remedy or "")


def test_waiting_sends_nothing_but_get() -> None:
    """Neither for what differs nor for what isn't there."""
    account = Account(entry("a", status="Creating"), entry("b", shard_count=9))
    this = one(account, manifest("a"), manifest("b"), manifest("c"))
    planned = this.plan()
    account.listed["a"]["status"] = "Active"
    waited = this.clock.run(wait_all(this.ground, planned, ApplyOptions(), this.clock, this.stop))
    assert [(s.name, s.outcome) for report in waited.reports for s in report.settling] == [("a", "settled")]
    assert account.sent == []


class InGit:
    """A round on a repository: a, b and the rest, each a file; `main` is what is merged."""

    def __init__(self, folder: Path, **shards: int) -> None:
        self.repo = Repo.new(folder)
        self.account = Account()
        self.commit(**shards)

    def commit(self, **shards: int) -> str:
        """Exactly these clusters."""
        there = {path.name: None for path in (self.repo.folder / "manifests").glob("*.yaml")}
        wanted = {f"{name}.yaml": text(name, count) for name, count in shards.items()}
        self.shards = shards
        return self.repo.commit({f"manifests/{name}": content for name, content in {**there, **wanted}.items()})

    def do(self, what: str, **intent: Any) -> Any:
        checkout = Checkout.open(str(self.repo.folder / "manifests"), "manifests", GitOptions(run_id="r"))
        assert checkout is not None
        try:
            manifests = [manifest(name, shard_count=count) for name, count in self.shards.items()]
            this = Round([head(*manifests)], [self.account], checkout)
            if what == "stale":
                return refuse_stale_heads(this.ground, Intent(**intent))
            return this.plan(**intent) if what == "plan" else this.apply(**intent)
        finally:
            checkout.close()

    def causes(self, **intent: Any) -> list[tuple[str, str | None]]:
        return [(change.name, change.cause) for plan in self.do("plan", **intent).plans for change in plan.changes]


def test_what_was_applied_is_known_from_then_on(tmp_path: Path) -> None:
    """So each difference has its true cause, and the second apply sends nothing."""
    git = InGit(tmp_path / "r", a=2, b=2)
    git.do("apply")
    assert sorted(git.account.sent) == ["PUT a", "PUT b"]
    assert git.do("apply").reports[0].results == ()
    git.account.listed["b"]["shard_count"] = 9
    grown = git.commit(a=3, b=2)
    assert git.causes() == [("a", "pending"), ("b", "drift")]
    [plan] = git.do("plan").plans
    assert plan.changes[0].fields[0].commit == grown


def test_what_is_ours_and_undeclared_is_pruned_and_what_isnt_is_not(tmp_path: Path) -> None:
    """A prune deletes what the record has, last, and cites the commit that removed it."""
    git = InGit(tmp_path / "r", a=2, b=2)
    git.account.listed["stranger"] = entry("stranger")
    git.do("apply")
    removed = git.commit(a=3)
    assert git.causes() == [("a", "pending")]
    [plan] = git.do("plan", prune="owned").plans
    assert [
        (c.action, c.name, c.source.commit if c.source else None) for c in plan.changes if c.action == "delete"
    ] == [("delete", "b", removed)]
    git.account.sent.clear()
    git.do("apply", prune="owned", allow=STRICT)
    assert git.account.sent == ["PUT a", "DELETE b"]
    assert {*git.account.listed} == {"stranger", "a"}


def test_an_old_commit_is_not_applied_over_a_newer_one(tmp_path: Path) -> None:
    """Unless somebody says that going back is meant."""
    git = InGit(tmp_path / "r", a=2)
    git.commit(a=3)
    git.do("apply")
    git.do("stale")
    git.repo.git("checkout", "--quiet", "HEAD~1")
    with pytest.raises(StalePlan):
        git.do("stale")
    git.do("stale", allow=("stale-head",))


def test_a_head_behind_what_was_applied_under_another_name_is_refused(tmp_path: Path) -> None:
    """An old job knows a target that was renamed by the name it had, and may have a record of that name still."""
    git = InGit(tmp_path / "r", a=2)
    git.do("apply")
    newer = git.commit(a=3)
    git.repo.git("checkout", "--quiet", "HEAD~1")
    for name, key, refusal in (
        ("other", "MOMENTO_OTHER", does_not_raise()),
        ("west", "MOMENTO_API_KEY", pytest.raises(StalePlan, match="applied to target west")),
    ):
        line = Line("a", newer, 0.0, "manifests/a.yaml", 1, "created")
        with git_of(git.repo.folder) as found:
            record = Record(name, "https://default.example.com", key, lines={"a": line}, revision=newer)
            Records(found, "r").write(record, "applied")
        with refusal:
            git.do("stale")


def test_a_record_that_cant_be_written_stops_all_before_the_first_request(tmp_path: Path) -> None:
    """What was done and isn't known would be somebody else's from then on."""
    git = InGit(tmp_path / "r", a=2)
    (git.repo.folder / ".git/refs/reconciler").write_text("in the way")
    with pytest.raises(GitError, match="record can't be written"):
        git.do("apply")
    assert git.account.sent == []


def test_a_list_is_one_of_the_same_clusters_whatever_its_order() -> None:
    """The same inputs, the same plan."""
    manifests = [manifest("a", shard_count=3), manifest("b"), manifest("c", shard_count=4)]
    listed = [entry(name) for name in "abc"]
    there, back = (one(Account(*order), *manifests).plan().plans for order in (listed, listed[::-1]))
    assert there == back


class TwoInGit:
    """Targets us, which declares a, and eu, each with its account and its record; deletes what is declared no more."""

    def __init__(self, folder: Path) -> None:
        self.repo = Repo.new(folder)
        self.repo.commit({"manifests/a.yaml": text("a", 2)})
        self.accounts = [Account(), Account()]

    def apply(self, *eu: str, left_out: Sequence[str] = (), **us: Any) -> Applied:
        checkout = Checkout.open(str(self.repo.folder / "manifests"), "manifests", GitOptions(run_id="r"))
        assert checkout is not None
        heads = [head(manifest("a"), name="us", **us), head(*map(manifest, eu), name="eu")]
        this = Round(heads, self.accounts, checkout)
        whole, this.ground = this.ground, this.ground.without(left_out)
        assert (this.ground.endpoints, this.ground.selected) == (whole.endpoints, ("us", "eu"))
        try:
            return this.apply(prune="owned", allow=STRICT)
        finally:
            checkout.close()


def test_what_is_suspended_is_left_as_if_it_were_no_part_of_the_run(tmp_path: Path) -> None:
    """Each change says why, and is in no record; the others go on, deletes included."""
    two = TwoInGit(tmp_path / "r")
    because = Suspension("because", 1_800_003_600)
    two.apply("b", "old", suspension=because)
    applied = two.apply("b", suspension=because)
    assert ended(applied) == [("us", "a", "left"), ("eu", "old", "applied")]
    error = applied.reports[0].results[0].error
    assert error is not None
    assert (error.kind, error.message) == (
        "suspended",
        "suspended until 2027-01-15T09:00:00Z, nothing is applied to it: because",
    )
    assert two.accounts[0].sent == []
    assert ended(two.apply("b")) == [("us", "a", "applied")]


def test_a_guard_that_refuses_what_is_suspended_stops_no_other() -> None:
    """It is told all the same."""
    suspended = head(manifest("a", shard_count=3), name="us", suspension=Suspension("because", 2e9))
    fleet = Round([suspended, head(manifest("b"), name="eu")], [Account(entry("a")), Account()]).plan()
    assert [violation.guard for violation in fleet.plans[0].violations] == ["adopt"]
    assert not fleet.refused
    assert [plan.target for plan in fleet.to_apply] == ["eu"]


def test_while_a_target_is_left_out_of_a_round_nothing_is_deleted(tmp_path: Path) -> None:
    """What it declares isn't looked at: whether it stands is not known. Creates and updates go on."""
    two = TwoInGit(tmp_path / "r")
    two.apply("b", "old")
    assert ended(two.apply("b", "c", left_out=["us"])) == [("eu", "c", "applied"), ("eu", "old", "skipped")]
    assert ended(two.apply("b", "c")) == [("eu", "old", "applied")]


def test_what_this_change_takes_away_is_told_once_and_never_of_a_target_that_is_left_out(tmp_path: Path) -> None:
    """With the first that was selected, in its own round; with the next where that can't be read."""
    repo = Repo.new(tmp_path / "r")
    fleet = "targets:\n" + "".join(
        f"  {name}: {{endpoint: 'https://{name}.example.com', manifests: {name}}}\n" for name in ("old", "us", "eu")
    )
    repo.commit({"manifests/fleet.yaml": fleet})
    before = {"old": "https://old.example.com", "eu": "https://eu.example.com"}
    with git_of(repo.folder) as git:
        for target, endpoint in before.items():
            Records(git, "r").write(record(line("x"), target=target, endpoint=endpoint), "x")
    repo.on("topic")
    repo.commit({"manifests/README.md": "old goes, and eu is sent elsewhere"})

    def gone(*left_out: str, down: int | None = None) -> dict[str, list[str]]:
        checkout = Checkout.open(str(repo.folder / "manifests"), "manifests", GitOptions(run_id="r"))
        assert checkout is not None
        accounts = [Account(), Account()]
        accounts[0].down = down
        this = Round([head(name="us"), head(name="eu")], accounts, checkout, elsewhere="eu")
        this.ground = this.ground.without(left_out)
        with closing(checkout):
            planned = this.plan()
        return {name: [one.target for one in read.evidence.gone] for name, read in planned.readings.items()}

    assert gone() == {"us": ["old"], "eu": ["eu"]}
    assert gone("us") == {"eu": ["eu"]}
    assert gone("eu") == {"us": ["old"]}
    assert gone(down=401) == {"eu": ["eu", "old"]}


def test_a_pattern_may_match_what_is_left_out() -> None:
    """Only a whole round knows that it matches nothing."""
    fleet = Round([head(manifest("a"), name="us"), head(manifest("b"), name="eu")], [Account(), Account()])
    fleet.ground = fleet.ground.without(["us"])
    assert told(fleet.plan(only=("a",))) == []
