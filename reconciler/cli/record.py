"""`reconciler record`: show, fetch, push, forget."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from reconciler.cli import parameters
from reconciler.errors import EXIT_OK, GitError, UsageError

if TYPE_CHECKING:
    from reconciler.cli.console import Console
    from reconciler.evidence.checkout import Checkout
    from reconciler.model.record import Record

_remote = parameters.option("--remote", metavar="NAME", default="origin", show_default=True, help="The git remote.")


@click.group("record")
def command() -> None:
    """Show the record of what was applied, cluster by cluster; fetch, push or forget it."""


@command.command("show", cls=parameters.Command)
@parameters.folder
@parameters.targets
@parameters.output
@click.pass_obj
def show(console: "Console", /, *, manifests: str, targets: tuple[str, ...]) -> int:
    """Show the record of this clone: of each cluster what was applied, from which commit, file and line."""
    from reconciler.report.records import render_records  # noqa: PLC0415  # --help imports none of it
    from reconciler.report.render import without_places  # noqa: PLC0415

    with _checkout(console, manifests) as checkout:
        records = [record for record in checkout.records.all() if not targets or record.target in targets]
    console.result(render_records(records, without_places(console.settings.format_name)))
    return EXIT_OK


@command.command("fetch", cls=parameters.Command)
@parameters.folder
@_remote
@parameters.logs
@click.pass_obj
def fetch(console: "Console", /, *, manifests: str, remote: str) -> int:
    """Bring the record here, merged with what this clone has."""
    with _checkout(console, manifests) as checkout:
        checkout.records.fetch(remote)
        console.result(f"{_counted(checkout.records.all())}\n")
    return EXIT_OK


@command.command("push", cls=parameters.Command)
@parameters.folder
@_remote
@parameters.logs
@click.pass_obj
def push(console: "Console", /, *, manifests: str, remote: str) -> int:
    """Push the record, merged with what is there; never an embedded sandbox's."""
    from reconciler.model.record import is_sandbox  # noqa: PLC0415  # --help imports none of it

    with _checkout(console, manifests) as checkout:
        records = [record for record in checkout.records.all() if not is_sandbox(record.endpoint)]
        checkout.records.push(remote, records)
        console.result(f"{_counted(records)}\n")
    return EXIT_OK


@command.command("forget", cls=parameters.Command)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@parameters.folder
@parameters.targets
@parameters.remote
@parameters.logs
@click.pass_obj
def forget(
    console: "Console", /, *, names: tuple[str, ...], manifests: str, targets: tuple[str, ...], remote: str | None
) -> int:
    """Forget clusters, which stay live: from then on each counts as made by somebody else.

    Without NAME, all clusters of each --target. With --remote it is pushed, too.
    """
    if not names and not targets:
        raise UsageError("nothing is named", remedy="name clusters, or a whole target with --target NAME")
    with _checkout(console, manifests) as checkout:
        if remote is not None:
            checkout.records.fetch(remote)
        known = [record for record in checkout.records.all() if not targets or record.target in targets]
        lines = {name for record in known for name in record.lines}
        for missing in sorted(set(names) - lines):
            raise UsageError(f"no record has a cluster {missing!r}", remedy="look with `reconciler record show`")
        if not known:
            raise UsageError("there is no record of that target", remedy="look with `reconciler record show`")
        forgotten = [
            checkout.records.write(
                record.with_lines(dict.fromkeys(name for name in record.lines if not names or name in names)),
                f"{record.target}: forget {', '.join(sorted(names)) or 'all'}",
            )
            for record in known
        ]
        if remote is not None:
            checkout.records.push(remote, forgotten)
        told = sum(len(before.lines) - len(after.lines) for before, after in zip(known, forgotten, strict=True))
        console.result(f"{told} forgotten: each counts as made by somebody else from now on\n")
    return EXIT_OK


@contextmanager
def _checkout(console: "Console", manifests: str) -> "Iterator[Checkout]":
    from reconciler.evidence.checkout import Checkout, GitOptions  # noqa: PLC0415  # --help imports none of it

    found = Checkout.open(manifests, manifests, GitOptions(base="HEAD", run_id=console.run_id))
    if found is None:
        raise GitError(f"{manifests} is in no git repository with a commit", remedy="name another: --manifests DIR")
    try:
        yield found
    finally:
        found.close()


def _counted(records: "Sequence[Record]") -> str:
    clusters = sum(len(record.lines) for record in records)
    return (
        f"{clusters} cluster{'' if clusters == 1 else 's'} in {len(records)} record{'' if len(records) == 1 else 's'}"
    )
