"""The state that follows for one item, where it takes more than a list to tell."""

from dataclasses import replace

import pytest

from reconciler.apply import words
from reconciler.apply.item import Item, items_of
from reconciler.apply.options import ApplyOptions
from reconciler.apply.protocol import Ended, Listed, Queued, Refusal, Unsettled, Waiting
from reconciler.apply.states import accepted, doubted, expired, given_up, moved, refused, unsent
from reconciler.model.cluster import LiveCluster
from reconciler.plan.intent import Intent
from reconciler.results import ErrorDetail
from tests.apply.fakes import EVERYTHING, declared, head_of, job_of, live

AT, PATIENCE = 100.0, 60.0
LOST = Refusal("no-answer", "silence", may_have_reached=True)
BUSY = Refusal("in-transition", "409 Conflict", 409)
DOUBTFUL = replace(BUSY, may_have_reached=True)
WHY = ErrorDetail(kind="interrupted", message="the run ends")
OPTIONS = ApplyOptions(timeout_seconds=50.0)


def update() -> Item:
    """Of 2 shards to 3."""
    (item,) = items_of(job_of(head_of(declared("a", shard_count=3)), [live("a")]))
    return item


def replacement(*, step: int = 0) -> Item:
    """Of what was never Active."""
    intent = Intent(replace=("a",), adopt=("a",), allow=EVERYTHING)
    (item,) = items_of(job_of(head_of(declared("a")), [live("a", status="CreationFailed")], [], intent=intent))
    item.step = step
    return item


def listed(*clusters: LiveCluster, unreadable: frozenset[str] = frozenset()) -> Listed:
    return Listed(AT, "default", AT, {one.name: one for one in clusters}, unreadable)


@pytest.mark.parametrize(
    ("answer", "since"),
    [
        (None, None),
        (live("a", shard_count=3), None),
        (live("a"), AT),
        (live("a", status="Updating"), None),
        (live("a", errors=["X"]), None),
    ],
)
def test_an_answer_that_says_otherwise_is_the_first_to_say_so(answer: LiveCluster | None, since: float | None) -> None:
    """Where the service calls it settled: one that is at work, or has errors, isn't."""
    assert accepted(update(), answer, AT) == Unsettled(AT, other_since=since)


def test_a_delete_is_not_contradicted_by_what_it_deletes() -> None:
    """A replacement's first request is one, too."""
    assert accepted(replacement(), live("a", shard_count=9), AT) == Unsettled(AT)


@pytest.mark.parametrize(
    ("refusal", "outcome"),
    [
        (LOST, "unknown"),
        (DOUBTFUL, "unknown"),
        (BUSY, "skipped"),
        (Refusal("exhausted", "no descriptor"), "skipped"),
        (Refusal("rejected", "400", 400), "failed"),
    ],
)
def test_a_refusal_ends_in_its_own_words(refusal: Refusal, outcome: str) -> None:
    """What the service never had is skipped, what it may have had is unknown."""
    assert refused(update(), refusal) == Ended(outcome, refusal.detail)  # type: ignore[arg-type]
    half = (
        Ended("failed", words.not_made_anew(refusal.detail))
        if outcome != "unknown"
        else Ended("unknown", refusal.detail)
    )
    assert refused(replacement(step=1), refusal) == half


def test_a_doubt_stays_one() -> None:
    """Whatever a later 409 says."""
    assert doubted(BUSY, Queued(1.0, DOUBTFUL)) == doubted(DOUBTFUL, Queued()) == DOUBTFUL
    assert doubted(BUSY, Queued(1.0, BUSY)) == doubted(BUSY, Queued()) == BUSY


def test_what_is_queued_goes_on_with_its_wait() -> None:
    """It began at the first 409, and so does its timeout."""
    item = update()
    for queued, waiting in ((Queued(7.0, DOUBTFUL), Waiting(7.0, DOUBTFUL)), (Queued(), Waiting(AT))):
        item.state = queued
        assert moved(item, listed(live("a")), PATIENCE) is None
        assert moved(item, listed(live("a", status="Updating")), PATIENCE) == waiting
        assert moved(item, listed(unreadable=frozenset("a")), PATIENCE) == Ended("stale", words.UNREADABLE)
    half = replacement(step=1)
    half.state = Queued()
    assert moved(half, listed(live("a", status="CreationFailed")), PATIENCE) is None  # the list lags


def test_time_that_is_over() -> None:
    """From the moment on at which the wait began; what may have arrived is unknown."""
    late = words.not_ready(50.0, BUSY), words.not_ready(50.0, DOUBTFUL), words.not_ready(50.0, None)
    item = update()
    item.status = "Updating"
    for state, ended in (
        (Unsettled(50.0), Ended("failed", words.not_settled(50.0, "Updating"))),
        (Unsettled(50.0, lost=LOST), Ended("unknown", LOST.detail)),
        (Waiting(50.0, BUSY), Ended("failed", late[0])),
        (Waiting(50.0, DOUBTFUL), Ended("unknown", late[1])),
        (Queued(50.0, DOUBTFUL), Ended("unknown", late[1])),
        (Waiting(50.0), Ended("failed", late[2])),
    ):
        item.state = state
        assert expired(item, AT, OPTIONS) == ended
        assert expired(item, AT - 0.5, OPTIONS) is None
    item.state = Queued()
    assert expired(item, 1e9, OPTIONS) is None  # it waits for its turn alone


def test_what_is_not_sent_any_more() -> None:
    """It is skipped; but a doubt stays one, and of a replacement half is done."""
    item = update()
    for state, ended in (
        (Queued(), Ended("skipped", WHY)),
        (Waiting(7.0, BUSY), Ended("skipped", WHY)),
        (Waiting(7.0, DOUBTFUL), Ended("unknown", DOUBTFUL.detail)),
        (Queued(7.0, DOUBTFUL), Ended("unknown", DOUBTFUL.detail)),
    ):
        item.state = state
        assert unsent(item, WHY) == ended
    half = replacement(step=1)
    half.state = Queued()
    assert unsent(half, WHY) == Ended(
        "failed", ErrorDetail(kind="interrupted", message="it was deleted, and not created again: the run ends")
    )


def test_what_was_sent_and_has_not_settled_by_the_end() -> None:
    """Unknown, with the best reason that there is."""
    item = update()
    item.state = Unsettled(AT)
    assert given_up(item) == Ended("unknown", words.NOT_SETTLED)
    item.state = Unsettled(AT, lost=LOST)
    assert given_up(item) == Ended("unknown", LOST.detail)
    going = replacement()
    going.state = Unsettled(AT)
    assert given_up(going) == Ended("unknown", words.NOT_MADE_ANEW)
    (delete,) = items_of(job_of(head_of(), [live("old")], prune=True))
    delete.state = Unsettled(AT)
    assert given_up(delete) == Ended("unknown", words.NOT_SETTLED)
