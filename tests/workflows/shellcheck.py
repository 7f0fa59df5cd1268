"""Every step that is shell, and every script, by shellcheck. `make check` runs this."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.workflows.files import ROOT, steps
from tests.workflows.gitlab import template

SHELLCHECK = str(Path(sys.executable).with_name("shellcheck"))
SCRIPTS = (".ci/run", ".github/with-token.sh")
EVERYWHERE = (
    "GITHUB_ACTION_PATH",
    "GITHUB_OUTPUT",
    "GITHUB_REF_NAME",
    "GITHUB_REPOSITORY",
    "GITHUB_SERVER_URL",
    "RUNNER_TEMP",
)
ON_GITLAB = (
    *("CI_JOB_TOKEN", "CI_PIPELINE_SOURCE", "CI_PROJECT_DIR", "CI_PROJECT_URL", "CI_SERVER_URL"),
    *("ADOPT", "ALLOW", "EXPECT", "GITLAB_TOKEN", "REPLACE"),
)
"""What GitLab gives a job, and what a project's or a pipeline's variables may."""


def main() -> int:
    """Print what is wrong; how many scripts are."""
    scripts = {name: script(step) for name, step in steps().items() if "run" in step}
    scripts |= {name: (ROOT / name).read_text() for name in SCRIPTS}
    scripts |= {name: job_script(job) for name, job in template().items()}
    return sum(not passes(name, text) for name, text in scripts.items())


def script(step: dict[str, Any]) -> str:
    """A step's script with its variables, so that one which it isn't given is found."""
    given = "\n".join(f"export {name}=''" for name in (*EVERYWHERE, *step.get("env", {})))
    return f"#!/bin/bash\n{given}\n{step['run']}"


def job_script(job: dict[str, Any]) -> str:
    """A job's script of GitLab's, likewise."""
    given = "\n".join(f"export {name}=''" for name in (*ON_GITLAB, *job["variables"], "RECONCILER_OFFLINE"))
    lines = "\n".join([*job["before_script"], *job["script"]])
    return f"#!/bin/bash\n{given}\n{lines}"


def passes(name: str, text: str) -> bool:
    """Whether shellcheck finds nothing in a script."""
    ended = subprocess.run(
        [SHELLCHECK, "--norc", "--enable=check-unassigned-uppercase,quote-safe-variables", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        sys.stdout.write(f"{name}\n{ended.stdout}{ended.stderr}\n")
    return ended.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
