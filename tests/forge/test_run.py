"""Where a page says that it comes from, and what it links to."""

import pytest

from reconciler.forge.run import Run

SHA = "4ca6a63f0e9d" + "0" * 28
HERE = {
    "GITHUB_API_URL": "https://api.github.com",
    "GITHUB_REPOSITORY": "acme/fleet",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_RUN_ID": "77",
    "GITHUB_RUN_NUMBER": "5",
    "GITHUB_SERVER_URL": "https://github.com/",
    "GITHUB_SHA": SHA,
    "GITHUB_WORKSPACE": "/w/fleet",
}


def test_a_run_is_what_its_variables_say() -> None:
    """GitHub's by its own number; Gitea's by the repository's, and without the addresses that only GitHub has."""
    root = "https://github.com/acme/fleet"
    assert Run.read(HERE) == Run(
        server_url="https://github.com",
        repository="acme/fleet",
        commit=SHA,
        url=f"{root}/actions/runs/77",
        name="77-2",
    )
    gitea = Run.read({**HERE, "GITHUB_API_URL": "https://github.com/api/v1", "GITHUB_ACTION_PATH": "/w/fleet"})
    assert (gitea.url, gitea.forge, gitea.docs) == (f"{root}/actions/runs/5", "gitea", None)


@pytest.mark.parametrize(
    ("variables", "docs"),
    [
        ({"GITHUB_ACTION_PATH": f"/w/_actions/acme/tool/{SHA}"}, f"https://github.com/acme/tool/blob/{SHA}/docs"),
        ({"GITHUB_ACTION_PATH": "/w/_actions/acme/tool/v1"}, "https://github.com/acme/tool/blob/v1/docs"),
        ({"GITHUB_ACTION_PATH": "/w/_actions/acme/tool/v1", "GITHUB_SERVER_URL": "https://forge.example"}, None),
        ({"GITHUB_ACTION_PATH": "/w/_actions/acme/tool/../../x"}, None),
        ({"GITHUB_ACTION_PATH": "/w/fleet/./"}, f"https://github.com/acme/fleet/blob/{SHA}/docs"),
        ({"GITHUB_ACTION_PATH": "/w/fleet/tool"}, f"https://github.com/acme/fleet/blob/{SHA}/tool/docs"),
        ({"GITHUB_ACTION_PATH": "/w/fleet/../other"}, None),
        ({"GITHUB_ACTION_PATH": "/somewhere"}, None),
        ({"GITHUB_ACTION_PATH": "/w/fleet", "GITHUB_SHA": ""}, None),
        ({"GITHUB_ACTION_PATH": ""}, None),
    ],
)
def test_the_documents_are_those_of_the_action_that_runs(variables: dict[str, str], docs: str | None) -> None:
    """As it was fetched, or as the repository has it; another server may not have what was fetched from the first."""
    assert Run.read({**HERE, **variables}).docs == docs


@pytest.mark.parametrize(
    "odd",
    [
        {"GITHUB_SERVER_URL": ""},
        {"GITHUB_SERVER_URL": "javascript:alert(1)"},
        {"GITHUB_SERVER_URL": "https://github.com/)[x](http://evil.example"},
        {"GITHUB_REPOSITORY": "acme"},
        {"GITHUB_REPOSITORY": "acme/fleet/](x)"},
    ],
)
def test_what_makes_no_sense_is_linked_nowhere(odd: dict[str, str]) -> None:
    """Nothing is raised for it: a page without links is a page."""
    assert Run.read({**HERE, **odd}) == Run()


@pytest.mark.parametrize(("variable", "value"), [("GITHUB_RUN_ID", "7/../8"), ("GITHUB_SHA", "../../evil")])
def test_a_number_and_a_commit_are_taken_for_nothing_else(variable: str, value: str) -> None:
    """Neither is part of an address before it is known to be one."""
    run = Run.read({**HERE, variable: value})
    assert value not in str(run)
    assert run.repository == "acme/fleet"


def test_a_pipelines_page_is_gitlabs() -> None:
    """Below a path, in a group of groups; a job's number tells its tries apart; what makes no sense is linked nowhere."""
    there = {
        "GITLAB_CI": "true",
        "CI_SERVER_URL": "https://git.example/sub/",
        "CI_PROJECT_PATH": "acme/platform/fleet",
        "CI_COMMIT_SHA": "c" * 40,
        "CI_PIPELINE_ID": "77",
        "CI_JOB_ID": "1234",
    }
    root = "https://git.example/sub"
    assert Run.read(there) == Run(
        root, "acme/platform/fleet", "c" * 40, "gitlab", f"{root}/acme/platform/fleet/-/pipelines/77", None, "77-1234"
    )
    for odd in (
        {"CI_SERVER_URL": "javascript:alert(1)"},
        {"CI_PROJECT_PATH": "acme/../x"},
        {"CI_PROJECT_PATH": "acme"},
    ):
        assert Run.read({**there, **odd}) == Run()
    assert Run.read({**there, "CI_PIPELINE_ID": "../x"}).url is None
