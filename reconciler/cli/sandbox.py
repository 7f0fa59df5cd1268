"""`reconciler sandbox`."""

import click

from reconciler.cli import parameters
from reconciler.errors import EXIT_OK, Interrupted, UsageError


@click.command("sandbox", cls=parameters.Command)
@parameters.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
@parameters.option(
    "--data", default=".reconciler/sandbox.db", show_default=True, metavar="FILE", help="Where it is kept."
)
@parameters.option(
    "--settle",
    type=parameters.Duration(),
    default="1s",
    show_default=True,
    help="How long a create, an update and a delete take.",
)
@parameters.option(
    "--faults", default="", metavar="SPEC", help="Such as 500=0.05,429=0.1,hang=0.01,latency=50ms,seed=7."
)
@parameters.option("--reveal-placements", is_flag=True, help="List the placements that it chose by itself, too.")
def command(*, port: int, data: str, settle: float, faults: str, reveal_placements: bool) -> int:
    """Serve an embedded control plane on 127.0.0.1: the API document over HTTP, to try it all on.

    Keys: sandbox-admin, sandbox-readonly (403 on writes), sandbox-expired (401). /cluster is the account `default`;
    /accounts/NAME/cluster are others: --sandbox uses one for each target. /openapi.json describes it.
    """
    from reconciler.cli.output import emit  # noqa: PLC0415  # --help imports none of it
    from reconciler.cli.parts import import_sandbox  # noqa: PLC0415
    from reconciler.clock import SystemClock  # noqa: PLC0415

    server, store = import_sandbox()
    from reconciler.sandbox.faults import Faults  # noqa: PLC0415  # after import_sandbox has said what is missing

    try:
        wanted = Faults.parse(faults) if faults else None
    except ValueError as error:
        raise UsageError(f"--faults: {error}", remedy="mend the list, or leave it out") from error
    clock = SystemClock()
    opened = store.Store(data, clock=clock, settle_seconds=settle, reveal_placements=reveal_placements)
    try:
        server.serve(opened, clock, port, wanted, lambda base: emit(f"{base}\n"))
    except Interrupted as stopped:
        return stopped.exit_code
    finally:
        opened.close()
    return EXIT_OK
