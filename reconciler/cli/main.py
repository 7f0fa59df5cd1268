"""The group of commands, and the one wrapper that turns whatever happens into an exit code."""

import errno
import os
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module

import click

from reconciler import __version__
from reconciler.cli import exits
from reconciler.cli.console import Console, standard_console
from reconciler.cli.settings import early_settings
from reconciler.cli.signals import Signals
from reconciler.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE, Interrupted, ReconcilerError, UsageError
from reconciler.problem import Problem

COMMANDS = {
    "doctor": "Check all that a run needs, and say what to do.",
    "validate": "Check manifests, without network; report every error with its place.",
    "fmt": "Bring the keys of manifests into one order.",
    "plan": "Show what would change, and why.",
    "apply": "Make the clusters as the manifests say.",
    "drift": "Say whether the clusters are as declared; exit 2 if not.",
    "wait": "Wait until all that is declared has settled.",
    "export": "Write manifests for what is live.",
    "show": "Show a saved plan or report, in any format.",
    "run": "Plan or apply again and again.",
    "targets": "List the targets of the fleet, for a job each.",
    "record": "Show the record of what was applied; fetch, push or forget it.",
    "schema": "Print the JSON Schema of a manifest, the fleet file, a plan or a report.",
    "comment": "Post a plan or a report as the pull request's one comment.",
    "issue": "Open, update or close each target's one drift issue.",
    "sandbox": "Serve an embedded control plane, to try it all on.",
}
"""Each is a module of this package with a click command named `command`; it is imported when it is called."""


class LazyGroup(click.Group):
    """Knows its commands' names and one line of help of each; imports one only to run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which a newcomer needs them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"reconciler.cli.{cmd_name}").command
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Say what an unknown command might have meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from reconciler.model.text import did_you_mean  # noqa: PLC0415

            ctx.fail(f"no such command: {args[0]!r}; {did_you_mean(args[0], list(COMMANDS))}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 in sync or applied, 1 failed, 2 changes pending or drift, 3 refused by a guard, 4 stale, "
    "5 merged and not applied (drift), 64 bad usage, 130 interrupted, 143 terminated, 129 hung up, 131 quit.",
)
@click.version_option(__version__, prog_name="reconciler")
def main() -> None:
    """Keep Momento Valkey clusters as git says they should be."""


def exit_code_of(arguments: list[str], signals: Signals | None = None) -> int:
    """Run a command line; its exit code. `signals` are those of the process, where it has taken them over."""
    console = standard_console(signals or Signals(), early_settings(arguments, os.environ))
    with redirect_stdout(console.stdout), redirect_stderr(console.stderr):  # click writes help by itself
        code = _run(arguments, console)
        console.tell_failure_of_stdout()
    return exits.of_process(code, console.signals.received, untold=console.untold)


def _run(arguments: list[str], console: Console) -> int:
    """The exit code of the command itself: every error is told here, and nowhere below."""
    try:
        code = main.main(arguments, prog_name="reconciler", standalone_mode=False, obj=console)
    except click.ClickException as error:
        return _misused(console, error)
    except click.Abort:
        return EXIT_FAILED
    except Interrupted as error:
        return _interrupted(console, error)
    except ReconcilerError as error:
        return _fail(console, error.problems(), error.exit_code)
    except SystemExit as error:
        if not console.signals.received:  # click has told a shell what may come next
            return error.code if isinstance(error.code, int) else EXIT_OK
        return _interrupted(console, Interrupted(console.signals.received[0]))
    except Exception as error:  # noqa: BLE001  # the last wrapper: whatever it is ends in an exit code
        if console.signals.ended_it:  # in the middle of an import, or of a library's clean-up
            return _interrupted(console, Interrupted(console.signals.received[0]))
        return _broke(console, error)
    return code if isinstance(code, int) else EXIT_OK


def _fail(console: Console, problems: Sequence[Problem], code: int) -> int:
    from reconciler.cli.telling import tell_failure  # noqa: PLC0415

    return tell_failure(console, problems, code)


def _misused(console: Console, error: click.ClickException) -> int:
    """A command line that click doesn't understand."""
    if console.only_events or console.settings.format_name == "json":
        if not console.is_configured:
            console.configure(console.settings)
        return _fail(console, UsageError(error.format_message()).problems(), EXIT_USAGE)
    error.show()
    return EXIT_USAGE


def _interrupted(console: Console, error: Interrupted) -> int:
    """What ended without a result says so, whatever else is logged: who reads a job's log didn't send the signal."""
    if console.has_result or not console.is_configured:
        return error.exit_code
    from reconciler.cli.telling import leave_document  # noqa: PLC0415

    console.problems(error.problems())
    return leave_document(console, error.problems(), error.exit_code)


def _broke(console: Console, error: Exception) -> int:
    import traceback  # noqa: PLC0415

    if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
        message = "this process has too many files open to go on"
        return _fail(console, (Problem("exhausted", message, "raise the limit (ulimit -n)"),), EXIT_FAILED)
    problem = Problem(
        "internal", "this is a bug in reconciler; the lines above say where", "report it, with these lines"
    )
    if console.only_events and console.is_configured:
        import structlog  # noqa: PLC0415

        log = structlog.get_logger()
        log.error("run.broke", exc_info=error)
    else:
        console.tell("".join(traceback.format_exception(error)))
    return _fail(console, (problem,), EXIT_FAILED)
