"""The one writer of stdout, and what goes to stderr. Both take every API key of this process out first."""

import os
import sys
from collections.abc import Iterable

from reconciler.cli import github
from reconciler.errors import OutputError, Problem, UsageError
from reconciler.model.secret import ApiKey, redact
from reconciler.report.style import Style
from reconciler.report.text import problems_text

KEYS: set[ApiKey] = set()
"""Every key that this process has read: nothing is written that holds one."""


def redacted(text: str) -> str:
    """The text without any key."""
    return redact(text, KEYS)


def emit(text: str) -> None:
    """Write a result to stdout. Raises OutputError where it can't be written, BrokenPipeError where nobody reads it."""
    try:
        sys.stdout.write(redacted(text))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        abandon_stdout()
        raise OutputError(
            f"stdout can't be written: {error.strerror}", remedy="make room, or write elsewhere"
        ) from error


def abandon_stdout() -> None:
    """Forget what stdout couldn't take, or the interpreter would try once more when it exits, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def save(file: str, text: str) -> None:
    """Write a result to a file, whole or not at all. Raises UsageError where that can't be done."""
    part = f"{file}.part"
    try:
        with open(part, "w", encoding="utf-8") as stream:  # noqa: PTH123
            stream.write(redacted(text))
        os.replace(part, file)  # noqa: PTH105
    except OSError as error:
        raise UsageError(f"{file} can't be written: {error.strerror}", remedy="name another with --out") from error


def refuse_unwritable(file: str) -> None:
    """Raise UsageError where `save` could not write: before anything is sent rather than after."""
    folder = os.path.dirname(file) or "."  # noqa: PTH120
    if os.path.isdir(file) or not os.path.isdir(folder) or not os.access(folder, os.W_OK):  # noqa: PTH112
        raise UsageError(f"{file} can't be written: its folder can't be written to", remedy="name another with --out")


def tell(text: str) -> None:
    """Write to a person, on stderr."""
    sys.stderr.write(redacted(text))
    sys.stderr.flush()


def tell_problems(problems: Iterable[Problem], *, no_color: bool = False) -> None:
    """Write what is wrong, and what to do about it, to stderr, and on GitHub beside the lines of the manifests."""
    told = tuple(problems)
    style = Style(wants_color(is_terminal=sys.stderr.isatty(), no_color=no_color))
    tell(problems_text(told, style=style) + github.annotations_text((), told))


def wants_color(*, is_terminal: bool, no_color: bool = False) -> bool:
    """Colour only on a terminal that can; NO_COLOR and FORCE_COLOR say otherwise. The option wins over both."""
    if no_color or os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_terminal and os.environ.get("TERM") != "dumb"
