"""What the documentation says is what the program does."""

import re
import subprocess
import sys
import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import click
import pytest
from click.testing import CliRunner
from pydantic import BaseModel

from reconciler import errors
from reconciler.cli.main import COMMANDS, main
from reconciler.desired.fleet import read_fleet
from reconciler.model.guards import GUARDS, Limits
from reconciler.plan.change import Create, Delete, Risk, Update
from reconciler.plan.document import PlanDocument
from reconciler.plan.plan import Ownership, Plan
from reconciler.report.words import EVERY_WORD
from reconciler.results import OUTCOMES, ReportDocument

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text()
TOP = ("README.md", "CHANGELOG.md", "SECURITY.md")
DOCS = {path.name: path.read_text() for path in (ROOT / "docs").glob("*.md")}


CONSENT = {"YES", "ALLOW", "ADOPT", "REPLACE", "EXPECT"}


def commands(group: click.Group = main) -> dict[str, click.Command]:
    """Every command by name; those of a group after it, as `record show`."""
    context, found = click.Context(group), dict[str, click.Command]()
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {below}": one for below, one in commands(command).items()}
    return found


def fenced(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def every_time_the_same(text: str) -> str:
    """Seconds and commits differ from run to run."""
    return re.sub(r"\b[0-9a-f]{10}\b", "##########", re.sub(r"\b\d+(\.\d)?s$", "#s", text, flags=re.MULTILINE))


@pytest.mark.slow
def test_the_pictures_are_what_the_demo_prints() -> None:
    """`make demo` shows, word for word, what README and docs show."""
    demo = subprocess.run([sys.executable, "tests/demo.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    pictures = [picture for text in (README, *DOCS.values()) for picture in fenced(text, "console")]
    assert len(pictures) >= 2
    for picture in pictures:
        assert every_time_the_same(picture) in every_time_the_same(demo.stdout)


def test_the_readmes_manifest_is_one_of_the_fleet() -> None:
    """The picture's manifest stands in manifests/ as it is shown."""
    (shown,) = fenced(README, "yaml")
    name, _, text = shown.partition("\n")
    assert (ROOT / name.removeprefix("# ")).read_text() == text


def test_the_readmes_commands_are_the_makefiles() -> None:
    """Each `make` word of the README is a target, and CI runs what the README calls the tests."""
    makefile, ci = (ROOT / "Makefile").read_text(), (ROOT / ".ci/run").read_text()
    for target in re.findall(r"make ([a-z-]+)", README + ci):
        assert f"\n{target}: " in makefile, target
    assert {"make check", "make test", "make demo"} <= set(ci.splitlines())


def test_every_command_and_option_is_documented() -> None:
    """The commands' page names them all, and none that isn't there."""
    page = DOCS["commands.md"]
    rows = re.findall(r"^\| `reconciler (\w+)([^`]*)` \| (.*) \|$", page, re.MULTILINE)
    assert list(dict.fromkeys(name for name, _, _ in rows)) == list(COMMANDS)
    for group, _, name in (name.partition(" ") for name in commands()):
        assert not name or any(row[0] == group and name in f"{row[1]} {row[2]}" for row in rows), name
    written = set(re.findall(r"`(--[a-z][a-z-]+)", page))
    there = {
        name
        for command in commands().values()
        for option in command.params
        for name in (*option.opts, *option.secondary_opts)
    }
    assert written == {name for name in there if name.startswith("--")}


def test_every_option_has_its_variable_save_consent() -> None:
    """RECONCILER_<OPTION>, the same for all commands; consent must be said each time."""
    for command in commands().values():
        for option in command.params:
            if isinstance(option, click.Option):
                name = max(option.opts, key=len).removeprefix("--").upper().replace("-", "_")
                assert option.envvar == (None if name in CONSENT else f"RECONCILER_{name}")
                assert option.help


def test_exit_codes_are_documented() -> None:
    """Every code that this version can end in stands in the table."""
    table = DOCS["commands.md"].partition("## Exit codes")[2].partition("\n## ")[0]
    codes = {int(code) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE) for code in row.split(", ")}
    assert codes == {
        errors.EXIT_OK,
        errors.EXIT_FAILED,
        errors.EXIT_PENDING,
        errors.EXIT_REFUSED,
        errors.EXIT_STALE,
        errors.EXIT_UNAPPLIED,
        errors.EXIT_USAGE,
        129,
        130,
        131,
        143,
    }


def test_kinds_of_errors_are_documented() -> None:
    """Each, with what it means, as `errors` has it."""
    table = DOCS["commands.md"].partition("## Kinds of errors")[2].partition("\n## ")[0]
    assert dict(re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", table, re.MULTILINE)) == dict(errors.KIND_MEANINGS)


def test_the_documented_shapes_are_those_of_the_documents() -> None:
    """Every key of a plan and a report in its order, however the lines are broken."""
    section = DOCS["commands.md"].partition("## JSON")[2].partition("\n## ")[0]
    blocks = ["".join(block.split()) for block in fenced(section, "")]
    assert blocks == [shape(PlanDocument), shape(ReportDocument)]


def shape(sort: object) -> str:
    """`{key,list:[{key}]}`; empty for a plain value. A union is told by its first member: they are alike in that."""
    if isinstance(sort, type) and (issubclass(sort, BaseModel) or is_dataclass(sort)):
        names = [*sort.model_fields] if issubclass(sort, BaseModel) else [field.name for field in fields(sort)]
        inner = {name: shape(get_type_hints(sort)[name]) for name in names}
        keys = [f"{name}:{below}" if below else name for name, below in inner.items()]
        if sort in {Plan, Create, Update, Delete}:
            keys.insert(names.index("live_read" if sort is Plan else "cause") + 1, "digest")
        return "{" + ",".join(keys) + "}"
    found = next(filter(None, map(shape, get_args(sort))), "")
    return f"[{found}]" if found and get_origin(sort) is tuple else found


def test_each_change_has_the_same_keys() -> None:
    """So that one shape tells of all three."""
    assert [*Create.model_fields] == [*Update.model_fields] == [*Delete.model_fields]


def test_every_word_of_a_page_is_explained() -> None:
    """Where a page links to: each word's anchor stands once; each outcome, risk and ownership is named there."""
    for word in EVERY_WORD:
        page, _, anchor = word.anchor.partition("#")
        assert anchors(DOCS[page]).count(anchor) == 1, word.anchor
    for name in (*OUTCOMES, *get_args(Risk), *get_args(Ownership)):
        assert f"`{name}`" in DOCS["causes-and-record.md"], name


def anchors(text: str) -> list[str]:
    """What a link may name: an element's id, or a heading as forges write it."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    slugs = [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]
    return [*re.findall(r'<a id="([^"]+)">', prose), *slugs]


def test_every_kind_of_error_is_explained_to_whoever_is_on_call() -> None:
    """What it means, and what to do: each once."""
    rows = re.findall(r"^\| (`.+?`) \| .+ \| .+ \|$", DOCS["on-call.md"], re.MULTILINE)
    kinds = [kind for row in rows for kind in re.findall(r"`([a-z-]+)`", row)]
    assert sorted(kinds) == sorted(errors.KIND_MEANINGS)


def test_guards_are_documented() -> None:
    """Each that there is, with what it refuses and its limit's key, and none that isn't there."""
    page = DOCS["causes-and-record.md"].partition("## What refuses a plan")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", page, re.MULTILINE)
    assert [name for name, _ in rows] == [guard.name for guard in GUARDS]
    for (_, told), guard in zip(rows, GUARDS, strict=True):
        assert guard.refuses in told
        assert guard.key is None or f"`{guard.key}`" in told


def test_the_documented_events_are_those_that_are_logged() -> None:
    """The page and the code name the same events."""
    named = set(re.findall(r"`([a-z]+\.[a-z]+)`", DOCS["commands.md"].partition("## Logs")[2].partition("\n## ")[0]))
    source = "".join(path.read_text() for path in (ROOT / "reconciler").rglob("*.py"))
    logged = set(re.findall(r"(?:log\.[a-z]+|console\.warn|log_of|Log)\([^()]*?\"([a-z]+\.[a-z]+)\"", source))
    assert named == logged | {f"change.{outcome}" for outcome in OUTCOMES}


def test_the_documented_yaml_is_valid(tmp_path: Path) -> None:
    """The manifest and the fleet file of the page are read as they stand."""
    manifest, fleet = fenced(DOCS["manifests.md"], "yaml")
    (tmp_path / "us-east-1").mkdir()
    (tmp_path / "us-east-1/orders.yaml").write_text(manifest)
    (tmp_path / "fleet.yaml").write_text(fleet)
    read = read_fleet(str(tmp_path))
    assert list(read.declarations["us-east-1"]) == ["orders"]
    assert read.targets[0].limits.values == Limits().values


def test_links_lead_somewhere() -> None:
    """No link of README, changelog or docs is dead, nor is its anchor; what leads to a host isn't asked for."""
    for page in (*(ROOT / name for name in TOP), *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
            file, _, anchor = link.partition("#")
            there = page.parent / file if file else page
            assert "://" in file or there.exists(), f"{page.name}: {link}"
            assert not anchor or anchor in anchors(there.read_text()), f"{page.name}: {link}"


def test_what_holds_a_promise_is_there() -> None:
    """Each module and test that `SECURITY.md` names."""
    named = re.findall(r"`(tests/[\w/.]+|[a-z]+/\w+\.py)`", (ROOT / "SECURITY.md").read_text())
    assert len(named) > 10
    assert [name for name in named if not (ROOT / name).exists() and not (ROOT / "reconciler" / name).exists()] == []


def test_who_is_told_to_install_gets_this_project() -> None:
    """On the package index `reconciler` is somebody else's: every remedy and page has the distribution's own name."""
    name = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["name"]
    texts = [README, *DOCS.values(), *(path.read_text() for path in (ROOT / "reconciler").rglob("*.py"))]
    told = {found for text in texts for found in re.findall(r"(?:pip|pipx|uv tool) install '?([a-z][\w-]*)", text)}
    assert told == {name} == {"momento-reconciler"}


def test_no_page_is_left_out() -> None:
    """The README leads to each page of docs, and to those beside it."""
    assert {*(f"docs/{name}" for name in DOCS), *TOP} - {"README.md"} <= set(re.findall(r"\]\(([^)#]+)", README))


def test_the_fleet_of_this_repository_is_valid() -> None:
    """`manifests/` has two targets and some ten clusters: whole and partial placements, several documents in a file."""
    fleet = read_fleet(str(ROOT / "manifests"))
    assert {name: len(declared) for name, declared in fleet.declarations.items()} == {"us-east-1": 7, "eu-west-1": 4}


@pytest.mark.parametrize("command", [[], *(name.split() for name in commands())])
def test_help_is_there_for_all(command: list[str]) -> None:
    """-h and --help say the same, and every line fits a terminal of 100 columns."""
    short, long = (CliRunner().invoke(main, [*command, flag]).output for flag in ("-h", "--help"))
    assert short == long
    assert short.startswith("Usage: ")
    assert max(map(len, short.splitlines())) <= 100
