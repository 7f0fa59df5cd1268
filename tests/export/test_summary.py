"""What an export tells: exact text."""

from textwrap import dedent

from reconciler.export.exports import LeftOut, TargetExport, WrittenFile
from reconciler.export.summary import export_text


def test_everything_that_can_be_told() -> None:
    """Files, then what was left out and why; nothing in it steers a terminal."""
    whole = TargetExport(
        "us",
        (
            WrittenFile("m/a.yaml", "", ("a",), is_new=True),
            WrittenFile("m/c\x1b.yaml", "", ("b", "c"), is_new=True),
            WrittenFile("m/d.yaml", "", ("d",), is_new=False),
        ),
        left_out=(LeftOut("x\n", "it is being deleted"),),
        unplaced=(LeftOut("a", "shard 0 is placed twice"),),
        declared=("e", "f"),
        unsettled=(LeftOut("b", "Updating"),),
    )
    assert export_text([whole, TargetExport("eu", declared=("g",))]) == dedent("""\
        us: 3 manifests written, 1 brought up to date, 2 declared already, 1 left out
          wrote m/a.yaml
          wrote m/c\\x1b.yaml (2 clusters)
          edited m/d.yaml
          left out: x\\n: it is being deleted
          without its placements: a: shard 0 is placed twice
          written as it is listed now, and not settled yet: b: Updating
        eu: 0 manifests written, 1 declared already
        next: commit them, then `reconciler plan`: it changes nothing, and says what the first apply takes over
        """)


def test_nothing_to_write() -> None:
    """Then there is no next step."""
    assert export_text([TargetExport("default")]) == "default: 0 manifests written\n"
