"""Whether a run would go well: everything that it stands on, each looked at by itself, with what to do about it.

Sends one GET a target, changes nothing anywhere, and tries nothing again: what is wrong is to be seen, not waited out.
"""

import platform
import re
from collections.abc import Iterator, Sequence
from typing import Final

from reconciler import __version__
from reconciler.clock import Clock, format_duration
from reconciler.errors import CredentialsError, Forbidden, GitError, HttpError, ReconcilerError, Unauthenticated
from reconciler.evidence.git import Git
from reconciler.evidence.record import RECORDS, Records
from reconciler.evidence.remote import Remote
from reconciler.forge.port import Port
from reconciler.lease.requests import LeaseRequests, Verb, grant
from reconciler.live.client import Connection, Probe
from reconciler.model.check import Check
from reconciler.model.command import record_command
from reconciler.model.fleet import Target
from reconciler.model.text import printable
from reconciler.report.values import counted

OLDEST_GIT: Final = (2, 39)
"""What is tested. Before 2.38 git takes a bare repository inside the work tree for one, whatever it is told."""
LARGEST_SKEW_SECONDS: Final = 60.0
"""A clock that is further off makes the later of two writes of the record look like the earlier one."""


def of_versions() -> Check:
    """This program and what it runs on."""
    python = f"Python {platform.python_version()} on {platform.system()}"
    return Check(name="versions", state="ok", message=f"reconciler {__version__}, {python}")


def of_git(git: Git | None, folder: str) -> Iterator[Check]:
    """The repository of a folder of manifests."""
    if git is None:
        message = f"{folder} is in no git repository, or git is missing: no cause is known, and nothing is recorded"
        yield Check(name="git", state="warning", message=message, remedy="install git, and run in a clone")
        return
    version = git.command.run("version").out.decode(errors="replace").strip()
    if not is_tested(version):
        message = f"{version}, and nothing older than {'.'.join(map(str, OLDEST_GIT))} is tested"
        yield Check(name="git", state="warning", message=message, remedy="install a newer git")
    if git.commit("HEAD") is None:
        yield Check(name="git", state="warning", message=f"{version}, no commit yet", remedy="commit the manifests")
    elif git.shallow:
        message = f"{version}, a shallow clone: who set a value can't be told, all else can"
        yield Check(name="git", state="warning", message=message, remedy="git fetch --unshallow")
    else:
        yield Check(name="git", state="ok", message=f"{version}, a repository with its whole history")


def is_tested(git_version: str) -> bool:
    """Whether `git version 2.39.5 (Apple Git-154)` is new enough; what can't be read may be."""
    found = re.search(r"(\d{1,5})\.(\d{1,5})", git_version)
    return found is None or (int(found[1]), int(found[2])) >= OLDEST_GIT


def of_records(git: Git, folder: str, targets: Sequence[Target], remote: str | None) -> Iterator[Check]:
    """What this clone knows of what was applied; and whether a server knows the same, if one is named."""
    try:
        found = {record.target: record for record in Records(git, "doctor").all()}
        remotes = git.remotes()
    except GitError as error:
        yield _failed("record", None, error)
        return
    fetch = record_command("fetch", folder=folder, remote=remotes[0]) if remotes else None
    for target in targets:
        record = found.get(target.name)
        if record is None:
            message = "none in this clone: nothing was applied yet, or it was not fetched"
            yield Check(name="record", target=target.name, state="warning", message=message, remedy=fetch)
        else:
            last = f", last applied {record.revision[:10]}" if record.revision else ""
            message = f"{counted(len(record.lines), 'cluster')}{last}"
            yield Check(name="record", target=target.name, state="ok", message=message)
    if remote is not None:
        yield _of_remote(git, folder, remote)


async def of_forge(pull_request: Port | None, issues: Port, nobodys: str) -> tuple[Check, ...]:
    """Whether the token may read what `comment` and `issue` look for; what it may write shows only when they do.

    `nobodys` is the first line of a post that nobody has made.
    """
    asked = (("the pull request's comments", pull_request), ("drift issues", issues))
    return tuple([await _of_port(what, port, nobodys) for what, port in asked if port is not None])


async def _of_port(what: str, port: Port, nobodys: str) -> Check:
    try:
        await port.find(nobodys)
    except HttpError as error:
        return Check(name="forge", state="warning", message=error.message, remedy=error.remedy)
    return Check(name="forge", state="ok", message=f"{what} can be read")


async def of_lease(requests: LeaseRequests) -> Check:
    """Whether this pod may read, make and write the lease that its loop needs, and who holds it."""
    name = requests.name
    verbs: tuple[Verb, ...] = ("get", "create", "update")
    try:
        refused = [verb for verb in verbs if not await requests.allows(verb)]
        lease = await requests.read() if "get" not in refused else None
    except (HttpError, CredentialsError) as error:
        return _failed("lease", None, error)
    if refused and (lease is None or refused != ["create"]):
        message = f"{name}: this pod's service account may not {' and '.join(refused)} it"
        return Check(name="lease", state="failed", message=message, remedy=grant(name))
    if refused:
        message = f"{name}: it is there, and where somebody deletes it this pod may not create it anew"
        return Check(name="lease", state="warning", message=message, remedy=grant(name))
    holder = lease.holder if lease is not None else None
    held = f"{printable(holder, 200)} holds it" if holder is not None else "nobody holds it"
    return Check(name="lease", state="ok", message=f"{name} may be read, made and written; {held}")


async def of_target(target: Target, way: Connection | ReconcilerError, clock: Clock) -> tuple[Check, ...]:
    """A target's key, endpoint and clock, by one request; `way` may be why there is none."""
    name = target.name
    if isinstance(way, CredentialsError):
        return (_failed("key", name, way),)
    if isinstance(way, ReconcilerError):
        return (_failed("endpoint", name, way),)
    began = clock.monotonic()
    try:
        async with way.client() as client:
            probe = await client.probe()
    except HttpError as error:
        return (_untried_key(target), _failed("endpoint", name, error))
    answered = f"{way.peer.address} answered in {format_duration(clock.monotonic() - began)}"
    return (*_of_answer(target, probe, answered), _of_clock(name, probe))


def _of_answer(target: Target, probe: Probe, answered: str) -> tuple[Check, Check]:
    match probe.came_to:
        case Unauthenticated() | Forbidden() as error:
            return _failed("key", target.name, error), Check(
                name="endpoint", target=target.name, state="ok", message=answered
            )
        case HttpError() as error:
            return _untried_key(target), _failed("endpoint", target.name, error)
        case listing:
            listed = f"{answered}, with {counted(len(listing.clusters) + len(listing.unreadable), 'cluster')}"
            return (
                Check(name="key", target=target.name, state="ok", message="accepted"),
                Check(name="endpoint", target=target.name, state="ok", message=listed),
            )


def _of_clock(target: str, probe: Probe) -> Check:
    if probe.service_time is None:
        return Check(name="clock", target=target, state="ok", message="the service tells no time to compare with")
    skew = probe.own_time - probe.service_time
    if abs(skew) <= LARGEST_SKEW_SECONDS:
        return Check(name="clock", target=target, state="ok", message="as the service's")
    message = f"{format_duration(abs(skew))} {'ahead of' if skew > 0 else 'behind'} the service's"
    return Check(name="clock", target=target, state="failed", message=message, remedy="set this machine's clock by NTP")


def _of_remote(git: Git, folder: str, remote: str) -> Check:
    try:
        theirs = Remote(git.command, remote).refs(RECORDS)
    except GitError as error:
        return _failed("record", None, error)
    if theirs == git.refs(RECORDS):
        return Check(name="record", state="ok", message=f"{remote} has the same")
    remedy = record_command("fetch", folder=folder, remote=remote)
    return Check(name="record", state="warning", message=f"{remote} has others than this clone", remedy=remedy)


def _untried_key(target: Target) -> Check:
    message = "there, and not known to be accepted: the service didn't say"
    return Check(name="key", target=target.name, state="warning", message=message)


def _failed(name: str, target: str | None, error: ReconcilerError) -> Check:
    return Check(
        name=name,
        target=target,
        state="failed",
        message=error.message.removeprefix(f"target {target}: "),
        remedy=error.remedy,
    )
