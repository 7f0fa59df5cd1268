"""What was reviewed before a commit reached main: its pull request, and the last plans of all that were merged lately.

It prints the number of the pull request that was merged as this commit, and saves the plans of the newest merges into
$FOLDER, one a pull request: what an earlier apply has failed to do, or hasn't come to, was reviewed there.

A plan counts only if a run of this very repository made it for that very commit: a fork can't offer one. On GitHub it
is an artifact, on Gitea and Forgejo a ref (`plan_refs`). Where there is none, or the forge can't tell, nothing was
reviewed: `apply` then does what is harmless, and no more.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from http.client import HTTPException
from io import BytesIO
from pathlib import Path
from typing import Any, TypeAlias
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener
from zipfile import BadZipFile, ZipFile

from plan_refs import FILE, PlanRefs, hashed, opened

from reconciler.errors import DamagedPlan, GitError
from reconciler.evidence.git import Git
from reconciler.evidence.record import Records
from reconciler.forge.run import speaks_gitea
from reconciler.plan.document import MAX_PLAN_BYTES, load_plans

LastPlan: TypeAlias = Callable[[int, str], bytes | None]

NEWEST = 10
"""Commits of main whose pull requests are asked for, by two requests each, whatever was applied: it may have failed.
More do no harm: a plan only says what was seen, of clusters that are still as they were."""

MOST_SINCE = 100
"""Commits of main since the last apply; what is older is applied by hand."""

DAYS = 90
"""No plan is kept for longer, and no history is read for longer."""

MOST_BYTES = MAX_PLAN_BYTES + 1
"""Of a plan, packed or not: one that has as many is too long for the program, and reads as damaged."""

TROUBLES = (
    *(URLError, HTTPException, OSError, ValueError, KeyError, TypeError, AttributeError, BadZipFile, RuntimeError),
    *(GitError, DamagedPlan),
)
"""Whatever comes of a forge that is down, or says something odd."""


def main() -> None:
    """Print the output, and save the plans; a warning instead of what can't be told."""
    folder = Path(os.environ["FOLDER"])
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with keeper() as last_plan:
            for number, head in pull_requests(commits_to_ask()):
                save(folder / f"{number}.json", number, head, last_plan)
    except (*TROUBLES, subprocess.CalledProcessError) as error:
        warn("the reviewed plans can't be found", error)


def commits_to_ask() -> list[str]:
    """This commit, those from the last applied one on, and the newest; of a cut history, what is there."""
    commit = os.environ["GITHUB_SHA"]
    return [*dict.fromkeys([commit, *since_applied(commit), *touching(commit, NEWEST)])]


def touching(commits: str, most: int) -> list[str]:
    """Those of main that touch the manifests, the newest first."""
    folder = os.environ.get("MANIFESTS") or "manifests"
    limits = ("--first-parent", f"--since={DAYS}.days", f"--max-count={most}")
    listed = subprocess.run(  # noqa: S603
        ["git", "--literal-pathspecs", "rev-list", *limits, commits, "--", folder],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout.split()


def since_applied(commit: str) -> list[str]:
    """Those since the last apply of this job's target that is the furthest behind, as the records say.

    None where these can't be had: apply will say why. A target that has no clusters any more waits for nothing.
    """
    ours = os.environ.get("RECONCILER_TARGET", "").split()
    try:
        git = Git.open(".")
        if git is None:
            return []
        with closing(git):
            records = Records(git, run="")
            records.fetch("origin")
            last = {one.revision for one in records.all() if one.lines and (not ours or one.target in ours)}
            since = [
                [*touching(f"{one}..{commit}", MOST_SINCE), one] if git.commit(one) else touching(commit, MOST_SINCE)
                for one in filter(None, last)
            ]
            return max(since, key=len, default=[])
    except GitError:
        return []


def pull_requests(commits: list[str]) -> Iterator[tuple[int, str]]:
    """Each one that was merged as these commits, once, and its head; the newest commit's is the output."""
    seen = set[int]()
    for commit in commits:
        pull = merged_as(commit)
        if pull is None:
            continue
        number = int(pull["number"])
        if commit == commits[0]:
            sys.stdout.write(f"pull-request={number}\n")
        if number not in seen:
            seen.add(number)
            yield number, str(pull["head"]["sha"])


def merged_as(commit: str) -> dict[str, Any] | None:
    """The pull request that was merged as this commit, or holds it, as the forge tells it."""
    if on_gitea():
        return merged_on_gitea(commit)
    merged = [pull for pull in read(f"commits/{commit}/pulls") if pull["merged_at"]]
    return next((pull for pull in merged if pull["merge_commit_sha"] == commit), next(iter(merged), None))


def merged_on_gitea(commit: str) -> dict[str, Any] | None:
    """The one that was merged as this commit: it knows of no other."""
    try:
        pull: dict[str, Any] = read(f"commits/{commit}/pull")
    except HTTPError as error:
        if error.code != HTTPStatus.NOT_FOUND:
            raise
        return None
    return pull if pull["merged_at"] else None


def on_gitea() -> bool:
    """Whether this is Gitea or Forgejo."""
    return speaks_gitea(os.environ["GITHUB_API_URL"])


def save(file: Path, number: int, head: str, last_plan: LastPlan) -> None:
    """The last plan that was made for this head, where one was kept and this version can read it."""
    try:
        plan = last_plan(number, head)
        if plan is not None:
            load_plans(plan)
            file.write_bytes(plan)
    except TROUBLES as error:
        warn(f"the plan of #{number} can't be had", error)


@contextmanager
def keeper() -> Iterator[LastPlan]:
    """Who is asked for a pull request's last plan, by its number and head."""
    if not on_gitea():
        yield from_artifact
        return
    with opened(os.environ["GITHUB_SHA"]) as plans:
        yield lambda number, head: from_ref(plans, number, head)


def from_ref(plans: PlanRefs, number: int, head: str) -> bytes | None:
    """From where whoever may push here has put it. The head that is told is the branch's, which may have moved on."""
    return plans.of(plans.merged_head(number) or head).get(hashed(os.environ["KEY"]))


def from_artifact(_: int, head: str) -> bytes | None:
    """From where GitHub says that a run of this repository, at this commit, has put it."""
    name = quote(f"plan-{os.environ['ENCODED_KEY']}-{head}")
    found = read(f"actions/artifacts?name={name}&per_page=100")["artifacts"]
    plans = [int(plan["id"]) for plan in found if not plan["expired"] and made_here(plan["workflow_run"] or {}, head)]
    return unpacked(archive(max(plans))) if plans else None


def made_here(run: dict[str, Any], head: str) -> bool:
    """Whether that run was of a branch of this repository, at that commit."""
    return bool(run.get("head_sha") == head and run["head_repository_id"] == run["repository_id"])


class Stay(HTTPRedirectHandler):
    """Follows no redirect: the token goes to the forge's own address alone."""

    def redirect_request(self, *_: object) -> None:
        """None: the redirect is an error."""


def read(path: str) -> Any:
    """What the forge answers."""
    with build_opener(Stay).open(asked(path), timeout=30) as answer:
        return json.loads(answer.read(MOST_BYTES))


def archive(artifact: int) -> bytes:
    """An artifact's files. The forge points to where they lie, and there nobody is told the token."""
    try:
        with build_opener(Stay).open(asked(f"actions/artifacts/{artifact}/zip"), timeout=30) as answer:
            return bytes(answer.read(MOST_BYTES))
    except HTTPError as error:
        if error.code not in {301, 302, 303, 307, 308}:
            raise
        where = str(error.headers["Location"])
    if urlsplit(where).scheme != "https" and urlsplit(where).scheme != urlsplit(os.environ["GITHUB_API_URL"]).scheme:
        raise ValueError("that is no address for files")
    with build_opener(Stay).open(where, timeout=60) as answer:
        return bytes(answer.read(MOST_BYTES))


def unpacked(packed: bytes) -> bytes:
    """The plan in there; a file's own word for its size isn't taken."""
    with ZipFile(BytesIO(packed)) as files, files.open(FILE) as plan:
        return plan.read(MOST_BYTES)


def asked(path: str) -> Request:
    """A request to the forge, with the token."""
    url = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/{path}"
    headers = {"Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}", "Accept": "application/vnd.github+json"}
    return Request(url, headers=headers)


def warn(what: str, error: BaseException) -> None:
    """On the run's page; of the error its kind alone, as its text is anybody's."""
    sys.stderr.write(f"::warning title=reviewed plan::{what}: {type(error).__name__}\n")


if __name__ == "__main__":
    main()
