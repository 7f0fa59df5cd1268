"""The workflows on GitHub Enterprise Server, whose artifacts are of an older version."""

import re

import pytest
import yaml

from tests.workflows import test_workflows
from tests.workflows.files import ROOT, read
from tests.workflows.hub import Hub
from tests.workflows.service import Service
from tests.workflows.test_workflows import Desk

bare, desk, hub = test_workflows.bare, test_workflows.desk, test_workflows.hub


@pytest.mark.slow
@pytest.mark.parametrize("kept", [True, False])
def test_a_plan_is_kept_by_the_version_that_the_server_has(
    desk: Desk, hub: Hub, service: Service, *, kept: bool
) -> None:
    """By the documented step: apply finds it, and a delete that it shows is done. Without it, that is refused."""
    hub.keeps_old_artifacts_alone = True
    page = (ROOT / "docs/github.md").read_text()
    [step] = [text for text in re.findall(r"^```yaml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE) if "jobs:" not in text
              and "upload-artifact" in text]  # fmt: skip
    document = read(ROOT / ".github/workflows/plan.yml")
    if kept:
        document["jobs"]["plan"]["steps"] += yaml.load(step, Loader=yaml.BaseLoader)  # noqa: S506  # text of text
    desk.open("less")
    (desk.folder / "manifests/us-east-1/feature-flags.yaml").unlink()
    desk.commit("No flags")
    planned = desk.runner.run("plan", desk.proposed(30), document)
    assert (planned.codes["Keep the plan"], planned.codes["Comment"]) == (1, 0), planned.log
    applied = desk.merge(30, "less")
    assert (applied.green, applied.codes["Apply"]) == ((True, 0) if kept else (False, 4)), applied.log
    assert service.writes() == (["DELETE /accounts/us-east-1/cluster/feature-flags 204"] if kept else [])
