"""What the stories on every forge share."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.sandbox.server import in_thread
from reconciler.sandbox.store import Store
from tests.workflows.service import Service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A control plane that settles at once."""
    answers: list[str] = []
    with ExitStack() as stack:
        store = Store(str(tmp_path / "service.db"), clock=SystemClock(), settle_seconds=0)
        stack.callback(store.close)
        observer = lambda *answer: answers.append("{} {} {}".format(*answer))  # noqa: E731
        yield Service(stack.enter_context(in_thread(store, SystemClock(), None, observer=observer)), answers)
