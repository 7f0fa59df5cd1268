"""What stands in deploy/kubernetes is what Kubernetes takes, and what the command takes; locked down, each of it."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from reconciler.cli.main import main
from tests.acceptance.conftest import RECONCILER, Checkout
from tests.kubernetes import wrong
from tests.workflows import shellcheck

FOLDER = Path(__file__).resolve().parent.parent / "deploy/kubernetes"
FILES = {path.name: list(yaml.safe_load_all(path.read_text())) for path in sorted(FOLDER.glob("*.yaml"))}
OBJECTS = [one for objects in FILES.values() for one in objects]


def pods() -> Iterator[dict[str, Any]]:
    """Every pod's specification."""
    for one in OBJECTS:
        match one["kind"]:
            case "Deployment":
                yield one["spec"]["template"]["spec"]
            case "CronJob":
                yield one["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def containers() -> list[dict[str, Any]]:
    """Every container of every pod."""
    return [one for pod in pods() for one in (*pod.get("initContainers", ()), *pod["containers"])]


def commands() -> list[list[str]]:
    """Every command line of ours: a container's arguments, and each in a script."""
    found = [one["args"] for one in containers() if "reconciler" in one["image"] and "command" not in one]
    scripts = [one["args"][0] for one in containers() if one.get("command", [""])[0] == "sh"]
    lines = [line for text in scripts for line in re.findall(r"\breconciler ([a-z]+(?: [^|\n)]*)?)", text)]
    return found + [shlex.split(line) for line in lines]


def test_kubernetes_takes_it() -> None:
    """Each object as its own description has it, with no field that nobody knows; all in one namespace."""
    assert {name: [one["kind"] for one in objects] for name, objects in FILES.items()} == {
        "apply-each-target.yaml": ["CronJob"],
        "drift.yaml": ["CronJob"],
        "rbac.yaml": ["ServiceAccount", "Role", "RoleBinding"],
        "run.yaml": ["Deployment"],
    }
    assert {one["metadata"]["name"]: wrong(one["kind"], one) for one in OBJECTS if wrong(one["kind"], one)} == {}
    assert {one["metadata"]["namespace"] for one in OBJECTS} == {"fleet"}
    broken = {**FILES["drift.yaml"][0], "spec": {"schedule": 3, "jobTemplates": {}}}
    assert len(wrong("CronJob", broken)) == 3


def test_the_command_takes_its_arguments() -> None:
    """Each option is there, and its value is one; the lease is the one that the role allows, the probes are what it serves."""
    lines = commands()
    assert [line[0] for line in lines] == ["drift", "run", "targets", "apply"]
    group = click.Context(main, **main.context_settings)
    for name, *arguments in lines:
        command = main.get_command(group, name)
        assert command is not None
        command.make_context(name, list(arguments), parent=group)
    role, binding = FILES["rbac.yaml"][1:]
    deployment = FILES["run.yaml"][0]["spec"]["template"]["spec"]
    assert f"--lease=fleet/{role['rules'][0]['resourceNames'][0]}" in lines[1]
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"get", "create", "update"}
    [container] = deployment["containers"]
    assert {container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("liveness", "readiness")} == {
        "/healthz",
        "/readyz",
    }
    assert (
        binding["subjects"][0]["name"] == deployment["serviceAccountName"] == FILES["rbac.yaml"][0]["metadata"]["name"]
    )


def test_scripts_pass_shellcheck() -> None:
    """As the workflows' do."""
    for container in containers():
        if container.get("command", [""])[0] == "sh":
            assert shellcheck.passes(
                container["name"], f"#!/bin/sh -eu\nexport JOB_COMPLETION_INDEX\n{container['args'][0]}"
            )


def test_everything_is_locked_down() -> None:
    """No root, nothing written but what is mounted, no capability, bounded memory; no key in an argument."""
    for pod in pods():
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert all("emptyDir" in volume for volume in pod["volumes"])
        assert pod.get("automountServiceAccountToken", True) == ("serviceAccountName" in pod)
    for container in containers():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {*container["resources"]["requests"], *container["resources"]["limits"]} == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
        for variable in container.get("env", ()):
            assert "value" not in variable or not re.search("KEY$|TOKEN|PASSWORD|VALUE", variable["name"])
        assert not re.search("key=|token=|password=", " ".join(container.get("args", ())), re.IGNORECASE)


@pytest.mark.slow
def test_a_job_takes_the_target_of_its_index(checkout: Checkout) -> None:
    """The script of the indexed job, on a clone of its own: each index applies one target, and one too many ends in 64."""
    [script] = [one["args"][0] for one in containers() if one.get("command", [""])[0] == "sh"]
    service = checkout.service()
    targets = [f"{name}: {{endpoint: '{service.url}/accounts/{name}'}}" for name in ("east", "west")]
    checkout.write("manifests/fleet.yaml", f"targets: {{{', '.join(targets)}}}\n")
    checkout.declare("orders", folder="manifests/east")
    checkout.declare("sessions", folder="manifests/west")
    checkout.commit()
    checkout.with_origin()
    for index, sent in ((0, ["PUT /accounts/eastorders 200"]), (1, ["PUT /accounts/westsessions 200"]), (2, [])):
        pod = checkout.cloned(f"pod{index}")
        here = {"JOB_COMPLETION_INDEX": str(index), "PATH": f"{Path(RECONCILER).parent}:{os.environ['PATH']}"}
        text = script.replace("/work/fleet", str(pod.folder))
        ended = subprocess.run(["sh", "-euc", text], env=pod.environment | here, capture_output=True, check=False)
        assert ended.returncode == (0 if sent else 64), ended.stderr
        assert service.sent() == sent
    recorded = checkout.git("ls-remote", "origin", "refs/reconciler/*").split()[1::2]
    assert [ref.split("/")[-1].partition("-")[0] for ref in recorded] == ["east", "west"]


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """An empty repository."""
    with ExitStack() as cleanup:
        yield Checkout(tmp_path / "checkout", cleanup)
