"""The page as a browser reads it: its elements and their attributes, and the texts between."""

from html.parser import HTMLParser

from reconciler.serve.page import render_page
from reconciler.serve.picture import Picture
from tests.serve.scenes import NOW

VOID = {"meta", "link"}


class Read(HTMLParser):
    """`elements` are all of them, each with its attributes; `texts` what stands in none of style and script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open[-1:] not in (["style"], ["script"]):
            self.texts.append(data)


def read(picture: Picture) -> Read:
    """A picture's page."""
    return Read(render_page(picture, NOW, str))


def said(picture: Picture) -> str:
    """All that the page says, blanks run together."""
    return " ".join(" ".join(read(picture).texts).split())
