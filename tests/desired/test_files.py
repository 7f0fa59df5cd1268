"""What a folder of manifests may hold beside manifests."""

import os
import socket
from pathlib import Path

import pytest

from reconciler.desired.files import Folder, read_named
from reconciler.desired.fleet import read_fleet
from reconciler.desired.yaml import LARGEST_FILE
from tests.desired.folders import manifest, told, write


@pytest.mark.parametrize(
    ("name", "to"),
    [
        ("b.yaml", "a.yaml"),
        ("b.YML", "/etc/passwd"),
        ("b.yaml", ".hidden.yaml"),
        ("us-east-1", "/usr"),
        ("us-east-1", "../not/checked/out"),
        ("loop", "loop"),
        ("long", "x" * 300),
    ],
)
def test_a_link_that_may_hide_a_manifest_is_an_error(tmp_path: Path, name: str, to: str) -> None:
    """To a file, to a folder, to nowhere, in a circle: never followed, and never passed over in silence."""
    write(tmp_path, {"a.yaml": manifest("a")})
    (tmp_path / name).symlink_to(to)
    assert told(tmp_path) == [f"{name}:1: symbolic links are not followed"]


def test_a_link_to_a_file_of_another_kind_is_nobodys_concern(tmp_path: Path) -> None:
    """A README may be one."""
    write(tmp_path, {"a.yaml": manifest("a"), "notes.txt": ""})
    (tmp_path / "README.md").symlink_to("notes.txt")
    assert list(read_fleet(str(tmp_path)).head("default").declarations) == ["a"]


@pytest.mark.parametrize("name", ["b.YAML", "b.Yml", "deep/b.yAml"])
def test_an_ending_in_capitals_is_an_error(tmp_path: Path, name: str) -> None:
    """A rename of a manifest must not read as its removal."""
    write(tmp_path, {"a.yaml": manifest("a"), name: manifest("b")})
    ending = name.rpartition(".")[2]
    assert told(tmp_path) == [f"{name}:1: a manifest's name ends in .yaml or .yml, not in .{ending}"]


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    """A FIFO or a socket is an error at once, and nothing waits for it; a name that is no text is shown escaped."""
    write(tmp_path, {"a.yaml": manifest("a")})
    os.mkfifo(tmp_path / "fifo.yaml")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s.yaml"))
        (tmp_path / os.fsdecode(b"\xff\x1b.yaml")).write_text("name: [")
        assert told(tmp_path) == [
            "\\xff\x1b.yaml:1:8: invalid YAML: did not find expected node content",
            "fifo.yaml:1: it is not a regular file",
            "s.yaml:1: it is not a regular file",
        ]


def test_what_is_hidden_is_passed_over_and_said(tmp_path: Path) -> None:
    """Files that look like manifests, and folders; git's own, and what keeps a folder, need no word."""
    write(tmp_path, {"a.yaml": manifest("a"), ".b.yaml": "name: [", ".old/c.yaml": "name: [", ".gitkeep": ""})
    write(tmp_path, {".git/config.yaml": "", ".env": "", "deep/.d.YML": ""})
    assert read_fleet(str(tmp_path)).warnings == {
        "default": tuple(f"{tmp_path}/{name} is hidden, and so not read" for name in (".b.yaml", ".old", "deep/.d.YML"))
    }


def test_a_folder_below_that_cant_be_listed_is_told_with_all_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deeper than the system can name."""
    write(tmp_path, {"a.yaml": "name: ["})
    deep = tmp_path
    monkeypatch.chdir(tmp_path)
    for _ in range(30):
        Path("d" * 200).mkdir()
        os.chdir("d" * 200)
        deep /= "d" * 200
    first, second = told(tmp_path)
    assert first == "a.yaml:1:8: invalid YAML: did not find expected node content"
    assert second.endswith("the folder can't be read: File name too long")


def test_a_shown_name_leads_to_its_file(tmp_path: Path) -> None:
    """Of one that is there, whatever its bytes, and of one that will be."""
    odd = os.path.join(os.fsencode(tmp_path), b"\xff.yaml")  # noqa: PTH118
    Path(os.fsdecode(odd)).write_text(manifest("a"))
    folder = Folder(str(tmp_path))
    assert [os.fsencode(folder.path_of(name)) for name in folder.names()] == [odd]
    assert folder.new_path(f"{tmp_path}/us/new.yaml") == f"{tmp_path}/us/new.yaml"


def test_what_is_named_is_read_whatever_it_is(tmp_path: Path) -> None:
    """A link, a pipe: somebody asked for this very one. No more is read than is taken."""
    write(tmp_path, {"a.yaml": "x"})
    (tmp_path / "link").symlink_to("a.yaml")
    reading, writing = os.pipe()
    os.write(writing, b"piped")
    os.close(writing)
    assert read_named(str(tmp_path / "link"), "link") == b"x"
    assert read_named(f"/dev/fd/{reading}", "pipe") == b"piped"
    os.close(reading)
    endless = read_named("/dev/zero", "zero")
    assert isinstance(endless, bytes)
    assert len(endless) == LARGEST_FILE + 1
    assert not isinstance(read_named(str(tmp_path), "folder"), bytes)
