"""Plays stories, and makes those that fail short."""

import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from structlog.testing import capture_logs

from tests.fakes import FakeClock
from tests.simulation.invariants import no_key_is_told
from tests.simulation.manifests import KEYS
from tests.simulation.story import Step, Story, story_of
from tests.simulation.world import World


@dataclass(frozen=True, slots=True)
class Failure:
    """How a story failed; `what`, the place that saw it, is by which two failures are the same."""

    story: Story
    what: str
    error: BaseException
    diary: tuple[str, ...]

    def told(self) -> str:
        """The story, what happened in it, and how to play it again."""
        steps = f"seed {self.story.seed}, in {len(self.story.steps)} steps:\n{self.story.told()}"
        happened = "\n".join(f"    {line}" for line in self.diary)
        return f"{type(self.error).__name__}: {self.error}\n{steps}\nwhat happened:\n{happened}"


def failure_of(story: Story, *, real_git: bool = False) -> Failure | None:
    """Play a story; None where all held."""
    with tempfile.TemporaryDirectory() as folder:
        clock = FakeClock()
        world = World(Path(folder), clock, real_git=real_git)
        try:
            with capture_logs() as logs:
                clock.run(world.play(story))
            no_key_is_told(map(repr, logs), KEYS.values())
        except Exception as error:  # noqa: BLE001  # whatever it is
            at = traceback.extract_tb(error.__traceback__)[-1]
            return Failure(story, f"{at.filename}:{at.lineno}", error, tuple(world.diary))
    return None


def shortened(failure: Failure) -> Failure:
    """The same failure, from as few steps as can be: take out runs of steps, ever shorter ones, while it still fails."""
    size = len(failure.story.steps) // 2
    while size:
        at = 0
        while at < len(failure.story.steps):
            steps: Sequence[Step] = failure.story.steps
            shorter = failure_of(replace(failure.story, steps=(*steps[:at], *steps[at + size :])))
            if shorter is not None and shorter.what == failure.what:
                failure = shorter
            else:
                at += size
        size //= 2
    return failure


def played(seed: int) -> Failure | None:
    """Play the story of a seed."""
    return failure_of(story_of(seed))
