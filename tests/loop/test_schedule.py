"""When each target is due."""

from reconciler.loop.events import Due
from reconciler.loop.schedule import Schedule
from reconciler.loop.steps import Ended

NOBODY: frozenset[str] = frozenset()


def wait(failures: int) -> float:
    return 100.0 * 2.0**failures


def schedule(**targets: Due) -> Schedule:
    return Schedule(Due(0), targets)


def test_who_is_well_goes_with_the_others_that_are_and_will_be_due() -> None:
    """Not with one whose moment has come already, fails, or is in a round: it would begin again at once, or alone."""
    others = schedule(soon=Due(70), late=Due(90), come=Due(50), failing=Due(60, 1), busy=Due(55), a=Due(0, 3), b=Due(0))
    after = others.after(Ended({"a": 0, "b": 1}, frozenset({"a"})), {"busy"}, 50, wait)
    assert (after.targets["a"], after.targets["b"]) == (Due(70, 0, held=True), Due(250, 1))
    alone = schedule(a=Due(0), failing=Due(60, 1)).after(Ended({"a": 3}), NOBODY, 50, wait)
    assert alone.targets["a"] == Due(150)


def test_who_is_gone_from_the_fleet_stays_so() -> None:
    """Though its last round is still under way, and ends, or puts it aside."""
    known = schedule(a=Due(10), gone=Due(10, 2)).known(["a", "new"], 50)
    assert known.targets == {"a": Due(10), "new": Due(50)}
    assert (
        known.after(Ended({"gone": 1}), NOBODY, 60, wait).targets
        == known.at_once(["gone"], 60).targets
        == known.targets
    )


def test_what_fails_is_tried_apart_from_what_is_well() -> None:
    """Whoever is due; those in a round are not."""
    both = schedule(a=Due(50), b=Due(40, 1), c=Due(60), d=Due(30))
    assert both.come(50, {"d"}) == {"a"}
    assert both.come(50, {"a", "d"}) == {"b"}
    assert both.come(20, NOBODY) == set()


def test_a_folder_that_moves_makes_all_due_and_forgets_what_failed() -> None:
    """All, or those that were in a round; not that something is yet to be deleted."""
    failing = schedule(a=Due(90, 3, held=True), b=Due(80, 1))
    assert failing.moved(50).targets == {"a": Due(50, 0, held=True), "b": Due(50)}
    assert failing.moved(50, ["b"]).targets == {"a": Due(90, 3, held=True), "b": Due(50)}
