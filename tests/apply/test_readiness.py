"""What keeps deletes waiting, or from being sent at all: a declared cluster that doesn't stand, in the words for it."""

import pytest

from reconciler.apply.item import items_of
from reconciler.apply.protocol import Ended, ItemState, Listed, Unsettled
from reconciler.apply.readiness import Readiness, Unready
from reconciler.model.cluster import LiveCluster
from reconciler.results import Outcome
from tests.apply.fakes import declared, head_of, job_of, line, live

WANTED, BEFORE, WORKING, SICK = (
    live("a", shard_count=3),
    live("a"),
    live("a", status="Updating"),
    live("a", errors=["X"]),
)
DONE = Ended("applied")


def readiness(
    before: LiveCluster, listed: LiveCluster | None, state: ItemState | None = None, *, on_drift: str = "revert"
) -> Readiness:
    """`a` is declared with 3 shards, and applied with them; its change, or its wait, stands as `state` says."""
    one = declared("a", shard_count=3, lifecycle={"on_drift": on_drift})
    job = job_of(head_of(one), [before, live("old")], [line("a", one), line("old")], prune=True)
    items = {item.name: item for item in items_of(job)}
    if state is not None:
        items["a"].state = state
    latest = Listed(9.0, "default", 9.0, {listed.name: listed} if listed is not None else {})
    return Readiness(job, items, {"a": before}, latest)


@pytest.mark.parametrize(
    ("before", "state", "listed", "said"),
    [
        # as declared all along
        (WANTED, None, WANTED, None),
        (WANTED, None, None, Unready("a", "a isn't there", pending=True)),  # the list may lag
        (WANTED, None, BEFORE, Unready("a", "a isn't as declared", pending=True)),
        (WANTED, None, WORKING, Unready("a", "a is Updating", pending=True)),
        (WANTED, None, SICK, Unready("a", "a is Active with X", pending=False)),
        # changed
        (BEFORE, DONE, WANTED, None),
        (BEFORE, DONE, BEFORE, Unready("a", "a isn't as declared", pending=True)),
        (BEFORE, Unsettled(1.0), WANTED, None),
        (BEFORE, Ended("failed"), WANTED, Unready("a", "a failed", pending=False)),
        (BEFORE, Ended("skipped"), WANTED, Unready("a", "a was skipped", pending=False)),
        (BEFORE, Ended("stale"), WANTED, Unready("a", "a is stale", pending=False)),
        (BEFORE, Ended("unknown"), WANTED, Unready("a", "a may not have arrived", pending=False)),
        # only waited for
        (
            WORKING._replace(values=WANTED.values),
            Ended("unknown"),
            WORKING,
            Unready("a", "a is Updating", pending=True),
        ),
        (
            WORKING._replace(values=WANTED.values),
            Ended("unknown"),
            None,
            Unready("a", "a has not settled", pending=True),
        ),
        (
            WORKING._replace(values=WANTED.values),
            Ended("failed"),
            SICK,
            Unready("a", "a is Active with X", pending=False),
        ),
    ],
)
def test_what_does_not_stand(
    before: LiveCluster, state: ItemState | None, listed: LiveCluster | None, said: Unready | None
) -> None:
    """What may yet stand is pending; what has ended badly doesn't stand, however it is listed."""
    found = readiness(before, listed, state)
    assert [*found.unready()] == ([said] if said else [])
    assert found.stands("a") == (said is None)
    failed = isinstance(state, Ended) and state != DONE
    assert [*found.failures()] == ([said] if said and failed else [])
    assert not found.stands("old")  # nobody declares it


@pytest.mark.parametrize(("listed", "pending"), [(None, False), (BEFORE, False), (WORKING, True)])
def test_what_has_had_its_patience(listed: LiveCluster | None, pending: bool) -> None:
    """What is missing or otherwise by then won't stand by itself; what is at work may."""
    assert [one.pending for one in readiness(WANTED, listed).unready(lasting=True)] == [pending]


def test_what_was_never_as_declared_is_not_waited_for() -> None:
    """Its change isn't part of the run: nobody makes it so."""
    job = job_of(head_of(declared("a")), [WANTED])
    found = Readiness(job, {}, {"a": WANTED}, Listed(9.0, "default", 9.0, {"a": WANTED}))
    assert [*found.unready()] == [Unready("a", "a isn't as declared", pending=False)]


def test_what_is_left_holds_nothing_and_stands_but_for_what_is_left() -> None:
    """So a move to it may end."""
    assert readiness(BEFORE, BEFORE, on_drift="report").stands("a")
    assert not readiness(BEFORE, SICK, on_drift="report").stands("a")
    assert [*readiness(BEFORE, SICK, on_drift="report").unready()] == []


@pytest.mark.parametrize("outcome", ["failed", "stale"])
def test_a_delete_that_ended_badly_holds_no_other(outcome: Outcome) -> None:
    """It was no part of what has to stand."""
    found = readiness(WANTED, WANTED)
    found.items["old"].state = Ended(outcome)
    assert [*found.failures(), *found.unready()] == []
