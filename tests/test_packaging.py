"""What is published leads to where it was built; what is built anywhere else names no address."""

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_string
from email.message import Message
from pathlib import Path

import cmarkgfm
import pytest

from hatch_build import absolute
from reconciler.cli.pages import released_docs

ROOT = Path(__file__).resolve().parent.parent
HOME = "https://github.com/owner/reconciler"


def test_links_of_the_readme_lead_to_the_repository() -> None:
    """To its files at the version's tag, pictures as they are; what has a host, or is on the page, stays."""
    text = "[a](docs/x.md#y) ![b](docs/p.svg) [c](https://h.example/x) [d](#here)"
    assert absolute(text, HOME, "v1.2.3") == (
        f"[a]({HOME}/blob/v1.2.3/docs/x.md#y) ![b]({HOME}/raw/v1.2.3/docs/p.svg) [c](https://h.example/x) [d](#here)"
    )
    page = cmarkgfm.github_flavored_markdown_to_html(absolute((ROOT / "README.md").read_text(), HOME, "v1"))
    links = re.findall(r'(?:href|src)="([^"]+)"', page)
    assert len(links) > 10
    assert [link for link in links if not link.startswith("https://")] == []


@pytest.mark.slow
def test_a_release_names_its_repository(tmp_path: Path) -> None:
    """In both distributions, and in what is built from the source distribution elsewhere; the wheel is the package alone."""
    build(ROOT, tmp_path, PROJECT_URL=HOME)
    [wheel], [source] = tmp_path.glob("*.whl"), tmp_path.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(tmp_path / "source", filter="data")
    [unpacked] = (tmp_path / "source").iterdir()
    build(unpacked, tmp_path / "again", "--target", "wheel")
    [again] = (tmp_path / "again").iterdir()
    for one in (wheel, again):
        told = metadata(one)
        urls = told.get_all("Project-URL", [])
        assert released_docs(urls, told["Version"]) == f"{HOME}/blob/v{told['Version']}/docs"
        assert f"({HOME}/raw/v{told['Version']}/docs/plan.svg)" in str(told.get_payload())
        with zipfile.ZipFile(one) as archive:
            assert {name.partition("/")[0] for name in archive.namelist()} == {
                "reconciler",
                f"momento_reconciler-{told['Version']}.dist-info",
            }


@pytest.mark.slow
def test_any_other_build_names_none(tmp_path: Path) -> None:
    """A fork's wheel, or one of a clone, doesn't say that it is somebody else's."""
    build(ROOT, tmp_path, "--target", "wheel")
    [wheel] = tmp_path.iterdir()
    assert metadata(wheel).get_all("Project-URL") is None
    assert str(metadata(wheel).get_payload()) == (ROOT / "README.md").read_text()


def build(source: Path, target: Path, *options: str, **variables: str) -> None:
    """Run hatchling as a release does."""
    environment = {name: value for name, value in os.environ.items() if name != "PROJECT_URL"} | variables
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(target), *options]
    subprocess.run(command, cwd=source, env=environment, capture_output=True, check=True)


def metadata(wheel: Path) -> Message:
    """What the index reads of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith("/METADATA")]
        return message_from_string(archive.read(name).decode())
