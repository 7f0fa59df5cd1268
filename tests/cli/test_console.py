"""The one console: who is told what, in which form, and never a key."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from reconciler.cli.console import Console, Settings, early_settings
from reconciler.cli.signals import Signals
from reconciler.cli.telling import tell_failure
from reconciler.errors import UsageError
from reconciler.model.secret import MASK, ApiKey
from reconciler.problem import Problem
from reconciler.report.sarif import errors_sarif

KEY = "k\"e\\y&<'-very-secret"
PROBLEM = Problem("manifest", f"no: {KEY}", f"not {KEY}", "t", "orders", "manifests/a.yaml", 3, 5)


class Desk:
    """A console with real descriptors, and what has been written to them."""

    def __init__(self, folder: Path, cleanup: ExitStack) -> None:
        self.folder = folder
        self.environment: dict[str, str] = {}
        self._cleanup = cleanup

    def console(self, **settings: Any) -> Console:
        out, err = (self._cleanup.enter_context((self.folder / name).open("w")) for name in ("out", "err"))
        console = Console(None, out, err, self.environment, Signals(), Settings())
        console.configure(Settings(**settings))
        return console

    @property
    def out(self) -> str:
        return (self.folder / "out").read_text()

    @property
    def err(self) -> str:
        return (self.folder / "err").read_text()

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.err.splitlines()]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """An empty desk."""
    with ExitStack() as cleanup:
        yield Desk(tmp_path, cleanup)
        structlog.reset_defaults()


def test_a_person_reads_problems_and_a_machine_gets_events(desk: Desk) -> None:
    """The same facts; where every line is an event, nothing is written for people, nor for GitHub."""
    desk.environment["GITHUB_ACTIONS"] = "true"
    desk.environment["MOMENTO_API_KEY"] = KEY
    console = desk.console()
    console.problems([PROBLEM])
    console.warn("comment.unposted", f"not posted: {KEY}", remedy="wait")
    console.tell("shown\n")
    assert desk.err == (
        f"error: manifests/a.yaml:3:5: cluster orders: no: {MASK}\n  → not {MASK}\n"
        f"::error file=manifests/a.yaml,line=3,col=5,title=cluster orders::no: {MASK} → not {MASK}\n"
        f"warning: not posted: {MASK}\n  → wait\nshown\n"
    )
    console = desk.console(log_format="json")
    console.problems([PROBLEM])
    console.warn("comment.unposted", f"not posted: {KEY}")
    console.tell("shown\n")
    found, warned = desk.events
    assert {name: found[name] for name in ("event", "level", "kind", "error", "remedy", "file", "line", "cluster")} == {
        "event": "problem.found",
        "level": "error",
        "kind": "manifest",
        "error": f"no: {MASK}",
        "remedy": f"not {MASK}",
        "file": "manifests/a.yaml",
        "line": 3,
        "cluster": "orders",
    }
    assert (warned["event"], warned["message"]) == ("comment.unposted", f"not posted: {MASK}")


def test_what_cannot_be_planned_is_a_document_too(desk: Desk) -> None:
    """On stdout and in the file, with the errors and no targets; once, whatever goes wrong after it."""
    out = desk.folder / "plan.json"
    console = desk.console(result="plan", format_name="json", out=str(out), quiet=True)
    assert tell_failure(console, [Problem("credentials", "no key")], 1) == 1
    tell_failure(console, [Problem("internal", "broke")], 1)
    document = json.loads(desk.out)
    assert json.loads(out.read_text()) == document
    assert (document["kind"], document["targets"]) == ("plan", [])
    assert [error["kind"] for error in document["errors"]] == ["credentials"]


def test_a_file_that_cannot_be_written_is_told_and_remembered(desk: Desk) -> None:
    """Before the run as bad usage; after it as a failure, with the result on stdout all the same."""
    with pytest.raises(UsageError):
        desk.console(result="plan", out="nowhere/plan.json")
    console = desk.console(result="plan", format_name="json", out="/dev/full")
    assert tell_failure(console, [], 0) == 1
    assert "error: /dev/full can't be written: No space left on device" in desk.err
    assert json.loads(desk.out)["kind"] == "plan"
    assert console.untold


ODD_KEYS = [
    "1",
    "true",
    "null",
    "name",
    "plan",
    "create",
    "k1",
    "a",
    '"',
    "\\",
    "{",
    ",",
    "e",
    "0",
    "(api",
    "format_version",
]


@pytest.mark.parametrize("key", ODD_KEYS)
@pytest.mark.parametrize("one_line", [False, True])
def test_an_odd_key_breaks_no_document(desk: Desk, key: str, one_line: bool) -> None:
    """Numbers, names of fields and the program's own words stay; the key itself, as a text of its own, is taken out."""
    document = {"kind": "plan", "format_version": 1, "targets": [{"name": "orders", "action": "create", "cause": None}]}
    text = json.dumps(document, indent=None if one_line else 2)
    console = desk.console(format_name="json")
    console.keep_secret(ApiKey(key))
    assert console.document_without_keys(text) == text
    leaking = json.dumps({**document, "errors": [{"message": f"refused: {key}"}]})
    clean = json.loads(console.document_without_keys(leaking))
    assert clean == {**document, "errors": [{"message": f"refused: {MASK}"}]}


@pytest.mark.parametrize("key", [*ODD_KEYS, "error", "error/manifest", 'orders-"key"\\'])
def test_an_odd_key_breaks_no_sarif(desk: Desk, key: str) -> None:
    """What a code scanner goes by stays; of the message the key is taken out, quotes and all."""
    console = desk.console(format_name="sarif")
    problems = [Problem("manifest", "refused: ", "mend it", file="a.yaml", line=1)]
    plain = json.loads(errors_sarif(problems))
    console.keep_secret(ApiKey(key))
    problems = [replace(problem, message=f"{problem.message}{key}") for problem in problems]
    (result,) = json.loads(console.document_without_keys(errors_sarif(problems)))["runs"][0]["results"]
    (expected,) = plain["runs"][0]["results"]
    assert {**result, "message": None} == {**expected, "message": None}
    assert result["message"]["text"].startswith(f"refused: {MASK} →")


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8), st.text())
def test_no_document_and_no_text_gives_a_key_away(key: str, around: str) -> None:
    """However it is escaped, wherever it stands: what is left is JSON, and the rest of it as it was."""
    console = Console(None, None, None, {}, Signals(), Settings())
    console.keep_secret(ApiKey(key))
    text = json.dumps({"targets": [{"description": f"{around}{key}"}], "count": 1})
    clean = json.loads(console.document_without_keys(text))
    assert key not in clean["targets"][0]["description"].replace(MASK, "")
    assert clean["count"] == 1
    assert key not in console.without_keys(f"{around}{key}").replace(MASK, "")


@pytest.mark.parametrize(
    ("arguments", "environment", "expected"),
    [
        ([], {}, (None, "text", "auto")),
        (["plan", "--format", "json", "--nonsense"], {}, ("plan", "json", "auto")),
        (["validate", "--log-format=json"], {}, ("validation", "text", "json")),
        (["plan", "--format"], {"RECONCILER_LOG_FORMAT": "json"}, ("plan", "text", "json")),
        (["apply", "--log-format", "console"], {"RECONCILER_LOG_FORMAT": "json"}, ("plan", "text", "auto")),
        (["sandbox", "--format", "json"], {}, (None, "json", "auto")),
    ],
)
def test_a_line_that_makes_no_sense_is_answered_in_the_form_it_asks_for(
    arguments: list[str], environment: dict[str, str], expected: tuple[object, ...]
) -> None:
    """As far as it can be told."""
    early = early_settings(arguments, environment)
    assert (early.result, early.format_name, early.log_format) == expected


@pytest.mark.parametrize(
    ("environment", "no_color", "colored"),
    [
        ({}, False, False),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ({"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_colour_on_both_streams_is_one_decision(
    desk: Desk, environment: dict[str, str], no_color: bool, colored: bool
) -> None:
    """The option wins over both variables, for errors too."""
    desk.environment |= environment
    console = desk.console(no_color=no_color)
    assert (console.color, console.stderr_style.color) == (colored, colored)
    console.problems([PROBLEM])
    assert ("\x1b[" in desk.err) == colored
