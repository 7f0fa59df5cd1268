"""`reconciler sandbox`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from reconciler.cli import parameters
from reconciler.errors import EXIT_OK, UsageError
from reconciler.sandbox.faults import FAULTS, SETTINGS, Faults
from reconciler.sandbox.switches import KNOWN, Switches

if TYPE_CHECKING:
    from reconciler.cli.console import Console

Written = TypeVar("Written")
Meant = TypeVar("Meant")


class _Command(parameters.Command):
    """Explains switches and faults below the options."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List them, from where they are defined."""
        del ctx
        with formatter.section("Switches"):
            formatter.write_dl([(switch.usage, switch.help) for switch in KNOWN])
        with formatter.section("Faults"):
            formatter.write_dl([*((f"{fault}=RATE", text) for fault, text in FAULTS.items()), *SETTINGS.items()])


class _Lines(click.ParamType[str]):
    """Text; of a variable that holds several, each is a line."""

    name = "text"
    envvar_list_splitter = "\n"


@click.command("sandbox", cls=_Command)
@parameters.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="The port; 0 takes a free one."
)
@parameters.option(
    "--data", default=".reconciler/sandbox.db", show_default=True, metavar="FILE", help="The file that keeps its state."
)
@parameters.option(
    "--settle",
    type=parameters.Duration(),
    default="1s",
    show_default=True,
    help="How long a create, an update and a delete take.",
)
@parameters.option(
    "--switch",
    "switches",
    type=_Lines(),
    multiple=True,
    metavar="NAME[=VALUE]",
    help="Behave as some services do, such as list-lag=2s; repeatable, one a line in the variable.",
)
@parameters.option(
    "--faults", default="", metavar="SPEC", help="Fail now and then, such as 500=0.05,429=0.1,latency=50ms,seed=7."
)
@parameters.option("--tls-cert", metavar="FILE", help="Serve HTTPS, with this certificate (PEM).")
@parameters.option("--tls-key", metavar="FILE", help="The certificate's private key (PEM).")
@parameters.logs
@click.pass_obj
def command(
    console: "Console",
    /,
    *,
    port: int,
    data: str,
    settle: float,
    switches: tuple[str, ...],
    faults: str,
    tls_cert: str | None,
    tls_key: str | None,
) -> int:
    """Serve an embedded control plane on 127.0.0.1: the API document over HTTP, to try it all on.

    Keys: sandbox-admin, sandbox-readonly (403 on writes), sandbox-expired (401). Clusters belong to an account:
    /cluster is the account `default`, /accounts/NAME/cluster are others (--sandbox uses one for each target), and the
    keys sandbox-admin:NAME and sandbox-readonly:NAME lead to one of their own. /openapi.json describes it.
    """
    from reconciler.cli.sites import import_sandbox  # noqa: PLC0415  # --help imports none of it
    from reconciler.clock import SystemClock  # noqa: PLC0415

    server, store = import_sandbox()
    if (tls_cert is None) != (tls_key is None):
        raise UsageError("--tls-cert and --tls-key belong together", remedy="give both, or none")
    turned = _read("--switch", Switches.parse, switches)
    wanted = _read("--faults", Faults.parse, faults)
    clock = SystemClock()
    certificate = server.Certificate(tls_cert, tls_key) if tls_cert else None
    opened = store.Store(data, clock=clock, settle_seconds=settle, switches=turned)
    try:
        server.serve(
            opened, clock, port, lambda base: console.result(f"{base}\n"), faults=wanted, certificate=certificate
        )
    finally:
        opened.close()
    return EXIT_OK


def _read(option: str, parse: Callable[[Written], Meant], written: Written) -> Meant:
    try:
        return parse(written)
    except ValueError as error:
        raise UsageError(f"{option}: {error}", remedy="see reconciler sandbox --help for what there is") from error
