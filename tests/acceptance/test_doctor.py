"""The real command tells what a first run would stumble over."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.acceptance.conftest import Checkout, Workplace, manifest
from tests.forge.fake_github import INSTALLATION, REPOSITORY, FakeGitHub
from tests.forge.fake_gitlab import PROJECT, PROJECT_PATH, TOKEN, FakeGitLab
from tests.lease.fake_kubernetes import FakeKubernetes
from tests.lease.served import served


def lines(text: str) -> list[str]:
    """One line a check, without what differs from machine to machine."""
    return [
        re.sub(r"reconciler \d.*|git version [\d.]+|http://[^ ]+|in [\d.]+s", "#", line) for line in text.splitlines()
    ]


@pytest.mark.slow
def test_a_fleet_that_is_ready(checkout: Checkout) -> None:
    """Each check in a line, with one GET; the record is held against a remote that is named."""
    service = checkout.service()
    checkout.declare("orders", "sessions")
    checkout.commit()
    checkout.with_origin()
    assert checkout.run("apply --yes --remote origin").code == 0
    service.answers.clear()
    ended = checkout.run("doctor --remote origin")
    assert (ended.code, ended.err, service.answers) == (0, "", ["GET /cluster 200"])
    revision = checkout.git("rev-parse", "HEAD")[:10]
    assert lines(ended.out) == [
        "ok       versions  #",
        "ok       manifests 2 clusters in 1 target",
        "ok       git       #, a repository with its whole history",
        f"ok       record    default: 2 clusters, last applied {revision}",
        "ok       record    origin has the same",
        "ok       key       default: accepted",
        "ok       endpoint  default: # answered #, with 2 clusters",
        "ok       clock     default: as the service's",
    ]


@pytest.mark.slow
def test_a_clone_that_lacks_the_record(checkout: Checkout) -> None:
    """What can be done without is a warning, with its remedy; the exit is 0."""
    checkout.service()
    checkout.declare("orders")
    checkout.commit("One", days_ago=1)
    checkout.declare("sessions")
    checkout.commit("Two")
    checkout.with_origin()
    assert checkout.run("apply --yes --remote origin").code == 0
    clone = checkout.cloned("clone", "--depth=1")
    ended = clone.run("doctor --remote origin")
    fetch = "reconciler record fetch --remote=origin"
    assert (ended.code, lines(ended.out)[2:5]) == (
        0,
        [
            "warning  git       #, a shallow clone: who set a value can't be told, all else can → git fetch --unshallow",
            f"warning  record    default: none in this clone: nothing was applied yet, or it was not fetched → {fetch}",
            f"warning  record    origin has others than this clone → {fetch}",
        ],
    )


@pytest.mark.slow
def test_all_that_is_wrong_is_told_at_once(workplace: Workplace) -> None:
    """A target without a key, and one whose key is refused; one document, and nothing on stderr."""
    service = workplace.service()
    workplace.write(
        "manifests/fleet.yaml", f"targets: {{a: {{endpoint: '{service.url}'}}, b: {{api_key_env: MOMENTO_KEY_B}}}}\n"
    )
    workplace.write("manifests/a/.keep", "")
    workplace.write("manifests/b/.keep", "")
    workplace.environment["MOMENTO_API_KEY"] = "sandbox-expired"
    ended = workplace.run("doctor --format json")
    document = json.loads(ended.out)
    assert (ended.code, ended.err, document["kind"]) == (1, "", "diagnosis")
    assert [(c["name"], c["target"], c["state"]) for c in document["checks"]] == [
        ("versions", None, "ok"),
        ("manifests", None, "ok"),
        ("git", None, "warning"),
        ("key", "a", "failed"),
        ("endpoint", "a", "ok"),
        ("clock", "a", "ok"),
        ("key", "b", "failed"),
    ]
    assert all(check["remedy"] for check in document["checks"] if check["state"] != "ok")


def told_of_forge(workplace: Workplace) -> list[str]:
    """What doctor says of the forge, a line a check."""
    told = workplace.run("doctor").out.splitlines()
    return [line.replace(" forge     ", " ") for line in told if line[9:15] == "forge "]


@pytest.mark.slow
def test_a_job_whose_token_may_not_read(workplace: Workplace) -> None:
    """What `comment` and `issue` would meet, with the permission that mends it; nothing is written there."""
    github = FakeGitHub()
    workplace.write("event.json", json.dumps({"pull_request": {"number": 12}}))
    with github.serve() as url:
        workplace.environment |= {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": url,
            "GITHUB_EVENT_PATH": "event.json",
            "GITHUB_REPOSITORY": REPOSITORY,
        }
        tokenless = told_of_forge(workplace)
        workplace.environment["GITHUB_TOKEN"] = INSTALLATION
        granted = told_of_forge(workplace)
        github.denied = {"read"}
        denied = told_of_forge(workplace)
    step = "give the step `env: GITHUB_TOKEN: ${{ github.token }}`"
    assert tokenless == [f"warning  no token: neither GITHUB_TOKEN nor GH_TOKEN is set → {step}"]
    assert granted == ["ok       the pull request's comments can be read", "ok       drift issues can be read"]
    refused = "403 Forbidden: Resource not accessible by integration → give the job `permissions:"
    fork = "the token of a fork's pull request can never write"
    assert denied == [
        f"warning  GET /repos/{REPOSITORY}/issues/12/comments: {refused} pull-requests: write`; {fork}",
        f"warning  GET /repos/{REPOSITORY}/issues: {refused} issues: write`; {fork}",
    ]
    assert github.complaints == github.writes == []


@pytest.mark.slow
def test_a_job_on_gitlab_whose_token_may_not_read(workplace: Workplace) -> None:
    """As on GitHub, in GitLab's words; outside a merge request nobody asks for its notes."""
    gitlab = FakeGitLab()
    with gitlab.serve() as url:
        workplace.environment |= {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": url,
            "CI_PROJECT_ID": str(PROJECT),
            "CI_PROJECT_PATH": PROJECT_PATH,
            "CI_PIPELINE_SOURCE": "merge_request_event",
            "CI_MERGE_REQUEST_IID": "12",
            "CI_MERGE_REQUEST_PROJECT_ID": str(PROJECT),
        }
        tokenless = told_of_forge(workplace)
        workplace.environment["GITLAB_TOKEN"] = TOKEN
        granted = told_of_forge(workplace)
        gitlab.denied = {"read"}
        denied = told_of_forge(workplace)
        workplace.environment["CI_PIPELINE_SOURCE"] = "schedule"
        del workplace.environment["CI_MERGE_REQUEST_IID"]
        scheduled = told_of_forge(workplace)
    grant = "give GITLAB_TOKEN the scope `api` and the role Reporter; CI_JOB_TOKEN can't write notes"
    step = "give the job a project access token with the scope `api`: CI_JOB_TOKEN can't write notes"
    assert tokenless == [f"warning  no token: GITLAB_TOKEN is not set → {step}"]
    assert granted == ["ok       the pull request's comments can be read", "ok       drift issues can be read"]
    of_issues = f"warning  GET /projects/{PROJECT}/issues: 403 Forbidden: 403 Forbidden → {grant}"
    of_notes = of_issues.replace("issues:", "merge_requests/12/notes:")
    assert (denied, scheduled) == ([of_notes, of_issues], [of_issues])
    assert gitlab.complaints == gitlab.writes == []


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")
def test_a_pod_that_may_not_hold_its_lease(workplace: Workplace, tmp_path: Path) -> None:
    """What `run --lease` would meet, with the role that mends it; nothing is written there, and the lease needn't be there."""
    kubernetes = FakeKubernetes()

    def told() -> list[str]:
        return [line for line in workplace.run("doctor").out.splitlines() if line[9:15] == "lease "]

    workplace.environment["RECONCILER_LEASE"] = "fleet/reconciler"
    outside = told()
    with served(kubernetes, tmp_path / "account") as pod:
        workplace.environment |= pod.environment
        ready = told()
        kubernetes.leases["fleet", "reconciler"] = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"namespace": "fleet", "name": "reconciler", "resourceVersion": "7"},
            "spec": {"holderIdentity": "first_1"},
        }
        held = told()
        kubernetes.allowed = ("get", "update")
        without_create = told()
        kubernetes.allowed = ("get",)
        denied = told()
        pod.token_file.write_text("of-another-cluster")
        refused = told()
    role = (
        "let the pod's service account get, create and update leases (apiGroups: [coordination.k8s.io]) "
        "in namespace fleet: deploy/kubernetes/rbac.yaml"
    )
    assert outside[0].startswith("failed   lease     --lease is for a pod of a Kubernetes cluster")
    assert [ready, held] == [
        [f"ok       lease     fleet/reconciler may be read, made and written; {who} holds it"]
        for who in ("nobody", "first_1")
    ]
    assert without_create == [
        f"warning  lease     fleet/reconciler: it is there, and where somebody deletes it this pod may not create it anew → {role}"
    ]
    assert denied == [
        f"failed   lease     fleet/reconciler: this pod's service account may not create and update it → {role}"
    ]
    assert refused[0].startswith("failed   lease     lease fleet/reconciler: POST: 401 Unauthorized")
    assert (set(kubernetes.asked), kubernetes.complaints) == ({"get"}, [])
    assert kubernetes.leases["fleet", "reconciler"]["metadata"]["resourceVersion"] == "7"


@pytest.mark.slow
def test_manifests_that_do_not_load(workplace: Workplace) -> None:
    """Are told, with the command that tells more; nobody is asked."""
    service = workplace.service()
    workplace.write("manifests/orders.yaml", "name: orders\n")
    ended = workplace.run("doctor")
    assert (ended.code, service.answers) == (1, [])
    assert "failed   manifests 4 errors in the manifests → reconciler validate --manifests manifests" in ended.out
    workplace.write("manifests/orders.yaml", manifest("orders"))
    for misused in ("--target nowhere", "--region nowhere", "--region us-east-1 --endpoint h.example.com"):
        ended = workplace.run(f"doctor --format json {misused}")
        assert (ended.code, ended.out, ended.err[:7]) == (64, "", "error: ")
    assert service.answers == []
