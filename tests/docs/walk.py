"""Walks through a page as its reader would: writes the files that it shows, runs its commands, and keeps what they print."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

_BLOCK = re.compile(r"^```(yaml|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"^\$ ((?:.+\\\n)*.+)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
_SHOWN = "http://127.0.0.1:8080"
_SERVER = "reconciler sandbox"


class Step(NamedTuple):
    """One command, what the page says that it prints, and what it printed: on stderr, where stdout has nothing."""

    command: str
    shown: str
    printed: str
    exit_code: int


def walked(page: str, folder: Path) -> str:
    """The page, with what its commands print now, if any of it is another than it shows."""
    steps = list(walk(page, folder))
    if all(timeless(step.shown) == timeless(step.printed) for step in steps):
        return page
    done, rest = "", page
    for step in steps:
        line = f"$ {step.command}\n"
        before, _, after = rest.partition(line)
        done += before + line + step.printed
        rest = after.removeprefix(step.shown)
    return done + rest


def timeless(text: str) -> str:
    """Without what differs from run to run: seconds, commits, and by the sandbox's port a plan's digest."""
    return re.sub(r"\b\d+(\.\d)?s$|\b([0-9a-f]{64}|[0-9a-f]{10})\b", "#", text, flags=re.MULTILINE)


def walk(page: str, folder: Path) -> Iterator[Step]:
    """Each command of a page, in its order; the sandbox that it starts runs until the walk ends."""
    with _sandbox(folder) as address:
        here, variables = folder, dict[str, str]()
        for language, text in _BLOCK.findall(page):
            if language == "yaml":
                file = here / text.partition("\n")[0].removeprefix("# ")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
                continue
            for command, shown in _COMMAND.findall(text):
                match command.split():
                    case ["export", *pairs]:
                        variables |= dict(pair.split("=", 1) for pair in pairs)
                    case ["cd", name]:
                        here /= name
                    case _ if command == _SERVER:
                        yield Step(command, shown, f"{_SHOWN}\n", 0)
                    case _:
                        yield _run(command, shown, here, variables, address)


def _run(command: str, shown: str, here: Path, variables: dict[str, str], address: str) -> Step:
    own = {name: value.replace(_SHOWN, address) for name, value in variables.items()}
    ended = subprocess.run(
        ["bash", "-c", command], cwd=here, env=_environment() | own, capture_output=True, text=True, check=False
    )
    printed = (ended.stdout or ended.stderr).replace(address, _SHOWN)
    return Step(command, shown, printed, ended.returncode)


@contextmanager
def _sandbox(folder: Path) -> Iterator[str]:
    arguments = [*_SERVER.split(), "--port", "0", "--settle", "20ms"]
    with subprocess.Popen(arguments, cwd=folder, env=_environment(), stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def _environment() -> dict[str, str]:
    """Nobody's settings: this interpreter's commands first, a name for git, no colour, and warnings alone as logs."""
    who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in _WHO.items()}
    nobody = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "RECONCILER_LOG_LEVEL": "warning"}
    return {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONUTF8": "1", **who, **nobody}


_WHO = {"NAME": "platform", "EMAIL": "platform@example.com", "DATE": "2026-01-05T09:00:00Z"}
