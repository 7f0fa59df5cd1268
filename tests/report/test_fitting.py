"""A page never exceeds its limit, and says what is missing."""

import re
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.plan.change import Cause, Change
from reconciler.plan.plan import Plan
from reconciler.report.blocks import Block, page
from reconciler.report.inline import code
from reconciler.report.look import Look
from reconciler.report.markdown import plans_markdown, problems_markdown, reports_markdown
from reconciler.report.sections import destroyed
from reconciler.results import Result
from tests.report.everything import (
    a_plan,
    a_report,
    create,
    delete,
    document,
    explained,
    field,
    in_sync,
    many,
    replace,
    reported,
    the_problems,
    update,
)
from tests.report.github_markdown import Page
from tests.report.test_golden import COMMENT, LINKS

NOTICE = "> [!IMPORTANT]\n> **Cut to fit.**"

HEAD = Block("# head\n")
SMALL = [Block(f"\n- {letter}\n", rank, "letters") for rank, letter in ((3, "a"), (1, "b"), (2, "c"))]


def test_what_ranks_first_is_kept_longest() -> None:
    """In the order of the page, whatever is taken first; under the head stands what is missing."""
    long = Block(f"\n{'x' * 500}\n", 1, "giants")
    blocks = [*SMALL, long]
    fitted = page([HEAD], blocks, limit=108, rest="the log")
    assert fitted == (
        "# head\n\n> [!IMPORTANT]\n> **Cut to fit.** Not shown: 1 letter, 1 giant. All of it is in the log.\n"
        "\n- b\n\n- c\n"
    )
    assert page([HEAD], blocks, limit=None, rest="the log") == f"# head\n\n- a\n\n- b\n\n- c\n\n{'x' * 500}\n"


def test_a_heading_goes_with_what_it_heads() -> None:
    """It is shown where any of its own is, and closed again."""
    full, empty = (Block("\n<ul>\n", inside=[Block(text, 1, "lines")], end="</ul>\n") for text in ("x\n", "y" * 99))
    fitted = page([], [full, empty], limit=120, rest="z")
    assert fitted.endswith("Not shown: 1 line. All of it is in z.\n\n<ul>\nx\n</ul>\n")


def test_a_limit_too_small_for_anything() -> None:
    """The notice alone, or nothing at all."""
    assert page([HEAD], SMALL, limit=4, rest="z") == ""
    assert page([], [Block("x" * 200, 1)], limit=90, rest="z") == f"{NOTICE} All of it is in z.\n"


def test_deletes_are_cut_last() -> None:
    """First clusters go, then what else is said of deletes; every name is there, and every refusal."""
    text = plans_markdown(document(many(400)), Look(limit=3_000, rest="the log"))
    assert "**Cut to fit.** Not shown: " in text
    assert "Only named: " in text
    deletes = [change.name for change in many(400).changes if change.action == "delete"]
    assert [name for name in deletes if f"> - `{name}`" not in text] == []
    assert "**refused by max-deletes**" in text
    assert text.index("`cluster-00398`") < text.index("refused by") < text.index("**Next**")


def test_where_not_even_names_fit_they_are_counted() -> None:
    """The count of all stands above them, and that of those missing in the notice."""
    text = plans_markdown(document(many(400)), Look(limit=1_200))
    assert "> **45 clusters to delete** · **data-loss** · removed by this change\n" in text
    told = re.search(r"Not shown: .*?(\d+) to delete, .* Only named: (\d+) to delete\.", text)
    assert told is not None
    assert int(told[2]) == 45 - int(told[1]) == len(re.findall("> - `", text))


def test_what_this_change_does_is_kept_before_what_it_finds() -> None:
    """Conflicts, then this change, then what is pending, then drift."""
    text = plans_markdown(document(many(400)), Look(limit=9_000))
    assert "**Conflict: would overwrite a change that nobody reviewed**" in text
    assert "**This change**" in text
    assert "**Drift: changed outside git, would be reverted**" not in text


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
causes: st.SearchStrategy[Cause | None] = st.sampled_from([*get_args(Cause), None])


@st.composite
def changes(draw: st.DrawFn) -> Change:
    name, cause = draw(names), draw(causes)
    match draw(st.sampled_from(["create", "update", "delete", "replace"])):
        case "create":
            return create(name, cause=cause)
        case "replace":
            return replace(name, cause=cause)
        case "update":
            values = draw(st.lists(st.text(max_size=300), max_size=4))
            return update(name, *(field("description", "", value, cause) for value in values), cause=cause)
        case _:
            return delete(name, cause=cause)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    found = tuple(draw(st.lists(changes(), max_size=12)))
    like = draw(st.sampled_from([a_plan(), explained(), in_sync()]))
    return like.model_copy(update={"target": draw(names), "changes": found})


@pytest.mark.slow
@settings(deadline=None)
@given(several=st.lists(plans(), max_size=3), limit=st.integers(0, 12_000), flawed=st.booleans())
def test_every_delete_is_named_and_nothing_is_too_long(several: list[Plan], limit: int, flawed: bool) -> None:
    """As long as names alone fit; what is shown is shown whole, and where anything is missing, a notice says so."""
    planned = document(*several, errors=the_problems() if flawed else ())
    whole = plans_markdown(planned, Look(links=LINKS))
    cut = plans_markdown(planned, Look(links=LINKS, limit=limit))
    assert len(cut.encode()) <= limit
    if len(whole.encode()) <= limit:
        assert cut == whole
        return
    assert not cut or NOTICE in cut
    spans = [code(change.name) for _, change in destroyed(several)]
    lead = len(whole.partition("> [!CAUTION]")[0].encode())
    if limit >= lead + 600 + sum(len(f"> - {span}\n".encode()) for span in spans):
        assert [span for span in spans if f"> - {span}" not in cut] == []
    check_whole(cut, whole, {f"> - {span}" for span in spans})


def check_whole(cut: str, whole: str, short: set[str]) -> None:
    """But for the notice and bare names, each line is one of the page's; what is opened is closed."""
    known = {*whole.splitlines(), *short, "> [!IMPORTANT]"}
    assert [line for line in cut.splitlines() if line not in known and "**Cut to fit.**" not in line] == []
    assert Page(cut).opened == []
    assert sum(line.startswith("```") for line in cut.splitlines()) % 2 == 0


@settings(deadline=None)
@given(limit=st.integers(0, 4_000), count=st.integers(0, 60))
def test_reports_and_problems_fit_too(limit: int, count: int) -> None:
    """What was deleted and what failed are kept longest."""
    many_done = tuple(
        Result(action="create", name=f"done-{n}", outcome="applied", fields=(field("shard_count", None, n),))
        for n in range(count)
    )
    report = a_report().model_copy(update={"results": (*a_report().results, *many_done)})
    text = reports_markdown(reported(report, errors=the_problems()), Look(limit=limit, links=LINKS))
    assert len(text.encode()) <= limit
    assert ("> - `worn`" in text) or limit < 800
    assert ("> - **update `busy`**" in text) or limit < 2_500
    assert text.count("<details") == text.count("</details>")
    assert len(problems_markdown(the_problems() * 9, Look(limit=limit)).encode()) <= limit


@pytest.mark.slow
def test_ten_thousand_clusters_fit() -> None:
    """Into a comment, and into a job's summary: every delete named."""
    plan = many(10_000)
    for limit in (COMMENT, 1_000_000):
        text = plans_markdown(document(plan), Look(links=LINKS, limit=limit))
        assert len(text.encode()) <= limit
        assert text.count("\n> - `cluster-") == plan.summary.delete == 1_111
