"""What a workflow sees: annotations, the step's summary and outputs; and a plan that needs no key."""

import json

import pytest

from tests.acceptance.conftest import Checkout


def on_github(checkout: Checkout) -> None:
    """Make it look like a step of a workflow."""
    files = {"GITHUB_STEP_SUMMARY": "summary.md", "GITHUB_OUTPUT": "outputs"}
    checkout.environment |= {name: str(checkout.folder / file) for name, file in files.items()}
    checkout.environment["GITHUB_ACTIONS"] = "true"


def read(checkout: Checkout, file: str) -> str:
    """A file of the workplace; empty where there is none."""
    path = checkout.folder / file
    return path.read_text() if path.exists() else ""


def outputs(checkout: Checkout) -> dict[str, str]:
    """The step's outputs, as the runner reads them: NAME<<DELIMITER, the value, the delimiter."""
    found, lines = {}, iter(read(checkout, "outputs").splitlines())
    for line in lines:
        name, _, delimiter = line.partition("<<")
        found[name] = "\n".join(iter(lambda: next(lines), delimiter))
    return found


@pytest.mark.slow
def test_a_step_gets_annotations_a_summary_and_outputs(checkout: Checkout) -> None:
    """Deletes and errors stand at their manifests' lines; counts, digest and exit code are outputs; stdout is the plan."""
    checkout.service()
    checkout.declare("kept", "gone")
    checkout.commit()
    assert checkout.run("apply --yes").code == 0
    checkout.remove("gone")
    on_github(checkout)
    checkout.environment |= {
        "GITHUB_ACTION_PATH": "/w/_actions/acme/reconciler/v1",
        "GITHUB_REPOSITORY": "acme/fleet",
        "GITHUB_RUN_ID": "7",
        "GITHUB_SERVER_URL": "https://github.com",
    }
    ended = checkout.run("plan --prune --format json -q --detailed-exitcode")
    assert ended.code == 2
    assert ended.err == (
        "::warning file=manifests/gone.yaml,line=1,title=gone would be deleted::data-loss, removed by this change\n"
    )
    found = outputs(checkout)
    assert {name: found[name] for name in ("exit_code", "digest", "delete", "update")} == {
        "exit_code": "2",
        "digest": ended.targets[0]["digest"],
        "delete": "1",
        "update": "0",
    }
    page = read(checkout, "summary.md")
    assert "1 to delete" in page.splitlines()[0]
    assert f"head `{ended.targets[0]['revision'][:10]}` · " in page
    assert "[run](https://github.com/acme/fleet/actions/runs/7)" in page
    assert "](https://github.com/acme/reconciler/blob/v1/docs/causes-and-record.md#deletes)" in page
    checkout.write("manifests/kept.yaml", "name: kept\nshard_count: x\n")
    broken = checkout.run("plan -q")
    assert "::error file=manifests/kept.yaml,line=2,col=14,title=cluster kept::shard_count is" in broken.err


@pytest.mark.slow
def test_annotations_stand_where_the_repository_has_their_files(checkout: Checkout) -> None:
    """In a step with a working directory, in a checkout with a path: from the repository's root on, what is gone too."""
    checkout.service()
    checkout.declare("kept", "gone")
    checkout.commit()
    assert checkout.run("apply --yes").code == 0
    checkout.remove("gone")
    on_github(checkout)
    checkout.environment["GITHUB_WORKSPACE"] = str(checkout.folder.parent)
    checkout.folder /= "manifests"
    assert checkout.run("plan --prune --manifests . -q").err.startswith("::warning file=manifests/gone.yaml,line=1,")
    checkout.write("kept.yaml", "name: kept\nshard_count: x\n")
    assert "::error file=manifests/kept.yaml,line=2,col=14," in checkout.run("validate . -q").err


@pytest.mark.slow
def test_github_is_left_alone_where_that_is_asked_for(checkout: Checkout) -> None:
    """--no-github, or no GITHUB_ACTIONS: nothing is annotated, nothing written."""
    checkout.service()
    checkout.declare("new")
    checkout.commit()
    on_github(checkout)
    assert checkout.run("plan --no-github -q").err == ""
    checkout.environment["GITHUB_ACTIONS"] = ""
    assert checkout.run("plan -q").err == ""
    assert (read(checkout, "outputs"), read(checkout, "summary.md")) == ("", "")


@pytest.mark.slow
def test_without_a_key_a_plan_compares_base_with_head_and_says_so(checkout: Checkout) -> None:
    """--offline reaches nothing, is said first in every format, keeps its guards, and can't be applied."""
    service = checkout.service()
    checkout.declare("kept", "gone")
    first = checkout.commit()
    checkout.git("checkout", "-q", "-b", "branch")
    checkout.declare("kept", shard_count=3)
    checkout.declare("new")
    checkout.remove("gone")
    checkout.commit()
    del checkout.environment["MOMENTO_API_KEY"]
    assert checkout.run("plan").code == 1
    ended = checkout.run("plan --offline --prune --format json --out plan.json")
    (target,) = ended.targets
    assert (ended.code, target["live_read"], target["base"]["commit"]) == (0, False, first)
    assert [(c["action"], c["name"], c["cause"]) for c in target["changes"]] == [
        ("delete", "gone", "revision"),
        ("update", "kept", "revision"),
        ("create", "new", "revision"),
    ]
    assert checkout.run("show plan.json").out.startswith("The live clusters of default were not read: ")
    assert checkout.run("show plan.json --format markdown").out.startswith("> [!IMPORTANT]")
    refused = checkout.run("apply plan.json --yes")
    assert (refused.code, "offline" in refused.err) == (1, True)
    assert checkout.run("plan --offline --base none").code == 64
    assert checkout.run("plan --offline --sandbox").code == 64
    assert service.answers == []


@pytest.mark.slow
def test_no_base_lifts_no_protection(checkout: Checkout) -> None:
    """--base none leaves causes out, and what git protects stays protected."""
    service = checkout.service()
    checkout.declare("safe", lifecycle={"prevent_destroy": True})
    checkout.declare("kept")
    checkout.commit()
    assert checkout.run("apply --yes").code == 0
    service.answers.clear()
    checkout.remove("safe")
    ended = checkout.run("apply --yes --prune=all --base none --format json")
    assert (ended.code, [v["guard"] for v in json.loads(ended.out)["targets"][0]["violations"]]) == (3, ["protected"])
    assert service.writes() == []
