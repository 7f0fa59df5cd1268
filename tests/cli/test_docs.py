"""What the documentation says is what the program does."""

import re
import tomllib
from pathlib import Path
from typing import get_args

import click
import pytest
from click.testing import CliRunner

from reconciler import errors
from reconciler.cli.main import COMMANDS, main
from reconciler.desired.fleet import read_fleet
from reconciler.model.guards import GUARDS, Limits
from reconciler.plan.change import Create, Delete, Risk, Update
from reconciler.plan.plan import Ownership
from reconciler.problem import KIND_MEANINGS
from reconciler.report.words import EVERY_WORD
from reconciler.results import OUTCOMES
from tests.docs.generated import commands

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text()
DOCS = {path.name: path.read_text() for path in (ROOT / "docs").glob("*.md")}


CONSENT = {"YES", "ALLOW", "ADOPT", "REPLACE", "EXPECT"}


def fenced(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


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


def test_every_command_is_documented() -> None:
    """The commands' page names them all, and none that isn't there; their options are generated."""
    page = DOCS["commands.md"]
    rows = re.findall(r"^\| `reconciler (\w+)([^`]*)` \| (.*) \|$", page, re.MULTILINE)
    assert list(dict.fromkeys(name for name, _, _ in rows)) == list(COMMANDS)
    for group, _, name in (name.partition(" ") for name in commands()):
        assert not name or any(row[0] == group and name in f"{row[1]} {row[2]}" for row in rows), name


def test_every_option_has_its_variable_save_consent() -> None:
    """RECONCILER_<OPTION>, the same for all commands; consent must be said each time."""
    for command in commands().values():
        for option in command.params:
            if isinstance(option, click.Option):
                name = max(option.opts, key=len).removeprefix("--").upper().replace("-", "_")
                assert option.envvar == (None if name in CONSENT else f"RECONCILER_{name}")
                assert option.help


def test_every_command_takes_what_shapes_stderr() -> None:
    """Colour, level and form of events: whatever is run, a script may say them."""
    for name, command in commands().items():
        options = {name for option in command.params for name in option.opts}
        assert isinstance(command, click.Group) or {"--no-color", "--log-level", "--log-format", "-q"} <= options, name


def test_exit_codes_are_documented() -> None:
    """Every code that this version can end in stands in the table."""
    assert exit_codes() == {
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


def exit_codes() -> set[int]:
    """Those of the table."""
    table = DOCS["commands.md"].partition("## Exit codes")[2].partition("\n## ")[0]
    return {int(code) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE) for code in row.split(", ")}


def test_kinds_of_errors_are_documented() -> None:
    """Each, with what it means, as `problem` has it."""
    table = DOCS["commands.md"].partition("## Kinds of errors")[2].partition("\n## ")[0]
    assert dict(re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", table, re.MULTILINE)) == dict(KIND_MEANINGS)


def test_each_change_has_the_same_keys() -> None:
    """So that one table tells of all three."""
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
    assert sorted(kinds) == sorted(KIND_MEANINGS)


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
