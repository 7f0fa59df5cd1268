"""When a target is listed: soon after something was sent, seldom while nothing happens, and in time for each end."""

from reconciler.apply.options import ApplyOptions
from reconciler.apply.polls import Polls
from reconciler.apply.protocol import ItemState, ListClusters, Unsettled, Waiting


def looks(polls: Polls, *states: ItemState, until: float) -> list[float]:
    """The moments of all looks at these states, none of which ever ends."""
    found: list[float] = []
    due: float | None = None
    while due is None or due < until:
        for step in polls.next(due or 0.0, watching=True):
            due = step.at
        assert due is not None
        found.append(due)
        polls.looked(due)
        polls.plan(states, due)
    return found


def test_what_is_sent_anew_is_looked_at_within_a_second() -> None:
    """However seldom what went before is looked at by then."""
    polls, old = Polls("us", ApplyOptions()), Unsettled(0.0)
    polls.watch(old, 0.0)
    assert looks(polls, old, until=100.0)[-2:] == [74.88671875, 104.88671875]
    new = Unsettled(130.0)
    polls.watch(new, 130.0)
    assert looks(polls, old, new, until=134.0) == [131.0, 132.5, 134.75]
    waiting = Waiting(140.0)
    polls.watch(waiting, 134.75)  # nothing was sent: the next regular look will do
    assert looks(polls, old, new, waiting, until=136.0) == [138.125]


def test_requests_that_keep_coming_put_no_look_off() -> None:
    """Else a long run of creates would never see one settle."""
    polls = Polls("us", ApplyOptions())
    for tenths in range(10):
        polls.watch(Unsettled(tenths / 10), tenths / 10)
    assert polls.next(0.9, watching=True) == [ListClusters("us", 1.0, 7199.0)]


def test_each_end_has_its_look() -> None:
    """That of a timeout, and that of what the list has contradicted for a minute: people aren't kept waiting for more."""
    polls = Polls("us", ApplyOptions(timeout_seconds=300.0))
    state = Unsettled(0.0, other_since=7.0, missing_since=17.0, errors_since=27.0)
    polls.watch(state, 0.0)
    assert {67.0, 77.0, 87.0, 300.0} <= {*looks(polls, state, until=300.0)}
    polls = Polls("us", ApplyOptions(timeout_seconds=300.0))
    waiting = Waiting(0.0, missing_since=7.0)
    polls.watch(waiting, 10.0)
    assert {67.0, 300.0} <= {*looks(polls, waiting, until=300.0)}
    polls.watch(waiting, 310.0)  # refused as busy once more, and its time is over: it isn't kept waiting for its end
    assert polls.next(310.0, watching=True) == [ListClusters("us", 300.0, 1.0)]


def test_an_answer_is_of_no_more_use_than_until_the_first_timeout() -> None:
    """But it always has a second, and never more than a timeout."""
    polls = Polls("us", ApplyOptions(timeout_seconds=10.0))
    polls.watch(Unsettled(0.0), 0.0)
    polls.watch(Unsettled(0.5), 0.5)
    assert polls.next(0.5, watching=True) == [ListClusters("us", 1.0, 9.0)]
    polls.plan([Unsettled(0.5)], 9.4)
    assert polls.next(9.4, watching=True) == [ListClusters("us", 10.5, 1.0)]
    polls.plan([], 10.5)
    assert polls.next(10.5, watching=False) == [ListClusters("us", None, 10.0)]


def is_fresh(polls: Polls, asked: float | None) -> bool:
    """After such a list."""
    polls.looked(asked)
    return polls.fresh


def test_a_list_is_fresh_if_it_was_asked_for_since() -> None:
    """One that was on its way already isn't, nor one that failed; where none is wanted any will do."""
    polls = Polls("us", ApplyOptions())
    assert is_fresh(polls, None)
    polls.want(5.0)
    assert polls.next(5.0, watching=False) == [ListClusters("us", 5.0, 7200.0)]
    assert [is_fresh(polls, asked) for asked in (4.0, None, 5.0)] == [False, False, True]
    polls.want(6.0, later=True)
    assert [is_fresh(polls, asked) for asked in (6.5, 7.0)] == [False, True]
    polls.want(8.0)
    assert polls.next(8.0, watching=False) == [ListClusters("us", 8.0, 7200.0)]
    polls.want_no_more()
    assert polls.fresh
    assert polls.next(9.0, watching=False) == [ListClusters("us", None, 7200.0)]


def test_a_list_that_deletes_of_several_targets_wait_for_is_given_up_soon() -> None:
    """Where no target waits for another; every other look is tried as long as there is time."""
    together, apart = Polls("us", ApplyOptions()), Polls("us", ApplyOptions(apart=True))
    for polls in (together, apart):
        polls.want(3.0)
    assert together.next(3.0, watching=False) == [ListClusters("us", 3.0, 7200.0)]
    assert apart.next(3.0, watching=False) == [ListClusters("us", 3.0, 5.0)]
