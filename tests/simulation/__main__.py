"""`python -m tests.simulation SEEDS [FIRST]`: so many seeds, side by side; the first that fails is told, made short."""

import sys
import time  # noqa: TID251  # seeds a second
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.play import played, shortened

_AT_ONCE = 2
_BATCH = 25


def main(seeds: int, first: int = 0) -> int:
    """Play them; 1 where one fails."""
    began, done = time.monotonic(), 0
    with ProcessPoolExecutor(_AT_ONCE) as pool:
        for failed in pool.map(_first_failing, range(first, first + seeds, _BATCH), [first + seeds] * seeds):
            if failed is not None:
                pool.shutdown(cancel_futures=True)
                failure = played(failed)
                print(shortened(failure).told() if failure is not None else f"seed {failed} fails only now and then")
                return 1
            done = min(done + _BATCH, seeds)
            rate = done / (time.monotonic() - began)
            print(f"\r{done} of {seeds} seeds, {rate:.1f} a second, no invariant broken", end="", file=sys.stderr)
    print(file=sys.stderr)
    return 0


def _first_failing(start: int, stop: int) -> int | None:
    return next((seed for seed in range(start, min(start + _BATCH, stop)) if played(seed) is not None), None)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
