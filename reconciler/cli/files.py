"""How files are written: beside the file, then renamed; for `--out` a device, a pipe or a descriptor as it is.

A file is there whole or not at all. A symbolic link that `--out` names stays one: what it points to is replaced.
"""

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path

from reconciler.cli.streams import write_all
from reconciler.errors import OutputError, UsageError

_REMEDY = "name another with --out"
_IN_PLACE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY})
"""Nothing can be put beside the file, or in its place: a folder of somebody else's, a file that is a mount."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def refuse_unwritable(file: str) -> None:
    """Raise UsageError where `save` could not write: before anything is sent rather than after."""
    why = _unwritable(file)
    if why is not None:
        raise UsageError(f"{file} can't be written: {why}", remedy=_REMEDY)


def save(file: str, text: str, *, unique: str) -> None:
    """Write a document to a file; `unique` is what no other process calls its own part. Raises OutputError."""
    data = text.encode(errors="backslashreplace")
    try:
        descriptor = _own_descriptor(file)
        if descriptor is not None:
            write_all(descriptor, data)
        elif _is_replaced(file):
            _replace(os.path.realpath(file), data, unique)
        else:
            _write_to(file, data)
    except OSError as error:
        if error.errno == errno.ENXIO:
            message = f"{file} can't be written: nobody reads from it"
            raise OutputError(message, remedy="start its reader first") from error
        raise OutputError(f"{file} can't be written: {error.strerror}", remedy=f"make room, or {_REMEDY}") from error


def rewrite(file: str, data: bytes, *, unique: str) -> None:
    """Give a regular file other bytes, in one step; a link is not followed. Raises OutputError."""
    try:
        if not stat.S_ISREG(os.lstat(file).st_mode):
            raise OutputError(f"{file} is not a regular file any more", remedy="look what has taken its place")
        _replace(file, data, unique)
    except OSError as error:
        raise OutputError(f"{file} can't be written: {error.strerror}", remedy=remedy_for(error)) from error


def _unwritable(file: str) -> str | None:
    target = os.path.realpath(file)
    folder = os.path.dirname(target)  # noqa: PTH120
    descriptor = _own_descriptor(file)
    if descriptor is not None:
        return None if _is_open(descriptor) else "there is no such descriptor"
    if os.path.isdir(target) or file.endswith("/"):  # noqa: PTH112
        return "it is a folder"
    if os.path.exists(target) and os.access(target, os.W_OK):  # noqa: PTH110
        return None
    if not os.path.isdir(folder):  # noqa: PTH112
        return "its folder isn't there"
    if not os.access(folder, os.W_OK) or (os.path.exists(target) and not _is_replaced(file)):  # noqa: PTH110
        return "its folder can't be written to"
    return None


def create(file: str, data: bytes, *, unique: str) -> None:
    """Write a file that isn't there, with its folders. Raises OutputError, also where one has come to be."""
    try:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(file):
            raise OutputError(f"{file} is there already, and stays as it is", remedy="run again: another name is taken")
        _replace(file, data, unique)
    except OSError as error:
        raise OutputError(f"{file} can't be written: {error.strerror}", remedy=remedy_for(error)) from error


def remedy_for(error: OSError) -> str:
    """What to do where a file that is ours to write can't be written."""
    return "make room, and run again" if error.errno in _FULL else "look at its permissions"


def _own_descriptor(file: str) -> int | None:
    """N where the file is a way to write /dev/fd/N, such as /dev/stdout: opening it again would begin at its start."""
    ours = {os.path.realpath("/dev/fd"), os.path.realpath("/proc/self/fd"), "/dev/fd"}
    for _ in range(40):  # as many links as the system itself follows
        folder, name = os.path.split(file)
        if name.isdecimal() and os.path.realpath(folder) in ours:
            return int(name)
        if not os.path.islink(file):  # noqa: PTH114
            return None
        file = os.path.join(folder, os.readlink(file))  # noqa: PTH115, PTH118
    return None


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _is_replaced(file: str) -> bool:
    try:
        return stat.S_ISREG(os.stat(file).st_mode)  # noqa: PTH116
    except FileNotFoundError:
        return True


def _write_to(file: str, data: bytes, *, flags: int = 0) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_NONBLOCK | flags)  # not waiting for a reader that may never come
    try:
        os.set_blocking(descriptor, True)
        write_all(descriptor, data)
    finally:
        os.close(descriptor)


def _replace(target: str, data: bytes, unique: str) -> None:
    part = str(Path(target).with_name(f".reconciler-{unique}.part"))
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    except OSError as error:
        if error.errno not in _IN_PLACE or not os.path.exists(target):  # noqa: PTH110
            raise
        _write_to(target, data, flags=os.O_TRUNC | os.O_NOFOLLOW)
        return
    try:
        try:
            _take_after(target, descriptor)
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        _rename(part, target, data)
    finally:
        with suppress(OSError):
            os.unlink(part)  # noqa: PTH108


def _rename(part: str, target: str, data: bytes) -> None:
    try:
        os.replace(part, target)  # noqa: PTH105
    except OSError as error:
        if error.errno not in _IN_PLACE:
            raise
        _write_to(target, data, flags=os.O_TRUNC | os.O_NOFOLLOW)


def _take_after(target: str, descriptor: int) -> None:
    """Give the new file the owner and the permissions of the one that it replaces."""
    with suppress(FileNotFoundError):
        old = os.lstat(target)
        with suppress(OSError):
            os.fchown(descriptor, old.st_uid, old.st_gid)
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode))
