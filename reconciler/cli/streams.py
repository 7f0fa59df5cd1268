"""Standard streams that never end a run: what can't be written is dropped, and why is remembered.

They may be absent or closed, their reader may go away, the disk behind them may fill. Written past Python's buffers:
what one of these couldn't take would be tried again when the interpreter exits, and complained about.
"""

import errno
import io
import os
import select
from typing import Any, Final, TextIO

_ERASE: Final = "\r\x1b[K"
"""Back to the line's beginning, and nothing on it."""


class OutStream(io.TextIOBase):
    """stdout or stderr; `failure` is why something of it was lost, None where nothing was or nobody wanted any.

    `status` is the line that a terminal shows below all that was written, and that is rewritten; empty for none.
    """

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__()
        self.failure: OSError | None = None
        self.status = ""
        self._descriptor = _descriptor(stream)
        self._encoding = (stream.encoding if stream is not None else None) or "utf-8"

    def write(self, text: str, /) -> int:
        """Write at once, or drop it; a character that the environment's encoding doesn't hold is escaped."""
        whole = f"{_ERASE}{text}{self.status}" if self.status else text
        try:
            data = whole.encode(self._encoding, errors="backslashreplace")
        except UnicodeError:  # no encoding for text, such as idna
            data = whole.encode("ascii", errors="backslashreplace")
        self.write_bytes(data)
        return len(text)

    def show_status(self, line: str) -> None:
        """Rewrite the last line of a terminal, no longer than it is wide; an empty one takes it away."""
        line = line[: self._columns() - 1]
        if line != self.status:
            self.status = ""
            self.write(f"{_ERASE}{line}")
            self.status = line

    def _columns(self) -> int:
        try:
            return (os.get_terminal_size(self._descriptor).columns if self._descriptor is not None else 0) or 80
        except OSError:
            return 80

    def write_bytes(self, data: bytes) -> None:
        """Write at once, or drop it."""
        if self._descriptor is not None:
            try:
                write_all(self._descriptor, data)
            except OSError as error:
                if error.errno in {errno.EPIPE, errno.EBADF}:
                    self._descriptor = None
                if error.errno != errno.EBADF:  # one that was opened for reading only is an absent one
                    self.failure = error

    @property
    def buffer(self) -> "OutBytes":
        """Where click writes a shell's completions: these are bytes."""
        return OutBytes(self)

    def writable(self) -> bool:
        """It takes everything."""
        return True

    def isatty(self) -> bool:
        """Whether a person looks at it."""
        return self._descriptor is not None and os.isatty(self._descriptor)


class OutBytes(io.RawIOBase):
    """The same stream, for bytes."""

    def __init__(self, stream: OutStream) -> None:
        super().__init__()
        self._stream = stream

    def write(self, data: Any, /) -> int:
        """Write at once, or drop it."""
        self._stream.write_bytes(bytes(data))
        return len(data)

    def writable(self) -> bool:
        """It takes everything."""
        return True


def write_all(descriptor: int, data: bytes) -> None:
    """Write it all, also where the other end reads slowly and the descriptor was set not to block."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            select.select([], [descriptor], [])


def fill_standard_descriptors() -> None:
    """Put /dev/null where a standard stream is closed: else the next file or socket would take its number.

    git would then write its errors into it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)  # noqa: FBT003
    os.close(descriptor)


def _descriptor(stream: TextIO | None) -> int | None:
    try:
        return stream.fileno() if stream is not None else None
    except (OSError, ValueError):  # closed, or no file at all
        return None
