"""What the pages say is there: their parts, their links, and every command, option, variable and word of the program."""

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import click
import pytest

from reconciler.cli.main import main
from reconciler.desired.fleet import read_fleet
from tests.cli.test_docs import DOCS, ROOT, anchors, exit_codes, fenced
from tests.docs.generated import commands, with_generated
from tests.schemas import wrong

PAGES = {name: (ROOT / name).read_text() for name in ("README.md", "CHANGELOG.md", "SECURITY.md")}
PAGES |= {f"docs/{name}": text for name, text in DOCS.items()}
OPTIONS = {
    name for one in commands().values() for option in one.params for name in (*option.opts, *option.secondary_opts)
}
VARIABLES = {str(option.envvar) for one in commands().values() for option in one.params if option.envvar}
SPOKEN = {
    word
    for folder in (".", ".github", "deploy", "manifests", "reconciler", "templates")
    for path in (ROOT / folder).glob("*" if folder == "." else "**/*")
    if path.suffix in {".py", ".toml", ".yaml", ".yml"} or path.name == "Makefile"
    for word in re.findall(r"[\w-]+", path.read_text())
}
SPOKEN |= set(re.findall(r"[\w-]+", (ROOT / "tests/demo.py").read_text()))
"""Every word of what the program, its action, its workflows and its fleet say."""

FOREIGN = {"for_each", "--predicate-type"}
"""Other programs' words."""


def test_generated_parts_are_as_the_program_has_them() -> None:
    """`make generate` brings them up to date."""
    for name, text in DOCS.items():
        assert with_generated(text) == text, name


def test_the_site_has_every_page() -> None:
    """Each page of docs has one entry in the site's navigation, and one link on its first page; the README leads there."""
    site = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]
    assert sorted(_entries(site["nav"])) == sorted(DOCS)
    assert set(re.findall(r"\]\(([a-z-]+\.md)", DOCS["index.md"])) == set(DOCS) - {"index.md"}
    assert {"docs/index.md", "CHANGELOG.md", "SECURITY.md"} <= set(_links(PAGES["README.md"]))


def _entries(nav: object) -> Iterator[str]:
    match nav:
        case str():
            yield nav
        case dict() | list():
            for below in nav.values() if isinstance(nav, dict) else nav:
                yield from _entries(below)


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    """To a file and an anchor that are there; from the site never out of it; to other hosts in a form that can be right."""
    for link in _links(PAGES[name]):
        if "://" in link:
            assert _is_well_formed(link), link
            continue
        file, _, anchor = link.partition("#")
        there = ((ROOT / name).parent / file).resolve() if file else ROOT / name
        assert there.exists(), link
        assert not name.startswith("docs/") or there.parent == ROOT / "docs", f"{link} leads out of the site"
        assert not anchor or anchor in anchors(there.read_text()), link


def _links(text: str) -> list[str]:
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return [
        *re.findall(r"\]\(([^)\s]+)\)", prose),
        *re.findall(r"(?:href|src|srcset)=\"([^\"]+)\"", prose),
        *re.findall(r"<(https?:[^>]+)>", prose),
    ]


def _is_well_formed(address: str) -> bool:
    """https, a host with a dot, and on GitHub a thread, a file or a repository: nobody can be asked here."""
    parts = urlsplit(address)
    plain = parts.scheme == "https" and re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", parts.netloc) and not parts.username
    thread = r"/[\w.-]+/[\w.-]+(/(issues|pull|discussions)/\d+|/(blob|tree)/[\w./-]+|/releases(/tag/[\w.+-]+)?)?"
    return bool(plain) and (parts.netloc != "github.com" or re.fullmatch(thread, parts.path) is not None)


def command_lines(text: str) -> Iterator[str]:
    """Every `reconciler …` of a page's fenced blocks and code, one a line, without what a shell does around it."""
    blocks = re.findall(r"^```(?:bash|console|sh|text|yaml)?\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    lines = [line.removeprefix("$ ") for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    for line in [*lines, *re.findall(r"`([^`\n]+)`", prose)]:
        for part in re.split(r"\s(?:&&|\||>|#)\s?|;", line.replace("\\|", "/")):
            if found := re.match(r"\s*(?:\w+=\S* )*reconciler ((?:-|[a-z]).*)", part):
                yield found[1].replace("…", "").strip()


@pytest.mark.parametrize("name", PAGES)
def test_command_lines_can_be_run(name: str) -> None:
    """Each names a command, options that it has, and values that they take."""
    for line in command_lines(PAGES[name]):
        words = shlex.split(re.sub(r"\[[A-Z]+\]", "", line))
        called = next((" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in commands()), None)
        if words[0] in {"-h", "--help", "--version"}:
            continue
        assert called, f"reconciler {line}: no such command"
        command = commands()[called]
        try:
            command.make_context(
                called, words[len(called.split()) :], parent=click.Context(main, **main.context_settings)
            )
        except click.UsageError as error:
            pytest.fail(f"reconciler {line}: {error.message}")


@pytest.mark.parametrize("name", PAGES)
def test_options_and_variables_are_there(name: str) -> None:
    """What a page calls an option of ours is one of some command's; what it calls a variable of ours is one."""
    prose = re.sub(r"^```.*?^```$", "", PAGES[name], flags=re.DOTALL | re.MULTILINE)
    called = set(re.findall(r"`(--[a-z][a-z-]*)", prose))
    assert called <= OPTIONS | FOREIGN | {"--help", "--version"}
    named = set(re.findall(r"(?<![A-Z_])RECONCILER_[A-Z][A-Z_]*", PAGES[name]))
    assert named <= VARIABLES | SPOKEN


@pytest.mark.parametrize("name", PAGES)
def test_words_in_code_are_spoken_here(name: str) -> None:
    """A kind, guard, risk, outcome, key, input or switch that a page names is one that program or action knows."""
    prose = re.sub(r"^```.*?^```$", "", PAGES[name], flags=re.DOTALL | re.MULTILINE)
    named = set(re.findall(r"`([a-z]+(?:[-_][a-z]+)+)`", prose))
    assert {word for word in named if word.removeprefix("reconciler_") not in SPOKEN} <= SPOKEN | FOREIGN


@pytest.mark.parametrize("name", PAGES)
def test_events_are_those_of_the_list(name: str) -> None:
    """What a page calls an event stands in the list of all, which is held against the source."""
    events = set(re.findall(r"`([a-z]+\.[a-z]+)`", DOCS["commands.md"].partition("## Logs")[2].partition("\n## ")[0]))
    kinds = "|".join({event.partition(".")[0] for event in events})
    assert set(re.findall(rf"`((?:{kinds})\.(?!ya?ml|json|md|py)[a-z]+)`", PAGES[name])) <= events


@pytest.mark.parametrize("name", PAGES)
def test_exits_are_the_programs(name: str) -> None:
    """No page speaks of an exit that isn't one."""
    told = {
        int(code)
        for code in re.findall(r"\b(?:exit|exits|ends? in|ended in)(?: code)? (\d+)\b", PAGES[name], re.IGNORECASE)
    }
    assert told <= exit_codes()


@pytest.mark.parametrize("name", PAGES)
def test_yaml_is_read_as_it_stands(name: str, tmp_path: Path) -> None:
    """Each manifest and each fleet file that a page shows in full loads; the tutorial's are tried with its commands."""
    for number, block in enumerate(fenced(PAGES[name], "yaml") if name != "docs/tutorial.md" else ()):
        folder = tmp_path / str(number)
        folder.mkdir()
        if re.search(r"^name: ", block, re.MULTILINE):
            (folder / "shown.yaml").write_text(block)
            assert read_fleet(str(folder)).declarations["default"]
        elif block.startswith("targets:"):
            (folder / "fleet.yaml").write_text(block)
            for target in re.findall(r"^  ([a-z0-9-]+):$", block, re.MULTILINE):
                (folder / target).mkdir()
            assert read_fleet(str(folder)).targets


@pytest.mark.parametrize("name", PAGES)
def test_json_is_as_published(name: str) -> None:
    """What a page shows of a plan or a report in full is one, by its schema."""
    for block in fenced(PAGES[name], "json"):
        document = json.loads(block)
        if isinstance(document, dict) and document.get("kind") in {"plan", "report"}:
            assert wrong(document["kind"], document) == []


def test_the_readmes_workflow_is_the_one_explained() -> None:
    """The README's ten lines are those of the page about GitHub."""
    (shown,) = fenced(PAGES["README.md"], "yml")
    assert shown in fenced(DOCS["github.md"], "yaml")
    assert len(shown.splitlines()) == 10


def test_each_claim_about_a_peer_has_its_source() -> None:
    """Every row of the comparison leads to where it is said."""
    rows = re.findall(r"^\| (?!question|---)(.+) \|$", DOCS["comparison.md"], re.MULTILINE)
    assert len(rows) >= 8
    assert [row for row in rows if "](https://" not in row] == []
