"""The record as people read it."""

from reconciler.report.records import render_records
from tests.evidence.records import line, record


def test_a_path_of_a_megabyte_is_no_page() -> None:
    """Whoever can push a record says where a manifest stood."""
    odd = record(line("a")._replace(file="\x1b[2J" + "x" * 1_000_000))
    text = render_records([odd], "text")
    assert len(text) < 2000
    assert "\\x1b[2J" in text
    assert "…:1" in text
