"""What a command line says about output: in which form, where to, and how much of it."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from reconciler.cli.log_lines import LogFormat
    from reconciler.report.render import Format


class Settings(NamedTuple):
    """What the command line says about output; the defaults are those of a command that has no such options.

    `result` is the kind of document that the command prints, None where it prints lines for people. `out` is where the
    document goes, too.
    """

    result: Literal["plan", "validation"] | None = None
    format_name: "Format" = "text"
    one_line: bool = False
    out: str | None = None
    no_color: bool = False
    no_github: bool = False
    log_level: str = "info"
    log_format: "LogFormat" = "auto"
    quiet: bool = False


def early_settings(arguments: Sequence[str], environment: Mapping[str, str]) -> Settings:
    """What a command line says about output before anybody knows whether it makes sense otherwise."""
    command = arguments[0] if arguments else ""
    result: Literal["plan", "validation"] | None = None
    if command in {"plan", "apply", "drift", "run", "show", "validate"}:
        result = "validation" if command == "validate" else "plan"
    return Settings(
        result=result,
        format_name="json" if _last(arguments, environment, "format") == "json" else "text",
        one_line=command == "run",
        log_format="json" if _last(arguments, environment, "log-format") == "json" else "auto",
    )


def _last(arguments: Sequence[str], environment: Mapping[str, str], option: str) -> str:
    value = environment.get(f"RECONCILER_{option.upper().replace('-', '_')}", "")
    for argument, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        name, equals, given = argument.partition("=")
        if name == f"--{option}":
            value = given if equals else following
    return value
