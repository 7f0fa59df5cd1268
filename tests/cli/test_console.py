"""The one console: who is told what, in which form, and never a key."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from reconciler.cli.console import Console
from reconciler.cli.settings import Settings
from reconciler.cli.signals import Signals
from reconciler.cli.telling import tell_failure
from reconciler.errors import UsageError
from reconciler.model.secret import MASK
from reconciler.plan.document import MOST_VALUES
from reconciler.problem import Problem, SourceProblem

KEY = "k\"e\\y&<'-very-secret"
PROBLEM = Problem("manifest", f"no: {KEY}", f"not {KEY}", "t", "orders", "manifests/a.yaml", 3, 5)
SOURCE_PROBLEM = SourceProblem("manifest", "no", "not", "t", "orders", "a.yaml", 3, 5, source=f"key: {KEY}", caret=4)


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


def test_a_problem_with_its_line_is_whole_as_an_event(desk: Desk) -> None:
    """The line and the caret come on top of all that any problem says."""
    desk.environment["MOMENTO_API_KEY"] = KEY
    desk.console(log_format="json").problems([SOURCE_PROBLEM])
    (found,) = desk.events
    told = {name: value for name, value in found.items() if name not in {"timestamp", "level", "event", "run_id"}}
    clean = replace(SOURCE_PROBLEM, source=f"key: {MASK}")
    assert told == {"error": "no", **{name: value for name, value in asdict(clean).items() if name != "message"}}


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


def test_what_is_too_large_to_be_read_again_is_written_and_that_is_said(desk: Desk, tmp_path: Path) -> None:
    """A pipeline learns it from the plan, and not an hour later from the apply."""
    console, out = desk.console(result="plan", out=str(tmp_path / "plan.json")), tmp_path / "plan.json"
    console.save(lambda: f"[{'0,' * MOST_VALUES}0]")
    assert out.stat().st_size > MOST_VALUES
    assert not console.untold
    assert desk.err == (
        f"warning: {out} is written, and no command will read it: the plan has more than 2000000 values: none is read\n"
        "  → plan fewer clusters at once: --target NAME, --only GLOB\n"
    )


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
