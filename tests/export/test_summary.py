"""What an export tells: exact text."""

from textwrap import dedent

from reconciler import __version__
from reconciler.export.exports import LeftOut, TargetExport, WrittenFile
from reconciler.export.summary import export_document, export_text
from reconciler.problem import Problem

WHOLE = TargetExport(
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


def test_everything_that_can_be_told() -> None:
    """Files, then what was left out and why; nothing in it steers a terminal."""
    assert export_text([WHOLE, TargetExport("eu", declared=("g",))]) == dedent("""\
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


def test_a_program_reads_the_same() -> None:
    """With what kept the others out."""
    document = export_document([WHOLE], [Problem("output", "no room", target="eu")])
    nowhere = {"remedy": None, "cluster": None, "file": None, "line": None, "column": None}
    assert document == {
        "kind": "export",
        "format_version": 1,
        "tool_version": __version__,
        "errors": [{"kind": "output", "message": "no room", "target": "eu", **nowhere}],
        "targets": [
            {
                "target": "us",
                "files": [
                    {"name": "m/a.yaml", "new": True, "clusters": ["a"]},
                    {"name": "m/c\x1b.yaml", "new": True, "clusters": ["b", "c"]},
                    {"name": "m/d.yaml", "new": False, "clusters": ["d"]},
                ],
                "declared": ["e", "f"],
                "left_out": [{"name": "x\n", "reason": "it is being deleted"}],
                "unplaced": [{"name": "a", "reason": "shard 0 is placed twice"}],
                "unsettled": [{"name": "b", "reason": "Updating"}],
            }
        ],
    }


def test_nothing_to_write() -> None:
    """Then there is no next step."""
    assert export_text([TargetExport("default")]) == "default: 0 manifests written\n"
