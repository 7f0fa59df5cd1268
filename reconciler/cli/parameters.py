"""Options that several commands share, each with its variable `RECONCILER_<OPTION>`."""

from collections.abc import Callable
from typing import Any, TypeAlias

import click

ALLOWABLE = ("empty-head", "max-deletes", "max-delete-fraction", "max-unreviewed-fraction", "max-added-nodes")
"""The guards that a run may lift: `protected` is git's alone, and `adopt` has an option of its own."""

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
    """Lets an option with an optional value stand alone: click would take the next argument for its value."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give the bare options their values."""
        return super().parse_args(ctx, [_BARE.get(argument, argument) for argument in args])


_BARE = {"--prune": "--prune=owned", "--adopt": "--adopt=*"}


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


def _leave_github_alone(_context: click.Context, _parameter: click.Parameter, value: bool) -> None:  # noqa: FBT001
    if value:
        from reconciler.cli.github import SWITCH  # noqa: PLC0415  # --help imports none of it

        SWITCH.on = False


selection = _all(
    option(
        "--manifests",
        default="manifests",
        show_default=True,
        metavar="DIR",
        help="The folder of manifests; - is standard input.",
    ),
    option("--target", "targets", multiple=True, metavar="NAME", help="Only this target; repeatable."),
    option("--only", multiple=True, metavar="GLOB", help="Only clusters whose name matches; repeatable."),
)
connection = _all(
    option("--endpoint", metavar="URL", help="The API's address; a bare cell host will do."),
    option("--region", metavar="NAME", help="A region, instead of an endpoint."),
    option("--api-key-file", metavar="FILE", help="Read the API key from a file instead of its variable."),
    option("--sandbox", is_flag=True, help="Use an embedded control plane, kept in .reconciler/sandbox.db."),
)
logs = _all(
    option(
        "--log-level",
        type=click.Choice(["debug", "info", "warning", "error"]),
        default="info",
        show_default=True,
        help="What stderr gets.",
    ),
    option(
        "--log-format",
        type=click.Choice(["auto", "console", "json"]),
        default="auto",
        show_default=True,
        help="auto: console on a terminal, JSON elsewhere.",
    ),
    option("-q", "--quiet", is_flag=True, help="Only errors on stderr."),
)
output = _all(
    option(
        "--format",
        "format_name",
        type=click.Choice(["text", "json", "markdown"]),
        default="text",
        show_default=True,
        help="What stdout gets.",
    ),
    option("--no-color", is_flag=True, help="No colour, even on a terminal."),
    option(
        "--no-github",
        is_flag=True,
        expose_value=False,
        callback=_leave_github_alone,
        help="In a workflow: no annotations, summary or outputs.",
    ),
    logs,
)
intent = _all(
    option("--base", metavar="REF", help="The commit that this change started from; none for no causes."),
    option(
        "--prune",
        type=click.Choice(["owned", "all"]),
        metavar="[=owned|all]",
        help="Delete live clusters that no manifest declares: those that are provably ours, or all.",
    ),
    click.option(
        "--adopt",
        multiple=True,
        metavar="[=GLOB]",
        help="Change clusters that are live already and declared for the first time; repeatable.",
    ),
    click.option(
        "--allow",
        type=click.Choice(ALLOWABLE),
        multiple=True,
        metavar="GUARD",
        help=f"Lift a guard for this run: {', '.join(ALLOWABLE)}; repeatable.",
    ),
)
applying = _all(
    option("--wait/--no-wait", default=True, show_default=True, help="Wait until every change has settled."),
    option(
        "--timeout", type=Duration(), default="2h", show_default=True, help="How long each change may take to settle."
    ),
    option("--keep-going", is_flag=True, help="Delete even where a create or an update failed."),
    option("--concurrency", type=click.IntRange(1, 1000), help="Requests at once; default: the fleet file's, or 8."),
)
