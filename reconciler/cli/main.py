"""The group of commands, and the one wrapper that turns whatever happens into an exit code."""

import sys
from importlib import import_module
from typing import NoReturn

import click

from reconciler import __version__
from reconciler.errors import EXIT_FAILED, EXIT_USAGE, ReconcilerError

COMMANDS = {
    "validate": "Check manifests, without network; report every error with its place.",
    "plan": "Show what would change, and why.",
    "apply": "Make the clusters as the manifests say.",
    "drift": "Say whether the clusters are as declared; exit 2 if not.",
    "show": "Show a saved plan, in any format.",
    "run": "Plan or apply again and again.",
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
    "5 merged and not applied (drift), 64 bad usage, 130 interrupted, 143 terminated.",
)
@click.version_option(__version__, prog_name="reconciler")
def main() -> None:
    """Keep Momento Valkey clusters as git says they should be."""


def run() -> NoReturn:
    """Run the command line of this process; never returns."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(exit_code_of(sys.argv[1:]))


def exit_code_of(arguments: list[str]) -> int:
    """Run a command line; its exit code."""
    try:
        code = main.main(arguments, prog_name="reconciler", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show(sys.stderr)
        return EXIT_USAGE
    except click.ClickException as error:
        error.show(sys.stderr)
        return EXIT_USAGE
    except click.Abort:
        return 130
    except ReconcilerError as error:
        _tell(error)
        return error.exit_code
    except BrokenPipeError:
        return _broken_pipe()
    except Exception:  # noqa: BLE001  # the last wrapper: whatever it is ends in an exit code
        return _broke()
    return code if isinstance(code, int) else 0


def _tell(error: ReconcilerError) -> None:
    from reconciler.cli.output import tell_problems  # noqa: PLC0415

    tell_problems(error.problems())


def _broken_pipe() -> int:
    """Whoever read the output has gone."""
    from reconciler.cli.output import abandon_stdout  # noqa: PLC0415

    abandon_stdout()
    return EXIT_FAILED


def _broke() -> int:
    import traceback  # noqa: PLC0415

    from reconciler.cli.output import redacted  # noqa: PLC0415

    sys.stderr.write(redacted(traceback.format_exc()))
    sys.stderr.write("error: reconciler broke; the lines above say where\n  → report it, with these lines\n")
    return EXIT_FAILED
