"""What outsiders write is inert in GitLab's Markdown, too, which knows more than GitHub's; its own parser reads it back.

References, inline diffs and emoji are looked for afterwards, in text alone and not in code: a page is safe whose text
outside of code is ours. Commands, quotes and includes are looked for in the source, at a line's beginning.
"""

import re
from functools import cache

import comrak
import pytest

from reconciler.report.inline import Links
from tests.report.everything import as_it_is
from tests.report.github_markdown import Page
from tests.report.test_hostile import LONG, around, pages
from tests.report.test_hostile import NASTIES as NASTY_ANYWHERE

LINKS = Links("https://git.example/sub", "acme/platform/fleet", "0f9e4c6d" * 5, "-/blob", "-/commit")
LINK = r"https://git\.example/sub/acme/platform/fleet/-/(blob|commit)/[A-Za-z0-9._~%/-]+(#L\d+)?"
NASTIES = [
    "\n/close\n",
    "/merge",
    "\n\n/assign @octocat\n\n",
    "\r/close",
    "\\\n/close",
    "!1 acme/fleet!1 &1 [issue:1]",
    '~bug ~"a label" %milestone %"x y" $12 [vulnerability:1]',
    "[[_TOC_]]",
    "\n[TOC]\n",
    "{+ added +} {- gone -} [+ a +] [- b -]",
    "$x$ $$x$$ $`x`$",
    "\n$$\nx\n$$\n",
    "\n```math\nx\n```\n",
    "\n```mermaid\ngraph TD;\n```\n",
    "\n>>>\nquoted\n>>>\n",
    "\n::include{file=secrets.md}\n",
    "%{project_path}",
    "[[a page]] [[x|https://example.com]]",
    "`#FF0000`",
    ":tada: [^1]\n[^1]: x",
    "\n---\ntitle: x\n---\n",
    '<details open><summary>x</summary>{: .class style="x"}',
]
AT_A_LINE = re.compile(r"/|>>>|::|\[\[|\[TOC|\$\$|---|\+\+\+|;;;|~~~|```+(?!`|diff$|$)")
"""What GitLab takes for a command, a quote, an include, a table of contents, a formula, front matter, or a drawing."""
OF_TEXT = re.compile(r"[@$~^{}]|(?<!^\[)!\w|[#%&:]\w")
"""What a reference, a formula, an emoji, an inline diff, a footnote or an attribute begins with."""


@cache
def gitlab_options() -> tuple[comrak.ExtensionOptions, comrak.RenderOptions]:
    """What GitLab switches on."""
    extensions, rendering = comrak.ExtensionOptions(), comrak.RenderOptions()
    for name in ("alerts", "autolink", "description_lists", "footnotes", "math_code", "math_dollars", "strikethrough",
                 "multiline_block_quotes", "table", "tasklist", "wikilinks_title_before_pipe"):  # fmt: skip
        setattr(extensions, name, True)
    extensions.front_matter_delimiter = "---"
    rendering.unsafe_ = True
    return extensions, rendering


def gitlab_html(text: str) -> str:
    """By comrak."""
    extensions, rendering = gitlab_options()
    return comrak.render_markdown(text, extension_options=extensions, render_options=rendering)


@cache
def harmless() -> list[Page]:
    return [Page(page, gitlab_html) for page in pages(as_it_is)]


@pytest.mark.parametrize("hostile", [*NASTIES, *NASTY_ANYWHERE, *LONG], ids=lambda text: ascii(text[:12]))
def test_what_gitlab_would_take_for_more_than_text_stays_in_code(hostile: str) -> None:
    """No line of the source begins with a command; what is no code reads as with harmless texts, links lead home."""
    for text, expected in zip(pages(around(hostile), LINKS), harmless(), strict=True):
        assert [line for line in text.splitlines() if AT_A_LINE.match(line.lstrip())] == []
        read = Page(text, gitlab_html)
        assert read.unlinked == expected.unlinked
        assert [url for url in read.links if not re.fullmatch(LINK, url)] == []


def test_our_own_words_are_no_more_than_text() -> None:
    """So what a page says outside of code means nothing else on GitLab, whatever stands in it."""
    for page in harmless():
        assert [text for kind, text in page.outline if kind == "text" and OF_TEXT.search(text)] == []


def test_the_parser_knows_what_github_does_not() -> None:
    """Or it would show nothing: formulas, quotes of many lines and links of a wiki are read as such."""
    for text, tag in (("$x$", "span"), ("$`x`$", "code"), (">>>\nx\n>>>", "blockquote"), ("[[x|y]]", "a")):
        assert tag in {element.tag for element in Page(text, gitlab_html).elements}
