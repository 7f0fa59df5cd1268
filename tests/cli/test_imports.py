"""A command imports only what it uses: start-up is a promise too."""

import subprocess
import sys

import pytest

HEAVY = {
    "asyncio",
    "click",
    "deepdiff",
    "difflib",
    "httpx",
    "pydantic",
    "rich",
    "sqlite3",
    "starlette",
    "structlog",
    "uvicorn",
    "yaml",
}


def imported_by(arguments: list[str]) -> set[str]:
    """Which of the heavy modules a command line has imported when it ends."""
    code = (
        "import sys\n"
        "from reconciler.cli.main import exit_code_of\n"
        f"exit_code_of({arguments!r})\n"
        f"print('\\n' + ' '.join(sorted({HEAVY!r} & set(sys.modules))), file=sys.stderr)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(ended.stderr.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--version"], {"click"}),
        (["--help"], {"click"}),
        (["plan", "--help"], {"click"}),
        (["validate", "manifests"], {"asyncio", "click", "pydantic", "rich", "structlog", "yaml"}),
    ],
)
def test_only_what_is_needed(arguments: list[str], allowed: set[str]) -> None:
    """Help needs click alone; validating needs no HTTP. Rich comes with structlog, where something else installed it."""
    assert imported_by(arguments) <= allowed
