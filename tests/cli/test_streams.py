"""Standard streams that never raise: real descriptors, closed, full, or without a reader."""

import errno
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from reconciler.cli.streams import OutStream


@pytest.fixture
def pipe() -> Iterator[tuple[int, TextIO]]:
    """Both ends of a pipe: where to read, and the stream to write to."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="ascii") as stream:
        yield reading, stream


def test_what_is_written_is_there_at_once(pipe: tuple[int, TextIO]) -> None:
    """Not buffered; what the encoding lacks is escaped, lone surrogates too."""
    reading, stream = pipe
    assert OutStream(stream).write("é→\ud800\n") == 4
    assert os.read(reading, 100) == b"\\xe9\\u2192\\ud800\n"
    os.close(reading)


def test_what_is_no_encoding_of_texts_loses_none(pipe: tuple[int, TextIO]) -> None:
    """PYTHONIOENCODING may name one that is for host names."""
    reading, stream = pipe
    stream.reconfigure(encoding="idna")  # type: ignore[attr-defined]
    OutStream(stream).write("error: a..b é\n")
    assert os.read(reading, 100) == b"error: a..b \\xe9\n"
    os.close(reading)


def test_more_than_a_pipe_holds_is_written_whole(pipe: tuple[int, TextIO]) -> None:
    """Though whoever made the pipe set it not to block."""
    reading, stream = pipe
    os.set_blocking(stream.fileno(), False)
    got: list[bytes] = []

    def read() -> None:
        with os.fdopen(reading, "rb") as end:
            got.append(end.read(1_000_000))

    reader = threading.Thread(target=read)
    reader.start()
    out = OutStream(stream)
    out.write("x" * 1_000_000)
    reader.join()
    assert (len(got[0]), out.failure) == (1_000_000, None)


def test_a_reader_that_goes_is_remembered_and_written_to_no_more(pipe: tuple[int, TextIO]) -> None:
    """EPIPE doesn't raise, and what comes later is dropped."""
    reading, stream = pipe
    os.close(reading)
    out = OutStream(stream)
    assert [out.write("one"), out.write("two")] == [3, 3]
    assert isinstance(out.failure, BrokenPipeError)
    assert not out.isatty()


def test_a_full_disk_is_remembered() -> None:
    """ENOSPC doesn't raise."""
    with open("/dev/full", "w") as full:  # noqa: PTH123
        out = OutStream(full)
        out.write("one")
    assert out.failure is not None
    assert out.failure.errno == errno.ENOSPC


def test_an_absent_stream_takes_everything_and_fails_at_nothing() -> None:
    """None, closed, or opened for reading only: nobody wanted any of it."""
    with open(os.devnull) as reading:  # noqa: PTH123
        streams = [OutStream(None), OutStream(reading)]
        assert [stream.write("text") for stream in streams] == [4, 4]
    streams.append(OutStream(reading))
    assert streams[-1].write("text") == 4
    assert {(stream.failure, stream.isatty()) for stream in streams} == {(None, False)}


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
def test_no_file_takes_the_number_of_a_closed_stream(tmp_path: Path, closed: str) -> None:
    """What is opened next is not what a child would take for its stderr."""
    code = (
        "import os\n"
        "from reconciler.cli.streams import fill_standard_descriptors\n"
        "fill_standard_descriptors()\n"
        "opened = os.open('opened', os.O_WRONLY | os.O_CREAT)\n"
        "os.write(opened, str([opened > 2, *map(os.get_inheritable, range(3))]).encode())\n"
    )
    subprocess.run(["sh", "-c", f'"$0" -c "$1" {closed}', sys.executable, code], cwd=tmp_path, check=True)
    assert (tmp_path / "opened").read_text() == "[True, True, True, True]"
