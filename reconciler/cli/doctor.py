"""`reconciler doctor`."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli import parameters
from reconciler.errors import EXIT_FAILED, EXIT_OK, CredentialsError, GitError, HttpError, InvalidManifests, UsageError

if TYPE_CHECKING:
    from reconciler.cli.console import Console
    from reconciler.cli.signals import Runner
    from reconciler.cli.sites import Sites
    from reconciler.model.check import Check
    from reconciler.model.fleet import Fleet


@click.command("doctor", cls=parameters.Command)
@parameters.folder
@parameters.targets
@parameters.reach
@parameters.option("--remote", metavar="NAME", help="Compare the record with that of this git remote.")
@parameters.option("--lease", metavar="NAMESPACE/NAME", help="In a pod: may it hold this lease, as run would?")
@parameters.output_for_programs
@click.pass_obj
def command(
    console: "Console",
    /,
    *,
    manifests: str,
    targets: tuple[str, ...],
    endpoint: str | None,
    region: str | None,
    api_key_file: str | None,
    remote: str | None,
    lease: str | None,
) -> int:
    """Check all that a run needs, each by itself, and say what to do.

    Versions, manifests, git, record, key, endpoint, clock; in a job, what its token may read; in a pod, whether it may
    hold the lease. Sends one GET a target, and nothing that changes anything. Exit 1 where a check failed.
    """
    from reconciler.cli.options import RunOptions  # noqa: PLC0415  # --help imports none of it
    from reconciler.cli.signals import Runner  # noqa: PLC0415
    from reconciler.cli.sites import Sites  # noqa: PLC0415
    from reconciler.doctor import of_versions  # noqa: PLC0415
    from reconciler.report.checks import render_checks  # noqa: PLC0415

    options = RunOptions(manifests, targets, (), endpoint, region, api_key_file, sandbox=False)
    checks = [of_versions()]
    with Runner(console.signals) as runner:
        of_manifests, fleet = _read(manifests)
        checks += [of_manifests, *_of_git(manifests, fleet, targets, remote)]
        if fleet is not None:
            checks += runner.run(_of_targets(Sites(options, console, runner), fleet))
        if "true" in map(console.environment.get, ("GITHUB_ACTIONS", "GITLAB_CI")):
            checks += runner.run(_of_forge(console))
        if lease:
            checks.append(runner.run(_of_lease(lease, console, runner)))
    console.result(render_checks(checks, "json" if console.settings.format_name == "json" else "text"))
    return EXIT_FAILED if any(check.state == "failed" for check in checks) else EXIT_OK


def _read(manifests: str) -> "tuple[Check, Fleet | None]":
    from reconciler.desired.fleet import read_fleet  # noqa: PLC0415
    from reconciler.model.check import Check  # noqa: PLC0415
    from reconciler.report.values import counted  # noqa: PLC0415

    try:
        fleet = read_fleet(manifests)
    except InvalidManifests as error:
        remedy = f"reconciler validate --manifests {manifests}"
        return Check(name="manifests", state="failed", message=error.message, remedy=remedy), _targets_alone(manifests)
    except UsageError as error:
        export = "" if Path(manifests).exists() else "; or write what is live into it: reconciler export"
        told = Check(name="manifests", state="failed", message=error.message, remedy=f"{error.remedy}{export}")
        return told, _targets_alone(manifests)
    clusters = sum(map(len, fleet.declarations.values()))
    message = f"{counted(clusters, 'cluster')} in {counted(len(fleet.targets), 'target')}"
    return Check(name="manifests", state="ok", message=message), fleet


def _targets_alone(manifests: str) -> "Fleet | None":
    """The targets of a folder that isn't there, or whose manifests don't load; None where the fleet file doesn't."""
    from reconciler.desired.files import Folder  # noqa: PLC0415
    from reconciler.desired.fleet import one_target, read_layout  # noqa: PLC0415
    from reconciler.model.fleet import Fleet  # noqa: PLC0415

    try:
        layout = read_layout(Folder(manifests), lambda _folder: True)
    except UsageError:
        layout = one_target(manifests)
    return None if layout.problems else Fleet(layout.targets, {})


def _of_git(manifests: str, fleet: "Fleet | None", targets: tuple[str, ...], remote: str | None) -> "Iterator[Check]":
    from reconciler.doctor import of_git, of_records  # noqa: PLC0415
    from reconciler.evidence.git import Git  # noqa: PLC0415
    from reconciler.model.check import Check  # noqa: PLC0415

    try:
        git = Git.open(str(_standing(Path(manifests))))
    except GitError as error:
        yield Check(name="git", state="failed", message=error.message, remedy=error.remedy)
        return
    if git is None:
        yield from of_git(None, manifests)
        return
    with closing(git):
        yield from of_git(git, manifests)
        yield from of_records(git, manifests, fleet.selected(targets) if fleet is not None else (), remote)


def _standing(folder: Path) -> Path:
    """The folder; what it shall be made in, where it isn't there yet."""
    return next((path for path in (folder, *folder.parents) if path.is_dir()), folder)


async def _of_forge(console: "Console") -> "Sequence[Check]":
    """What a job's token may read, of the pull request and of the repository that the job is of."""
    from reconciler.cli.posting import on_forge  # noqa: PLC0415
    from reconciler.doctor import of_forge  # noqa: PLC0415
    from reconciler.forge.port import marker  # noqa: PLC0415
    from reconciler.forge.workflow import Workflow  # noqa: PLC0415
    from reconciler.model.check import Check  # noqa: PLC0415

    try:
        workflow = Workflow.read(console.environment)
        async with on_forge(console, workflow) as forge:
            number = workflow.pull_request
            comments = forge.comments(number) if number is not None else None
            return await of_forge(comments, forge.drift_issues(), marker("drift", console.run_id))
    except (CredentialsError, HttpError, UsageError) as error:
        return [Check(name="forge", state="warning", message=error.message, remedy=error.remedy)]


async def _of_lease(lease: str, console: "Console", runner: "Runner") -> "Check":
    from reconciler.cli.leased import requests_of  # noqa: PLC0415  # few runs have one
    from reconciler.doctor import of_lease  # noqa: PLC0415
    from reconciler.model.check import Check  # noqa: PLC0415

    try:
        return await of_lease(requests_of(lease, console, runner))
    except UsageError as error:
        return Check(name="lease", state="failed", message=error.message, remedy=error.remedy)


async def _of_targets(sites: "Sites", fleet: "Fleet") -> "list[Check]":
    """Those of all targets, asked side by side."""
    import asyncio  # noqa: PLC0415

    from reconciler.doctor import of_target  # noqa: PLC0415

    asked = (of_target(target, way, sites.clock) for target, way in sites.ways(fleet))
    return [check for checks in await asyncio.gather(*asked) for check in checks]
