"""What outsiders write can't leave its cell, in any format."""

import html
import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.plan.document import PlanDocument, dump_plans
from reconciler.report.annotations import annotations
from reconciler.report.inline import Links, code, shown
from reconciler.report.look import Look
from reconciler.report.markdown import plans_markdown, problems_markdown, reports_markdown
from reconciler.report.render import render_plans, render_reports, render_validation
from reconciler.report.style import Style
from reconciler.report.text import plans_text, problems_text
from reconciler.report.text_report import reports_text
from reconciler.results import ReportDocument, dump_reports
from tests.report.everything import (
    Say,
    a_plan,
    a_report,
    as_it_is,
    document,
    explained,
    left_behind,
    reported,
    the_problems,
)
from tests.report.github_markdown import Page

LINKS = Links("https://github.com", "acme/fleet", "0f9e4c6de0a38a1159aa65914e5dbd3f1c94dd4d")
LINK = r"https://github\.com/acme/fleet/(blob|commit)/[A-Za-z0-9._~%/-]+(#L\d+)?"

NASTIES = [
    "\x1b[2J\x1b[31m",
    "\x1b]8;;http://example.com\x1b\\",
    "\x9b31m",
    "\x07\x08\x7f",
    "\r",
    "\n",
    "\r\n\r\n",
    "\0",
    "\t",
    "\x85\u2028\u2029\v\f\x1c",
    "\u202e\u2066",
    "\u200b\u2060\ufeff\xad",
    "\ud800",
    "::error::x",
    "\n::set-output name=x::y",
    " \u3000::add-mask::x",
    "##[error]x",
    "###[group]",
    "##vso[task.setvariable]",
    "`",
    "``",
    "```",
    "\n```\n- x\n+ y\n",
    "~~~",
    "````````",
    " ",
    "    indented",
    "\n\n# heading",
    "\n---\n===",
    "- x\n+ x\n1. x\n> x",
    "</code></summary></p></details>",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!--",
    "-->",
    "<![CDATA[",
    "&lt;&#96;&amp",
    "|",
    "\n|-|\n",
    "@octocat",
    "#1 GH-1 octocat/hello#1 4ca6a63",
    "https://example.com www.example.com x@example.com",
    "<https://example.com>",
    "[x](javascript:alert(1))",
    "[x]: http://example.com",
    "![x](http://example.com/x.png)",
    "**x** _x_ ~~x~~ :x:",
    "$`x`$ $x$",
    "\\",
    "\\`",
    '"',
    "', and 3 more",
    "100%0A%0D",
]
LONG = [
    "x" * 10_000,
    "`" * 79,
    "`" * 80,
    "`" * 300,
    "`" * 10_000,
    "` " * 200,
    "\x1b" * 10_000,
    "\n" * 10_000,
    "<" * 10_000,
]

HOSTILE = st.lists(st.sampled_from(NASTIES) | st.text(st.characters(), max_size=4), min_size=1, max_size=6).map("".join)


def around(hostile: str) -> Say:
    """Every text from outside begins and ends with it, and is still told from every other."""
    return lambda text: f"{hostile}{text}{hostile}"


def wide(say: Say) -> Say:
    """The same, of longer texts."""
    return lambda text: say(text + "x" * 80)


everywhere = pytest.mark.parametrize("hostile", [*NASTIES, *LONG], ids=lambda text: ascii(text[:12]))


def planned(say: Say) -> PlanDocument:
    return document(a_plan(say), explained(say), errors=the_problems(say), left_behind=left_behind(say))


def ended(say: Say) -> ReportDocument:
    return reported(a_report(say), errors=the_problems(say))


def texts(say: Say, *, color: bool = False) -> list[str]:
    look = Look(color=color, run=say("https://example.com/run"))
    return [
        plans_text(planned(say), look),
        reports_text(ended(say), look),
        problems_text(the_problems(say), style=Style(color)),
    ]


def pages(say: Say, links: Links | None = None) -> list[str]:
    look = Look(links=links)
    return [
        plans_markdown(planned(say), look),
        reports_markdown(ended(say), look),
        problems_markdown(the_problems(say), look),
    ]


def check_text(hostile: str) -> None:
    """As many lines as ever, nothing on them that steers a terminal or a CI; colour is ours alone.

    Each name is so long that no other has room in its line, hostile or not.
    """
    for text, harmless in zip(texts(wide(around(hostile))), texts(wide(as_it_is)), strict=True):
        assert len(text.splitlines()) == len(harmless.splitlines())
        check_characters(text)
    assert [re.sub(r"\x1b\[\d+m", "", text) for text in texts(around(hostile), color=True)] == texts(around(hostile))


def check_characters(text: str) -> None:
    """It can be written as UTF-8, holds no command of a CI, and no character of it is unseen."""
    assert {unicodedata.category(c) for c in text.replace("\n", "")}.isdisjoint(
        {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    )
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]
    assert not re.search(r"##\w*\[", text)
    text.encode()


def check_markdown(hostile: str) -> None:
    """As GitHub reads it, all but what stands in code is as with harmless texts.

    Where there are links, each leads into this repository, and but for them nothing is different.
    """
    linked = pages(around(hostile), LINKS)
    for page, with_links, harmless in zip(pages(around(hostile)), linked, harmless_outlines(), strict=True):
        assert Page(page).unlinked == harmless
        read = Page(with_links)
        assert read.unlinked == harmless
        assert [url for url in read.links if not re.fullmatch(LINK, url) or {".", ".."} & {*url.split("/")}] == []
        for text in (page, with_links):
            check_characters(text)


@cache
def harmless_outlines() -> list[list[tuple[str, str]]]:
    return [Page(page).unlinked for page in pages(as_it_is)]


def check_annotations(hostile: str) -> None:
    """As many commands as ever, each whole; a file, a title, a message never become another's property."""
    for say in (around(hostile), as_it_is):
        lines = annotations(planned(say)).splitlines()
        assert len(lines) == 12
        for line in lines:
            assert re.fullmatch(r"::[a-z]+ (file=[^:,]+,line=\d+,(col=\d+,)?)?title=[^:,]+::[^\r\n]+", line)
            assert not re.search(r"%(?!25|3A|2C)|##\w*\[", line)
            assert {unicodedata.category(c) for c in line}.isdisjoint({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def check_json(hostile: str) -> None:
    """One ASCII document that reads back as what was meant, and starts no command in a log."""
    plans, reports = planned(around(hostile)), ended(around(hostile))
    for text, meant in (
        (render_plans(plans, "json"), dump_plans(plans.targets, plans.errors, plans.left_behind)),
        (render_reports(reports, "json"), dump_reports(reports.targets, reports.errors)),
    ):
        assert json.loads(text) == meant
        assert text.isascii()
        check_characters(text)
    check_characters(render_validation({hostile: 1}, plans.errors, "json"))
    assert render_plans(plans, "json", Look(one_line=True)).count("\n") == 1


def check_sarif(hostile: str) -> None:
    """One ASCII document; no message links anywhere or has placeholders, no address leaves the repository's root."""
    text = render_plans(planned(around(hostile)), "sarif")
    assert text.isascii()
    check_characters(text)
    run = json.loads(text)["runs"][0]
    for one in (*run["results"], *run["invocations"][0]["toolExecutionNotifications"]):
        message = one["message"]["text"]
        assert not re.search(r"(?<!\\)\]\(|(?<!\{)\{\d+\}(?!\})", message)
        check_characters(message)
        for location in one.get("locations", ()):
            assert re.fullmatch(r"[A-Za-z0-9._~%/-]+", location["physicalLocation"]["artifactLocation"]["uri"])


def check_codequality(hostile: str) -> None:
    """One ASCII document whose words steer nothing."""
    text = render_plans(planned(around(hostile)), "codequality")
    assert text.isascii()
    check_characters(text)
    for one in json.loads(text):
        check_characters(one["description"])


CHECKS: Sequence[Callable[[str], None]] = (
    check_text,
    check_markdown,
    check_json,
    check_sarif,
    check_codequality,
    check_annotations,
)


@pytest.mark.parametrize("check", CHECKS)
@everywhere
def test_what_is_known_to_be_nasty_stays_in_its_cell(hostile: str, check: Callable[[str], None]) -> None:
    """Names, descriptions, zones, statuses, errors, files, endpoints, warnings, remedies: all at once."""
    check(hostile)


@settings(deadline=None, max_examples=40)
@given(hostile=HOSTILE)
def test_whatever_outsiders_write_stays_in_its_cell(hostile: str) -> None:
    """Any mixture of the nasty and the unheard-of."""
    for check in CHECKS:
        check(hostile)


@given(text=HOSTILE | st.text("` \\"))
def test_a_code_span_holds_its_text_and_no_more(text: str) -> None:
    """Between other words of a line it reads as one span that shows exactly the printable text."""
    read = Page(f"- a {code(text)}: b")
    assert read.texts("code") == [shown(text) or " "]
    assert read.texts("li") == [f"a {shown(text) or ' '}: b"]


@given(text=HOSTILE)
def test_html_shows_its_text_and_no_more(text: str) -> None:
    """A name in a summary reads as it does in text."""
    page = plans_markdown(document(a_plan(lambda name: text if name == "new" else name)))
    names = re.findall(r"<details><summary><b>create <code>([^<>]*)</code></b>", page)
    assert shown(text) in [html.unescape(name) for name in names]
