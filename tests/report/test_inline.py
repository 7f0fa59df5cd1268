"""What stands within a line of Markdown: nothing gets out of its span, and no address leads elsewhere."""

import pytest

from reconciler.report.inline import Links, code, html_code, html_term, run_link, shown, term
from reconciler.report.words import Word

LINKS = Links("https://forge.example/", "a team/na#me", "c0/1")
ROOT = "https://forge.example/a%20team/na%23me"


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("./manifests/a b.yaml", f"{ROOT}/blob/c0%2F1/manifests/a%20b.yaml#L7"),
        ("x)#[]?&\ud800", f"{ROOT}/blob/c0%2F1/x%29%23%5B%5D%3F%26%ED%A0%80#L7"),
        ("a" * 1000, f"{ROOT}/blob/c0%2F1/{'a' * 1000}#L7"),
        ("a" * 1001, None),
        ("/etc/passwd", None),
        ("a//b", None),
        ("manifests/../../x", None),
    ],
)
def test_a_line_is_linked_where_it_surely_is_in_the_repository(path: str, url: str | None) -> None:
    """Each part is quoted by itself, so that none is two."""
    assert LINKS.manifest_url(path, 7) == url


def test_a_commit_is_linked_on_any_forge() -> None:
    """Each has its own paths; what is no text for an address is quoted all the same."""
    odd = Links("https://forge.example", "team/\ud800", "c0", "-/blob", "-/commit")
    assert odd.commit_url("c1/2") == "https://forge.example/team/%ED%A0%80/-/commit/c1%2F2"
    assert odd.manifest_url("a", 1, "c2") == "https://forge.example/team/%ED%A0%80/-/blob/c2/a#L1"


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("orders", "`orders`"),
        ("Xa`bX", "``Xa`bX``"),
        ("`a", "`` `a ``"),
        (" a", "`  a `"),
        ("", "` `"),
        ("   ", "`   `"),
        (" \u00a0 ", "`  \u00a0  `"),
        ("`" * 8, f"{'`' * 9} {'`' * 8} {'`' * 9}"),
        ("`" * 9, r"`\x60{9}`"),
        ("a" * 601, f"`{'a' * 599}…`"),
    ],
)
def test_a_span_holds_its_text_whole(text: str, span: str) -> None:
    """As many backticks as it takes, and a blank that the reader takes off again where the text has one at its end."""
    assert code(text) == span
    assert code(text, "https://h") == f"[{span}](https://h)"


def test_what_is_html_is_escaped_where_markdown_is_not_read() -> None:
    """In a summary: text and address."""
    assert shown("a\n<b>") == r"a\n<b>"
    assert html_code("<b>&") == "<code>&lt;b&gt;&amp;</code>"
    assert html_code("a", 'https://h/"x') == '<a href="https://h/&quot;x"><code>a</code></a>'


def test_a_word_and_the_run_are_linked() -> None:
    """To the documents, if there are any; whoever gives their address, it ends no link."""
    word = Word("drift", "causes-and-record.md", "x")
    docs = "https://docs.example/~a b)\ud800/?x=1&y=%20//"
    address = "https://docs.example/~a%20b%29%ED%A0%80/?x=1&y=%20"
    assert (term("drifted", word, None), html_term("drifted", word, None)) == ("drifted", "drifted")
    assert term("drifted", word, docs) == f"[drifted]({address}/{word.anchor})"
    assert html_term("drifted", word, docs) == f'<a href="{address.replace("&", "&amp;")}/{word.anchor}">drifted</a>'
    assert run_link(docs) == f"[run]({address})"
