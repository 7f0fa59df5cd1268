"""The one line of a terminal that is rewritten: below all else, no wider than the terminal, and gone at the end."""

import fcntl
import os
import pty
import struct
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.apply.machine import Progress
from reconciler.cli.progress import progress_text
from reconciler.cli.streams import OutStream

ERASE = "\r\x1b[K"


@contextmanager
def terminal(columns: int) -> Iterator[tuple[OutStream, int]]:
    """A stream to a terminal of so many columns, and the descriptor that its screen is read from."""
    screen, line = pty.openpty()
    fcntl.ioctl(line, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(line, "w") as stream:
        yield OutStream(stream), screen
    os.close(screen)


def test_what_is_written_goes_above_the_line_that_is_rewritten() -> None:
    """Each time it is taken away first; and an unchanged line is not written again."""
    with terminal(20) as (stream, screen):
        stream.write("before\n")
        for line in ("one", "one", "a line wider than the terminal", ""):
            stream.show_status(line)
            stream.write("event\n") if line == "one" else None
        stream.write("after\n")
        written = b""
        while not written.endswith(b"after\r\n"):  # a terminal hands on what it has, in pieces
            written += os.read(screen, 4096)
    assert written.decode().replace("\r\n", "\n") == (
        f"before\n{ERASE}one{ERASE}event\none{ERASE}event\none{ERASE}a line wider than t{ERASE}after\n"
    )


def test_what_is_no_terminal_has_some_width(tmp_path: Path) -> None:
    """Nothing breaks where nobody looks."""
    with (tmp_path / "log").open("w") as stream:
        OutStream(stream).show_status("x" * 200)
    OutStream(None).show_status("x")
    assert (tmp_path / "log").read_bytes() == (ERASE + "x" * 79).encode()


def test_it_says_how_far_it_is_in_numbers_alone() -> None:
    """What went wrong and what is awaited only where anything is."""
    assert progress_text("applying", Progress(40, 12, 0, 0, None)) == "applying: 12 of 40 done"
    assert progress_text("waiting", Progress(40, 12, 1, 8, 125.4)) == (
        "waiting: 12 of 40 done, 1 failed, 8 awaited, the longest for 2m 5s"
    )
