"""Every entry of the program's closed lists has its words, in one place."""

import re
from typing import get_args

import pytest

from reconciler.plan.change import Cause, LeftReason, Risk
from reconciler.plan.plan import Ownership
from reconciler.report.nextsteps import AFTER, REVERTING
from reconciler.report.words import (
    EVERY_WORD,
    LEFT,
    OUTCOMES,
    OWNERSHIP,
    RISKS,
    SETTLING,
    TOPICS,
    WAITS,
    Topic,
)
from reconciler.results import Outcome, SettlingOutcome


def entries(alias: object) -> set[str]:
    """The entries of a closed list, unions of lists included."""
    return {
        entry for part in get_args(alias) for entry in (entries(part) if not isinstance(part, str) else {str(part)})
    }


@pytest.mark.parametrize(
    ("words", "alias"),
    [
        (TOPICS, Topic),
        (RISKS, Risk),
        (LEFT, LeftReason),
        (REVERTING, LeftReason),
        (OWNERSHIP, Ownership),
        (OUTCOMES, Outcome),
        (SETTLING, SettlingOutcome),
        (WAITS, "active gone"),
    ],
    ids=["topics", "risks", "left", "reverting", "ownership", "outcomes", "settling", "waits"],
)
def test_no_entry_lacks_its_words(words: dict[str, object], alias: object) -> None:
    """A new cause, risk, reason, outcome fails here until it has them; and none has words that is no more."""
    assert set(words) == (set(alias.split()) if isinstance(alias, str) else entries(alias))


def test_topics_are_the_causes_and_little_more() -> None:
    """So a new cause has a section of its own; and every end but a good one has a next step."""
    assert entries(Topic) - entries(Cause) == {"retry", "left", "plain"}
    assert entries(Outcome) - set(AFTER) == {"applied", "left"}


def test_every_word_leads_to_an_anchor() -> None:
    """Of a page of the documents; and is text that needs no escaping."""
    for word in EVERY_WORD:
        assert re.fullmatch(r"[a-z-]+\.md#[a-z-]+", word.anchor)
        assert not set("`*[]<>|\\") & {*word.text, *word.title}
