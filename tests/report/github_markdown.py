"""Markdown as a forge's own parser reads it, GitHub's unless told otherwise: elements, and the text of what is no code."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

from cmarkgfm import github_flavored_markdown_to_html
from cmarkgfm.cmark import Options

# A forge lets the elements of a page through that it knows to be harmless: so this lets all of them.
_OPTIONS = Options.CMARK_OPT_UNSAFE


def github_html(text: str) -> str:
    """By cmark-gfm."""
    html: str = github_flavored_markdown_to_html(text, options=_OPTIONS)
    return html


@dataclass(frozen=True)
class Element:
    """An element's beginning; `text` is all that stands in it, whatever elements that is in."""

    tag: str
    attributes: tuple[tuple[str, str | None], ...]
    text: str


class Page(HTMLParser):
    """One page, read.

    `outline` has each beginning, end and text in order; what is in code is left out, but for the words of a diff that
    are ours. `elements` are in the order in which they end.
    """

    def __init__(self, text: str, read: Callable[[str], str] = github_html) -> None:
        super().__init__(convert_charrefs=True)
        self.outline: list[tuple[str, str]] = []
        self.elements: list[Element] = []
        self._open: list[tuple[str, tuple[tuple[str, str | None], ...], list[str]]] = []
        self.feed(read(text))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.outline.append(("<", f"{tag} {sorted(attrs) if tag != 'a' else ''}"))
        if tag not in {"br", "hr", "img", "input"}:
            self._open.append((tag, tuple(attrs), []))

    def handle_endtag(self, tag: str) -> None:
        self.outline.append((">", tag))
        opened, attributes, texts = self._open.pop()
        assert opened == tag
        self.elements.append(Element(tag, attributes, "".join(texts)))

    def handle_data(self, data: str) -> None:
        tags = [tag for tag, _, _ in self._open]
        for _, _, texts in self._open:
            texts.append(data)
        if "pre" in tags:
            data = re.sub(r"(?m)^([-+] [a-z_]+(?:\[\d\]\.[a-z_]+)?:|   ) [^\n]+$", r"\1", data)
        elif "code" in tags:
            data = ""
        self.outline.append(("text", data))

    def handle_comment(self, data: str) -> None:
        self.outline.append(("comment", data))

    def handle_decl(self, decl: str) -> None:
        self.outline.append(("declaration", decl))

    def unknown_decl(self, data: str) -> None:
        self.outline.append(("declaration", data))

    def handle_pi(self, data: str) -> None:
        self.outline.append(("instruction", data))

    @property
    def unlinked(self) -> list[tuple[str, str]]:
        """The outline without its links."""
        return _joined(part for part in self.outline if part[1].strip() != "a")

    @property
    def links(self) -> Iterator[str]:
        """Where they lead."""
        for element in self.elements:
            if element.tag == "a":
                yield dict(element.attributes).get("href") or ""

    @property
    def opened(self) -> list[str]:
        """What is begun and never ended."""
        return [tag for tag, _, _ in self._open]

    def texts(self, tag: str) -> list[str]:
        """What stands in each element of a kind."""
        return [element.text for element in self.elements if element.tag == tag]


def _joined(parts: Iterator[tuple[str, str]]) -> list[tuple[str, str]]:
    """Texts that only a link parted are one."""
    found: list[tuple[str, str]] = []
    for kind, text in parts:
        if kind == "text" and found and found[-1][0] == "text":
            found[-1] = ("text", found[-1][1] + text)
        else:
            found.append((kind, text))
    return found
