"""What the documentation says is what the program does."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from reconciler import errors, logs
from reconciler.cli.main import COMMANDS, main
from reconciler.desired.fleet import read_fleet
from reconciler.model.guards import Guards
from reconciler.results import OUTCOMES

ROOT = Path(__file__).resolve().parent.parent.parent
README = (ROOT / "README.md").read_text()
DOCS = {path.name: path.read_text() for path in (ROOT / "docs").glob("*.md")}


def commands() -> dict[str, click.Command]:
    """Every command by name."""
    context = click.Context(main)
    found = {name: main.get_command(context, name) for name in main.list_commands(context)}
    return {name: command for name, command in found.items() if command is not None}


def fenced(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def every_time_the_same(text: str) -> str:
    """Seconds and commits differ from run to run."""
    return re.sub(r"\b[0-9a-f]{10}\b", "##########", re.sub(r"\b\d+(\.\d)?s$", "#s", text, flags=re.MULTILINE))


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
    assert re.findall(r"^\| `reconciler (\w+)", page, re.MULTILINE) == list(COMMANDS)
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
                assert option.envvar == (None if name in {"YES", "ALLOW", "ADOPT", "EXPECT"} else f"RECONCILER_{name}")
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
        130,
        143,
    }


def test_the_documented_events_are_those_that_are_logged() -> None:
    """The page, the module that promises them and the code name the same events."""
    named = set(re.findall(r"`([a-z]+\.[a-z]+)`", DOCS["commands.md"].partition("## Logs")[2].partition("\n## ")[0]))
    assert named == set(re.findall(r"`([a-z]+\.[a-z]+)`", (logs.__doc__ or "").partition("tense:")[2]))
    source = "".join(path.read_text() for path in (ROOT / "reconciler").rglob("*.py"))
    logged = set(re.findall(r"log\.[a-z]+\(\s*\"([a-z.]+)\"", source))
    assert named == logged | {f"change.{outcome}" for outcome in OUTCOMES}


def test_the_documented_yaml_is_valid(tmp_path: Path) -> None:
    """The manifest and the fleet file of the page are read as they stand."""
    manifest, fleet = fenced(DOCS["manifests.md"], "yaml")
    (tmp_path / "us-east-1").mkdir()
    (tmp_path / "us-east-1/orders.yaml").write_text(manifest)
    (tmp_path / "fleet.yaml").write_text(fleet)
    read = read_fleet(str(tmp_path))
    assert list(read.declarations["us-east-1"]) == ["orders"]
    assert read.targets[0].guards == Guards()


def test_links_lead_somewhere() -> None:
    """No link of README or docs is dead."""
    for folder, text in ((ROOT, README), *((ROOT / "docs", text) for text in DOCS.values())):
        for link in re.findall(r"\]\(([^)#]+)", text):
            assert (folder / link).exists(), link


def test_the_fleet_of_this_repository_is_valid() -> None:
    """`manifests/` has two targets and some ten clusters: whole and partial placements, several documents in a file."""
    fleet = read_fleet(str(ROOT / "manifests"))
    assert {name: len(declared) for name, declared in fleet.declarations.items()} == {"us-east-1": 7, "eu-west-1": 4}


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_is_there_for_all(command: list[str]) -> None:
    """-h and --help say the same, and every line fits a terminal of 100 columns."""
    short, long = (CliRunner().invoke(main, [*command, flag]).output for flag in ("-h", "--help"))
    assert short == long
    assert short.startswith("Usage: ")
    assert max(map(len, short.splitlines())) <= 100
