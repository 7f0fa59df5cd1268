"""The ten invariants of design, in simulated days in which everything goes wrong; `invariants` says how each is asked.

`make simulate SEEDS=n` plays as many as asked.
"""

import pytest

from tests.simulation.play import failure_of, played, shortened
from tests.simulation.story import story_of

SEEDS = range(200)
ON_GIT_ITSELF = range(2)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_invariant_holds_on_any_day(seed: int) -> None:
    """A day that breaks one is told as the shortest that still does."""
    failure = played(seed)
    assert failure is None, shortened(failure).told()


@pytest.mark.slow
@pytest.mark.parametrize("seed", ON_GIT_ITSELF)
def test_a_day_goes_the_same_way_on_git_itself(seed: int) -> None:
    """What stands in for git's processes answers as they do; and a seed gives the same day each time."""
    diaries = [failure_of(story_of(seed), real_git=real) for real in (False, True)]
    assert diaries[0] == diaries[1]
