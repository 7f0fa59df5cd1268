"""Options that several commands share, each with its variable `RECONCILER_<OPTION>`."""

from collections.abc import Callable, Collection
from typing import Any, TypeAlias

import click

from reconciler.cli import completing
from reconciler.errors import UsageError
from reconciler.model.guards import ALLOWABLE

Decorator: TypeAlias = Callable[[Callable[..., Any]], Callable[..., Any]]


class Duration(click.ParamType[float]):
    """`90s`, `5m`, `1h30m`; becomes seconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds."""
        from reconciler.clock import parse_duration  # noqa: PLC0415  # asyncio comes along

        if isinstance(value, float):
            return value
        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Command(click.Command):
    """A command that has a console: it is set up from the options that every command takes, before the command runs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Let an option with an optional value stand alone: click would take the next argument for its value."""
        return super().parse_args(ctx, [_BARE.get(argument, argument) for argument in args])

    def invoke(self, ctx: click.Context) -> Any:
        """Set the console up, and leave the command its own options."""
        from reconciler.cli.console import Console  # noqa: PLC0415  # --help imports none of it
        from reconciler.cli.settings import Settings  # noqa: PLC0415

        taken = {name: ctx.params.pop(name) for name in Settings._fields if name in ctx.params}
        if "format_name" in taken:
            taken["result"] = _DOCUMENT_OF.get(self.name or "", "plan")
        console = ctx.find_object(Console)
        if console is not None:
            console.configure(Settings(**taken, one_line=self.name == "run"))
        return super().invoke(ctx)


_DOCUMENT_OF = {"validate": "validation", "doctor": None, "export": None, "targets": None}
"""What else than a plan says why there is no result, where a program reads it; None for nothing."""

_BARE = {"--prune": "--prune=owned", "--adopt": "--adopt=*", "--replace": "--replace=*"}


def option(*names: str, **settings: Any) -> Decorator:
    """An option of click's, with its variable; an empty variable is an unset one."""
    long = next(name for name in names if name.startswith("--")).removeprefix("--").partition("/")[0]
    return click.option(*names, envvar=f"RECONCILER_{long.upper().replace('-', '_')}", **settings)


def _all(*decorators: Decorator) -> Decorator:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for decorator in reversed(decorators):
            function = decorator(function)
        return function

    return decorate


def refuse_given(context: click.Context, names: Collection[str], why: str, remedy: str) -> None:
    """Raise UsageError for an option of these on the command line: it would be taken and ignored."""
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "") is click.core.ParameterSource.COMMANDLINE
        if parameter.name in names and given:
            raise UsageError(f"{parameter.opts[0]} {why}", remedy=remedy)


def _manifests(means: str) -> Decorator:
    return option(
        "--manifests",
        default="manifests",
        show_default=True,
        metavar="DIR",
        shell_complete=completing.folders,
        help=means,
    )


folder = _manifests("The folder of manifests.")
manifests = _manifests("The folder of manifests; - is standard input.")
targets = option(
    "--target",
    "targets",
    multiple=True,
    metavar="NAME",
    shell_complete=completing.targets,
    help="Only this target; repeatable.",
)
remote = option("--remote", metavar="NAME", help="Fetch the record from this git remote first, and push it there.")
_named = _all(
    targets,
    option(
        "--only",
        multiple=True,
        metavar="GLOB",
        shell_complete=completing.clusters,
        help="Only clusters whose name matches; repeatable.",
    ),
)
selection = _all(manifests, _named)
selection_of_folder = _all(folder, _named)
reach = _all(
    option("--endpoint", metavar="URL", help="The API's address; a bare cell host will do."),
    option("--region", metavar="NAME", shell_complete=completing.regions, help="A region, instead of an endpoint."),
    option("--api-key-file", metavar="FILE", help="Read the API key from a file instead of its variable."),
)
connection = _all(
    reach,
    option("--sandbox", is_flag=True, help="Use an embedded control plane, kept in .reconciler/sandbox.db."),
)
logs = _all(
    option("--no-color", is_flag=True, help="No colour, even on a terminal."),
    option(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        default="info",
        show_default=True,
        help="How grave an event must be to be written to stderr.",
    ),
    option(
        "--log-format",
        type=click.Choice(["auto", "console", "json"]),
        default="auto",
        show_default=True,
        help="The form of events; auto: console on a terminal, JSON elsewhere.",
    ),
    option("-q", "--quiet", is_flag=True, help="Only errors on stderr."),
)


def _output(*formats: str) -> Decorator:
    return _all(
        option(
            "--format",
            "format_name",
            type=click.Choice(formats),
            default="text",
            show_default=True,
            help="The format of the result on stdout.",
        ),
        _shown,
    )


_shown = _all(
    option(
        "--no-github",
        is_flag=True,
        help="In a workflow: no annotations, summary or outputs.",
    ),
    logs,
)
output_for_programs = _output("text", "json")
output = _output("text", "json", "markdown")
output_with_places = _output("text", "json", "markdown", "sarif", "codequality")
intent = _all(
    option("--base", metavar="REF", help="The commit that this change started from; none: without causes."),
    option(
        "--prune",
        type=click.Choice(["owned", "all"]),
        metavar="[=owned|all]",
        help="Delete live clusters that no manifest declares: those in the record, or all.",
    ),
    click.option(
        "--adopt",
        multiple=True,
        metavar="[=GLOB]",
        help="Take over clusters that somebody else made, though that changes them; repeatable.",
    ),
    click.option(
        "--replace",
        multiple=True,
        metavar="[=GLOB]",
        help="Delete and create again clusters that were never Active; repeatable.",
    ),
    click.option(
        "--allow",
        type=click.Choice(ALLOWABLE),
        multiple=True,
        metavar="GUARD",
        help=f"Lift a guard for this run: {', '.join(ALLOWABLE)}; repeatable.",
    ),
    remote,
)
applying = _all(
    option("--wait/--no-wait", default=True, show_default=True, help="Wait until every change has settled."),
    option(
        "--timeout", type=Duration(), default="2h", show_default=True, help="How long each change may take to settle."
    ),
    option("--keep-going", is_flag=True, help="Delete even where a create or an update failed."),
    option("--concurrency", type=click.IntRange(1, 1000), help="Requests at once; default: the fleet file's, or 8."),
)
