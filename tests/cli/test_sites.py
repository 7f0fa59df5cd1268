"""What a round stands on, opened again and again."""

import os
from pathlib import Path

import pytest

from reconciler.cli.console import Console
from reconciler.cli.options import RunOptions
from reconciler.cli.settings import Settings
from reconciler.cli.signals import Runner, Signals
from reconciler.cli.sites import Sites
from reconciler.errors import SandboxError
from tests.evidence.repositories import text


def declare(target: str) -> None:
    folder = Path("manifests", target)
    folder.mkdir(parents=True)
    (folder / "a.yaml").write_text(text("a"))
    (folder.parent / "fleet.yaml").write_text(f"targets:\n  {target}: {{}}\n")


@pytest.mark.slow
def test_a_sandbox_that_has_none_of_the_targets_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing would be looked at, again and again and without a pause, though all seemed well."""
    monkeypatch.chdir(tmp_path)
    declare("us")
    options = RunOptions("manifests", (), (), None, None, None, sandbox=True)
    with Path(os.devnull).open("w") as nowhere, Runner(Signals()) as runner:
        console = Console(None, nowhere, None, {}, Signals(), Settings(result="plan", format_name="json"))
        with Sites(options, console, runner).reopened() as opened:
            with opened() as ground:
                assert ground.names == ("us",)
            Path("manifests/us/a.yaml").unlink()
            Path("manifests/us").rmdir()
            declare("eu")
            with pytest.raises(SandboxError, match="only targets that came after the sandbox was started"), opened():
                pass
