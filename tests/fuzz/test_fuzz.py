"""Whatever comes from outside is read as it is meant or refused in our own words; `make fuzz EXAMPLES=n` tries many.

There each example has five seconds and 200 MiB as well.
"""

from typing import Any

import pytest
from hypothesis import given, settings

from tests.fuzz import answers, documents, git, manifests, surroundings
from tests.fuzz.subject import Subject

SUBJECTS = [
    one
    for of in (manifests, documents, answers, surroundings, git)
    for one in of.SUBJECTS
]  # fmt: skip


def _param(subject: Subject[Any]) -> Any:
    return pytest.param(subject, id=subject.name, marks=[pytest.mark.slow] if subject.slowness > 20 else [])


@pytest.mark.parametrize("subject", [_param(subject) for subject in SUBJECTS])
def test_what_comes_from_outside_never_breaks_it(subject: Subject[Any]) -> None:
    """A traceback is one of ours that is missing."""
    few = max(2, settings.default.max_examples // subject.slowness) if settings.default else 2
    settings(max_examples=few)(given(subject.given)(subject.check))()
