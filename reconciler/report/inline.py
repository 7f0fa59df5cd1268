"""What stands within a line of Markdown: text from outside as code, links to a forge's pages and to the documents."""

import html
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from reconciler.model.text import printable
from reconciler.report.values import LONGEST_MESSAGE, commit_text
from reconciler.report.words import Word

_LONGEST_PATH = 1000
_LONGEST_FENCE: Final = 8
"""Backticks in a row that a text may show. GitHub's parser knows no code span of 80 or more, and no fence of 256."""


@dataclass(frozen=True, slots=True)
class Links:
    """Where a forge shows this repository's files and commits; `commit` is the one whose manifests were read.

    `files` and `commits` are the paths below which it does.
    """

    server_url: str
    repository: str
    commit: str
    files: str = "blob"
    commits: str = "commit"

    def manifest_url(self, path: str, line: int, commit: str | None = None) -> str | None:
        """A line of a file at a commit; None for a path that isn't surely inside the repository."""
        parts = [part for part in path.split("/") if part != "."]
        if not {"", ".."}.isdisjoint(parts) or len(path) > _LONGEST_PATH:
            return None
        return f"{self._root}/{self.files}/{_quoted(commit or self.commit)}/{'/'.join(map(_quoted, parts))}#L{line}"

    def commit_url(self, commit: str) -> str:
        """What a commit changed."""
        return f"{self._root}/{self.commits}/{_quoted(commit)}"

    @property
    def _root(self) -> str:
        return quote(f"{self.server_url.rstrip('/')}/{self.repository}", safe=":/", errors="surrogatepass")


def _quoted(segment: str) -> str:
    return quote(segment, safe="", errors="surrogatepass")


def shown(text: str) -> str:
    r"""One harmless line for a page; a long run of backticks is told as `\x60{300}`."""
    return re.sub(
        rf"`{{{_LONGEST_FENCE + 1},}}", lambda run: rf"\x60{{{len(run[0])}}}", printable(text, LONGEST_MESSAGE)
    )


def code(text: str, url: str | None = None) -> str:
    """A code span that its content can't leave; a link where there is an address."""
    text = shown(text) or " "
    fence = "`" * (longest_backticks(text) + 1)
    padding = " " if text.strip(" ") and not {text[0], text[-1]}.isdisjoint(" `") else ""
    span = f"{fence}{padding}{text}{padding}{fence}"
    return f"[{span}]({url})" if url else span


def html_code(text: str, url: str | None = None) -> str:
    """The same where Markdown isn't read: in a summary."""
    span = f"<code>{html.escape(shown(text))}</code>"
    return f'<a href="{html.escape(url)}">{span}</a>' if url else span


def commit_code(commit: str, links: Links | None) -> str:
    """A commit, as short as people write it."""
    return code(commit_text(commit), links.commit_url(commit) if links else None)


def term(said: str, word: Word, docs: str | None) -> str:
    """A word of this program, linked to where the documents explain it; `said` is ours, and plain."""
    return said if docs is None else f"[{said}]({_address(docs)}/{word.anchor})"


def html_term(said: str, word: Word, docs: str | None) -> str:
    """The same where Markdown isn't read: in a summary."""
    return said if docs is None else f'<a href="{html.escape(_address(docs))}/{word.anchor}">{said}</a>'


def run_link(url: str) -> str:
    """The run that made a page."""
    return f"[run]({_address(url)})"


def _address(url: str) -> str:
    return quote(url.rstrip("/"), safe=":/?&=%~", errors="surrogatepass")


def longest_backticks(text: str) -> int:
    """What a fence around this text must be longer than."""
    return max((len(run) for run in re.findall(r"`+", text)), default=0)
