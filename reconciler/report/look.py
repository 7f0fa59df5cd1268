"""How a result is shown, and what its page can point to: everything that isn't the result itself."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from reconciler.report.inline import Links
    from reconciler.report.invocation import Invocation

REST = "the job summary"
"""Where a reader finds what a comment has no room for."""


class Look(NamedTuple):
    """`color` is for text alone, `one_line` for JSON, `limit` (bytes of UTF-8; None for none) for Markdown.

    `rest` is where the reader of a page that was cut finds the whole. `links` lead to a forge's files and commits,
    `docs` is where the documents' folder stands, `run` the address of the run that made this; None for no link.
    `invocation` is how the program was called that made the result; None where it comes from a file.
    `ends_in_steps`: a plan's text ends in what to do next; not where its reader is asked that.
    """

    color: bool = False
    one_line: bool = False
    limit: int | None = None
    rest: str = REST
    links: "Links | None" = None
    docs: str | None = None
    run: str | None = None
    invocation: "Invocation | None" = None
    ends_in_steps: bool = True


PLAIN = Look()
