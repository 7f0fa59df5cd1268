"""What ends a run: each error tells itself as data, and of several exit codes the gravest counts."""

from collections.abc import Iterator
from itertools import permutations
from typing import get_args

from reconciler.errors import HttpError, NoAnswer, ReconcilerError, StalePlan, first_exit
from reconciler.problem import Kind, Place, Problem


def classes(kind: type[ReconcilerError]) -> Iterator[type[ReconcilerError]]:
    for subclass in kind.__subclasses__():
        yield subclass
        yield from classes(subclass)


def test_every_error_has_a_kind_of_its_own() -> None:
    """One of the list, and no two have the same."""
    own = [subclass.kind for subclass in classes(ReconcilerError) if subclass is not HttpError]
    assert set(own) <= set(get_args(Kind))
    assert len(set(own)) == len(own)


def test_of_several_exit_codes_the_gravest_counts() -> None:
    """Signals, then failure, stale, refusal, pending, unapplied; bad usage never comes with another."""
    order = (64, 130, 143, 129, 131, 1, 4, 3, 2, 5, 0)
    for first, second in permutations(order, 2):
        assert first_exit([first, second]) == min(first, second, key=order.index)
    assert first_exit([]) == 0


def test_an_error_is_told_as_data() -> None:
    """Whatever it knows of where and what to do."""
    error = StalePlan("it moved", remedy="plan again", target="t", cluster="c", place=Place("a.yaml", 3, 7))
    assert error.problems() == (Problem("stale", "it moved", "plan again", "t", "c", "a.yaml", 3, 7),)
    assert str(error.problems()[0].place) == "a.yaml:3:7"
    assert StalePlan("it moved").problems() == (Problem("stale", "it moved"),)


def test_the_last_of_several_attempts_keeps_what_it_knew() -> None:
    """And says how often there was none."""
    error = NoAnswer("silence", remedy="run again", http_status=200, retry_after=3.0).after(
        4, " (tried 4 times in 9s)", may_have_reached=True
    )
    assert (type(error), error.message, error.remedy) == (NoAnswer, "silence (tried 4 times in 9s)", "run again")
    assert (error.http_status, error.retry_after, error.attempts, error.may_have_reached) == (200, 3.0, 4, True)
