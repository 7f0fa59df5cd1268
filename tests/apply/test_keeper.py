"""What a run writes of itself, on a real repository and its server: before the first request, and at the end."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from reconciler.apply.job import Finished, Job
from reconciler.apply.keeper import RecordKeeper
from reconciler.errors import GitError
from reconciler.evidence.checkout import Checkout
from reconciler.model.evidence import Base, Evidence, Provenance
from reconciler.model.record import Line, Record
from reconciler.plan.compare import compare
from reconciler.plan.decide import Reading, make_plan
from reconciler.plan.intent import Intent
from tests.apply.fakes import EVERYTHING, WRONG, Listing, World, declared, head_of, line, live
from tests.evidence.asking import opened
from tests.evidence.conftest import nobodys_configuration  # noqa: F401
from tests.evidence.repositories import Repo, text

ENDPOINT = "https://{}.example.com"
EARLIER = "e" * 40


class Kept:
    """Two targets that declare `a`: `us` has to make it, and `b`; `eu` has it, applied from a commit that is gone."""

    def __init__(self, folder: Path) -> None:
        self.server = Repo.new(folder / "server")
        self.server.commit({"manifests/a.yaml": text("a")})
        self.clone = self.server.clone(folder / "clone")
        self.world = World()
        self.readings = {
            "eu": self._reading("eu", record={"a": line("a", commit="f" * 40, at=7.0)}),
            "us": self._reading("us", "b"),
        }
        intent = Intent(allow=EVERYTHING)
        self.plans = {target: make_plan(reading, intent) for target, reading in self.readings.items()}

    def _reading(self, target: str, *more: str, record: dict[str, Line] | None = None) -> Reading:
        head = head_of(*map(declared, ("a", *more)), target=target, max_failures=2)
        clusters = [live("a")] if record else []
        was = Record(target, ENDPOINT.format(target), "K", lines=record or {}, revision=EARLIER)
        commit = self.clone.head
        evidence = Evidence(Provenance(commit, dirty=False, base=Base(commit=commit, reason="given")), {}, was)
        evidence = evidence._replace(astray=frozenset(record or ()))
        return Reading(head, tuple(clusters), compare(head, clusters), evidence, ENDPOINT.format(target))

    def keeper(self, checkout: Checkout | None) -> RecordKeeper:
        return RecordKeeper(checkout, [*self.plans.values()], self.readings, self.world.clock)

    def carry_out(self) -> tuple[Finished, ...]:
        readings = self.readings.items()
        return self.world.apply(*(Job(self.plans[name], one.head, Listing(tuple(one.live))) for name, one in readings))

    def messages(self, target: str) -> list[str]:
        """What the server's record of a target says of each of its commits, newest first."""
        refs = self.server.git("for-each-ref", "--format=%(refname)", f"refs/reconciler/record/{target}-*")
        return self.server.git("log", "--format=%s", refs).splitlines() if refs else []


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_a_run_says_what_it_is_about_to_do_and_what_came_of_it(kept: Kept) -> None:
    """On the server, too; of a target that nothing is sent to only what has changed."""
    kept.world.service("us").hook = lambda _method, name: WRONG if name == "a" else None
    with opened(kept.clone, remote="origin") as checkout:
        keeper = kept.keeper(checkout)
        keeper.write_ahead()
        assert keeper.write_after(kept.carry_out()) == []
        eu = checkout.records.read("eu", ENDPOINT.format("eu"))
    assert kept.messages("us") == ["us: 1 applied, 1 failed", "us: about to apply 2"]
    assert kept.messages("eu") == ["eu: nothing to do"]
    assert eu is not None
    assert eu.lines["a"].commit == kept.clone.head  # the one it had isn't in HEAD's history


def test_nothing_of_what_was_not_sent_stays_in_any_record(kept: Kept) -> None:
    """Where the server takes none of it, each is as it was, here as well; and the error ends the run."""
    with opened(kept.clone, remote="origin") as checkout:
        kept.clone.git("remote", "set-url", "origin", "file:///nowhere")
        with pytest.raises(GitError):
            kept.keeper(checkout).write_ahead()
        us = checkout.records.read("us", ENDPOINT.format("us"))
        assert us is not None
        assert (us.lines, us.revision) == ({}, EARLIER)
        assert kept.messages("us") == []


def test_an_end_that_cant_be_said_is_an_error_of_each_target_that_it_was_of(kept: Kept) -> None:
    """And of the log; what was done stays done."""
    with opened(kept.clone, remote="origin") as checkout:
        keeper = kept.keeper(checkout)
        keeper.write_ahead()
        kept.clone.git("remote", "set-url", "origin", "file:///nowhere")
        with capture_logs() as logs:
            problems = keeper.write_after(kept.carry_out())
    assert [(problem.kind, problem.target) for problem in problems] == [("git", "eu"), ("git", "us")]
    told = [event for event in logs if event["event"] == "record.unwritten"]
    assert [(event["target"], event["error"], event["log_level"]) for event in told] == [
        (problem.target, problem.message, "error") for problem in problems
    ]


def test_without_git_there_is_nothing_to_keep(kept: Kept) -> None:
    """And nothing that fails."""
    keeper = kept.keeper(None)
    keeper.write_ahead()
    assert keeper.write_after(kept.carry_out()) == []
