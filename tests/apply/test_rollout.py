"""Who may be sent yet, and why not: each end of a change, and what it means for the others."""

from reconciler.apply.protocol import Ended
from reconciler.apply.rollout import Consequence, Rollout
from reconciler.apply.words import CANARIES_WAIT, NOT_SENT, canary_failed, too_many_failed
from reconciler.model.fleet import Target
from reconciler.results import ErrorDetail, Outcome

SETTLED, FAILED = Ended("applied", settled=True), Ended("failed")
NOTHING = Consequence()


def rollout(canary: int = 2, max_failures: int = 9) -> Rollout:
    """Of a to e."""
    return Rollout([*"abcde"], Target("us", "us", canary=canary, max_failures=max_failures))


def reasons(one: Rollout) -> dict[str, ErrorDetail | None]:
    """Why not: of a canary, of another, and of a delete."""
    return {
        "canary": one.refusal("b", is_delete=False),
        "other": one.refusal("c", is_delete=False),
        "delete": one.refusal("c", is_delete=True),
    }


NONE = dict[str, ErrorDetail | None](canary=None, other=None, delete=None)


def test_the_others_are_released_by_the_last_canary_that_settles() -> None:
    """Before that they are held back, and afterwards nothing ever is."""
    one = rollout()
    assert [name for name in "abcde" if one.is_held_back(name)] == [*"cde"]
    assert one.ended("b", SETTLED, is_delete=False) == NOTHING
    assert one.is_held_back("c")
    assert one.ended("a", SETTLED, is_delete=False) == Consequence(("c", "d", "e"))
    assert [name for name in "abcde" if one.is_held_back(name)] == []
    assert one.ended("c", SETTLED, is_delete=False) == NOTHING


def test_canaries_that_would_be_all_are_none() -> None:
    """There is nobody that they would go ahead of."""
    assert [canary for canary in range(7) if rollout(canary).is_held_back("e")] == [1, 2, 3, 4]


def test_a_canary_that_does_not_settle_refuses_those_that_it_went_ahead_of() -> None:
    """Not the other canaries, nor deletes, which have their own conditions; the first reason is the one that is told."""
    ends: list[tuple[Ended, ErrorDetail]] = [
        (FAILED, canary_failed("a", "failed")),
        (Ended("unknown"), canary_failed("a", "unknown")),
        (Ended("stale"), canary_failed("a", "stale")),
        (Ended("applied"), CANARIES_WAIT),
    ]
    for end, why in ends:
        one = rollout()
        assert one.ended("a", end, is_delete=False) == Consequence(refuses=True)
        assert reasons(one) == {**NONE, "other": why}
        assert one.ended("b", FAILED, is_delete=False) == NOTHING
        assert reasons(one) == {**NONE, "other": why}
    stopped = rollout()
    stopped.halt(NOT_SENT)
    assert stopped.ended("a", FAILED, is_delete=False) == NOTHING
    assert set(reasons(stopped).values()) == {NOT_SENT}


def test_so_many_failures_end_it_for_their_like() -> None:
    """What may have failed counts as well. Deletes are counted by themselves."""
    bad: tuple[Outcome, ...] = ("failed", "unknown")
    for outcome in bad:
        for is_delete in (False, True):
            one = rollout(canary=0, max_failures=2)
            for end in (Ended(outcome), Ended("skipped"), Ended("stale"), SETTLED):
                assert one.ended("a", end, is_delete=is_delete) == NOTHING
            assert (reasons(one), one.failures) == (NONE, 1)
            assert one.ended("d", FAILED, is_delete=is_delete) == Consequence(refuses=True)
            why = too_many_failed(["a", "d"], 2)
            said = {**NONE, "delete": why} if is_delete else {"canary": why, "other": why, "delete": None}
            assert (reasons(one), one.failures) == (said, 2)
            one.halt(NOT_SENT)
            assert reasons(one)["delete" if is_delete else "other"] == why
