"""What was reviewed before a commit reached main, as outputs of a step: the pull request, and its head's last plan.

`reviewed.py key` prints how the name of a plan's artifact has its key; `reviewed.py plan` looks for one that was kept.

A plan counts only if a run of this very repository made it for that very commit: a fork can't offer one. Where there is
none, or the forge can't tell, nothing was reviewed: `apply` then does what is harmless, and no more.
"""

import json
import os
import sys
from collections.abc import Iterator
from typing import Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, Request, build_opener


def main() -> None:
    """Print the outputs; a warning instead of those that can't be told."""
    if sys.argv[1:] == ["key"]:
        sys.stdout.write(f"key={artifact_key()}\n")
        return
    try:
        sys.stdout.writelines(f"{name}={value}\n" for name, value in outputs())
    except (URLError, OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"::warning title=reviewed plan::the reviewed plan can't be found: {type(error).__name__}\n")


def outputs() -> Iterator[tuple[str, int]]:
    """`pull-request`, `run` and `artifact`, as far as they are known; only numbers, so nobody's text."""
    commit = os.environ["GITHUB_SHA"]
    pulls = [pull for pull in read(f"commits/{commit}/pulls") if pull["merged_at"]]
    pull = next((pull for pull in pulls if pull["merge_commit_sha"] == commit), next(iter(pulls), None))
    if pull is None:
        return
    yield "pull-request", int(pull["number"])
    head = pull["head"]["sha"]
    name = quote(f"plan-{artifact_key()}-{head}")
    found = read(f"actions/artifacts?name={name}&per_page=100")["artifacts"]
    plans = [plan for plan in found if not plan["expired"] and made_here(plan["workflow_run"] or {}, head)]
    if plans:
        last = max(plans, key=lambda plan: int(plan["id"]))
        yield "run", int(last["workflow_run"]["id"])
        yield "artifact", int(last["id"])


def artifact_key() -> str:
    """The key as the name of an artifact may hold it: percent-encoded, since that takes no `/`, for one."""
    return quote(os.environ["KEY"], safe="")


def made_here(run: dict[str, Any], head: str) -> bool:
    """Whether that run was of a branch of this repository, at that commit."""
    return bool(run.get("head_sha") == head and run["head_repository_id"] == run["repository_id"])


class Stay(HTTPRedirectHandler):
    """Follows no redirect: the token goes to the forge's own address alone."""

    def redirect_request(self, *_: object) -> None:
        """None: the redirect is an error."""


def read(path: str) -> Any:
    """What the forge answers."""
    url = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/{path}"
    headers = {"Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}", "Accept": "application/vnd.github+json"}
    with build_opener(Stay).open(Request(url, headers=headers), timeout=30) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
