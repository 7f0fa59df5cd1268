"""The workflows and the action, as they are written."""

import importlib.util
import json
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from reconciler import __version__
from tests.workflows import shellcheck
from tests.workflows.files import ACTION, ROOT, WORKFLOWS, documented, documented_texts, expressions, jobs, read, steps
from tests.workflows.hub import ALONE, git
from tests.workflows.runner import NAME, NOT_RUN, OURS, TABLE

CONSENT = {"prune", "allow", "adopt", "replace", "expect", "dry_run"}
"""What an apply by hand takes."""

HEADER = "Authorization: basic eC1hY2Nlc3MtdG9rZW46c2VjcmV0"
"""Of the user x-access-token, with the password `secret`."""

BIN = Path(sys.executable).parent
DEPTHS = {"plan": "2", "apply": "0"}
"""How much history a workflow reads: the parents of a merge for a try, all that was pushed; else one commit."""

SECRETS = {"MOMENTO_API_KEY_US", "MOMENTO_API_KEY_EU"}


def passes(*command: str) -> None:
    """A linter finds nothing."""
    ended = subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.slow
def test_the_linters_find_nothing() -> None:
    """zizmor, the published schemas, and shellcheck, on every step and on what CI runs."""
    passes("zizmor", "--offline", "--no-progress", "--quiet", ".")
    passes("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *map(str, WORKFLOWS))
    passes("check-jsonschema", "--builtin-schema", "vendor.github-actions", str(ACTION))
    assert shellcheck.main() == 0


def test_the_linters_find_something(capsys: pytest.CaptureFixture[str]) -> None:
    """A step that uses a variable which it isn't given, or leaves one bare, is told."""
    for script in ('echo "$RECONCILER_OUTT"', "rm $RUNNER_TEMP/x"):
        assert not shellcheck.passes("a step", shellcheck.script({"run": script}))
    assert "SC2154" in capsys.readouterr().out


def test_a_job_may_do_what_it_needs_and_no_more() -> None:
    """No permission by default, a time limit, a group; only apply and a release's jobs have an environment."""
    for path in WORKFLOWS:
        workflow = read(path)
        assert workflow["permissions"] == {}
        assert workflow["concurrency"]["cancel-in-progress"] == str(path.stem in {"plan", "ci"}).lower()
        assert "pull_request_target" not in workflow["on"]
        assert "workflow_run" not in workflow["on"]
    permissions = {name: job["permissions"] for name, job in jobs().items()}
    assert permissions == {
        "apply.apply": {"actions": "read", "contents": "write", "pull-requests": "write"},
        "ci.test": {"contents": "read"},
        "drift.drift": {"contents": "read", "issues": "write"},
        "plan.plan": {"contents": "read", "pull-requests": "write"},
        "release.attest": {"id-token": "write", "attestations": "write"},
        "release.build": {"contents": "read"},
        "release.publish": {"id-token": "write"},
    }
    assert {name: job["environment"] for name, job in jobs().items() if "environment" in job} == {
        "apply.apply": "production",
        "release.publish": "pypi",
    }
    assert all(int(job["timeout-minutes"]) <= 180 for job in jobs().values())


def test_actions_are_pinned_and_leave_no_credentials() -> None:
    """By a full hash, with the version beside it, one for each action; ours is this checkout's."""
    uses = [line for path in (*WORKFLOWS, ACTION) for line in path.read_text().splitlines() if "uses:" in line]
    pinned = {line.split("uses: ")[1] for line in uses} - {"./"}
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one) for one in pinned)
    assert len({one.partition("@")[0] for one in pinned}) == len(pinned) == 6
    for name, step in steps().items():
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false", name
            assert step["with"].get("fetch-depth") == DEPTHS.get(name.partition(".")[0]), name


def test_no_expression_is_part_of_a_script() -> None:
    """What a pull request says reaches a shell by the environment alone; secrets go to our own action alone."""
    for name, step in steps().items():
        assert "${{" not in step.get("run", ""), name
        used = {found.removeprefix("secrets.") for found in expressions(step) if found.startswith("secrets.")}
        assert used in (set(), SECRETS)
        assert not used or step["uses"] == "./"


def test_every_expression_is_understood() -> None:
    """It is a name, or it stands in the runner's table; and nothing else stands there."""
    found = {one for path in (*WORKFLOWS, ACTION) for one in expressions(read(path))}
    assert {one for one in found if not NAME.fullmatch(one)} == set(TABLE)


def test_what_is_installed_is_what_is_locked() -> None:
    """Every package by its hash, uv first; the program itself is the action's own commit, and nothing is built.

    No file of the workspace is read: a pull request could say there where packages come from.
    """
    assert set(NOT_RUN) == {"Install", "Make the command"}
    install = steps()["action: Install"]["run"]
    requirements = re.findall(r'-r "\$GITHUB_ACTION_PATH/([\w.-]+)"', install)
    assert requirements == ["requirements-uv.txt", "requirements.txt"]
    assert install.count("--require-hashes -r") == install.count("pip install") == 2
    assert (steps()["action: Install"]["working-directory"], "uv --no-config" in install) == (
        "${{ runner.temp }}",
        True,
    )
    others = [f"requirements-{group}.txt" for group in ("dev", "docs", "peers", "release")]
    for name in (*requirements, "requirements-build.txt", *others):
        locked = (ROOT / name).read_text()
        pinned = {
            "requirements-uv.txt": "uv",
            "requirements-build.txt": "hatchling",
            "requirements-dev.txt": "hatchling",
        }
        assert name not in pinned or re.search(f"^{pinned[name]}==", locked, re.MULTILINE)
        assert not re.search(r"https?://|^-i|--index", locked, re.MULTILINE), name


@pytest.mark.slow
def test_the_command_is_the_action_and_nothing_of_the_workspace(tmp_path: Path) -> None:
    """As the step makes it, beside packages that are there: no module of the workspace with a name of ours is run.

    Nor is what lies compiled beside the source, which needs not be compiled from it.
    """
    action = tmp_path / "action"
    for name in ("reconciler", ".github"):
        shutil.copytree(ROOT / name, action / name, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "hostile.py").write_text("raise SystemExit('what is compiled was run')")
    for name in ("reconciler/__init__.py", ".github/plan_refs.py"):
        compiled = importlib.util.cache_from_source(action / name)
        py_compile.compile(
            str(tmp_path / "hostile.py"), compiled, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
        )
    environment = {**ALONE, "GITHUB_ACTION_PATH": str(action)}
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "reconciler"], cwd=tmp_path, check=True)
    [packages] = tmp_path.glob("reconciler/lib/python*/site-packages")
    (packages / "locked.pth").write_text(sysconfig.get_path("purelib") + "\n")
    script = steps()["action: Make the command"]["run"]
    subprocess.run(["bash", "-eo", "pipefail", "-c", script], cwd=tmp_path, env=environment, check=True)
    workspace = tmp_path / "work"
    (workspace / "reconciler").mkdir(parents=True)
    for name in ("click.py", "reconciler/__init__.py", "reconciler/__main__.py"):
        (workspace / name).write_text("raise SystemExit('the workspace was run')")
    command = [str(tmp_path / "reconciler/bin/reconciler"), "--version"]
    ended = subprocess.run(command, cwd=workspace, env=environment, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"reconciler, version {__version__}\n", "")
    assert not [*action.glob(".github/**/*.pyc")]


def test_what_an_earlier_job_left_is_neither_run_nor_reviewed(tmp_path: Path) -> None:
    """A runner that is used again, or a second use in one job: everything is installed anew, as pip and uv do it.

    These two are stand-ins: pip leaves what is there as it is, and uv makes no environment where there is one.
    """
    uv = '#!/bin/sh\n[ "$3" != venv ] || mkdir reconciler'
    pip = tmp_path / "python"
    pip.write_text(
        f"#!/bin/sh\n[ -e uv ] || {{ mkdir -p uv/bin; printf '%s\\n' '{uv}' > uv/bin/uv; chmod +x uv/bin/uv; }}\n"
    )
    pip.chmod(0o755)
    (tmp_path / "uv/bin").mkdir(parents=True)
    (tmp_path / "uv/bin/uv").write_text("#!/bin/sh\necho an earlier job's; exit 1\n")
    (tmp_path / "uv/bin/uv").chmod(0o755)
    for folder in ("reconciler", "reconciler-reviewed", "reconciler-plans"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "1.json").write_text("{}")
    for name in ("plan", "apply"):
        (tmp_path / f"reconciler-{name}.json").write_text("{}")
    given = {"COMMAND": "apply", "UNREVIEWED": "harmless", "DRY_RUN": "", "OFFLINE": "", "SANDBOX": "", "COMMENT": ""}
    environment = {**ALONE, **given, "KEY": "us", "PYTHON": str(pip), "RUNNER_TEMP": str(tmp_path)}
    environment["GITHUB_ACTION_PATH"] = str(ROOT)
    for step in ("Refuse inputs that are not known", "Install"):
        script = ["bash", "-eo", "pipefail", "-c", steps()[f"action: {step}"]["run"]]
        ended = subprocess.run(script, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert sorted(file.name for file in tmp_path.glob("**/*.json")) == ["reconciler-plan.json"]


def test_ci_runs_what_a_contributor_runs() -> None:
    """`.ci/run`, on every Python that is supported."""
    job = jobs()["ci.test"]
    assert job["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    assert steps()["ci.test: Check, test, demo"]["env"] == {"PYTHON": "python"}


@pytest.mark.slow
def test_the_docs_say_what_the_workflows_need(tmp_path: Path) -> None:
    """Every input and default of the action, every secret and environment; each permission, with the job it is for."""
    page = (ROOT / "docs/github.md").read_text()
    for name in (*read(ACTION)["inputs"], *read(ACTION)["outputs"], *SECRETS, "MOMENTO_API_KEY", "production", "pypi"):
        assert f"`{name}`" in page, name
    assert set(read(ROOT / ".github/workflows/apply.yml")["on"]["workflow_dispatch"]["inputs"]) == CONSENT
    ours, theirs = jobs(), documented()
    for name in ("plan", "apply", "drift"):
        assert theirs[name]["permissions"] == ours[f"{name}.{name}"]["permissions"]
        for permission, access in theirs[name]["permissions"].items():
            assert f"`{permission}: {access}`" in page
    assert set(theirs["apply"]["on"]["workflow_dispatch"]["inputs"]) == CONSENT
    assert theirs["apply"]["concurrency"] == read(ROOT / ".github/workflows/apply.yml")["concurrency"]
    assert theirs["apply"]["jobs"]["apply"]["environment"] == ours["apply.apply"]["environment"]
    for number, text in enumerate(documented_texts()):
        (tmp_path / f"{number}.yml").write_text(text)
    files = sorted(map(str, tmp_path.glob("*.yml")))
    assert files
    passes("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files)


def test_adopting_takes_few_lines() -> None:
    """As the docs say; with the same checkout as ours, by its hash, and as deep."""
    assert [len(text.splitlines()) for text in documented_texts()] == [10, 26, 10, 24]
    checkout = next(step["uses"] for name, step in steps().items() if name == "plan.plan: Check out")
    for name in ("plan", "apply", "drift"):
        [job] = documented()[name]["jobs"].values()
        first, second = job["steps"]
        assert first["uses"] == checkout
        assert first["with"].get("fetch-depth") == DEPTHS.get(name)
        assert second["uses"] in OURS
        assert set(second["with"]) <= set(read(ACTION)["inputs"])


def test_the_token_reaches_git_by_the_environment_alone(tmp_path: Path) -> None:
    """Behind what was configured, with an empty header first; it is masked, and the command doesn't have it bare."""
    environment = {
        **ALONE,
        "TOKEN": "secret",
        "GITHUB_SERVER_URL": "https://forge.example",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "http.https://forge.example/.extraheader",
        "GIT_CONFIG_VALUE_0": "Authorization: old",
    }
    script = ROOT / ".github/with-token.sh"
    for command, told in (
        (
            ["git", "config", "--get-all", "http.https://forge.example/.extraheader"],
            f"Authorization: old\n\n{HEADER}\n",
        ),
        (["sh", "-c", "echo ${TOKEN-none}; exit 7"], "none\n"),
    ):
        ended = subprocess.run(
            ["bash", str(script), *command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert (ended.returncode, ended.stdout) == (7 if command[0] == "sh" else 0, told)
        assert ended.stderr == f"::add-mask::{HEADER.rpartition(' ')[2]}\n"


def test_manifests_are_found_and_no_link_leads_to_another_checkout(tmp_path: Path) -> None:
    """Also where their folder is gone; a link that a pull request puts anywhere into the path is no repository's folder."""
    for name in ("fleet", "tools"):
        (tmp_path / name / "infra/manifests").mkdir(parents=True)
        git(tmp_path / name, "init", "--quiet")
    for link in ("fleet/linked", "fleet/manifests"):
        (tmp_path / link).symlink_to(tmp_path / "tools/infra" / link.removeprefix("fleet/").removeprefix("linked"))
    script = ["bash", "-eo", "pipefail", "-c", steps()["action: Find the repository"]["run"]]
    for manifests, folder, there in (
        ("fleet/infra/manifests", str(tmp_path / "fleet"), "infra/manifests"),
        ("fleet/gone/", str(tmp_path / "fleet"), "gone"),
        ("fleet/linked/manifests", ".", "fleet/linked/manifests"),
        ("fleet/linked/manifests/gone", ".", "fleet/linked/manifests/gone"),
        ("fleet/manifests/", ".", "fleet/manifests/"),
    ):
        output = tmp_path / "output"
        output.write_text("")
        given = {"MANIFESTS": manifests, "GITHUB_WORKSPACE": str(tmp_path), "GITHUB_OUTPUT": str(output)}
        subprocess.run(script, cwd=tmp_path, env={**ALONE, **given}, check=True)
        assert output.read_text().splitlines()[1::3] == [folder, there]


def test_superseded_is_what_head_is_too_old_for_and_nothing_else(tmp_path: Path) -> None:
    """Not a change that nobody reviewed, not a mixture, not an apply that says nothing or can't be read."""
    file = tmp_path / "report.json"
    for kinds, code in ((["stale-head"], 0), (["stale"], 1), (["stale-head", "git"], 1), ([], 1), (None, 1)):
        errors = [{"kind": kind} for kind in kinds or []]
        file.write_text("{" if kinds is None else json.dumps({"kind": "plan", "errors": errors, "targets": []}))
        ended = subprocess.run([sys.executable, str(ROOT / ".github/superseded.py"), str(file)], check=False)
        assert ended.returncode == code
    gone = subprocess.run([sys.executable, str(ROOT / ".github/superseded.py"), str(tmp_path / "none")], check=False)
    assert gone.returncode == 1
