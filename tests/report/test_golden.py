"""Pages as people get them, whole, in `golden/`: Markdown as the forge is sent it, text as a terminal shows it.

`UPDATE_GOLDEN=1 pytest tests/report/test_golden.py` writes them anew: read the difference before you commit it.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.plan.document import PlanDocument
from reconciler.report.inline import Links
from reconciler.report.look import Look
from reconciler.report.markdown import plans_markdown, reports_markdown
from reconciler.report.style import Style
from reconciler.report.text import plans_text, problems_text
from reconciler.report.text_report import reports_text
from reconciler.results import ReportDocument, SettlingResult, TargetReport, summarize
from reconciler.results import Result as Ended
from tests.report.everything import (
    HEAD,
    a_plan,
    a_report,
    document,
    explained,
    field,
    idle_report,
    in_sync,
    left_behind,
    many,
    one_change,
    readme_only,
    replace,
    reported,
    the_problems,
)

GOLDEN = Path(__file__).parent / "golden"
COMMENT = 60_000
LINKS = Links("https://github.com", "acme/fleet", HEAD)
LOOK = Look(
    limit=COMMENT,
    links=LINKS,
    docs="https://github.com/acme/reconciler/blob/main/docs",
    run="https://github.com/acme/fleet/actions/runs/42",
)
TERMINAL = Look(run=LOOK.run)
HOSTILE = "<img src=x>`@octocat`\n# [x](http://example.com) #1 | ##[error] ::error::" + "`" * 90


def hostile(text: str) -> str:
    """A name, a description, a zone, a file by somebody who means harm."""
    return f"{text} {HOSTILE}"


def applied() -> TargetReport:
    """What a reader hopes for: all of it done, and four hundred that were alike."""
    shards = field("shard_count", 2, 4, "revision")
    one = Ended(action="update", name="", cause="revision", fields=(shards,), reviewed=True, outcome="applied")
    others = tuple(
        one.model_copy(update={"name": f"cluster-{n:05}", "attempts": 1, "seconds": 9.0}) for n in range(400)
    )
    results = (*others, *(result for result in a_report().results if result.outcome == "applied"))
    report = a_report().model_copy(update={"results": results, "settling": (), "warnings": ()})
    return report.model_copy(update={"summary": summarize(results)})


def waited() -> TargetReport:
    """Of `wait`: what settled, what failed, what wasn't seen to end; nothing was sent."""
    done = tuple(SettlingResult(name=f"warm-{n}", outcome="settled", status="Active", seconds=9) for n in range(3))
    stuck = SettlingResult(name="stuck", outcome="failed", status="UpdateFailed", seconds=60)
    return idle_report("us-east-1").model_copy(
        update={"revision": HEAD, "settling": (*a_report().settling, *done, stuck)}
    )


def refused() -> PlanDocument:
    """A change that a guard refuses, beside one that was never Active."""
    full = explained()
    some = [change for change in full.changes if change.name in ("gone", "new-name", "old-name")]
    plan = full.model_copy(update={"changes": (*some, replace("stillborn", cause="pending")), "unhealthy": ()})
    return document(plan)


PLANS: dict[str, Callable[[], PlanDocument]] = {
    "nothing-to-do": lambda: document(in_sync()),
    "readme-only": lambda: document(readme_only()),
    "drift": lambda: document(readme_only().model_copy(update={"base": in_sync().base})),
    "one-change": lambda: document(one_change()),
    "all-causes": lambda: document(explained(), left_behind=left_behind()),
    "no-git": lambda: document(a_plan()),
    "refused": refused,
    "failed-plan": lambda: document(errors=the_problems()[:3]),
    "no-record": lambda: document(
        readme_only().model_copy(update={"record": None}), in_sync().model_copy(update={"live_read": False})
    ),
    "several-targets": lambda: document(
        explained(),
        in_sync(),
        a_plan().model_copy(update={"target": "us-west-2"}),
        in_sync("ap-south-1"),
        errors=the_problems(),
    ),
    "400-clusters": lambda: document(many(400)),
    "hostile": lambda: document(
        a_plan(hostile), explained(hostile), errors=the_problems(hostile), left_behind=left_behind(hostile)
    ),
}


def as_text(plans: PlanDocument) -> str:
    """What a terminal shows, stderr first."""
    return problems_text(plans.errors, style=Style(color=False)) + plans_text(plans, TERMINAL)


REPORTS: dict[str, Callable[[], ReportDocument]] = {
    "half-failed": lambda: reported(a_report()),
    "applied": lambda: reported(applied()),
    "waited": lambda: reported(waited()),
    "nothing-applied": lambda: reported(idle_report(), errors=the_problems()[2:3]),
    "hostile-report": lambda: reported(a_report(hostile), errors=the_problems(hostile)),
}


def page(name: str) -> str:
    """A page by its file's name: what it is of, and in which format."""
    stem, _, ending = name.partition(".")
    if stem in PLANS:
        return plans_markdown(PLANS[stem](), LOOK) if ending == "md" else as_text(PLANS[stem]())
    return reports_markdown(REPORTS[stem](), LOOK) if ending == "md" else reports_text(REPORTS[stem](), TERMINAL)


PAGES = [f"{stem}.{ending}" for stem in (*PLANS, *REPORTS) for ending in ("md", "txt")]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_reads_as_it_was_looked_at(name: str) -> None:
    """Byte for byte; and it fits."""
    text, file = page(name), GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert len(text.encode()) <= COMMENT
    assert text == file.read_text(encoding="utf-8")


def test_every_page_is_of_this_test() -> None:
    """None is left behind by a name that has changed."""
    assert {file.name for file in GOLDEN.iterdir()} == set(PAGES)
