"""Comments as a reviewer gets them, whole, in `golden/`.

Each file is what the forge is sent, so that a change of the page is seen as one. `UPDATE_GOLDEN=1 pytest
tests/report/test_golden.py` writes them anew: read the difference before you commit it.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.model.evidence import Applied, Base
from reconciler.plan.change import FieldChange
from reconciler.plan.guards import Nodes
from reconciler.plan.plan import Plan, Summary
from reconciler.report.inline import Links
from reconciler.report.markdown import plans_markdown, reports_markdown
from tests.fakes import manifest
from tests.report.everything import a_plan, a_report, as_it_is, explained, in_sync, the_problems, update

GOLDEN = Path(__file__).parent / "golden"
COMMENT = 60_000
LINKS = Links("https://github.com", "acme/fleet", "0f9e4c6de0a38a1159aa65914e5dbd3f1c94dd4d")
HOSTILE = "<img src=x>`@octocat`\n# [x](http://example.com) #1"


def one_change() -> Plan:
    """What most pull requests are."""
    body = manifest().configuration()
    shards = FieldChange(path="shard_count", before=2, after=4, cause="revision", line=3)
    change = update(as_it_is, "orders", body, shards).model_copy(update={"cause": "revision", "risks": ("resharding",)})
    return in_sync(count=11).model_copy(
        update={
            "base": Base(commit="4ca6a63f0e9d8c7b", reason="the merge base with main"),
            "applied": Applied(commit="4ca6a63f0e9d8c7b", inferred=False),
            "summary": Summary(create=0, update=1, delete=0, unchanged=11, unmanaged=0, unhealthy=0),
            "nodes": Nodes(before=48, after=52),
            "changes": (change,),
        }
    )


def many(count: int) -> Plan:
    """Far too many for a comment: a tenth is deleted, a tenth created, the rest updated; of every cause."""
    full = explained()
    contested, gone, late, later, orders, wandered = full.changes
    kinds = (gone, late, orders, orders, orders, orders, orders, contested, later, wandered)
    changes = tuple(kinds[number % 10].model_copy(update={"name": f"cluster-{number:05}"}) for number in range(count))
    tenth = count // 10
    summary = Summary(create=tenth, update=tenth * 8, delete=tenth, unchanged=0, unmanaged=2, unhealthy=0)
    return full.model_copy(update={"changes": changes, "summary": summary})


def hostile(text: str) -> str:
    """A name, a description, a zone, a file by somebody who means harm."""
    return f"{text} {HOSTILE}"


PAGES: dict[str, Callable[[], str]] = {
    "nothing-to-do": lambda: plans_markdown([in_sync()], links=LINKS, limit=COMMENT),
    "one-change": lambda: plans_markdown([one_change()], links=LINKS, limit=COMMENT),
    "all-causes": lambda: plans_markdown([explained()], links=LINKS, limit=COMMENT),
    "several-targets": lambda: plans_markdown(
        [a_plan(), in_sync(), explained().model_copy(update={"target": "us-west-2"}), in_sync("ap-south-1")],
        the_problems(),
        links=LINKS,
        limit=COMMENT,
    ),
    "400-clusters": lambda: plans_markdown([many(400)], links=LINKS, limit=COMMENT),
    "hostile": lambda: plans_markdown(
        [a_plan(hostile), explained(hostile)], the_problems(hostile), links=LINKS, limit=COMMENT
    ),
    "failed-apply": lambda: reports_markdown([a_report()], links=LINKS, limit=COMMENT),
}


@pytest.mark.parametrize("name", PAGES)
def test_a_comment_reads_as_it_was_looked_at(name: str) -> None:
    """Byte for byte; and it fits."""
    text, file = PAGES[name](), GOLDEN / f"{name}.md"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert len(text.encode()) <= COMMENT
    assert text == file.read_text(encoding="utf-8")
