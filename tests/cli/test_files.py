"""`--out`: whole or not at all, and what is there stays what it is."""

import errno
import os
import select
import stat
import threading
from pathlib import Path

import pytest

from reconciler.cli.files import create, refuse_unwritable, remedy_for, save
from reconciler.errors import OutputError, UsageError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    """Whoever has the old one open reads it to its end; nothing else is left in the folder."""
    out = tmp_path / "plan.json"
    out.write_text("old")
    out.chmod(0o600)
    with out.open() as old:
        save(str(out), "new\n", unique="x")
        assert old.read() == "old"
    assert (out.read_text(), mode(out), os.listdir(tmp_path)) == ("new\n", 0o600, ["plan.json"])  # noqa: PTH208


def test_a_new_file_has_the_permissions_that_the_process_gives(tmp_path: Path) -> None:
    """Those of any new file."""
    save(str(tmp_path / "ours"), "", unique="x")
    (tmp_path / "any").touch()
    assert mode(tmp_path / "ours") == mode(tmp_path / "any")


def test_a_link_stays_one(tmp_path: Path) -> None:
    """What it points to is replaced, or made where it isn't there; a link that stands where the part would is refused."""
    (tmp_path / "there").mkdir()
    link = tmp_path / "link"
    link.symlink_to("there/real.json")
    save(str(link), "one", unique="x")
    save(str(link), "two", unique="x")
    assert (link.is_symlink(), (tmp_path / "there/real.json").read_text()) == (True, "two")
    (tmp_path / ".reconciler-x.part").symlink_to(tmp_path / "victim")
    with pytest.raises(OutputError, match="File exists"):
        save(str(tmp_path / "other.json"), "three", unique="x")
    assert not (tmp_path / "victim").exists()


def test_a_new_file_takes_no_ones_place(tmp_path: Path) -> None:
    """Its folders are made; what is there stays, be it a link to nowhere."""
    create(str(tmp_path / "a/b/new.yaml"), b"1", unique="u")
    (tmp_path / "a/b/link.yaml").symlink_to("nowhere")
    for name in ("new.yaml", "link.yaml"):
        with pytest.raises(OutputError, match="is there already, and stays as it is"):
            create(str(tmp_path / "a/b" / name), b"2", unique="u")
    assert (tmp_path / "a/b/new.yaml").read_bytes() == b"1"
    assert sorted(path.name for path in (tmp_path / "a/b").iterdir()) == ["link.yaml", "new.yaml"]
    with pytest.raises(OutputError, match="be written"):
        create(str(tmp_path / "a/b/new.yaml/c"), b"2", unique="u")


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    """A FIFO with a reader gets the document and stays; without one, it says so instead of waiting for ever."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(OutputError, match="nobody reads from it") as caught:
        save(str(fifo), "one", unique="x")
    assert caught.value.remedy == "start its reader first"
    reading = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reading, True)
    writer = threading.Thread(target=lambda: save(str(fifo), "x" * 200_000, unique="x"))
    writer.start()
    select.select([reading], [], [])  # until the writer is there: before, a read would see an end
    with os.fdopen(reading, "rb") as end:
        assert len(end.read()) == 200_000
    writer.join()
    assert fifo.is_fifo()


def test_a_descriptor_is_written_to_where_it_stands(tmp_path: Path) -> None:
    """/dev/stdout behind `>file` would begin at the file's start, or replace it, if it were opened as a file."""
    file = tmp_path / "redirected"
    with file.open("w") as stream:
        stream.write("before ")
        stream.flush()
        number = stream.fileno()
        link = tmp_path / "stdout"
        link.symlink_to(f"/proc/self/fd/{number}")
        refuse_unwritable(str(link))
        save(str(link), "one ", unique="x")
        save(f"/dev/fd/{number}", "two ", unique="x")
        stream.write("after")
    assert (file.read_text(), link.is_symlink()) == ("before one two after", True)


def test_a_full_disk_leaves_the_old_file() -> None:
    """A device is what it was, and the error says what to do."""
    with pytest.raises(OutputError, match="/dev/full can't be written: No space left on device") as caught:
        save("/dev/full", "text", unique="x")
    assert caught.value.remedy == "make room, or name another with --out"
    save(os.devnull, "text", unique="x")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)  # noqa: PTH116


@pytest.mark.parametrize(
    ("out", "why"),
    [
        ("", "it is a folder"),
        ("folder", "it is a folder"),
        ("new/", "it is a folder"),
        ("nowhere/plan.json", "its folder isn't there"),
        ("/dev/fd/77", "there is no such descriptor"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str, why: str
) -> None:
    """As bad usage, which names the file."""
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    with pytest.raises(UsageError) as caught:
        refuse_unwritable(out)
    assert (caught.value.message, caught.value.remedy) == (f"{out} can't be written: {why}", "name another with --out")


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "make room, and run again"), (errno.EDQUOT, "make room, and run again"),
     (errno.EIO, "look at its permissions")],
)  # fmt: skip
def test_a_file_that_finds_no_room_takes_room_and_no_permission(number: int, remedy: str) -> None:
    """A full disk, or a quota, is nobody's missing right."""
    assert remedy_for(OSError(number, os.strerror(number))) == remedy
