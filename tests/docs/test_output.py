"""What pages show of the program's output is what it prints."""

from pathlib import Path

import pytest

from tests.cli.test_docs import DOCS, README, fenced
from tests.docs.picture import PICTURE, demo, drawn, plain
from tests.docs.walk import timeless, walk


@pytest.mark.slow
def test_the_tutorial_is_true_word_for_word(tmp_path: Path) -> None:
    """Each command prints what the page says, and nothing where it says nothing; two fail, as it says."""
    steps = list(walk(DOCS["tutorial.md"], tmp_path))
    for step in steps:
        assert timeless(step.printed) == timeless(step.shown), step.command
    assert [step.command for step in steps if step.exit_code] == ["reconciler validate", "reconciler drift"]


@pytest.mark.slow
def test_the_other_pages_show_what_the_demo_prints() -> None:
    """`make demo` prints, word for word, what pages show and the README's picture has."""
    printed = demo()
    pages = [README, *(text for name, text in DOCS.items() if name != "tutorial.md")]
    shown = [block for text in pages for block in fenced(text, "console")]
    assert len(shown) >= 2
    for block in shown:
        assert timeless(block) in timeless(plain(printed))
    assert drawn(printed) == PICTURE.read_text()
