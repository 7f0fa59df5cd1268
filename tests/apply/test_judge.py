"""What one list says of one cluster: a table for each judge, with the words that people read."""

from dataclasses import replace

import pytest

from reconciler.apply.judge import Goal, judge_going, judge_settling, judge_waiting
from reconciler.apply.protocol import Ended, Queued, Refusal, Unsettled, Waiting
from reconciler.model.cluster import LiveCluster
from reconciler.plan.change import Change
from reconciler.plan.intent import Intent
from tests.apply.fakes import EVERYTHING, declared, head_of, job_of, line, live

PATIENCE = 60.0
AT = 100.0
SOON, LATE = AT - 59.0, AT - 60.0
"""Since when the list has contradicted a request: not long enough, and long enough."""

LOST = Refusal("no-answer", "PUT /cluster/a: no whole answer", may_have_reached=True)
DONE = "applied, settled"
SENT = Unsettled(0.0)

WANTED = live("a", shard_count=3)
BEFORE = live("a")
CREATE = Goal("a", WANTED.values)
UPDATE = Goal("a", WANTED.values, line("a"), BEFORE)
SICK = live("a", status="UpdateFailed", errors=["Old"])
MENDING = Goal("a", WANTED.values, line("a"), SICK)

UPDATE_FAILED = "failed: unsettled: it is {}: fix its manifest, and apply: the update is sent again"
NEVER_ACTIVE = "failed: never-active: it is {}, and was never Active: fix its manifest, and apply with --replace=a"
BEING_DELETED = "failed: unsettled: it is being deleted by somebody else; run apply again to create it"
VANISHED = "failed: unsettled: it was deleted by somebody else; run apply again to create it"
UNKNOWN = "unknown: no-answer: PUT /cluster/a: no whole answer"
NOT_AS_SENT = (
    "failed{}: not-as-sent: it is Active, and not as sent: shard_count: sent 3, it is 2; "
    "declare what the service keeps, or name the field in lifecycle.ignore_changes"
)


def told(state: Unsettled | Waiting | Queued | Ended) -> str:
    """What was decided: `wait`, `send`, or how it ended, in one line."""
    match state:
        case Unsettled() | Waiting():
            return "wait"
        case Queued():
            return "send"
        case Ended():
            settled = ", settled" if state.settled else ""
            why = f": {state.error.kind}: {state.error.message}" if state.error is not None else ""
            return f"{state.outcome}{settled}{why}"


@pytest.mark.parametrize(
    ("goal", "state", "listed", "said"),
    [
        # a create
        (CREATE, SENT, None, "wait"),  # not seen yet is not gone
        (CREATE, replace(SENT, seen=True), None, "wait"),
        (CREATE, replace(SENT, seen=True, missing_since=SOON), None, "wait"),
        (CREATE, replace(SENT, seen=True, missing_since=LATE), None, VANISHED),
        (CREATE, SENT, live("a", status="Creating"), "wait"),
        (CREATE, SENT, live("a", status="Rebalancing"), "wait"),
        (CREATE, SENT, WANTED, DONE),
        (CREATE, SENT, live("a", status="Deleting"), "wait"),  # an earlier one of that name, on its way out
        (CREATE, replace(SENT, moved=True), live("a", status="Deleting"), BEING_DELETED),
        (CREATE, SENT, live("a", status="CreationFailed"), NEVER_ACTIVE.format("CreationFailed")),
        (CREATE, SENT, live("a", status="Creating", errors=["X", "Y"]), NEVER_ACTIVE.format("Creating with X, Y")),
        (CREATE, SENT, live("a", errors=["X"]), UPDATE_FAILED.format("Active with X")),
        # its answer was lost
        (CREATE, Unsettled(0.0, lost=LOST), None, "wait"),
        (CREATE, Unsettled(0.0, lost=LOST, missing_since=LATE), None, UNKNOWN),
        (CREATE, Unsettled(0.0, lost=LOST), WANTED, DONE),
        (UPDATE, Unsettled(0.0, lost=LOST, other_since=LATE, other_lists=1), BEFORE, UNKNOWN),
        (MENDING, Unsettled(0.0, lost=LOST, errors_since=LATE), SICK, UNKNOWN),
        # an update
        (UPDATE, SENT, WANTED, DONE),
        (UPDATE, SENT, BEFORE, "wait"),  # old values stand for a while
        (UPDATE, replace(SENT, other_since=SOON, other_lists=9), BEFORE, "wait"),
        (UPDATE, replace(SENT, other_since=LATE, other_lists=0), BEFORE, "wait"),  # one list is none
        (UPDATE, replace(SENT, other_since=LATE, other_lists=1), BEFORE, NOT_AS_SENT.format(", settled")),
        (
            UPDATE,
            replace(SENT, other_since=LATE, other_lists=1, as_sent=frozenset({"shard_count"})),
            BEFORE,
            NOT_AS_SENT.format(""),  # it was seen as sent: somebody has changed it back
        ),
        (UPDATE, replace(SENT, other_since=SOON, other_lists=9), live("a", shard_count=9), "wait"),
        (UPDATE, SENT, None, "wait"),
        (UPDATE, replace(SENT, missing_since=LATE), None, VANISHED),
        (UPDATE, SENT, live("a", status="Deleting"), BEING_DELETED),
        (UPDATE, SENT, live("a", status="UpdateFailed"), UPDATE_FAILED.format("UpdateFailed")),
        (UPDATE, SENT, live("a", status="Updating", errors=["New"]), UPDATE_FAILED.format("Updating with New")),
        (UPDATE, SENT, live("a", status="CreationFailed"), UPDATE_FAILED.format("CreationFailed")),  # it was Active
        # an update that mends
        (MENDING, SENT, SICK, "wait"),
        (MENDING, replace(SENT, errors_since=SOON), SICK, "wait"),
        (MENDING, replace(SENT, errors_since=LATE), SICK, UPDATE_FAILED.format("UpdateFailed with Old")),
        (MENDING, replace(SENT, moved=True), SICK, UPDATE_FAILED.format("UpdateFailed with Old")),
        (MENDING, SENT, live("a", status="Updating", errors=["Old"]), "wait"),
        (MENDING, SENT, live("a", errors=["New"]), UPDATE_FAILED.format("Active with New")),
    ],
)
def test_settling(goal: Goal, state: Unsettled, listed: LiveCluster | None, said: str) -> None:
    """What can be old counts once it has stood for a minute, in two lists; the rest at once."""
    assert told(judge_settling(goal, state, listed, AT, PATIENCE)) == said


SEEN = replace(SENT, seen=True)
MOVING = replace(SEEN, moved=True)
DOUBTFUL = replace(SENT, missing_since=SOON, errors_since=SOON, other_since=SOON, other_lists=9)
AS_SENT = frozenset({"shard_count"})
UPDATING = live("a", status="Updating")


@pytest.mark.parametrize(
    ("goal", "state", "listed", "then"),
    [
        (CREATE, SENT, None, SENT),
        (CREATE, Unsettled(0.0, lost=LOST), None, Unsettled(0.0, lost=LOST, missing_since=AT)),
        (CREATE, replace(SENT, missing_since=SOON), live("a", status="Deleting"), SEEN),
        (CREATE, SENT, live("a", status="Creating"), replace(MOVING, as_sent=frozenset(WANTED.values) - AS_SENT)),
        (UPDATE, SENT, None, replace(SENT, missing_since=AT)),
        (UPDATE, replace(SENT, missing_since=SOON), None, replace(SENT, missing_since=SOON)),
        (UPDATE, DOUBTFUL, UPDATING, MOVING),  # it is at work: nothing that was said before counts
        (UPDATE, SENT, live("a", status="Updating", shard_count=3), replace(MOVING, as_sent=AS_SENT)),
        (UPDATE, replace(SENT, as_sent=AS_SENT), UPDATING, replace(MOVING, as_sent=AS_SENT)),
        (
            UPDATE,
            replace(SENT, missing_since=SOON, errors_since=SOON),
            BEFORE,
            replace(MOVING, other_since=AT, other_lists=1, kept={"shard_count": 2}),
        ),
        (
            UPDATE,
            replace(MOVING, other_since=SOON, other_lists=1, kept={"shard_count": 4}),
            BEFORE,
            replace(
                MOVING, other_since=SOON, other_lists=2, kept={}
            ),  # another value than before is none that it keeps
        ),
        (MENDING, SENT, SICK, replace(SEEN, errors_since=AT)),
        (MENDING, replace(SENT, errors_since=SOON, missing_since=SOON), SICK, replace(SEEN, errors_since=SOON)),
    ],
)
def test_what_a_list_leaves_in_mind(goal: Goal, state: Unsettled, listed: LiveCluster | None, then: Unsettled) -> None:
    """Since when it has been amiss, whether it was seen, and at work, and as sent: what the next list is judged by."""
    assert judge_settling(goal, state, listed, AT, PATIENCE) == then


STILL_THERE = "failed: unsettled: it is still there, {}; run apply again"


@pytest.mark.parametrize(
    ("state", "listed", "said"),
    [
        (SENT, None, DONE),
        (SENT, live("a", status="Deleting"), "wait"),
        (SENT, BEFORE, "wait"),
        (replace(SENT, other_since=LATE), BEFORE, "wait"),  # until its timeout
        (SENT, live("a", status="DeletionFailed"), STILL_THERE.format("DeletionFailed")),
        (SENT, live("a", errors=["InUse"]), STILL_THERE.format("Active with InUse")),
        (Unsettled(0.0, lost=LOST, other_since=SOON), BEFORE, "wait"),
        (Unsettled(0.0, lost=LOST, other_since=LATE), BEFORE, UNKNOWN),
    ],
)
def test_going(state: Unsettled, listed: LiveCluster | None, said: str) -> None:
    """Gone is done; errors that stood before say nothing."""
    assert told(judge_going(UPDATE, state, listed, AT, PATIENCE)) == said
    old = replace(UPDATE, before=listed)
    if said.startswith("failed"):
        assert told(judge_going(old, state, listed, AT, PATIENCE)) == "wait"


def test_what_a_list_leaves_in_mind_of_what_goes() -> None:
    """Since when it stands there, until it is on its way."""
    standing = replace(SENT, other_since=AT)
    assert judge_going(UPDATE, SENT, BEFORE, AT, PATIENCE) == standing
    assert judge_going(UPDATE, standing, BEFORE, AT + 7, PATIENCE) == standing
    assert judge_going(UPDATE, standing, live("a", status="Deleting"), AT + 9, PATIENCE) == SENT


def change(what: str) -> Change:
    """A plan's only change of `a`."""
    wanted = head_of(declared("a", shard_count=3))
    dead = live("a", status="CreationFailed")
    job = {
        "create": lambda: job_of(wanted),
        "replace": lambda: job_of(wanted, [dead], [], intent=Intent(replace=("a",), adopt=("a",), allow=EVERYTHING)),
        "update": lambda: job_of(wanted, [BEFORE]),
        "delete": lambda: job_of(head_of(), [BEFORE], prune=True),
    }[what]()
    (only,) = job.plan.changes
    return only


WAITS = Waiting(0.0)
TAKEN = "stale: stale: somebody else has created it since, and not as declared; plan again"
REVIVED = "stale: stale: it may have been Active since the plan was made, and isn't replaced; plan again"
MOVED = "stale: stale: its configuration has changed since the plan was made; plan again"
GOING = "stale: stale: it is being deleted by somebody else; plan again"
GONE = "stale: stale: it has been deleted since the plan was made; plan again"


@pytest.mark.parametrize(
    ("what", "state", "listed", "said"),
    [
        ("create", WAITS, None, "send"),
        ("create", WAITS, live("a", status="Deleting"), "wait"),
        ("create", WAITS, WANTED, DONE),  # an earlier request may have arrived
        ("create", WAITS, BEFORE, TAKEN),
        ("create", WAITS, live("a", status="CreationFailed"), NEVER_ACTIVE.format("CreationFailed")),
        ("replace", WAITS, None, "send"),
        ("replace", WAITS, live("a", status="CreationFailed"), "send"),
        ("replace", WAITS, live("a", status="Creating"), "wait"),
        ("replace", WAITS, WANTED, REVIVED),
        ("update", WAITS, live("a", status="Updating"), "wait"),
        ("update", WAITS, BEFORE, "send"),
        ("update", WAITS, WANTED, DONE),
        ("update", WAITS, live("a", shard_count=9), MOVED),
        ("update", WAITS, live("a", status="Deleting"), GOING),
        ("update", WAITS, live("a", status="CreationFailed"), NEVER_ACTIVE.format("CreationFailed")),
        ("update", WAITS, None, "wait"),
        ("update", replace(WAITS, missing_since=LATE), None, GONE),
        ("delete", WAITS, BEFORE, "send"),
        ("delete", WAITS, None, DONE),
        ("delete", WAITS, live("a", status="Updating"), "wait"),
        ("delete", WAITS, live("a", status="Creating", errors=["X"]), "send"),  # it never becomes Active: no wait
        ("delete", WAITS, live("a", shard_count=9), MOVED),
    ],
)
def test_waiting(what: str, state: Waiting, listed: LiveCluster | None, said: str) -> None:
    """It is sent only to what it was planned on; what is as it should be is done."""
    assert told(judge_waiting(UPDATE, change(what), 0, state, listed, AT, PATIENCE)) == said


def test_what_a_list_leaves_in_mind_of_what_waits() -> None:
    """Since when an update's cluster is missing, until it is there again, at work."""
    missing = replace(WAITS, missing_since=AT)
    assert judge_waiting(UPDATE, change("update"), 0, WAITS, None, AT, PATIENCE) == missing
    assert judge_waiting(UPDATE, change("update"), 0, missing, None, AT + 7, PATIENCE) == missing
    assert judge_waiting(UPDATE, change("update"), 0, missing, UPDATING, AT + 9, PATIENCE) == WAITS


@pytest.mark.parametrize(
    ("what", "listed"), [("create", None), ("replace", None), ("update", BEFORE), ("delete", BEFORE)]
)
def test_what_409_said_goes_along(what: str, listed: LiveCluster | None) -> None:
    """So that the next 409 goes on with the same wait, and a doubt stays one."""
    busy = replace(LOST, kind="in-transition")
    assert judge_waiting(UPDATE, change(what), 0, Waiting(7.0, busy), listed, AT, PATIENCE) == Queued(7.0, busy)
